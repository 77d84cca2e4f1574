"""What the last log line of a call tells those who run it: how it went, and nothing that was said."""

from __future__ import annotations

from collections.abc import Iterable

from contract.actions import NONE
from contract.call import Call
from contract.turns import Role, Turn


def last_line(call: Call, turns: Iterable[Turn], queue: str) -> dict[str, str | int]:
    """`queue` is where the caller went, `turns` counts the caller's; `first_word_ms` is from the start of the call to
    the agent's first sound, 0 where there was none."""
    known = list(turns)
    spoken = [turn.started_at_ms for turn in known if turn.role is Role.VOICE_AGENT and turn.started_at_ms]
    return {
        "agent": call.agent,
        "form": call.form.value,
        "queue": queue or NONE,
        "turns": sum(turn.role is Role.CALLER for turn in known),
        "first_word_ms": max(0, min(spoken) - call.started_at_ms) if spoken else 0,
    }
