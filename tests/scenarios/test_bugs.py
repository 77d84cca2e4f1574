"""A bug of ours ends one call, at a human, and no other; an ordinary loss of the lease is not taken for one."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import replace
from typing import Any

import pytest
import structlog.testing

from contract.announcement import Kind
from contract.errors import MalformedRecord, StoreUnavailable
from contract.transcript import handover_values
from gateway import last_resort
from gateway.conversation.conversation import Conversation
from tests.scenarios import shop
from tests.scenarios.test_deaths import speaking
from tests.scenarios.world import CONTACT, World, spoken

pytestmark = pytest.mark.scenario
each_flow = pytest.mark.parametrize("form", ["interruptible", "polling", "sip"])


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged; a traceback on the console would read files within the event loop."""
    with structlog.testing.capture_logs() as logs:
        yield logs


def world(form: str) -> World:
    return World(form, [spoken("it is 4711"), spoken("a person please")], shop.mind(), functions=shop.functions(0.1))


def broken(*_: object, **__: object) -> Any:
    raise RuntimeError("planted")


@each_flow
async def test_a_bug_in_a_timer_brings_the_caller_to_a_human(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    call = world(form)

    async def plant(world: World) -> None:
        await world.until(speaking)
        monkeypatch.setattr(Conversation, "tick", broken)

    await call.call(plant)
    assert (call.queued, call.handover["va_reason"]) == ("support", "gateway_error")
    told = [(told.kind, told.result, told.reason) for told in call.announcer.told]
    assert told == [(kind, "failed", "gateway_error") for kind in (Kind.HANDED_OVER, Kind.ENDED)]


@each_flow
async def test_a_bug_at_a_stop_ends_that_call_alone(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    call = world(form)

    async def plant(world: World) -> None:
        await world.until(speaking)
        monkeypatch.setattr(Conversation, "give_up", broken)
        for live in world.service._live_calls:
            live.stop("gateway_stopping")

    await call.call(plant)
    assert (call.queued, call.handover["va_reason"]) == ("support", "gateway_error")


async def test_a_conversation_that_cannot_be_shown_is_handed_over_by_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call = world("interruptible")

    def shown(**values: Any) -> dict[str, str]:
        return broken() if values.get("turns") else handover_values(**values)

    async def plant(world: World) -> None:
        await world.until(speaking)
        monkeypatch.setattr(Conversation, "tick", broken)
        monkeypatch.setattr(last_resort, "handover_values", shown)

    await call.call(plant)
    assert (call.queued, call.handover["va_reason"]) == ("support", "gateway_error")
    assert call.handover["va_transcript"] == "none"


async def test_a_record_that_cannot_be_read_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    call = world("interruptible")
    refusals = 0

    async def plant(world: World) -> None:
        take = world.store.take

        async def refused(*given: Any) -> Any:
            nonlocal refusals
            refusals += 1
            if refusals < 3:
                raise MalformedRecord("head.state", "a state", "of tomorrow")
            return await take(*given)

        monkeypatch.setattr(world.store, "take", refused)

    await call.call(plant)
    assert refusals > 2
    assert call.queued == "orders"
    assert call.handover["va_result"] == "transferred"


@pytest.mark.parametrize("form", ["interruptible", "polling"])
async def test_a_lease_that_is_lost_is_no_bug(form: str, logged: list[MutableMapping[str, Any]]) -> None:
    call = world(form)

    async def plant(world: World) -> None:
        await world.until(speaking)
        world.start_another_gateway()
        record = world.store._records[CONTACT]
        record.head = replace(record.head, epoch=record.head.epoch + 1, owner="gateway-2", lease_until_ms=1)

    await call.call(plant)
    events = {line["event"] for line in logged}
    assert "lease_lost" in events
    assert "call_broke" not in events


@pytest.mark.parametrize("form", ["interruptible", "polling"])
async def test_a_record_that_cannot_be_had_is_no_bug_either(form: str, logged: list[MutableMapping[str, Any]]) -> None:
    call = world(form)

    async def plant(world: World) -> None:
        async def away(contact_id: str) -> Any:
            raise StoreUnavailable("turns", "Throttled")

        world.store.turns = away  # type: ignore[method-assign]

    await call.call(plant)
    assert (call.queued, call.handover["va_reason"]) == ("support", "store_unavailable")
    events = {line["event"] for line in logged}
    assert "call_not_begun" in events
    assert "call_broke" not in events


async def test_a_call_over_sip_that_cannot_be_served_is_back_in_the_flow_at_once() -> None:
    call = world("sip")
    call.attributes = {"voice_agent": "nobody"}
    await call.call()
    assert (call.queued, call.handover["va_reason"]) == ("support", "unknown_agent")
    head = await call.store.head(CONTACT)
    assert (head.leaving, head.offered_at_ms - head.started_at_ms < 2000) == (1, True)
