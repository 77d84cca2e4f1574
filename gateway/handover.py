"""What the human gets: the contract's attributes, filled from what this call knows."""

from __future__ import annotations

from collections.abc import Iterable

from contract.call import Call, Result
from contract.transcript import handover_values
from contract.turns import FunctionEntry
from gateway.conversation.ending import Leave
from gateway.conversation.turns import Turns


def handover(
    call: Call, leave: Leave, turns: Turns, functions: Iterable[FunctionEntry] = (), record: str = ""
) -> dict[str, str]:
    """All attributes of the handover contract for a caller who leaves.

    A transfer that no function asked for is a failure of ours: the flow keeps the caller with the humans then,
    because no voice agent is left to come back to.
    """
    return handover_values(
        agent=call.agent,
        reason=leave.why or leave.reason,
        queue=leave.queue,
        result=(Result.TRANSFERRED if leave.function_id else Result.FAILED).value,
        turns=turns.all(),
        functions=tuple(functions),
        summary=leave.summary,
        intent=leave.intent,
        sentiment=leave.sentiment,
        record=record,
    )
