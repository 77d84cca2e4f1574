"""The service around the calls: takes them up to its limit, and hands the live ones over when it has to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from contract.actions import NONE, Transfer
from contract.call import LEASE_MS, Call, Head, Lease, Result
from contract.errors import CallEnded, CallNotFound, CallTaken, ContractError, LeaseLost, StoreUnavailable
from contract.handover import VERSION, attributes
from contract.store import WakeupQueue
from gateway.call import LiveCall
from gateway.facilities import Facilities

log = structlog.get_logger()

RECEIVE_WAIT_S = 10
SWEEP_EVERY_S = 2.0
FULL_WAIT_S = 0.2
ERROR_WAIT_S = 1.0
STOPPING = "gateway_stopping"
STOP_S = 90.0  # ECS kills a Fargate task 120 s after SIGTERM at the latest


@dataclass(slots=True)
class Service:
    """`owner` names this task in leases; `limit` is the number of calls at once."""

    facilities: Facilities
    wakeups: WakeupQueue
    owner: str
    limit: int
    calls: dict[str, LiveCall | None] = field(default_factory=dict)  # None while a call is being made ready
    beat: Callable[[], Awaitable[None]] | None = None  # once in each round of the lease loop
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _reserved: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """Take no more calls and hand the live ones to a human."""
        if not self._stopping.is_set():
            log.info("stopping", calls=len(self.calls))
            self._stopping.set()
            for call in filter(None, list(self.calls.values())):
                call.stop(STOPPING)

    async def run(self) -> None:
        """Serve until `stop`; returns when the last call is over, or after 90 s."""
        try:
            async with asyncio.TaskGroup() as tasks:
                taking = [
                    tasks.create_task(self._receive(tasks), name="receive"),
                    tasks.create_task(self._sweep(tasks), name="sweep"),
                ]
                await self._stopping.wait()
                for task in taking:
                    task.cancel()
                await self._drain()
                raise _Stopped
        except* _Stopped:
            log.info("stopped", calls=len(self.calls))

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(STOP_S):
                while self.calls or self._reserved:
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            log.error("calls_left_behind", calls=len(self.calls))

    # -- taking calls ----------------------------------------------------------------------------------------

    async def _receive(self, tasks: asyncio.TaskGroup) -> None:
        """Wake-ups, as long as there is room; a wake-up that is not for us is left to the others."""
        while True:
            if self._full:
                await asyncio.sleep(FULL_WAIT_S)
                continue
            try:
                wakeups = await self.wakeups.receive(RECEIVE_WAIT_S, self._room)
                for wakeup in wakeups:
                    await self._take(tasks, wakeup.contact_id)
                    await self.wakeups.delete(wakeup.receipt)
            except StoreUnavailable as error:
                log.error("wakeups_unavailable", cause=error.cause)
                await asyncio.sleep(ERROR_WAIT_S)

    async def _sweep(self, tasks: asyncio.TaskGroup) -> None:
        """Calls that nobody serves: their gateway died, or their wake-up was lost."""
        while True:
            await asyncio.sleep(SWEEP_EVERY_S * (0.75 + self.facilities.random() / 2))
            if self.beat is not None:
                await self.beat()
            if self._full:
                continue
            try:
                for contact_id in await self.facilities.store.expired(self.facilities.clock.now_ms()):
                    if not self._full:
                        await self._take(tasks, contact_id)
            except StoreUnavailable as error:
                log.error("sweep_failed", cause=error.cause)

    @property
    def _room(self) -> int:
        return self.limit - len(self.calls) - self._reserved

    @property
    def _full(self) -> bool:
        return self._room <= 0

    async def _take(self, tasks: asyncio.TaskGroup, contact_id: str) -> None:
        """Own the call, if it is still to be had. The place is reserved while it is being taken."""
        if contact_id in self.calls or self._stopping.is_set():
            return
        self._reserved += 1
        try:
            lease, head = await self.facilities.store.take(
                contact_id, self.owner, self.facilities.clock.now_ms(), LEASE_MS
            )
        except (CallTaken, CallEnded, CallNotFound) as error:
            log.debug("not_taken", contact=contact_id, why=type(error).__name__)
        else:
            self.calls[contact_id] = None
            tasks.create_task(self._serve(lease, head), name=f"call {contact_id}")
        finally:
            self._reserved -= 1

    # -- serving them ----------------------------------------------------------------------------------------

    async def _serve(self, lease: Lease, head: Head) -> None:
        """One call; whatever breaks in it ends there, and the caller at a human."""
        try:
            await self._live(lease, head)
        except LeaseLost:
            log.warning("lease_lost", contact=lease.contact_id, epoch=lease.epoch)
        except Exception:  # a bug in one call must not take the others with it
            log.exception("call_broke", contact=lease.contact_id)
            await self._hand_over(lease, "gateway_error")
        finally:
            del self.calls[lease.contact_id]
            self._idle.set()

    async def _live(self, lease: Lease, head: Head) -> None:
        call = await self._facts(lease, head)
        if call.agent not in self.facilities.definitions:
            log.error("unknown_agent", contact=call.contact_id, agent=call.agent)
            await self._hand_over(lease, "unknown_agent")
            return
        async with self.facilities.of_call(lease, head, call) as facilities:
            live = LiveCall(facilities, lease, head, call)
            self.calls[call.contact_id] = live
            if self._stopping.is_set():
                live.stop(STOPPING)
            await live.run()

    async def _facts(self, lease: Lease, head: Head) -> Call:
        """What is recorded of a call. A store that is away is waited for as long as the lease lasts.

        Raises:
            LeaseLost: that long; the call is taken again by whoever reaches the store first.
        """
        while True:
            try:
                return await self.facilities.store.call(lease.contact_id)
            except StoreUnavailable as error:
                log.error("call_not_read", contact=lease.contact_id, cause=error.cause)
            if self.facilities.clock.now_ms() >= head.lease_until_ms:
                raise LeaseLost(lease.contact_id, lease.epoch)
            await asyncio.sleep(ERROR_WAIT_S)

    async def _hand_over(self, lease: Lease, reason: str) -> None:
        """The last thing that can be done for a caller; should it fail, the flow's own watch does the same."""
        facilities = self.facilities
        queue = next((definition.default_queue for definition in facilities.definitions.values()), NONE)
        handover = attributes({"va_version": VERSION, "va_reason": reason, "va_queue": queue, "va_result": "failed"})
        transfer = Transfer(facilities.queue_arns.get(queue, NONE), queue, reason, handover)
        try:
            await facilities.store.append(lease, transfer, facilities.clock.now_ms())
            await asyncio.sleep(LEASE_MS / 1000)  # the flow has taken it by then
            await facilities.store.end(lease, Result.FAILED, reason, facilities.clock.now_ms())
        except ContractError as error:
            log.error("not_handed_over", contact=lease.contact_id, why=type(error).__name__)


class _Stopped(Exception):
    """Leaves the task group; what is still running is cancelled."""
