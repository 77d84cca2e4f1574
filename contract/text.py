"""Text from outside, made fit for everything that takes UTF-8."""

from __future__ import annotations

import json
from typing import Any

REPLACEMENT = "\ufffd"


def whole(text: str) -> str:
    """`text` with U+FFFD for each half of a surrogate pair.

    JSON may hold a half as an escape (`"\\ud83d"`, where an emoji was cut in two); Python reads it without a word,
    and it then fails in the first place that writes UTF-8: the table, a contact attribute, the next message.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def read_json(text: str) -> Any:
    """JSON from outside, its texts whole.

    Raises:
        ValueError: it is no JSON, or nested too deep to be read.
    """
    try:
        value = json.loads(text)
        # Only an escape can bring a half in.
        return json.loads(whole(json.dumps(value, ensure_ascii=False))) if "\\ud" in text.lower() else value
    except RecursionError:
        raise ValueError("nested too deep") from None


def json_object(text: str) -> dict[str, Any]:
    """The JSON object that `text` is; an empty one where it is something else."""
    try:
        value = read_json(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
