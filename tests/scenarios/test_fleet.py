"""A gateway dies in the middle of fifty calls, a release is replaced under load: the callers hear a pause."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from contract.fleet import Gateway
from gateway import duty
from gateway.service import Service
from tests.scenarios import shop
from tests.scenarios.fleet import Fleet, Ringing
from tests.scenarios.world import World, spoken

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(240)]

CALLS = 50
GO_ON_WITHIN_MS = 15_000
GO_ON_AT_THE_LIMIT_MS = 30_000
LATE_S = 11.0  # longer than a lease and a sweep
UNNOTICED_S = 15.0  # a socket whose peer is gone without a word: the service ends it 10 s after its last message
NUMBER, HOURS, PERSON = "it is 4711", "when are you open", "a person please"


def fleet() -> Fleet:
    said = [spoken(NUMBER), spoken(HOURS), spoken(PERSON)]
    return Fleet("interruptible", said, shop.mind(), functions=shop.functions(), patience_ms=60_000)


async def ring(world: Fleet, calls: int, within_s: float) -> None:
    for _ in range(calls):
        world.ring()
        await asyncio.sleep(within_s / calls)


def assert_nothing_is_missing(world: Fleet) -> None:
    """Every caller came to the human that was asked for, and what each of them said is in the record, once."""
    for call in world.calls:
        assert call.queued == "orders", (call.queued, call.handover)
        assert call.handover["va_reason"] == "delivery"
        # Where the pause was long, two turns may have become one.
        assert " ".join(world.caller_turns(call)) == f"{NUMBER} {HOURS} {PERSON}"


async def test_a_gateway_that_is_killed_with_fifty_calls_loses_none_of_them() -> None:
    world = fleet()
    async with world.serving():
        first = world.start_gateway()
        await asyncio.sleep(0.1)
        await ring(world, CALLS, 4)
        await asyncio.sleep(8)
        confirmed = {call.contact_id: world.caller_turns(call) for call in world.calls}
        assert world.owners() == {"gateway-1": CALLS}
        second = world.start_gateway()
        world.kill(first)
        killed_ms = world.clock.now_ms()
        await world.until(lambda _: world.owners() == {"gateway-2": CALLS} and world.talking() == CALLS)
        took_ms = world.clock.now_ms() - killed_ms
        await world.all_over()

    assert took_ms <= GO_ON_WITHIN_MS
    assert sum(map(len, confirmed.values())) >= CALLS / 2
    assert_nothing_is_missing(world)
    assert {world.head(call).moves for call in world.calls} == {1}
    assert not second.calls


async def test_at_the_session_limit_the_calls_of_a_killed_gateway_go_on_within_thirty_seconds() -> None:
    """The dead gateway's sessions count for a while: Deepgram refuses new ones until it has noticed."""
    world = fleet()
    async with world.serving():
        first = world.start_gateway()
        await asyncio.sleep(0.1)
        await ring(world, 5, 2)
        await asyncio.sleep(8)
        world.start_gateway()
        world.kill(first)
        killed_ms = world.clock.now_ms()
        world.deepgram.access.refuse = 429
        await asyncio.sleep(UNNOTICED_S)
        world.deepgram.access.refuse = None
        await world.until(lambda _: world.owners() == {"gateway-2": 5} and world.talking() == 5)
        took_ms = world.clock.now_ms() - killed_ms
        await world.all_over()

    assert took_ms <= GO_ON_AT_THE_LIMIT_MS
    assert_nothing_is_missing(world)


# -- releases ------------------------------------------------------------------------------------------------------


async def stop_when_idle(world: Fleet, tasks: list[Service]) -> None:
    """What ECS does with tasks of an old release: it stops those that are not protected, which are those without
    calls."""
    left = list(tasks)
    while left:
        await asyncio.sleep(1)
        for task in [task for task in left if not task.calls]:
            task.stop()
            left.remove(task)


