"""No voice agent can be had for a caller: a human within 8 s, and the reason beside the call."""

from __future__ import annotations

import pytest

from contract.fleet import Gateway
from tests.contract.samples import a_call
from tests.scenarios import shop
from tests.scenarios.world import CONTACT, START_MS, World, spoken

pytestmark = pytest.mark.scenario

each_flow = pytest.mark.parametrize("form", ["interruptible", "polling", "sip"])
HUMAN_WITHIN_MS = 8000


def world(form: str) -> World:
    return World(form, [spoken("it is 4711")], shop.mind(), functions=shop.functions())


def waited_ms(call: World) -> int:
    return call.queued_at_ms - call.exchange.line.started_ms


@each_flow
async def test_full_gateways(form: str) -> None:
    call = world(form)
    call.limit = 0
    await call.call()
    assert call.queued == "support"
    assert call.handover["va_reason"] == "gateways_full"
    assert waited_ms(call) <= HUMAN_WITHIN_MS


@each_flow
async def test_nobody_there_and_the_table_knows(form: str) -> None:
    call = world(form)

    async def gone(world: World) -> None:
        world.kill_gateway()
        await world.store.report(Gateway("gateway-1", "development", 4, reported_at_ms=START_MS - 60_000))

    await call.call(gone)
    assert call.queued == "support"
    assert call.handover["va_reason"] == "no_gateway"
    assert waited_ms(call) <= HUMAN_WITHIN_MS


@pytest.mark.parametrize("form", ["interruptible", "polling"])  # over SIP its INVITE fails: flow_failure, see test_sip
async def test_nobody_there_any_more(form: str) -> None:
    """The gateway dies in the moment before it would have taken the call."""
    call = world(form)

    async def dies(world: World) -> None:
        world.kill_gateway()

    await call.call(dies)
    assert call.queued == "support"
    assert call.handover["va_reason"] == "no_gateway"
    assert waited_ms(call) <= HUMAN_WITHIN_MS


@each_flow
async def test_a_full_deepgram_project(form: str) -> None:
    call = world(form)
    call.max_calls = 1

    async def somebody_else(world: World) -> None:
        await world.store.create_call(a_call("somebody else", started_at_ms=START_MS))

    await call.call(somebody_else)
    assert call.queued == "support"
    assert call.handover["va_reason"] == "too_many_calls"
    assert waited_ms(call) <= HUMAN_WITHIN_MS
    assert call.store._records.get(CONTACT) is None
