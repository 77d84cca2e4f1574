"""What a human reads about a call: the handover's keys made from turns and ledger."""

from __future__ import annotations

from collections.abc import Sequence

from contract import handover
from contract.findings import customer, in_brief
from contract.turns import FunctionEntry, Role, Turn

_SPEAKER = {Role.CALLER: "Caller", Role.VOICE_AGENT: "Agent"}
_SUMMARY_TURNS = 6


def handover_values(
    *,
    agent: str,
    reason: str,
    queue: str,
    result: str,
    turns: Sequence[Turn] = (),
    functions: Sequence[FunctionEntry] = (),
    summary: str = "",
    intent: str = "",
    sentiment: str = "",
    record: str = "",
) -> dict[str, str]:
    """Every key of the handover within its limits; without a summary, the last turns stand for it.

    `record` is where the record of the call is kept, "" where there is none.
    """
    who = customer(functions)
    ordered = [turn for turn in sorted(turns, key=lambda turn: turn.number) if said(turn)]
    return handover.attributes(
        {
            "va_version": handover.VERSION,
            "va_reason": reason,
            "va_queue": queue,
            "va_agent": agent,
            "va_result": result,
            "va_turns": str(len(ordered)),
            "va_summary": summary or _newest(ordered[-_SUMMARY_TURNS:], handover.ESSENTIAL["va_summary"]),
            "va_intent": intent,
            "va_sentiment": sentiment,
            "va_customer_id": who.id,
            "va_verified": who.verified,
            "va_record": record,
            "va_last_caller": _last(ordered, Role.CALLER),
            "va_last_agent": _last(ordered, Role.VOICE_AGENT),
            "va_functions": in_brief(functions, handover.REST["va_functions"]),
            "va_transcript": _newest(ordered, handover.REST["va_transcript"]),
        }
    )


def said(turn: Turn) -> str:
    """What counts of a turn: of an interrupted agent turn, what was heard."""
    return (turn.heard_text if turn.interrupted else turn.text).strip()


def _last(turns: Sequence[Turn], role: Role) -> str:
    return next((said(turn) for turn in reversed(turns) if turn.role is role), "")


def _newest(turns: Sequence[Turn], limit: int) -> str:
    """Lines of a dialogue, the newest last; when they do not all fit, the oldest go."""
    lines: list[str] = []
    room = limit
    for turn in reversed(turns):
        line = f"{_SPEAKER[turn.role]}: {said(turn)}"
        room -= len(line.encode()) + 1
        if room < 0 and lines:
            break
        lines.append(line)
    return "\n".join(reversed(lines))
