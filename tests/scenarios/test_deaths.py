"""The gateway dies, is frozen, is told to stop, or its world breaks: the caller is at a human soon, with a reason."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from contract.errors import StoreUnavailable
from contract.turns import Role
from simulator.connect.presets import preset
from simulator.deepgram.access import LOCAL_KEY
from simulator.deepgram.loopback import Loopback
from simulator.deepgram.manners import Incident, Manners
from tests.scenarios import shop
from tests.scenarios.world import World, spoken

pytestmark = pytest.mark.scenario

FORMS = ("interruptible", "polling", "sip")
each_flow = pytest.mark.parametrize("form", FORMS)
HUMAN_WITHIN_MS = 25_000
NUDGE = "Sorry, I didn't catch that."


def world(form: str, name: str = "default", takes_s: float = 0.1) -> World:
    said = [spoken("it is 4711"), spoken("a person please")]
    return World(form, said, shop.mind(), preset(name), functions=shop.functions(takes_s), patience_ms=60_000)


def ringing(call: World) -> bool:
    return call.entered("Start the call")


def speaking(call: World) -> bool:
    return call.speaking


def in_a_function(call: World) -> bool:
    return bool(call.functions.invoked)


def leaving(call: World) -> bool:
    return any(turn.text.startswith("I will connect") for turn in call.turns_now())


async def said_by_caller(call: World) -> list[str]:
    return [turn.text for turn in await call.turns() if turn.role is Role.CALLER]


def invoked(call: World, function: str) -> int:
    """How often a flow has asked one of its functions."""
    return sum(event.kind == "lambda" and str(event.detail["arn"]).endswith(f":{function}") for event in call.events)


def next_session(call: World, manners: Manners) -> None:
    """The next session of the voice agent is of these manners, and none after it, however soon it is opened."""
    connect = call.deepgram.connect
    plain, call.deepgram.manners = call.deepgram.manners, manners

    async def connect_once(key: str = LOCAL_KEY) -> Loopback:
        call.deepgram.connect = connect  # type: ignore[method-assign]
        try:
            return await connect(key)
        finally:
            call.deepgram.manners = plain

    call.deepgram.connect = connect_once  # type: ignore[method-assign]


MOMENTS: dict[str, Callable[[World], bool]] = {
    "before_the_opening": ringing,
    "while_it_speaks": speaking,
    "in_a_function": in_a_function,
    "during_the_handover": leaving,
}


@each_flow
@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_gateway_that_is_killed_leaves_its_caller_to_a_human(form: str, moment: str) -> None:
    call = world(form, takes_s=3)
    died_at = 0

    async def kill(world: World) -> None:
        nonlocal died_at
        await world.until(MOMENTS[moment])
        if form == "sip" and moment != "before_the_opening":  # somebody has to say BYE
            world.start_another_gateway()
        world.kill_gateway()
        died_at = world.clock.now_ms()

    await call.call(kill)
    await call.check()
    assert call.queued is not None
    assert call.queued_at_ms - died_at <= HUMAN_WITHIN_MS
    said = await said_by_caller(call)
    if moment == "before_the_opening":
        assert call.handover["va_reason"] in ("no_gateway", "gateway_lost", "flow_failure")
    elif moment != "during_the_handover":
        assert call.handover["va_reason"] == "gateway_lost"
        assert all(text in call.handover["va_transcript"] for text in said)


@each_flow
@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_gateway_that_is_told_to_stop_hands_its_caller_over(form: str, moment: str) -> None:
    call = world(form, takes_s=3)
    stopped_at = 0

    async def stop(world: World) -> None:
        nonlocal stopped_at
        await world.until(MOMENTS[moment])
        world.service.stop()
        stopped_at = world.clock.now_ms()

    await call.call(stop)
    await call.check()
    assert call.queued is not None
    assert call.queued_at_ms - stopped_at <= HUMAN_WITHIN_MS
    if moment not in ("before_the_opening", "during_the_handover"):
        assert call.handover["va_reason"] == "gateway_stopping"


@each_flow
async def test_a_call_that_cannot_be_begun_is_a_human(form: str) -> None:
    call = world(form)
    call.lambdas.down.add("start_call")
    await call.call()
    assert invoked(call, "start_call") == 1
    assert (call.queued, call.handover["va_reason"]) == ("support", "flow_failure")
    assert len(call.deepgram.connections) == 1  # it rendered the opening


async def test_a_flow_whose_waiting_lambda_always_fails_asks_in_turn() -> None:
    call = world("interruptible")
    call.lambdas.down.add("next_action_wait")
    await call.call()
    await call.check()
    assert invoked(call, "next_action_wait") == 1
    assert invoked(call, "next_action_poll") > 1
    assert (call.queued, call.handover["va_reason"]) == ("orders", "delivery")
    assert await said_by_caller(call) == ["it is 4711", "a person please"]


@pytest.mark.parametrize(("form", "said"), [("polling", []), ("sip", ["it is 4711", "a person please"])])
async def test_a_flow_that_cannot_ask_any_more_leaves_its_caller_to_a_human(form: str, said: list[str]) -> None:
    call = world(form)
    call.lambdas.down.add("next_action_poll")
    await call.call()
    assert invoked(call, "next_action_poll") == 3
    assert (call.queued, call.handover["va_reason"]) == ("support", "flow_failure")
    assert await said_by_caller(call) == said  # over SIP the flow asks only when the voice agent is done


@each_flow
@pytest.mark.parametrize("moment", ["open", "settings", "speech", "function", "turn"])
async def test_a_session_that_breaks_is_renewed_and_the_agent_still_knows(form: str, moment: str) -> None:
    call = world(form)

    async def break_first(world: World) -> None:
        next_session(world, Manners(incidents=(Incident(moment, "drop"),)))  # type: ignore[arg-type]

    await call.call(break_first)
    await call.check()
    assert len(call.deepgram.connections) == 3  # one of them rendered the opening
    assert call.queued == "orders"
    assert await said_by_caller(call) == ["it is 4711", "a person please"]
    assert shop.STATUS.format(number=4711) in call.heard_words


@each_flow
async def test_a_voice_agent_that_cannot_be_had_is_a_human(form: str) -> None:
    call = world(form)

    async def refuse(world: World) -> None:
        world.deepgram.access.refuse = 503

    await call.call(refuse)
    assert call.queued == "support"
    assert call.handover["va_reason"].startswith("voice_agent_")


@each_flow
async def test_a_mute_agent_is_nudged(form: str) -> None:
    call = world(form)
    call.manners = Manners(mute_turns=(1,))
    await call.call()
    await call.check()
    assert NUDGE in call.heard_words
    assert len(call.deepgram.connections) == 2  # one of them rendered the opening
    assert (call.queued, call.handover["va_reason"]) == ("orders", "delivery")


@each_flow
async def test_an_agent_that_is_mute_although_it_was_nudged_is_replaced(form: str) -> None:
    call = world(form)
    call.said = [spoken("hello"), spoken("a person please")]  # the new session gets both as one

    async def silence(world: World) -> None:
        next_session(world, Manners(mute_turns=(1, 2), inject_ms=60_000))

    await call.call(silence)
    await call.check()
    assert NUDGE not in call.heard_words
    assert len(call.deepgram.connections) == 3
    assert (call.queued, call.handover["va_reason"]) == ("orders", "delivery")


@each_flow
async def test_a_table_that_is_gone_for_two_seconds_is_not_noticed(form: str) -> None:
    call = world(form)
    await call.call(partial(table_is_gone, for_s=2))
    await call.check()
    assert (call.queued, call.handover["va_reason"]) == ("orders", "delivery")
    assert await said_by_caller(call) == ["it is 4711", "a person please"]


@pytest.mark.parametrize("form", ["interruptible", "polling"])
async def test_a_table_that_is_gone_for_longer_is_a_human_and_what_was_said_is_on_record(form: str) -> None:
    call = world(form)
    await call.call(partial(table_is_gone, for_s=10))
    await call.check()
    assert (call.queued, call.handover["va_reason"]) == ("support", "store_unavailable")
    assert await said_by_caller(call) == ["it is 4711"]
    assert (await call.said_by_agent())[-1].text == shop.STATUS.format(number=4711)


async def test_a_table_that_is_gone_for_seconds_is_not_noticed_over_sip() -> None:
    call = world("sip")
    await call.call(partial(table_is_gone, for_s=3))
    await call.check()
    assert (call.queued, call.handover["va_reason"]) == ("orders", "delivery")
    assert await said_by_caller(call) == ["it is 4711", "a person please"]


async def table_is_gone(call: World, for_s: float) -> None:
    await call.until(speaking)
    call.break_store(StoreUnavailable("any", "InternalServerError"), for_s)


async def test_the_switch_in_the_console_sends_everybody_to_the_queue_without_us() -> None:
    call = world("interruptible")
    call.estate.switch.open = False
    await call.call()
    assert call.queued == "support"
    assert not call.deepgram.connections or len(call.deepgram.connections) == 1


@each_flow
@pytest.mark.parametrize(("closed", "sentence"), [(True, "The order desk is closed."), (False, "Nobody at the order")])
async def test_a_queue_that_cannot_take_the_caller_brings_them_back(form: str, closed: bool, sentence: str) -> None:
    call = world(form)
    call.said = [spoken("a person please"), spoken("well", 4.5), spoken("when are you open"), spoken("bye")]
    queue = call.estate.instance.queues[call.estate.queue_arns["orders"]]
    if closed:
        call.estate.instance.hours[queue.hours_arn].open = False
    else:
        queue.staffed = 0
    await call.call()
    await call.check()
    assert call.queued is None
    assert sentence in call.heard_words
    assert shop.HOURS in call.heard_words


@each_flow
async def test_a_session_is_changed_before_the_service_ends_it(form: str) -> None:
    call = world(form)
    call.manners = Manners(session_warning_ms=12_000, session_ms=60_000)
    call.said = [spoken("it is 4711"), spoken("when are you open"), spoken("a person please")]
    await call.call()
    await call.check()
    assert call.queued == "orders"
    assert shop.HOURS in call.heard_words
    assert len(call.deepgram.connections) >= 3  # one of them rendered the opening


@each_flow
@pytest.mark.parametrize("at_ms", [6800, 7200, 7600, 8000])
async def test_what_is_said_while_there_is_no_session_is_not_lost(form: str, at_ms: int) -> None:
    call = world(form)
    call.said = [spoken("please tell me about my order 4711 now"), spoken("a person please")]

    async def drop_once(world: World) -> None:
        next_session(world, Manners(incidents=(Incident("clock", "drop", at_ms=at_ms),)))

    await call.call(drop_once)
    await call.check()
    assert call.queued == "orders"
    said = await said_by_caller(call)
    assert said[0] == "please tell me about my order 4711 now"
    assert len(call.deepgram.connections) == 3
