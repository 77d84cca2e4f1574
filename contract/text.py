"""Text from outside, made fit for everything that takes UTF-8."""

from __future__ import annotations

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
