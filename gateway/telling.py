"""What is kept of one call, and announced: before a transfer, when the flow has it, and when the call is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from contract.actions import NONE
from contract.announcement import Kind, Told
from contract.call import Call, Result
from contract.clock import Clock
from contract.turns import FunctionEntry, Turn
from gateway.announcing import Announcer
from gateway.conversation.ending import Leave
from gateway.legs.leg import FlowTook
from gateway.record import Outcome

Conversed = tuple[Sequence[Turn], Sequence[FunctionEntry], int]


class Telling:
    """`conversed`: turns and functions as they are now, and for how many days they are kept."""

    def __init__(self, announcer: Announcer, call: Call, clock: Clock, conversed: Callable[[], Conversed]) -> None:
        self._announcer = announcer
        self._call = call
        self._clock = clock
        self._conversed = conversed
        self._handover: Mapping[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Something that the call waits for at its end."""
        self._tasks.append(asyncio.create_task(work, name=name))

    def will_hand_over(self, leave: Leave, handover: Mapping[str, str]) -> None:
        """The transfer is asked for, and may still be taken back: the record is kept, nobody is told."""
        self._handover = handover
        told = self._told(Kind.HANDED_OVER, Outcome(Result.TRANSFERRED, leave.reason), leave)
        self.begin(self._announcer.keep(self._call, told, *self._conversed()), "keep")

    def took(self, event: FlowTook, decided: Leave | None) -> Leave | None:
        """The flow has it, and it is not taken back any more; returns what it is. That is what was decided last, unless
        the flow says otherwise: an earlier owner of the call may have asked for it, or the caller's change of mind came
        too late for it."""
        left = decided if self._is(event, decided) else _left(event)
        if event.reason:
            self._handover = event.handover
        if left is not None and left.queue:
            told = self._told(Kind.HANDED_OVER, Outcome(Result.TRANSFERRED, left.reason), left)
            self.begin(self._announcer.tell(self._call, told, *self._conversed()), "announce")
        return left

    async def over(self, outcome: Outcome, left: Leave | None) -> None:
        """The call has ended: what was begun, then the end. Each wait is bounded by its client. A transfer that did not
        happen, as it was taken back or the caller came back from it, is not told of: its record is written over."""
        await self.done()
        if outcome.result is not Result.TRANSFERRED:
            left, self._handover = None, {}
        await self._announcer.tell(self._call, self._told(Kind.ENDED, outcome, left), *self._conversed())

    async def done(self) -> None:
        """What was begun is over."""
        for task in self._tasks:
            await task

    def _is(self, event: FlowTook, decided: Leave | None) -> bool:
        """The leg knows of no other, or the human gets what was to be given."""
        if not event.reason:
            return True
        same = decided is not None and (decided.reason, decided.queue) == (event.reason, event.queue)
        return same and event.handover == self._handover

    def _told(self, kind: Kind, outcome: Outcome, left: Leave | None) -> Told:
        return Told(
            kind,
            self._clock.now_ms(),
            outcome.result.value,
            outcome.reason,
            queue=left.queue if left else "",
            summary=left.summary if left else "",
            handover=self._handover,
        )


def _left(event: FlowTook) -> Leave:
    """As far as the human's attributes tell of it."""
    summary = event.handover.get("va_summary", NONE)
    return Leave(event.reason, event.queue, "" if summary == NONE else summary)
