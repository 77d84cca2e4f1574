"""The last action of a caller: a transfer or the end, until the flow has taken it. A core without I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from contract.actions import End, Numbered, Returned, Transfer
from contract.call import Head
from gateway.legs.leg import FlowTook, LegEvent, TransferReturned

ENDED_MS = 5000
# A queue that is closed, unstaffed or full is found out within a second; a sentence is spoken, then the flow asks.
QUEUED_MS = 20_000


@dataclass(slots=True)
class Final:
    """An action that takes the caller away. `goodbye`: what the flow's own voice is to say before it. `unclear`: the
    sequence that it gets, or has got without an answer of the table."""

    action: Transfer | End
    goodbye: str = ""
    seq: int = 0
    unclear: int = 0
    taken_ms: int = 0  # when the flow took it; 0 before
    withdrawn: bool = False

    @property
    def signal(self) -> str:
        """How we know that the caller has gone."""
        return "ended" if isinstance(self.action, End) else "queued"

    @property
    def patience_ms(self) -> int:
        """How long after the flow took it the caller may still come back, or the contact event be on its way."""
        return ENDED_MS if isinstance(self.action, End) else QUEUED_MS

    @property
    def took(self) -> FlowTook:
        if isinstance(self.action, End):
            return FlowTook(self.action.reason)
        return FlowTook(self.action.reason, self.action.queue, self.action.handover)


@dataclass(slots=True)
class Leaving:
    """`returned_seq`: the sequence from which the caller has come back already; `goodbye_seq`: that of the flow's last
    goodbye, which is `said` once the flow has it, until the agent speaks again."""

    returned_seq: int
    final: Final | None = None
    goodbye_seq: int = 0
    said: bool = False
    _after: Final | None = field(default=None)  # asked for while the one before was being withdrawn

    def ask(self, action: Transfer | End, goodbye: str = "") -> None:
        if self.final is None:
            self.final = Final(action, "" if self.said else goodbye)
        elif self.final.withdrawn:
            self._after = Final(action, goodbye)

    def spoken(self) -> None:
        """The agent says something: the conversation goes on."""
        self.goodbye_seq, self.said = 0, False

    def adopt(self, pending: Numbered) -> None:
        """The owner before this one appended it, and the flow has not taken it yet."""
        if self.final is None and isinstance(pending.action, Transfer | End):
            self.final = Final(pending.action, seq=pending.seq)

    def withdraw(self) -> bool:
        """Whether there is something that the flow has not taken."""
        if self.final is None or self.final.taken_ms:
            return False
        self.final.withdrawn, self._after = True, None
        return True

    def too_late(self, final: Final) -> None:
        """The flow was offered what was to be withdrawn: it stays."""
        final.withdrawn, self._after = False, None

    def withdrawn(self) -> None:
        self.final, self._after = self._after, None
        if self.final is not None and self.said:
            self.final.goodbye = ""

    def saw(self, head: Head, now_ms: int) -> list[LegEvent]:
        """What a newer head says of it."""
        events: list[LegEvent] = []
        final = self.final
        self.said = self.said or 0 < self.goodbye_seq <= max(head.offered, head.loaded)
        if final is not None and final.seq and not final.taken_ms and max(head.offered, head.loaded) >= final.seq:
            final.taken_ms = now_ms
            events.append(final.took)
        if head.returned is not Returned.NONE and head.loaded > self.returned_seq:
            self.returned_seq = head.loaded
            self.final = self._after = None
            events.append(TransferReturned(head.returned))
        return events

    def over(self, now_ms: int) -> str:
        """How we know that the caller has gone since the flow took it; "" while they have not."""
        final = self.final
        gone = final is not None and final.taken_ms and now_ms - final.taken_ms >= final.patience_ms
        return final.signal if final is not None and gone else ""

    @property
    def taken(self) -> bool:
        return self.final is not None and bool(self.final.taken_ms)
