"""`python -m definition.scaffold cancel_order`: a new function of the voice agent, and a test of it, to be changed."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_HANDLER = '''"""Say here what these functions are about."""

from __future__ import annotations

from lambdas.sdk import Context, function, serve


@function(timeout_s=5, on_failure="I cannot look that up just now.")
def NAME(reference: str, context: Context) -> dict[str, object]:
    """Say what it does, and when the agent is to call it. The agent reads this.

    Args:
        reference: What the caller has to say first. The agent reads this, too.
    """
    return {"reference": reference, "sentence": "Say here what the agent should tell the caller."}


handler = serve(NAME)
'''
_TEST = """from __future__ import annotations

from lambdas.functions.NAME.handler import NAME, handler
from lambdas.sdk import Context


def test_it_answers() -> None:
    assert NAME("A1", Context())["reference"] == "A1"


def test_it_is_what_the_lambda_serves() -> None:
    event = {"function": "NAME", "arguments": {"reference": "A1"}, "context": {"contact_id": "c"}}
    assert handler(event, None) == NAME("A1", Context(contact_id="c"))
"""


def files(name: str) -> dict[str, str]:
    """What is written, by path."""
    folder = f"lambdas/functions/{name}"
    return {
        f"{folder}/__init__.py": "",
        f"{folder}/handler.py": _HANDLER.replace("NAME", name),
        f"tests/functions/test_{name}.py": _TEST.replace("NAME", name),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files (0), or say why not (1): nothing that exists is ever overwritten."""
    name = ((sys.argv[1:] if arguments is None else arguments) or [""])[0]
    if not _NAME.fullmatch(name):
        print("NAME: expected small letters, digits and _, beginning with a letter: make function NAME=cancel_order")
        return 1
    written = files(name)
    if there := [path for path in written if Path(path).exists()]:
        print(f"{there[0]} is there already")
        return 1
    for path, text in written.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
    print("\n".join(["written:", *(f"  {path}" for path in written)]))
    print(f"Allow an agent to call it: add a line `  {name}:` under `functions:` of its file in agents/.")
    return 0


if __name__ == "__main__":  # pragma: no cover - the command itself
    sys.exit(main())