async def test_a_rolling_update_under_load_drops_none_of_fifty_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duty, "GIVE_AWAY_AFTER_MS", 10_000)  # of minutes: most calls would be over
    world = fleet()
    async with world.serving():
        old = [world.start_gateway("old", limit=40, least=2) for _ in range(2)]
        await asyncio.sleep(0.1)
        await ring(world, CALLS // 2, 5)
        assert set(world.owners()) == {"gateway-1", "gateway-2"}
        before = set(world.ringing)
        new = [world.start_gateway("new", limit=40, least=2) for _ in range(2)]
        await asyncio.sleep(3)
        assert [task.duty.spared for task in (*old, *new)] == [True, True, False, False]
        updating = asyncio.create_task(stop_when_idle(world, old))
        await ring(world, CALLS // 2, 15)
        await asyncio.wait_for(updating, 60)
        ended_ms = world.clock.now_ms()
        await world.all_over()
        assert all(world.over(task) for task in old)

    assert_nothing_is_missing(world)
    later = [call for call in world.calls if call.contact_id not in before]
    assert {world.head(call).owner for call in later} <= {"gateway-3", "gateway-4"}
    assert {world.head(call).moves for call in later} == {0}
    moved = [call for call in world.calls if world.head(call).moves]
    assert len(moved) >= CALLS // 4
    assert all(world.head(call).moves == 1 for call in moved)
    assert ended_ms < max(call.end.ended_at_ms for call in world.calls if call.end)


def spared(service: Service) -> bool:
    return service.duty.spared


async def test_before_the_quarter_of_an_hour_an_old_task_keeps_its_calls() -> None:
    world = fleet()
    async with world.serving():
        old = world.start_gateway("old")
        await asyncio.sleep(0.1)
        await ring(world, 2, 1)
        world.start_gateway("new")
        await asyncio.sleep(4)
        assert old.duty.outdated
        await world.all_over()

    assert_nothing_is_missing(world)
    assert {world.head(call).owner for call in world.calls} == {"gateway-1"}


async def test_an_old_release_takes_calls_again_when_the_new_one_is_dead() -> None:
    world = fleet()
    async with world.serving():
        old = world.start_gateway("old")
        new = world.start_gateway("new")
        await asyncio.sleep(4)
        assert spared(old)
        world.kill(new)
        await asyncio.sleep(12)
        assert not spared(old)
        world.ring()
        await asyncio.sleep(1)
        assert world.owners() == {"gateway-1": 1}
        await world.all_over()

    assert_nothing_is_missing(world)


async def test_a_surplus_task_takes_no_calls_until_it_is_needed() -> None:
    world = fleet()
    async with world.serving():
        gateways = [world.start_gateway(limit=4) for _ in range(2)]
        await asyncio.sleep(3)
        assert [gateway.duty.surplus for gateway in gateways] == [True, False]
        await ring(world, 2, 1)
        assert world.owners() == {"gateway-2": 2}
        world.ring()  # more than half of one task
        await asyncio.sleep(3)
        assert [gateway.duty.surplus for gateway in gateways] == [False, False]
        await world.all_over()

    assert_nothing_is_missing(world)


# -- SIGTERM -------------------------------------------------------------------------------------------------------


async def test_a_task_that_is_told_to_stop_gives_its_calls_to_another_one() -> None:
    world = fleet()
    async with world.serving():
        first = world.start_gateway()
        await asyncio.sleep(0.1)
        await ring(world, 6, 3)
        world.start_gateway()
        await asyncio.sleep(1)
        first.stop()
        stopped_ms = world.clock.now_ms()
        await world.until(lambda _: world.over(first))
        took_ms = world.clock.now_ms() - stopped_ms
        assert world.owners() == {"gateway-2": 6}
        await world.all_over()

    assert took_ms <= 90_000
    assert_nothing_is_missing(world)
    assert {world.head(call).moves for call in world.calls} == {1}


async def test_a_task_that_is_told_to_stop_finds_nobody_with_room() -> None:
    world = fleet()
    async with world.serving():
        first = world.start_gateway()
        await asyncio.sleep(0.1)
        call = world.ring(said=[spoken(NUMBER)])
        world.start_gateway(limit=0)
        await asyncio.sleep(8)
        first.stop()
        stopped_ms = world.clock.now_ms()
        await world.all_over()

    assert call.queued == "support"
    assert call.handover["va_reason"] == "gateway_stopping"
    assert call.exchange.queued_at_ms - stopped_ms <= 60_000


async def test_a_call_that_nobody_takes_although_there_is_room_goes_to_a_human_with_all_that_was_said() -> None:
    """The other gateway reports, and does nothing else."""
    world = fleet()

    async def pretend() -> None:
        while True:
            await world.store.report(Gateway("ghost", "new", 10, reported_at_ms=world.clock.now_ms()))
            await asyncio.sleep(2)

    async with world.serving():
        ghost = asyncio.create_task(pretend())
        first = world.start_gateway()
        await asyncio.sleep(0.1)
        call = world.ring(said=[spoken(NUMBER)])
        await asyncio.sleep(12)
        first.stop()
        await world.all_over()
        ghost.cancel()

    assert call.queued == "support"
    assert call.handover["va_reason"] == "gateway_stopping"
    assert NUMBER in call.handover["va_transcript"]


def has_moved(world: Fleet, call: Ringing, times: int) -> Callable[[World], bool]:
    return lambda _: world.head(call).moves == times


# -- too often -----------------------------------------------------------------------------------------------------


async def test_a_call_moves_three_times_and_the_fourth_time_to_a_human() -> None:
    world = fleet()
    async with world.serving():
        gateway = world.start_gateway()
        await asyncio.sleep(0.1)
        call = world.ring(said=[spoken(NUMBER)])
        await asyncio.sleep(10)
        for moves in range(1, 5):
            after = world.start_gateway()
            world.kill(gateway)
            await world.until(has_moved(world, call, moves))
            await asyncio.sleep(1)
            gateway = after
        await world.all_over()

    assert call.queued == "support"
    assert call.handover["va_reason"] == "moved_too_often"
    assert NUMBER in call.handover["va_transcript"]


async def test_a_call_whose_record_takes_its_time_is_given_away_once() -> None:
    """The table is slow just then: the task asks itself every second to whom it could give what is left."""
    world = fleet()
    async with world.serving():
        first = world.start_gateway()
        await asyncio.sleep(0.1)
        call = world.ring()
        await asyncio.sleep(1)
        world.start_gateway()
        await asyncio.sleep(9)
        slowly(world, "put_turn", 3)
        slowly(world, "give_away", 3)
        first.stop()
        await world.all_over()

    assert_nothing_is_missing(world)
    assert world.head(call).moves == 1


async def test_a_table_that_answers_late_does_not_give_a_task_the_same_call_twice() -> None:
    """Wake-up and sweep both find it; the first answer comes when the lease that it grants has run out."""
    world = fleet()
    async with world.serving():
        gateway = world.start_gateway()
        await asyncio.sleep(0.1)
        take, late = world.store.take, [LATE_S]

        async def answered_late(*arguments: Any) -> Any:
            result = await take(*arguments)
            if late:
                await asyncio.sleep(late.pop())
            return result

        world.store.take = answered_late  # type: ignore[assignment, method-assign]
        call = world.ring(said=[spoken(NUMBER), spoken(PERSON)])
        await world.all_over()
        assert not world.over(gateway)

    assert call.queued == "orders"
    assert world.head(call).epoch <= 2


def slowly(world: Fleet, operation: str, takes_s: float) -> None:
    """From now on it takes its time."""
    does = getattr(world.store, operation)

    async def slow(*arguments: Any, **named: Any) -> Any:
        await asyncio.sleep(takes_s)
        return await does(*arguments, **named)

    setattr(world.store, operation, slow)
