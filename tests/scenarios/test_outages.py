"""The table is away in a bad moment: what was begun goes on once it is back, and nothing is taken for a bug of ours."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog.testing

from contract.announcement import Kind
from contract.call import CallState, Result
from contract.errors import StoreUnavailable
from contract.memory import MemoryStore
from contract.turns import Role
from tests.scenarios import shop
from tests.scenarios.test_deaths import leaving, speaking
from tests.scenarios.world import CONTACT, World, spoken

pytestmark = pytest.mark.scenario

each_flow = pytest.mark.parametrize("form", ["interruptible", "polling", "sip"])
movable_calls = pytest.mark.parametrize("form", ["interruptible", "polling"])  # a SIP dialog stays where it is


ALWAYS = math.inf


def queued(call: World) -> bool:
    return call.queued is not None


def world(form: str) -> World:
    said = [spoken("it is 4711"), spoken("a person please")]
    return World(form, said, shop.mind(), functions=shop.functions(), patience_ms=60_000)


class Failing:
    """The next calls of one operation fail; `met` of them were made."""

    def __init__(self, store: MemoryStore, operation: str, times: float) -> None:
        self.operation = operation
        self.times = times
        self.met = 0
        self._does = getattr(store, operation)
        setattr(store, operation, self._try)

    async def _try(self, *arguments: Any, **named: Any) -> Any:
        if self.met < self.times:
            self.met += 1
            raise StoreUnavailable(self.operation, "InternalServerError")
        return await self._does(*arguments, **named)


Fail = Callable[[MemoryStore, str, float], None]


@pytest.fixture
def fail() -> Iterator[Fail]:
    """Plants failures of the store. A test fails when one that it planted was not met: it would prove nothing."""
    planted: list[Failing] = []
    yield lambda store, operation, times: planted.append(Failing(store, operation, times))
    met = {each.operation: each.met for each in planted}
    assert met == {each.operation: each.met if each.times == ALWAYS else each.times for each in planted}
    assert met
    assert all(met.values())


@movable_calls
async def test_a_call_whose_record_is_read_for_longer_than_a_lease_stays_where_it_is(form: str) -> None:
    call = world(form)

    async def slowly(world: World) -> None:
        read = world.store.functions
        waits = [9.0]

        async def slow(contact_id: str) -> Any:
            await asyncio.sleep(waits.pop() if waits else 0)
            return await read(contact_id)

        world.store.functions = slow  # type: ignore[method-assign]
        world.start_another_gateway()

    await call.call(slowly)
    await call.check()
    assert call.queued == "orders"
    assert (await call.store.head(CONTACT)).moves == 0


@each_flow
@pytest.mark.parametrize("operation", ["call", "turns", "functions"])
async def test_a_call_that_cannot_be_read_at_once_is_served_all_the_same(fail: Fail, form: str, operation: str) -> None:
    call = world(form)

    async def outage(world: World) -> None:
        fail(world.store, operation, 2)

    await call.call(outage)
    await call.check()
    assert call.queued == "orders"
    assert call.handover["va_reason"] == "delivery"


@each_flow
async def test_a_session_is_renewed_without_reading_the_record(form: str) -> None:
    call = world(form)
    reads: list[Failing] = []

    async def outage(world: World) -> None:
        await world.until(speaking)
        reads.extend(Failing(world.store, operation, ALWAYS) for operation in ("call", "turns", "functions"))
        await world.deepgram.connections[-1].close()

    await call.call(outage)
    assert [each.met for each in reads] == [0, 0, 0]
    assert len(call.deepgram.connections) == 3  # one of them rendered the opening
    assert call.queued == "orders"
    assert call.handover["va_reason"] == "delivery"


@movable_calls
async def test_a_call_is_taken_over_although_its_turns_cannot_be_read_at_once(fail: Fail, form: str) -> None:
    call = world(form)

    async def outage(world: World) -> None:
        await world.until(speaking)
        world.start_another_gateway()
        world.kill_gateway()
        await world.until(lambda world: world.store._records[CONTACT].head.epoch > 1)
        fail(world.store, "turns", 3)

    await call.call(outage)
    await call.check()
    assert call.queued == "orders"
    assert (await call.store.head(CONTACT)).moves == 1
    # What was answered already is not heard a second time.
    caller = [turn.text for turn in await call.turns() if turn.role is Role.CALLER]
    assert caller == ["it is 4711", "a person please"]


@each_flow
@pytest.mark.parametrize(("operation", "after"), [("end", queued), ("put_turn", leaving)])
async def test_a_record_that_cannot_be_closed_at_once_is_closed_by_its_owner(
    fail: Fail, form: str, operation: str, after: Callable[[World], bool]
) -> None:
    call = world(form)

    async def outage(world: World) -> None:
        await world.until(after)
        fail(world.store, operation, 3)

    await call.call(outage)
    head = await call.store.head(CONTACT)
    assert (head.state, head.result, head.moves) == (CallState.ENDED, Result.TRANSFERRED, 0)
    assert call.closed_after_ms <= 5000
    assert (await call.said_by_agent())[-1].heard_text == shop.CONNECTING


@movable_calls
@pytest.mark.parametrize("fails", [{"call": 9}, {"functions": 17, "renew": 3}], ids=["call", "functions"])
async def test_a_call_that_cannot_be_read_for_as_long_as_its_lease_lasts_is_taken_again(
    fail: Fail, form: str, fails: dict[str, int]
) -> None:
    call = world(form)

    async def outage(world: World) -> None:
        for operation, times in fails.items():
            fail(world.store, operation, times)

    await call.call(outage)
    await call.check()
    assert call.queued == "orders"
    assert (await call.store.head(CONTACT)).moves == 1


@pytest.mark.parametrize("fails", [{"call": 9}, {"functions": 17, "renew": 3}], ids=["call", "functions"])
async def test_a_sip_call_that_cannot_be_read_goes_back_to_the_flow_and_to_a_human(
    fail: Fail, fails: dict[str, int]
) -> None:
    call = world("sip")

    async def outage(world: World) -> None:
        for operation, times in fails.items():
            fail(world.store, operation, times)

    await call.call(outage)
    await call.check()
    assert call.queued == "support"


@movable_calls
async def test_a_call_whose_ledger_cannot_be_read_although_its_lease_is_kept_goes_to_a_human(
    fail: Fail, form: str
) -> None:
    call = world(form)

    async def outage(world: World) -> None:
        fail(world.store, "functions", ALWAYS)

    with structlog.testing.capture_logs():  # a traceback on the console would read files within the event loop
        await call.call(outage)
    assert call.queued == "support"
    head = await call.store.head(CONTACT)
    assert (head.state, head.result, head.moves) == (CallState.ENDED, Result.FAILED, 0)


@each_flow
async def test_a_call_that_is_over_is_not_handed_over_while_its_record_is_still_being_closed(
    fail: Fail, form: str
) -> None:
    call = World(form, [spoken("it is 4711")], shop.mind(), functions=shop.functions(), patience_ms=8000)

    async def told_to_stop(world: World) -> None:
        fail(world.store, "end", 6)
        await world.until(lambda world: any(live._over.is_set() for live in world.service._live_calls))
        for live in world.service._live_calls:
            live.stop("gateway_stopping")

    await call.call(told_to_stop)
    assert call.announcer.kept == []
    assert [(told.kind, told.result, told.queue) for told in call.announcer.told] == [
        (Kind.ENDED, "caller_hung_up", "")
    ]
