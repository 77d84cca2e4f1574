"""Calls that no gateway serves are told of all the same, and leave nothing behind."""

from __future__ import annotations

import pytest

from contract.announcement import Kind
from simulator.connect.events import CallerHungUp
from tests.scenarios import shop
from tests.scenarios.world import CONTACT, World, spoken

pytestmark = pytest.mark.scenario
each_flow = pytest.mark.parametrize("form", ["interruptible", "polling"])
BOTH = [Kind.HANDED_OVER, Kind.ENDED]


def world(form: str) -> World:
    said = [spoken("it is 4711"), spoken("it is 4712")]
    return World(form, said, shop.mind(), functions=shop.functions(), patience_ms=60_000)


@each_flow
async def test_a_refused_call_is_told_of_before_the_human_has_it(form: str) -> None:
    call = world(form)
    call.limit = 0
    await call.call()
    assert [(told.kind, told.reason, told.queue) for told in call.teller.told] == [
        (kind, "gateways_full", "support") for kind in BOTH
    ]
    assert call.handover["va_record"].startswith("s3://records/calls/")
    assert call.announcer.told == []


@each_flow
async def test_a_call_whose_gateway_died_is_told_of_and_its_clips_are_deleted(form: str) -> None:
    call = world(form)

    async def dies(world: World) -> None:
        await world.until(lambda each: bool(each.clips_asked()))
        world.kill_gateway()

    await call.call(dies)
    assert [(told.kind, told.reason) for told in call.teller.told] == [(kind, "gateway_lost") for kind in BOTH]
    assert call.teller.told[1].at_ms > call.teller.told[0].at_ms
    assert [url for url in call.prompts.objects if "/clips/" in url] == []


@each_flow
async def test_a_caller_who_is_gone_before_any_gateway_acted_is_told_of_once(form: str) -> None:
    call = world(form)

    async def gone(world: World) -> None:
        await world.until(lambda each: each.entered("Start the call"))
        world.kill_gateway()
        await world.until(lambda each: CONTACT in each.store._records)
        world.shell.tell(CallerHungUp())

    await call.call(gone)
    assert [(told.kind, told.result, told.reason, told.queue) for told in call.teller.told] == [
        (Kind.ENDED, "caller_hung_up", "caller_gone", "")
    ]
    assert call.announcer.told == []
    assert call.queued is None


@each_flow
async def test_a_call_that_a_gateway_served_is_told_of_by_it_alone(form: str) -> None:
    call = world(form)
    await call.call()
    assert call.teller.told == []
    assert call.announcer.told[-1].kind is Kind.ENDED
