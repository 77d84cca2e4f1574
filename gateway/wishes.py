"""The agent's wish to transfer or to end, as a line of the ledger: who takes the call over carries it out.

Between the request and the action lie the agent's last words, some seconds in which the gateway can die. A core
without I/O.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from contract.turns import FunctionEntry, FunctionState
from definition.functions import END, TRANSFER, WISHES
from gateway.conversation.ending import Leave

# Arguments of the line, and where the wish has them.
_FIELDS = {"queue": "queue", "reason": "why", "summary": "summary", "intent": "intent", "sentiment": "sentiment"}
_ANSWER = json.dumps({"status": "ok"})


class Wishes:
    """At most one wish is open. Each method returns the line as it is to be written, None where there is none."""

    def __init__(self) -> None:
        self._open: FunctionEntry | None = None

    def inherit(self, entries: Iterable[FunctionEntry]) -> Leave | None:
        """What an earlier owner of the call was asked for and had not done."""
        open_ = [entry for entry in entries if entry.name in WISHES and entry.state is FunctionState.ENTERED]
        if not open_:
            return None
        self._open = open_[-1]
        return _leave(self._open)

    @staticmethod
    def last(entries: Iterable[FunctionEntry]) -> Leave | None:
        """The transfer that the caller has come back from, as far as the agent had asked for it."""
        done = [entry for entry in entries if entry.name == TRANSFER and entry.state is FunctionState.FINISHED]
        return _leave(max(done, key=lambda entry: entry.entered_at_ms)) if done else None

    def asked(self, leave: Leave, turn: int, now_ms: int) -> FunctionEntry:
        """The agent asked for it in answer to the caller's `turn`."""
        name = TRANSFER if leave.queue else END
        arguments = {name: getattr(leave, field) for name, field in _FIELDS.items()}
        key = f"{turn:04d}#{name}#{now_ms}"  # the same wish may be taken back and come again
        self._open = FunctionEntry(key, name, arguments, FunctionState.ENTERED, entered_at_ms=now_ms)
        return self._open

    def done(self) -> FunctionEntry | None:
        """The flow has taken it."""
        return self._close(FunctionState.FINISHED)

    def taken_back(self) -> FunctionEntry | None:
        return self._close(FunctionState.CANCELLED)

    def _close(self, state: FunctionState) -> FunctionEntry | None:
        open_, self._open = self._open, None
        return None if open_ is None else replace(open_, state=state, result=_ANSWER)


def _leave(entry: FunctionEntry) -> Leave:
    asked: dict[str, Any] = {field: str(entry.arguments.get(name, "")) for name, field in _FIELDS.items()}
    reason = TRANSFER if entry.name == TRANSFER else "goodbye"
    return Leave(reason, function_id=entry.key, **asked)
