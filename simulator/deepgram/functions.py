"""Functions that the agent calls: asked for, answered, cancelled.

Rules that are kept here, from the pages on function calling, speculative replies and FunctionCallCancelled: several
calls may come in one request and the turn goes on after the last answer; `defer_until_eot` holds a call back until
the turn is confirmed; a barge-in cancels what is open, and a late answer to it is dropped without a word.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.deepgram.brain import Call
from simulator.deepgram.line import Line
from simulator.deepgram.settings_check import entries
from simulator.deepgram.wire import FunctionCallResponse

Result = tuple[str, str]
"""Name and content."""


@dataclass(slots=True)
class _Open:
    call_id: str
    call: Call
    client_side: bool
    deferred: bool
    sent: bool = False
    answered: bool = False

    def request(self) -> dict[str, Any]:
        return {
            "id": self.call_id,
            "name": self.call.name,
            "arguments": self.call.arguments,
            "client_side": self.client_side,
        }


@dataclass(slots=True)
class _Batch:
    calls: list[_Open]
    done: list[Result] = field(default_factory=list)


class Functions:
    """At most one batch is open: the calls of one reply."""

    def __init__(self, line: Line, hosted: Mapping[str, str], go_on: Callable[[Sequence[Result]], None]) -> None:
        """`hosted`: what the functions with an endpoint of their own answer, by name."""
        self._line = line
        self._hosted = hosted
        self._go_on = go_on
        self._batch: _Batch | None = None
        self._cancelled: set[str] = set()
        self._count = 0

    @property
    def open(self) -> bool:
        return self._batch is not None

    def declared(self) -> dict[str, dict[str, Any]]:
        """The functions of the first think entry; each entry of a fallback list repeats them."""
        first = entries(self._line.agent.get("think", {}))[0]
        return {function["name"]: function for function in first.get("functions", [])}

    def request(self, calls: Sequence[Call], confirmed: bool) -> None:
        """Ask for these calls; the deferred ones not before `confirm`, unless the turn is confirmed. Calls of an
        injected line that the caller's own turn overtakes are given up without a word: unconfirmed."""
        self.cancel(tell=False)
        declared = self.declared()
        opened: list[_Open] = []
        for call in calls:
            function = declared.get(call.name)
            if function is None:
                self._line.fail("NON_EXISTENT_FUNCTION_CALLED", f"Function {call.name!r} does not exist.")
                return
            self._count += 1
            call_id = f"fc_{uuid.uuid5(uuid.NAMESPACE_URL, f'{self._line.request_id}/{self._count}')}"
            opened.append(_Open(call_id, call, "endpoint" not in function, bool(function.get("defer_until_eot"))))
        self._batch = _Batch(opened)
        self._send([entry for entry in opened if confirmed or not entry.deferred])

    def confirm(self) -> None:
        """The turn is confirmed: what was held back goes out."""
        if self._batch is not None:
            self._send([entry for entry in self._batch.calls if not entry.sent])

    def answer(self, response: FunctionCallResponse) -> None:
        if response.call_id in self._cancelled:
            self._line.counters.late_answers += 1
            return
        for entry in self._batch.calls if self._batch else ():
            if entry.call_id == response.call_id and entry.client_side and entry.sent and not entry.answered:
                if self._line.manners.echo_answers:
                    self._line.send(
                        "FunctionCallResponse", id=entry.call_id, name=response.name, content=response.content
                    )
                self._take(entry, response.content)
                return
        self._line.counters.unknown_answers += 1

    def cancel(self, tell: bool) -> None:
        """Give up what is open; `tell` the client about the calls that it has received."""
        if self._batch is None:
            return
        waiting = [entry for entry in self._batch.calls if entry.sent and not entry.answered]
        self._batch = None
        self._line.cancel("hosted")
        self._cancelled.update(entry.call_id for entry in waiting)
        if tell and waiting:
            named = [{"id": entry.call_id, "name": entry.call.name} for entry in waiting]
            self._line.send("FunctionCallCancelled", functions=named)

    def _send(self, calls: Sequence[_Open]) -> None:
        if not calls:
            return
        for entry in calls:
            entry.sent = True
        self._line.send("FunctionCallRequest", functions=[entry.request() for entry in calls])
        for entry in calls:
            if not entry.client_side:
                self._line.later(self._line.manners.hosted_ms, lambda entry=entry: self._host(entry), "hosted")  # type: ignore[misc]
        self._line.reached("function")

    def _host(self, entry: _Open) -> None:
        """The service itself has called the endpoint."""
        content = self._hosted.get(entry.call.name)
        if content is None:
            self._line.warn("FUNCTION_CALL_FAILED", f"Function {entry.call.name!r} failed.")
            content = '{"error": "the function failed"}'
        named = {"id": entry.call_id} if self._line.manners.hosted_answer_has_id else {}
        self._line.send("FunctionCallResponse", **named, name=entry.call.name, content=content)
        self._take(entry, content)

    def _take(self, entry: _Open, content: str) -> None:
        batch = self._batch
        assert batch is not None
        entry.answered = True
        batch.done.append((entry.call.name, content))
        if self._line.history:
            self._line.send("History", function_calls=[{**entry.request(), "response": content}])
        if len(batch.done) == len(batch.calls):
            self._batch = None
            self._go_on(batch.done)
