"""What one owner of a call appends to its log, and takes back there."""

from __future__ import annotations

from dataclasses import dataclass

from contract.actions import Action
from contract.call import Head, Lease
from contract.clock import Clock
from contract.store import GatewayStore


@dataclass(slots=True)
class ActionLog:
    """`last` is the sequence of what this owner, or one before it, appended; up to `cancelled` all is cancelled, or was
    there before.

    Where the table gives no answer an action may be in the log all the same: then it is appended again, or cancelled by
    the sequence that it has if it is there.
    """

    store: GatewayStore
    clock: Clock
    lease: Lease
    last: int
    cancelled: int
    _unclear: int = 0  # the sequence of what is being appended, or was without an answer; 0 for none
    _to_cancel: int = 0
    _opening: bool = False  # is to be cancelled, too

    @property
    def next(self) -> int:
        """The sequence of what is appended next, or may be there already."""
        return self.last + 1

    @property
    def reach(self) -> int:
        """The last sequence that may be there."""
        return max(self.last, self._unclear)

    async def append(self, action: Action) -> int:
        """Its sequence. Raises LeaseLost, CallEnded, StoreUnavailable."""
        self._unclear = self.next
        seq = await self.store.append(self.lease, action, self.clock.now_ms())
        self.last, self._unclear = max(self.last, seq), 0
        return seq

    def cancel(self, up_to: int) -> None:
        """To be taken back by `cancel_now`, with everything before it."""
        self._to_cancel = max(self._to_cancel, up_to)

    def cancel_opening(self) -> None:
        self._opening = True

    @property
    def owes(self) -> bool:
        """Something is to be cancelled."""
        return self._opening or self._to_cancel > self.cancelled

    async def cancel_now(self) -> Head | None:
        """The head where it had to be read, to see whether what may have been there was; None otherwise. Raises
        LeaseLost, CallEnded, StoreUnavailable."""
        if self._opening:
            await self.store.cancel_opening(self.lease)
            self._opening = False
        head, up_to = None, self._to_cancel
        if up_to > self.cancelled:
            await self.store.cancel(self.lease, up_to)
            if up_to > self.last:  # another action gets its sequence where it was not there
                head = await self._settled()
                self._to_cancel = min(self._to_cancel, self.last)
            self.cancelled = min(up_to, self.last)
        return head

    async def take_back(self, seq: int) -> Head:
        """Cancel up to one sequence at once; the head says whether the flow was quicker. Raises LeaseLost, CallEnded,
        StoreUnavailable."""
        await self.store.cancel(self.lease, seq)
        return await self._settled()

    async def _settled(self) -> Head:
        head = await self.store.head(self.lease.contact_id)
        self.last, self._unclear = head.last_seq, 0
        return head
