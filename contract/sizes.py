"""How much one item of a call's record may hold, and what is kept of a text."""

from __future__ import annotations

from dataclasses import replace

from contract.actions import Action
from contract.errors import RecordTooLarge
from contract.handover import clip_utf8
from contract.items import canonical, to_plain
from contract.privacy import redacted, redacted_json, redacted_values
from contract.turns import FunctionEntry, Turn

# Together far below the 400 KB that DynamoDB takes for one item; the handover has limits of its own.
TEXT_BYTES = 16 * 1024
FUNCTION_BYTES = 64 * 1024


def within_limits(turn: Turn) -> Turn:
    """The turn as it is kept: its texts cut to what the store takes, without card and social numbers."""
    return replace(turn, text=_kept(turn.text), heard_text=_kept(turn.heard_text))


def entered(entry: FunctionEntry) -> FunctionEntry:
    """A line of the ledger as it is kept: its arguments without card and social numbers.

    Raises:
        RecordTooLarge: the arguments take more than 64 KB.
    """
    kept = redacted_values(entry.arguments)
    assert isinstance(kept, dict)
    check_size("arguments of a function", canonical(kept))
    return replace(entry, arguments=kept, result=redacted_json(entry.result))


def finished(result: str, error: str) -> str:
    """A function's answer as it is kept, without card and social numbers.

    Raises:
        RecordTooLarge: answer and error take more than 64 KB.
    """
    check_size("result of a function", result + error)
    return redacted_json(result)


def _kept(text: str) -> str:
    return clip_utf8(redacted(text), TEXT_BYTES)


def check_size(where: str, text: str) -> None:
    """Raises RecordTooLarge for more than 64 KB."""
    size = len(text.encode())
    if size > FUNCTION_BYTES:
        raise RecordTooLarge(where, FUNCTION_BYTES, size)


def check_action(action: Action) -> None:
    """Raises RecordTooLarge for an action of more than 64 KB."""
    check_size("action", canonical(to_plain(action)))
