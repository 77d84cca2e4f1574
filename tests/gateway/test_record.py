"""What an owner writes of a call, and how long it tries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from contract.call import LEASE_MS, CallState, Head, Lease, Result
from contract.clock import LoopClock
from contract.errors import LeaseLost, RecordTooLarge, StoreUnavailable
from contract.memory import MemoryStore
from contract.turns import FunctionEntry, FunctionState, Role, Turn
from gateway.record import CallRecord, Outcome, Speaks
from tests.contract.samples import CONTACT, T0, a_call

OVER = Outcome(Result.ENDED, "goodbye")
WISH = FunctionEntry("0001#end_call#1", "end_call", {"queue": ""}, FunctionState.ENTERED, T0)


def turn(number: int, text: str = "Hello.") -> Turn:
    return Turn(number, Role.CALLER, text, T0, T0 + 500, 500)


class Failing(MemoryStore):
    """Away until some time of the event loop."""

    until_s = 0.0

    def _check(self) -> None:
        if asyncio.get_running_loop().time() < self.until_s:
            raise StoreUnavailable("any", "Throttled")

    async def turns(self, contact_id: str) -> list[Turn]:
        self._check()
        return list(await super().turns(contact_id))

    async def put_turn(self, lease: Lease, turn: Turn) -> None:
        self._check()
        await super().put_turn(lease, turn)

    async def renew(self, lease: Lease, now_ms: int, lease_ms: int, start_delay_ms: int) -> Head:
        self._check()
        return await super().renew(lease, now_ms, lease_ms, start_delay_ms)

    async def end(self, lease: Lease, result: Result, reason: str, now_ms: int) -> None:
        self._check()
        await super().end(lease, result, reason, now_ms)


class Leg:
    """As much of a leg as a lease needs."""

    def __init__(self) -> None:
        self.heads: list[Head] = []

    def saw(self, head: Head) -> None:
        self.heads.append(head)


class Bench:
    writing: asyncio.Task[None]

    def __init__(self, store: Failing, clock: LoopClock, lease: Lease, head: Head) -> None:
        self.store, self.clock, self.lease = store, clock, lease
        self.record = CallRecord(store, clock, lease, head.lease_until_ms)
        self.leg = Leg()

    async def renew(self) -> None:
        await self.record.renew(lambda: 150, self.leg.saw)

    def away(self, for_s: float) -> None:
        self.store.until_s = asyncio.get_running_loop().time() + for_s

    async def head(self) -> Head:
        return await self.store.head(CONTACT)

    async def texts(self) -> list[str]:
        self.store.until_s = 0
        return [turn.text for turn in await self.store.turns(CONTACT)]


@asynccontextmanager
async def bench(store: Failing | None = None) -> AsyncIterator[Bench]:
    store, clock = store or Failing(), LoopClock(T0)
    await store.create_call(a_call())
    lease, head = await store.take(CONTACT, "gateway-1", clock.now_ms(), LEASE_MS)
    it = Bench(store, clock, lease, head)
    async with asyncio.TaskGroup() as tasks:
        it.writing = tasks.create_task(it.record.write())
        yield it
        it.writing.cancel()


async def test_turns_are_written_in_their_order_whenever_the_table_is_there() -> None:
    async with bench() as it:
        it.away(3)
        for number, text in ((1, "One."), (2, "Two."), (1, "One, amended.")):
            it.record.note(turn(number, text))
        await asyncio.sleep(4)
        assert await it.texts() == ["One, amended.", "Two."]


async def test_the_newest_language_is_written_when_the_table_is_there() -> None:
    async with bench() as it:
        it.away(3)
        it.record.note(turn(1, "One."))
        it.record.note(Speaks("fr"))
        it.record.note(Speaks("es"))
        await asyncio.sleep(4)
        assert (await it.head()).language == "es"
        assert await it.texts() == ["One."]


async def test_of_a_turn_that_changes_while_the_table_is_away_only_the_newest_waits() -> None:
    async with bench() as it:
        it.away(3)
        for length in range(1, 1000):
            it.record.note(turn(1, "x" * length))
            it.record.note(turn(2, "y" * length))
        assert len(it.record._waiting) == 2
        await asyncio.sleep(4)
        assert await it.texts() == ["x" * 999, "y" * 999]


async def test_a_wish_is_entered_and_closed() -> None:
    async with bench() as it:
        it.record.note(WISH)
        await asyncio.sleep(0.1)
        assert [entry.state for entry in await it.store.functions(CONTACT)] == [FunctionState.ENTERED]
        it.record.note(replace(WISH, state=FunctionState.CANCELLED, result="{}"))
        await asyncio.sleep(0.1)
        assert [entry.state for entry in await it.store.functions(CONTACT)] == [FunctionState.CANCELLED]


async def test_a_wish_that_is_too_large_stops_nothing() -> None:
    async with bench() as it:
        it.record.note(replace(WISH, arguments={"summary": "x" * 70_000}))
        it.record.note(turn(1))
        await asyncio.sleep(0.1)
        assert await it.texts() == ["Hello."]
        assert await it.store.functions(CONTACT) == []
    with pytest.raises(RecordTooLarge):
        await it.store.enter_function(it.lease, replace(WISH, arguments={"summary": "x" * 70_000}))


async def test_a_record_is_read_when_the_table_is_back_and_not_beyond_the_lease() -> None:
    async with bench() as it:
        it.record.note(turn(1))
        await asyncio.sleep(0.1)
        it.away(4)
        turns, functions = await it.record.read()
        assert ([turn.text for turn in turns], functions) == (["Hello."], [])
        it.away(20)
        with pytest.raises(LeaseLost):
            await it.record.read()
        it.away(0)


async def test_a_lease_is_kept_over_a_short_absence_of_the_table_and_not_over_a_long_one() -> None:
    async with bench() as it, asyncio.timeout(60):
        renewing = asyncio.create_task(it.renew())
        await asyncio.sleep(3)
        assert (await it.head()).lease_until_ms > T0 + LEASE_MS
        assert len(it.leg.heads) == 1
        it.away(5)
        await asyncio.sleep(8)
        assert not renewing.done()
        it.away(60)
        with pytest.raises(LeaseLost):
            await renewing
        it.away(0)


class Slow(Failing):
    """A table that does not answer, and whose writes land although nobody waits for them any more, as a thread's do."""

    slow_s = 0.0
    failures = 0

    async def renew(self, lease: Lease, now_ms: int, lease_ms: int, start_delay_ms: int) -> Head:
        await asyncio.sleep(self.slow_s)
        return await super().renew(lease, now_ms, lease_ms, start_delay_ms)

    async def put_turn(self, lease: Lease, turn: Turn) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("put_turn", "Throttled")
        landing = asyncio.create_task(self._land(lease, turn, self.slow_s))
        self.slow_s = 0.0
        await asyncio.shield(landing)

    async def _land(self, lease: Lease, turn: Turn, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await super().put_turn(lease, turn)


async def test_a_lease_is_lost_when_it_ends_although_the_table_has_not_answered_yet() -> None:
    async with bench(Slow()) as it, asyncio.timeout(60):
        assert isinstance(it.store, Slow)
        it.store.slow_s = 30
        with pytest.raises(LeaseLost):
            await it.renew()
        assert it.clock.now_ms() <= T0 + LEASE_MS + 10


async def test_a_lease_of_which_little_is_left_is_renewed_at_once() -> None:
    async with bench() as it:
        await asyncio.sleep(LEASE_MS / 1000 - 1)
        renewing = asyncio.create_task(it.renew())
        await asyncio.sleep(0.1)
        assert (await it.head()).lease_until_ms > T0 + LEASE_MS
        renewing.cancel()


async def test_an_older_version_of_a_turn_is_never_written_after_the_newer_one() -> None:
    async with bench(Slow()) as it:
        assert isinstance(it.store, Slow)
        it.store.failures = 1
        it.record._writing = turn(1, "old")  # what `write` was at when the call ended
        it.record.note(turn(1, "newer"))
        await it.record.close([turn(1, "newest")], OVER)
        assert await it.texts() == ["newest"]


async def test_a_write_that_is_under_way_when_the_call_ends_lands_before_the_last_ones() -> None:
    async with bench(Slow()) as it:
        assert isinstance(it.store, Slow)
        it.store.slow_s = 2.0
        it.record.note(turn(1, "old"))
        await asyncio.sleep(0.1)
        it.writing.cancel()
        await it.record.close([turn(1, "new")], OVER)
        assert await it.texts() == ["new"]
        await asyncio.sleep(5)
        assert await it.texts() == ["new"]


async def test_a_write_that_hangs_for_longer_than_the_lease_is_not_waited_for() -> None:
    async with bench(Slow()) as it:
        assert isinstance(it.store, Slow)
        it.store.slow_s = 30
        it.record.note(turn(1, "old"))
        await asyncio.sleep(0.1)
        it.writing.cancel()
        await it.record.close([], OVER)
        assert it.clock.now_ms() < T0 + LEASE_MS + 1000
        await asyncio.sleep(30)


async def test_who_has_lost_the_call_learns_of_it_by_writing() -> None:
    async with bench() as it:
        await it.store.take(CONTACT, "gateway-2", T0 + LEASE_MS, LEASE_MS)
        it.record.note(turn(1))
        with pytest.raises(LeaseLost):
            await it.record.write()
        it.writing.cancel()


async def test_a_record_is_closed_with_what_is_left_to_write() -> None:
    async with bench() as it:
        it.away(2)
        closing = asyncio.create_task(it.record.close([turn(1)], OVER))
        await closing
        assert await it.texts() == ["Hello."]
        head = await it.head()
        assert (head.state, head.reason) == (CallState.ENDED, "goodbye")


async def test_what_was_being_written_when_the_call_ended_is_not_lost() -> None:
    async with bench() as it:
        it.away(1)
        writing = asyncio.create_task(it.record.write())
        it.record.note(turn(1, "Good bye."))
        await asyncio.sleep(0.2)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await it.record.close([turn(2, "Bye.")], OVER)
        assert await it.texts() == ["Good bye.", "Bye."]


class Unanswering(Failing):
    """Gives no answer to one kind of write."""

    async def enter_function(self, lease: Lease, entry: FunctionEntry) -> None:
        await asyncio.sleep(3)
        raise StoreUnavailable("enter_function", "ReadTimeoutError")


async def test_a_write_that_gets_no_answer_holds_up_no_other() -> None:
    async with bench(Unanswering()) as it:
        it.record.note(WISH)
        it.record.note(turn(1, "I will connect you."))
        it.record.note(turn(2, "Now."))
        await asyncio.sleep(4.5)
        assert await it.texts() == ["I will connect you.", "Now."]
        it.record.note(turn(2, "Now, then."))
        await asyncio.sleep(0.1)
        it.writing.cancel()
        await it.record.close([turn(3, "Bye.")], OVER)
        assert await it.texts() == ["I will connect you.", "Now, then.", "Bye."]


async def test_a_record_that_cannot_be_closed_is_left_to_the_next_owner() -> None:
    async with bench() as it:
        it.away(60)
        await it.record.close([turn(1)], OVER)
        assert it.clock.now_ms() >= T0 + LEASE_MS
        it.away(0)
        assert (await it.head()).state is CallState.ACTIVE
