"""What the human gets: the contract's attributes, filled from what this call knows."""

from __future__ import annotations

from contract import handover as keys
from contract.call import Call
from gateway.conversation.ending import Leave
from gateway.conversation.turns import Turns


def handover(call: Call, leave: Leave, turns: Turns) -> dict[str, str]:
    """All attributes of the handover contract for a caller who leaves."""
    return keys.attributes(
        {
            "va_version": keys.VERSION,
            "va_reason": leave.reason,
            "va_queue": leave.queue,
            "va_summary": leave.summary or turns.last_caller_text,
            "va_agent": call.agent,
            "va_turns": str(turns.caller_turns),
            "va_last_caller": turns.last_caller_text,
            "va_last_agent": turns.last_agent_text,
            "va_transcript": turns.plain(),
        }
    )
