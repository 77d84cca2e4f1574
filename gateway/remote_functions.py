"""Functions that Deepgram calls by itself, as lines of the ledger: who, what, how long, how it went. No I/O.

The gateway only overhears them: the request with `client_side: false`, and the answer, whose id may be missing
(Deepgram docs, FunctionCallResponse). What Deepgram does not tell, such as a retry, is not there.
"""

from __future__ import annotations

from dataclasses import replace

from contract.findings import taken_apart
from contract.text import json_object
from contract.turns import FunctionEntry, FunctionState
from definition import AgentDefinition
from definition.model import RESULT_BYTES
from gateway.functions.runner import FUNCTIONS_A_CALL, withheld
from gateway.voice_agent.messages import (
    FunctionCall,
    FunctionCallCancelled,
    FunctionCallRequest,
    FunctionCallResponseEcho,
    ServerMessage,
)


class RemoteFunctions:
    """Each method returns the lines as they are to be written."""

    def __init__(self) -> None:
        self._open: dict[str, FunctionEntry] = {}  # by Deepgram's id, in the order of asking
        self._seen = 0

    def overheard(
        self, message: ServerMessage, definition: AgentDefinition, turn: int, now_ms: int
    ) -> list[FunctionEntry]:
        """What a message of the service says of them; nothing for most."""
        match message:
            case FunctionCallRequest(calls):
                return [self._asked(call, definition, turn, now_ms) for call in calls if self._is_new(call, definition)]
            case FunctionCallResponseEcho(call_id, name, content):
                return self._over(self._who(call_id, name), _answer(content), now_ms)
            case FunctionCallCancelled(ids):
                cancelled = (FunctionState.CANCELLED, "", "")
                return [line for call_id in ids for line in self._over(call_id, cancelled, now_ms)]
        return []

    def _is_new(self, call: FunctionCall, definition: AgentDefinition) -> bool:
        function = definition.functions.get(call.name)
        remote = not call.client_side and function is not None and function.endpoint is not None
        return remote and call.id not in self._open and self._seen < FUNCTIONS_A_CALL

    def _asked(self, call: FunctionCall, definition: AgentDefinition, turn: int, now_ms: int) -> FunctionEntry:
        self._seen += 1
        key = f"{turn:04d}#{call.name}#{now_ms}-{self._seen}"
        arguments = withheld(json_object(call.arguments), definition.functions[call.name].redact)
        entry = FunctionEntry(key, call.name, arguments, FunctionState.ENTERED, entered_at_ms=now_ms)
        self._open[call.id] = entry
        return entry

    def _who(self, call_id: str, name: str) -> str:
        """An answer without an id is that of the oldest open call of its name."""
        if call_id:
            return call_id
        return next((key for key, entry in self._open.items() if entry.name == name), "")

    def _over(self, call_id: str, became: tuple[FunctionState, str, str], now_ms: int) -> list[FunctionEntry]:
        entry = self._open.pop(call_id, None)
        if entry is None:
            return []
        state, result, error = became
        return [replace(entry, state=state, result=result, error=error, finished_at_ms=now_ms)]


def _answer(content: str) -> tuple[FunctionState, str, str]:
    if len(content.encode()) > RESULT_BYTES:
        return FunctionState.FINISHED, "", "too_large to be kept"
    # What would change the agent or be remembered is not taken from an answer that did not come to us.
    return FunctionState.FINISHED, taken_apart(content).told, ""
