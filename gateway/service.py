"""The service around the calls: takes them up to its limit, and gives the live ones away when it has to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from contract.call import MOST_MOVES, Call, FlowForm, Head, Lease, Result, Wakeup
from contract.errors import (
    CallEnded,
    CallNotFound,
    CallTaken,
    ContractError,
    LeaseLost,
    MalformedRecord,
    StoreUnavailable,
)
from contract.fleet import REPORT_EVERY_MS, Fleet, Gateway
from contract.store import WakeupQueue
from gateway.call import LiveCall
from gateway.duty import Duty
from gateway.facilities import Facilities
from gateway.forsaking import served
from gateway.giving import unless_taken
from gateway.last_resort import hand_over
from gateway.taking import take

log = structlog.get_logger()

RECEIVE_WAIT_S = 10
SWEEP_EVERY_S = 2.0
FULL_WAIT_S = 0.2
ATTEMPT_OVER_LOOKS = 25
ERROR_WAIT_S = 1.0
STOPPING = "gateway_stopping"
STOP_S = 90.0  # ECS kills a Fargate task 120 s after SIGTERM at the latest
KEEP_S = 45.0  # so long after SIGTERM somebody is looked for who has room; then the caller goes to a human
PATIENCE_S = 30.0  # how long a quiet moment is waited for
AT_ONCE = 10  # calls that are given away in one round, the others' reports being two seconds old; or taken over


@dataclass(slots=True)
class Service:
    """`owner` names this task in leases; `limit` is the number of calls at once; `release` that of the software,
    and `least` the number of tasks that there are at any time."""

    facilities: Facilities
    wakeups: WakeupQueue
    owner: str
    limit: int
    release: str = "development"
    least: int = 1
    calls: dict[str, LiveCall | None] = field(default_factory=dict)  # None while a call is being made ready
    beat: Callable[[], Awaitable[None]] | None = None  # once in each round of the lease loop
    fleet: Fleet = field(default_factory=Fleet)
    duty: Duty = field(init=False)
    _announced: bool = False
    _given: set[str] = field(default_factory=set)  # nobody has taken them yet
    _kept: set[str] = field(default_factory=set)  # nobody wanted them
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _reserved: set[str] = field(default_factory=set)  # calls that are being taken
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: asyncio.TaskGroup | None = None

    def __post_init__(self) -> None:
        self.duty = Duty(self.owner, self.least)

    def stop(self) -> None:
        """Take no more calls, and give the live ones away: to other gateways, else to a human."""
        if not self._stopping.is_set():
            log.info("stopping", calls=len(self.calls))
            self._stopping.set()

    async def run(self) -> None:
        """Serve until `stop`; returns when the last call is over, or after 90 s."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                await self._look_around()
                taking = [
                    tasks.create_task(self._receive(tasks), name="receive"),
                    tasks.create_task(self._sweep(tasks), name="sweep"),
                    tasks.create_task(self._report(), name="report"),
                ]
                await self._stopping.wait()
                for task in taking:
                    task.cancel()
                await self._drain()
                raise _Stopped
        except* _Stopped:
            log.info("stopped", calls=len(self.calls))

    # -- among others ----------------------------------------------------------------------------------------

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORT_EVERY_MS / 1000)
            await self._look_around()
            now = self.facilities.clock.now_ms()
            if self.duty.gives_away(now):
                self._give_away(now, PATIENCE_S)

    async def _look_around(self) -> None:
        """Say who we are, and see who else is there. Without the table everything stays as it is."""
        store, now = self.facilities.store, self.facilities.clock.now_ms()
        stopping = self._stopping.is_set()
        try:
            await store.report(Gateway(self.owner, self.release, self.limit, self.taken, stopping, now))
            self.fleet = await store.fleet()
            if not self._announced and not stopping:
                await self._announce()
        except ContractError as error:
            log.error("fleet_unknown", error=type(error).__name__)
            return
        before = self.duty.spared
        self.duty.look(self.fleet, now)
        if self.duty.spared != before:
            log.info("duty", outdated=self.duty.outdated, surplus=self.duty.surplus, current=self.fleet.release)

    async def _announce(self) -> None:
        """Whoever starts is the newest release: ECS starts no task of another one."""
        if self.fleet.release != self.release:
            await self.facilities.store.announce(self.release)
            self.fleet = Fleet(self.release, self.fleet.gateways)
        self._announced = True

    def _give_away(self, now_ms: int, patience_s: float) -> None:
        """Let go of as many calls as others have room for, each at a quiet moment of its own."""
        leaving = len(self._given) + sum(live.leaving for live in self._live_calls)
        room = min(AT_ONCE, self.fleet.room(now_ms, without=self.owner) - leaving)
        for live in [live for live in self._live_calls if live.movable and live.contact_id not in self._kept]:
            if room <= 0:
                return
            room -= live.hand_on(patience_s)

    # -- stopping --------------------------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Every second: to whom can be given what is left?"""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self.calls or self._reserved:
            await self._look_around()
            now, passed = self.facilities.clock.now_ms(), loop.time() - began
            if passed >= STOP_S:
                log.error("calls_left_behind", calls=len(self.calls))
                return
            others = [one for one in self.fleet.there(now) if one.owner != self.owner]
            if others and passed < KEEP_S:
                self._give_away(now, min(PATIENCE_S, KEEP_S - passed))
            else:
                self._hand_over_all()
            self._idle.clear()
            try:
                async with asyncio.timeout(1):
                    await self._idle.wait()
            except TimeoutError:
                continue
        await self._look_around()

    def _hand_over_all(self) -> None:
        for live in self._live_calls:
            if not live.leaving:
                live.stop(STOPPING)

    # -- taking calls ----------------------------------------------------------------------------------------

    async def _receive(self, tasks: asyncio.TaskGroup) -> None:
        """Wake-ups, as long as there is room; a wake-up that is not for us is left to the others."""
        while True:
            if self._full or self.duty.spared:
                await asyncio.sleep(FULL_WAIT_S)
                continue
            try:
                wakeups = await self.wakeups.receive(RECEIVE_WAIT_S, self._room)
                await self._wake_up(tasks, wakeups)
            except StoreUnavailable as error:
                log.error("wakeups_unavailable", cause=error.cause)
                await asyncio.sleep(ERROR_WAIT_S)

    async def _wake_up(self, tasks: asyncio.TaskGroup, wakeups: Sequence[Wakeup]) -> None:
        for wakeup in wakeups:
            if self.duty.spared or self._full or self._stopping.is_set():
                return  # since we asked; what is not deleted comes again, to others
            await self._take(tasks, wakeup.contact_id)
            await self.wakeups.delete(wakeup.receipt)

    async def _sweep(self, tasks: asyncio.TaskGroup) -> None:
        """Calls that nobody serves: their gateway died, or their wake-up was lost."""
        while True:
            await asyncio.sleep(SWEEP_EVERY_S * (0.75 + self.facilities.random() / 2))
            await self._beat()
            if self._full or not self.duty.sweeps:
                continue
            try:
                found = self._from_anywhere(await self.facilities.store.expired(self.facilities.clock.now_ms()))
                for at in range(0, len(found), AT_ONCE):  # a gateway may have died with all its calls
                    await asyncio.gather(*(self._take(tasks, contact_id) for contact_id in found[at : at + AT_ONCE]))
                    await self._beat()
            except StoreUnavailable as error:
                log.error("sweep_failed", cause=error.cause)

    async def _beat(self) -> None:
        if self.beat is not None:
            await self.beat()

    def _from_anywhere(self, found: Sequence[str]) -> Sequence[str]:
        """The same calls, begun with another one: several gateways that sweep share them."""
        at = int(self.facilities.random() * len(found))
        return [*found[at:], *found[:at]]

    @property
    def _live_calls(self) -> list[LiveCall]:
        return [live for live in self.calls.values() if live is not None]

    @property
    def taken(self) -> int:
        """Calls that are served, or are being taken."""
        return len(self.calls) + len(self._reserved)

    @property
    def _room(self) -> int:
        return self.limit - self.taken

    @property
    def _full(self) -> bool:
        return self._room <= 0

    async def _take(self, tasks: asyncio.TaskGroup, contact_id: str) -> None:
        """Own the call, if it is still to be had. One that was got while this is cancelled is served all the same.

        Raises:
            StoreUnavailable: the table cannot be reached.
        """
        taking = asyncio.create_task(self._own(tasks, contact_id))
        taking.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody may be there to ask
        await asyncio.shield(taking)

    async def _own(self, tasks: asyncio.TaskGroup, contact_id: str) -> None:
        """Own the call, if it is still to be had. The place is reserved while it is being taken.

        Never twice at once: a table that answers late would give the same call to this task twice. A record that
        cannot be read, perhaps of a newer release, is left to others.

        Raises:
            StoreUnavailable: the table cannot be reached.
        """
        here = contact_id in self.calls or contact_id in self._reserved
        if here or self._full or self._stopping.is_set():
            return
        self._reserved.add(contact_id)
        try:
            lease, head = await take(self.facilities, self.owner, contact_id)
        except (CallTaken, CallEnded, CallNotFound) as error:
            log.debug("not_taken", contact=contact_id, why=type(error).__name__)
        except MalformedRecord as error:
            log.error("malformed_record", contact=contact_id, where=error.where)
        else:
            self.calls[contact_id] = None
            tasks.create_task(self._serve(lease, head), name=f"call {contact_id}")
        finally:
            self._reserved.discard(contact_id)

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    async def answer(self, contact_id: str) -> bool:
        """Serve a call that came to this gateway by itself; False when it is not to be had."""
        for _ in range(ATTEMPT_OVER_LOOKS):  # its attempt before may still be writing its record
            if contact_id not in self.calls:
                break
            await asyncio.sleep(FULL_WAIT_S)
        if self._full or self._tasks is None or contact_id in self.calls:
            return False
        await self._take(self._tasks, contact_id)
        return contact_id in self.calls

    # -- serving them ----------------------------------------------------------------------------------------

    async def _serve(self, lease: Lease, head: Head) -> None:
        """One call; whatever breaks in it ends there, and the caller at a human."""
        ours: tuple[Lease, Head] | None = (lease, head)
        release = self.facilities.lines.taken(lease.contact_id)
        try:
            while ours is not None:
                lease, head = ours
                ours = await self._live(lease, head, release)
        except LeaseLost:
            log.warning("lease_lost", contact=lease.contact_id, epoch=lease.epoch)
        except StoreUnavailable as error:  # its record could not be read in time
            log.error("call_not_begun", contact=lease.contact_id, cause=error.cause)
            await hand_over(self.facilities, lease, "store_unavailable", release)
        except Exception:  # a bug in one call must not take the others with it
            log.exception("call_broke", contact=lease.contact_id)
            await hand_over(self.facilities, lease, "gateway_error", release)
        finally:
            self.calls.pop(lease.contact_id, None)
            release()
            self._given.discard(lease.contact_id)
            self._kept.discard(lease.contact_id)
            self._idle.set()

    async def _live(self, lease: Lease, head: Head, release: Callable[[], None]) -> tuple[Lease, Head] | None:
        """Serve the call until it is over or another gateway has it; returns it when nobody took what was given."""
        call = await self._facts(lease, head)
        if call.form is FlowForm.SIP and not self.facilities.lines.has(call.contact_id):
            await self._give_back(lease, head)
            return None
        refusal = self._refusal(call, head)
        if refusal:
            log.error("call_refused", contact=call.contact_id, reason=refusal, agent=call.agent, moves=head.moves)
            await hand_over(self.facilities, lease, refusal, release, call)
            return None
        async with self.facilities.of_call(lease, head, call) as facilities:
            live = LiveCall(facilities, lease, head, call)
            self.calls[call.contact_id] = live
            assert self._tasks is not None
            await served(live, self._tasks)
        if not live.given_away:
            return None
        self.calls[call.contact_id] = None
        self._given.add(call.contact_id)
        try:
            ours = await unless_taken(self.facilities, self.owner, lease)
        finally:
            self._given.discard(call.contact_id)
        if ours is not None:
            self._kept.add(call.contact_id)
        return ours

    def _refusal(self, call: Call, head: Head) -> str:
        """Why this call gets no voice agent here, "" when it does."""
        if call.agent.partition(".")[0] not in self.facilities.definitions:
            return "unknown_agent"
        if call.contact_id in self._kept and self._stopping.is_set():
            return STOPPING
        return "moved_too_often" if head.moves > MOST_MOVES and call.contact_id not in self._kept else ""

    async def _give_back(self, lease: Lease, head: Head) -> None:
        """A call on a line of another gateway, which is gone: it cannot be carried on, only ended. Its flow asks what
        to do when it has the caller back, and is sent to a human by a record that has ended."""
        reason = "gateway_lost" if head.dialog else "never_came"
        log.warning("line_given_back", contact=lease.contact_id, reason=reason)
        try:
            await self.facilities.store.end(lease, Result.FAILED, reason, self.facilities.clock.now_ms())
        finally:
            if head.dialog:
                self.facilities.lines.give_back(head.dialog)

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


class _Stopped(Exception):
    """Leaves the task group; what is still running is cancelled."""
