"""One contact, from its start in a flow to its end: events and the time go in, commands come out.

`Contact` does no I/O. A shell tells it what happened, asks when it wants to be told that time has passed
(`next_due_ms`), and carries out the commands.
"""

from __future__ import annotations

from collections.abc import Mapping

from simulator.connect.actions import BLOCKS
from simulator.connect.envelope import contact_event
from simulator.connect.errors import ContactMisused, EndlessFlow, Refusal
from simulator.connect.events import (
    CallerHungUp,
    Command,
    ContactStopped,
    DisconnectReason,
    Enter,
    Event,
    HumanAnswered,
    HumanHungUp,
    LambdaReturned,
)
from simulator.connect.execution import Execution, Phase
from simulator.connect.flow_file import Flow
from simulator.connect.presets import DEFAULT, Preset
from simulator.connect.state import ContactState

BLOCKS_AT_ONCE = 1_000

_ENDS: Mapping[type, DisconnectReason] = {
    CallerHungUp: DisconnectReason.CUSTOMER,
    ContactStopped: DisconnectReason.API,
}


class Contact:
    """A voice contact that came in by phone.

    Raises (from `start` and `handle`):
        EndlessFlow: 1,000 blocks within one millisecond.
        ContactMisused: started twice, or fed before.
    """

    def __init__(self, state: ContactState, flow: Flow, preset: Preset = DEFAULT) -> None:
        self._ex = Execution(state, flow, preset)
        self._blocks_at = (0, 0)

    @property
    def state(self) -> ContactState:
        return self._ex.state

    @property
    def phase(self) -> Phase:
        return self._ex.phase

    @property
    def ended(self) -> bool:
        return self._ex.phase is Phase.ENDED

    def start(self, now_ms: int) -> list[Command]:
        """The call comes in."""
        if self._ex.phase is not Phase.NEW:
            raise ContactMisused(self.state.contact_id, "a contact starts once")
        self._ex.phase = Phase.FLOW
        self._ex.now_ms = self.state.initiated_at_ms = now_ms
        self._run(self._ex.flow.start)
        self._settle()
        return self._taken()

    def handle(self, event: Event, now_ms: int) -> list[Command]:
        """What follows from an event. What was due before it comes first; a contact that is over does nothing."""
        if self._ex.phase is Phase.NEW:
            raise ContactMisused(self.state.contact_id, "start comes first")
        if self.ended:
            return []
        self._ex.now_ms = max(now_ms, self._ex.now_ms)
        self._settle()
        if not self.ended:
            self._apply(event)
            self._settle()
        return self._taken()

    def next_due_ms(self) -> int | None:
        """When to call `handle(Tick(), ...)` at the latest; None where only an event can move the contact on."""
        ex = self._ex
        if self.ended:
            return None
        times = [
            ex.invocations.next_due_ms(),
            ex.activity.next_due_ms() if ex.activity else None,
            ex.waiting.next_due_ms(ex.now_ms) if ex.waiting else None,
        ]
        return min((at for at in times if at is not None), default=None)

    def disconnected_event(self) -> Mapping[str, object]:
        """The contact event DISCONNECTED that EventBridge delivers after the end."""
        return contact_event(self.state, "DISCONNECTED", self.state.disconnected_at_ms)

    def _taken(self) -> list[Command]:
        commands, self._ex.commands = self._ex.commands, []
        return commands

    def _apply(self, event: Event) -> None:
        ex = self._ex
        reason = _ENDS.get(type(event))
        if reason is not None:
            ex.end(reason)
        elif isinstance(event, LambdaReturned):
            ex.invocations.returned(event, ex.now_ms)
        elif isinstance(event, HumanAnswered):
            self._answered()
        elif isinstance(event, HumanHungUp):
            if ex.phase is Phase.WITH_HUMAN:
                ex.end(DisconnectReason.HUMAN)
        elif ex.activity is not None:
            ex.activity.hear(event, ex)

    def _answered(self) -> None:
        ex = self._ex
        if ex.phase is Phase.QUEUED:
            ex.leave_queue()
            ex.stop_activity()
            ex.waiting = None
            ex.phase = Phase.WITH_HUMAN
            ex.state.answered_at_ms = ex.now_ms

    def _settle(self) -> None:
        """Go on until only an event or time can move the contact."""
        for command in self._ex.invocations.due(self._ex.now_ms):
            self._ex.emit(command)
        while not self.ended:
            target = self._left_wait() or self._activity_over()
            if target is None:
                return
            self._run(target)

    def _left_wait(self) -> str | None:
        """Where a Wait that ends now leads; what plays in its Continue branch is cut."""
        ex = self._ex
        target = ex.waiting.leaves(ex.now_ms, ex.activity is not None) if ex.waiting else None
        if target is not None:
            ex.stop_activity()
            ex.waiting = None
        return target

    def _activity_over(self) -> str | None:
        ex = self._ex
        target = ex.activity.over(ex) if ex.activity else None
        if target is None:
            return None
        ex.activity = None
        return self._left_wait() or target  # between two blocks of a Continue branch

    def _run(self, target: str) -> None:
        """Run blocks until one takes its time, or the flow is over."""
        ex = self._ex
        going: str | None = target
        while going is not None:
            action = ex.flow.actions[going]
            self._count(action.identifier)
            ex.emit(Enter(action.identifier, action.type))
            try:
                going = BLOCKS[action.type](ex, action)
            except Refusal as refused:
                ex.log(action, {}, str(refused))
                going = action.error()

    def _count(self, identifier: str) -> None:
        at, blocks = self._blocks_at
        blocks = blocks + 1 if at == self._ex.now_ms else 1
        self._blocks_at = (self._ex.now_ms, blocks)
        if blocks > BLOCKS_AT_ONCE:
            raise EndlessFlow(self._ex.flow.name, identifier, blocks)
