"""The record of one call, as its owner keeps it: the lease, the turns, a wish to leave, the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from contract.call import LEASE_MS, RENEW_EVERY_MS, Head, Lease, Result
from contract.clock import Clock
from contract.errors import LeaseLost, RecordTooLarge, StoreUnavailable
from contract.store import GatewayStore
from contract.turns import FunctionEntry, FunctionState, Turn
from gateway.patience import at_last

log = structlog.get_logger()

WRITE_RETRY_S = 0.5


@dataclass(frozen=True, slots=True)
class Speaks:
    """What the agent speaks from now on, for the sentences that the flow says itself."""

    language: str


Written = Turn | FunctionEntry | Speaks


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended for this gateway."""

    result: Result
    reason: str


class CallRecord:
    """Written in the order of `note`; what cannot be written now is tried again, behind the others, while the lease
    lasts."""

    def __init__(self, store: GatewayStore, clock: Clock, lease: Lease, lease_until_ms: int) -> None:
        self._store = store
        self._clock = clock
        self._lease = lease
        self._lease_until_ms = lease_until_ms
        self._contact_id = lease.contact_id
        self._waiting: dict[int | str, Written] = {}  # by number or key: of a turn that changes again, the newest
        self._noted = asyncio.Event()
        self._writing: Written | None = None
        self._under_way: asyncio.Task[None] | None = None

    async def read(self) -> tuple[Sequence[Turn], Sequence[FunctionEntry]]:
        """The transcript and the ledger. A store that is away is waited for as long as the lease lasts.

        Raises:
            LeaseLost: that long.
        """

        async def attempt() -> tuple[Sequence[Turn], Sequence[FunctionEntry]]:
            return await self._store.turns(self._contact_id), await self._store.functions(self._contact_id)

        return await at_last(attempt, "record_not_read", self._contact_id, self._check_lease)

    async def keep(self, attempt: int, hours: int) -> None:
        """How long the table keeps this call, where its agent says so; else the deployment's time holds."""
        try:
            await self._store.keep(self._lease, attempt, hours * 3600)
        except StoreUnavailable as error:
            log.error("retention_not_written", contact=self._contact_id, cause=error.cause)

    def note(self, written: Written) -> None:
        """To be written: a turn as it is now, a line of the ledger that is not a function's own, or the language."""
        self._waiting[_key(written)] = written
        self._noted.set()

    async def write(self) -> None:
        """Write what is noted, one after the other. Raises LeaseLost."""
        while True:
            while self._waiting:
                written = self._writing = self._waiting.pop(next(iter(self._waiting)))
                put = await self._is_put(written)
                self._writing = None
                if not put:  # a write that gets no answer must not hold up the others
                    self._waiting.setdefault(_key(written), written)
                    await asyncio.sleep(WRITE_RETRY_S)
            self._noted.clear()
            await self._noted.wait()

    async def renew(self, delay_ms: Callable[[], int], saw: Callable[[Head], None]) -> None:
        """Keep the lease. A gateway that cannot renew stops before somebody else may begin, also while the table does
        not answer at all. `delay_ms`: of a clip, as the head has it; `saw` gets each head. Raises LeaseLost."""
        await asyncio.sleep(max(0, self._left_ms - LEASE_MS + RENEW_EVERY_MS) / 1000)
        while True:
            await self._renew_once(delay_ms, saw)
            await asyncio.sleep(RENEW_EVERY_MS / 1000)

    async def _renew_once(self, delay_ms: Callable[[], int], saw: Callable[[Head], None]) -> None:
        self._check_lease()
        now = self._clock.now_ms()
        try:
            async with asyncio.timeout(self._left_ms / 1000):
                head = await self._store.renew(self._lease, now, LEASE_MS, delay_ms())
        except StoreUnavailable as error:
            log.error("lease_not_renewed", contact=self._contact_id, cause=error.cause)
        except TimeoutError:
            log.error("lease_not_renewed", contact=self._contact_id, cause="no answer")
            raise LeaseLost(self._contact_id, self._lease.epoch) from None
        else:
            self._lease_until_ms = now + LEASE_MS
            saw(head)

    async def close(self, turns: Sequence[Turn], outcome: Outcome) -> None:
        """Write what is left and these turns, and close the record. Raises LeaseLost."""
        await self._until_written(turns, lambda: self._end(outcome))

    async def give_away(self, turns: Sequence[Turn]) -> None:
        """Write what is left and these turns, and free the call for another gateway. Raises LeaseLost."""
        await self._until_written(turns, self._free)

    async def let_go(self) -> None:
        """Nobody is left who would wait for a write."""
        if self._under_way is not None:
            self._under_way.cancel()
            await asyncio.gather(self._under_way, return_exceptions=True)

    async def _until_written(self, turns: Sequence[Turn], last: Callable[[], Awaitable[bool]]) -> None:
        """What fails is tried again while the lease lasts."""
        if self._under_way is not None:  # it would land on a newer one
            await asyncio.wait([self._under_way], timeout=max(0, self._left_ms) / 1000)
        # What `write` was at when the call ended is written again, after the others: nobody knows how far it has come.
        left = {_key(written): written for written in (*self._waiting.values(), *turns)}
        if self._writing is not None:
            left[_key(self._writing)] = left.pop(_key(self._writing), self._writing)
        self._waiting.clear()
        while True:
            left = {key: written for key, written in left.items() if not await self._is_put(written)}
            if not left and await last():
                return
            if self._left_ms <= 0:
                log.error("record_not_closed", contact=self._contact_id, turns=len(left))
                return
            await asyncio.sleep(WRITE_RETRY_S)

    @property
    def _left_ms(self) -> int:
        """Of the lease, by our own clock."""
        return self._lease_until_ms - self._clock.now_ms()

    def _check_lease(self) -> None:
        """Raises LeaseLost once the lease has run out by our own clock."""
        if self._left_ms <= 0:
            raise LeaseLost(self._contact_id, self._lease.epoch)

    async def _put_whole(self, written: Written) -> None:
        """A thread cannot be stopped: who cancels this lets the write come to its end, and waits for it later."""
        self._under_way = asyncio.create_task(self._put(written), name="put")
        self._under_way.add_done_callback(_looked_at)
        await asyncio.shield(self._under_way)

    async def _is_put(self, written: Written) -> bool:
        try:
            await self._put_whole(written)
        except StoreUnavailable as error:
            log.error("turn_not_written", contact=self._contact_id, cause=error.cause)
            return False
        return True

    async def _put(self, written: Written) -> None:
        """Raises StoreUnavailable, LeaseLost."""
        match written:
            case Turn():
                await self._store.put_turn(self._lease, written)
            case Speaks(language):
                await self._store.note_language(self._lease, language)
            case _:
                await self._enter(written)

    async def _enter(self, entry: FunctionEntry) -> None:
        try:
            await self._store.enter_function(self._lease, entry)
        except RecordTooLarge as error:  # the model's own words: without them it is no wish that could be kept
            log.error("wish_not_written", contact=self._contact_id, size=error.found)
            return
        if entry.state is not FunctionState.ENTERED:
            now = self._clock.now_ms()
            await self._store.finish_function(self._lease, entry.key, entry.state, entry.result, entry.error, now)

    async def _free(self) -> bool:
        try:
            await self._store.give_away(self._lease)
        except StoreUnavailable as error:  # the lease runs out by itself
            log.error("not_given_away", contact=self._contact_id, cause=error.cause)
            return False
        return True

    async def _end(self, outcome: Outcome) -> bool:
        try:
            await self._store.end(self._lease, outcome.result, outcome.reason, self._clock.now_ms())
        except StoreUnavailable as error:
            log.error("record_not_ended", contact=self._contact_id, cause=error.cause)
            return False
        return True


def _key(written: Written) -> int | str:
    """What it is written under: the newer takes the older's place."""
    match written:
        case Turn():
            return written.number
        case Speaks():
            return "language"
    return written.key


def _looked_at(task: asyncio.Task[None]) -> None:
    """Who waited for it has got its error; nobody else needs to."""
    if not task.cancelled():
        task.exception()
