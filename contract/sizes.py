"""How much one item of a call's record may hold, and what is kept of a text."""

from __future__ import annotations

from dataclasses import replace

from contract.actions import Action
from contract.errors import RecordTooLarge
from contract.handover import clip_utf8
from contract.items import canonical, to_plain
from contract.privacy import redacted
from contract.turns import Turn

# Together far below the 400 KB that DynamoDB takes for one item; the handover has limits of its own.
TEXT_BYTES = 16 * 1024
FUNCTION_BYTES = 64 * 1024


def within_limits(turn: Turn) -> Turn:
    """The turn as it is kept: its texts cut to what the store takes, without card and social numbers."""
    return replace(turn, text=_kept(turn.text), heard_text=_kept(turn.heard_text))


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
