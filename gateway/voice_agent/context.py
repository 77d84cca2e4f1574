"""What a new session is told of the conversation so far: `agent.context.messages`, as the caller heard it.

The shape is that of Deepgram's History messages (docs, voice-agent-conversation-context). An agent turn appears with
what was heard of it, since the model must not believe to have said what a barge-in or a failure cut away.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from contract.findings import taken_apart
from contract.turns import FunctionEntry, FunctionState, Role, Turn
from gateway.telemetry.bounds import Bound, reached

# Nothing documents what Settings may hold; a model's context is shorter than a call of hours, and the caller waits.
CONTEXT_BYTES: Final = 64 * 1024
_OMITTED: dict[str, object] = {
    "type": "History",
    "role": "assistant",
    "content": "(The beginning of this long call is left out here.)",
}
_OPEN = {"status": "unknown", "note": "The outcome of this call is unknown. Do not repeat it; tell the caller so."}
_CANCELLED = {"status": "CANCELLED"}  # as the service itself shows a cancelled call to the model


@dataclass(frozen=True, slots=True)
class Context:
    """`messages` go into the Settings; `unanswered`, unless it is "", is sent as InjectUserMessage afterwards."""

    messages: tuple[dict[str, object], ...] = field(repr=False)
    unanswered: str = field(default="", repr=False)


def build(turns: Iterable[Turn], functions: Iterable[FunctionEntry]) -> Context:
    """Everything said and called, in order. What the caller said last, with no answer heard, is kept apart: as part
    of the context it would never be answered."""
    heard = [(turn, text) for turn in sorted(turns, key=lambda turn: turn.number) if (text := _heard(turn))]
    answered = len(heard)
    while answered and heard[answered - 1][0].role is Role.CALLER:
        answered -= 1
    unanswered = " ".join(text for _, text in heard[answered:])
    return Context(tuple(_newest(_interleaved(heard[:answered], functions))), unanswered)


def _newest(messages: list[dict[str, object]]) -> list[dict[str, object]]:
    """As many of the last messages as there is room for; what goes is said in the first one."""
    room = CONTEXT_BYTES
    for left in range(len(messages) - 1, -1, -1):
        room -= len(json.dumps(messages[left], ensure_ascii=False).encode())
        if room < 0:
            reached(Bound.CONTEXT, left + 1)
            return [_OMITTED, *messages[left + 1 :]]
    return messages


def _heard(turn: Turn) -> str:
    return (turn.text if turn.role is Role.CALLER else turn.heard_text).strip()


def _interleaved(heard: Sequence[tuple[Turn, str]], functions: Iterable[FunctionEntry]) -> list[dict[str, object]]:
    """A function stands before the first turn that began after it was called."""
    messages: list[dict[str, object]] = []
    waiting = sorted(functions, key=lambda entry: entry.entered_at_ms, reverse=True)
    for turn, text in heard:
        while waiting and waiting[-1].entered_at_ms < turn.started_at_ms:
            messages.append(_call(waiting.pop()))
        role = "user" if turn.role is Role.CALLER else "assistant"
        messages.append({"type": "History", "role": role, "content": text})
    messages.extend(_call(entry) for entry in reversed(waiting))
    return messages


def _call(entry: FunctionEntry) -> dict[str, object]:
    call = {
        # Made from the key, since the ledger does not keep the model's own id; short and plain, as providers want it.
        "id": "call_" + hashlib.sha256(entry.key.encode()).hexdigest()[:24],
        "name": entry.name,
        "client_side": True,
        "arguments": json.dumps(dict(entry.arguments), ensure_ascii=False),
        "response": _response(entry),
    }
    return {"type": "History", "function_calls": [call]}


def _response(entry: FunctionEntry) -> str:
    if entry.state is FunctionState.ENTERED:
        return json.dumps(_OPEN)
    if entry.state is FunctionState.CANCELLED:
        return json.dumps(_CANCELLED)
    if entry.state is FunctionState.FAILED and not entry.result:
        return json.dumps({"error": entry.error}, ensure_ascii=False)
    return taken_apart(entry.result).told
