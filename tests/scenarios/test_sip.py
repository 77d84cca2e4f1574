"""What is particular to calls that are transferred over SIP: barge-in at the packet, lost gateways, the way back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contract.announcement import Kind
from contract.call import CallState, Result
from contract.turns import HeardSource, Role
from gateway.legs.leg import KeyPressed, LegEvent
from simulator.caller.schedule import Words
from tests.scenarios import shop
from tests.scenarios.world import CONTACT, Announced, World, spoken

pytestmark = pytest.mark.scenario

BYE_WITHIN_MS = 15_000


class SlowlyAnnounced(Announced):
    """EventBridge takes its time: the caller is back before the end of the first attempt was told."""

    def __init__(self, call: World) -> None:
        super().__init__()
        self._call = call

    async def tell(self, *what: Any) -> None:
        if not self.told:
            await self._call.until(lambda call: len(call.switchboard.lines) == 2)
            await asyncio.sleep(1)
        await super().tell(*what)


def world(*said: Words) -> World:
    return World("sip", said, shop.mind(), functions=shop.functions(), patience_ms=60_000)


def speaking(call: World) -> bool:
    return any(line.earpiece.received > 200 for line in call.switchboard.lines)


async def test_a_barge_in_is_silence_at_the_next_packet_and_what_was_heard_is_known() -> None:
    call = world(spoken("it is 4711"), spoken("sorry when are you open", 0.8), spoken("a person please"))
    await call.call()
    await call.check()
    assert call.queued == "orders"
    cut = [turn for turn in await call.said_by_agent() if turn.interrupted]
    assert cut
    assert {turn.heard_source for turn in cut} == {HeardSource.PACKETS}
    assert call.switchboard.lines[0].stream.figures()["silent_after_ms"] <= 20


async def test_a_gateway_that_is_killed_gives_its_caller_back_by_another_ones_bye() -> None:
    call = world(spoken("it is 4711"), spoken("a person please"))
    died_at = back_at = 0

    async def kill(world: World) -> None:
        nonlocal died_at, back_at
        await world.until(speaking)
        world.start_another_gateway()
        world.kill_gateway()
        died_at = world.clock.now_ms()
        await world.until(lambda world: world.switchboard.lines[0].over.is_set())
        back_at = world.clock.now_ms()

    await call.call(kill)
    assert back_at - died_at <= BYE_WITHIN_MS
    assert call.switchboard.lines[0].reason == "bye of another gateway"
    assert call.queued == "support"
    assert call.handover["va_reason"] == "gateway_lost"


async def test_a_gateway_that_is_told_to_stop_gives_its_caller_to_a_human() -> None:
    call = world(spoken("it is 4711"), spoken("a person please"))

    async def stop(world: World) -> None:
        await world.until(speaking)
        world.service.stop()

    await call.call(stop)
    await call.check()
    assert call.handover["va_reason"] == "gateway_stopping"


async def test_without_a_gateway_the_flow_finds_a_human() -> None:
    call = world(spoken("it is 4711"))

    async def kill(world: World) -> None:
        await world.until(lambda world: world.entered("Is the voice agent switched on"))
        world.kill_gateway()

    await call.call(kill)
    assert call.queued == "support"
    assert call.handover["va_reason"] == "flow_failure"
    assert (await call.store.head(CONTACT)).state is CallState.ENDED
    assert [(told.kind, told.result, told.reason) for told in call.teller.told] == [
        (Kind.ENDED, "failed", "flow_failure")
    ]


async def test_a_call_that_never_came_is_closed_by_whoever_looks() -> None:
    call = world()

    async def kill(world: World) -> None:
        await world.until(lambda world: world.entered("Is the voice agent switched on"))
        world.alive = []
        await world.until(lambda world: world.queued is not None)
        world.exchange.queued_at_ms = world.clock.now_ms() + 10**6  # the human takes a long time

        async def over() -> bool:
            return (await world.store.head(CONTACT)).state is CallState.ENDED

        while not await over():
            await asyncio.sleep(1)
        world.exchange.queued_at_ms = world.clock.now_ms()

    await call.call(kill)
    head = await call.store.head(CONTACT)
    assert (head.result, head.reason) == (Result.FAILED, "never_came")


async def test_a_caller_whose_packets_stop_is_given_to_a_human() -> None:
    call = world(spoken("it is 4711"))

    async def deaf(world: World) -> None:
        await world.until(speaking)
        world.switchboard.lines[0].said = lambda pcm: None  # type: ignore[method-assign]

    await call.call(deaf)
    assert call.queued is not None
    assert call.handover["va_reason"] == "no_media"


async def test_a_line_that_broke_is_given_to_a_human() -> None:
    call = world(spoken("it is 4711"))

    async def break_(world: World) -> None:
        await world.until(speaking)
        world.switchboard.lines[0].broke()

    await call.call(break_)
    assert call.queued is not None
    assert call.handover["va_reason"] == "line_broke"


async def test_a_caller_who_hangs_up_ends_the_call() -> None:
    call = world(spoken("where is my order"))
    call.patience_ms = 3000
    await call.call()
    await call.check()
    head = await call.store.head(CONTACT)
    assert (call.queued, head.result) == (None, Result.CALLER_HUNG_UP)


async def test_the_keys_that_a_caller_presses_reach_the_call_in_order_and_once() -> None:
    call = world(spoken("it is 4711"), spoken("a person please"))
    heard: list[KeyPressed] = []

    async def press(world: World) -> None:
        await world.until(speaking)
        live = world.service.calls[CONTACT]
        assert live is not None
        conversation, leg = live._talk, live._talk.leg

        def listening(event: LegEvent, now_ms: int) -> None:
            if isinstance(event, KeyPressed):
                heard.append(event)
            leg(event, now_ms)

        conversation.leg = listening  # type: ignore[method-assign]
        world.switchboard.lines[0].microphone.press("55*0#")

    await call.call(press)
    await call.check()
    assert "".join(key.digit for key in heard) == "55*0#"
    assert [key.at_ms for key in heard] == sorted({key.at_ms for key in heard})
    assert "digit" not in repr(heard[0])


async def test_a_caller_who_is_back_before_the_record_of_the_first_attempt_is_written_is_served() -> None:
    call = world(spoken("it is 4711"), spoken("a person please"), spoken("never mind"))
    for hours in call.estate.instance.hours.values():
        hours.open = hours is call.estate.switch
    call.announcer = SlowlyAnnounced(call)
    await call.call()
    assert len(call.switchboard.lines) == 2
    head = await call.store.head(CONTACT)
    assert (head.result, call.queued) == (Result.ENDED, None)
    assert "never mind" in [turn.text for turn in await call.turns() if turn.role is Role.CALLER]


async def test_a_queue_that_is_closed_brings_the_caller_back_to_the_agent_who_knows() -> None:
    call = world(spoken("it is 4711"), spoken("a person please"), spoken("never mind"))
    for hours in call.estate.instance.hours.values():
        hours.open = hours is call.estate.switch
    await call.call()
    assert len(call.switchboard.lines) == 2
    said = [turn.text for turn in await call.turns() if turn.role is Role.VOICE_AGENT]
    assert any(text.startswith("The order desk is closed.") for text in said), said


async def test_a_caller_whom_nobody_can_take_twice_is_offered_a_callback_and_does_not_go_round() -> None:
    call = world(spoken("it is 4711"), spoken("a person please"))
    for hours in call.estate.instance.hours.values():
        hours.open = hours is call.estate.switch

    async def fill(world: World) -> None:
        await world.until(speaking)
        world.service.limit = 0

    await call.call(fill)
    assert call.heard_words.count("call you back, press 1") == 1
    assert call.heard_words.endswith("Goodbye.")
    assert call.queued is None
    assert len(call.switchboard.lines) == 1
