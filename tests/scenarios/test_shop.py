"""Whole calls to the shop, in both flows and every preset."""

from __future__ import annotations

import pytest

from contract.call import Result
from simulator.caller.schedule import Words
from simulator.connect.presets import PRESETS, PromptCut, preset
from tests.scenarios import shop
from tests.scenarios.world import CONTACT, World, spoken

pytestmark = pytest.mark.scenario

FORMS = ("interruptible", "polling")
EVERY = [*((form, name) for form in FORMS for name in PRESETS), ("sip", "default")]  # no preset is about SIP
every_preset = pytest.mark.parametrize(("form", "name"), EVERY)


def world(form: str, name: str, *said: Words, takes_s: float = 0.1) -> World:
    call = World(form, said, shop.mind(), preset(name), functions=shop.functions(takes_s))
    if not answers_in_time(form, name):
        call.patience_ms = 60_000
    return call


def answers_in_time(form: str, name: str) -> bool:
    """Where nothing leaves a prompt, the interruptible flow finds out after 25 s that it has to poll."""
    return form != "interruptible" or preset(name).prompt_cut is not PromptCut.NEVER


@every_preset
async def test_a_caller_gets_an_answer_and_then_a_person(form: str, name: str) -> None:
    call = world(form, name, spoken("where is my order"), spoken("it is 4711"), spoken("a person please"))
    await call.call()
    await call.check()
    assert call.queued == "orders"
    assert call.handover["va_reason"] == "delivery"
    assert call.handover["va_summary"] == "The caller asked about an order."
    assert not answers_in_time(form, name) or "4711 is on its way" in call.heard_words
    assert shop.CONNECTING in call.heard_words
    assert [name for name, _ in call.functions.invoked] == ["get_order_status"]
    head = await call.store.head(CONTACT)
    assert (head.result, head.reason) == (Result.TRANSFERRED, "transfer_to_human")


@every_preset
@pytest.mark.parametrize("after_s", [0.3, 1.5, 5.0])
async def test_a_caller_interrupts(form: str, name: str, after_s: float) -> None:
    call = world(
        form, name, spoken("it is 4711"), spoken("sorry when are you open", after_s), spoken("a person please")
    )
    await call.call()
    await call.check()
    assert call.queued == "orders"
    assert not answers_in_time(form, name) or shop.HOURS in call.heard_words


@every_preset
async def test_a_caller_speaks_during_a_function(form: str, name: str) -> None:
    call = world(
        form, name, spoken("it is 4711"), spoken("when are you open", 2.0), spoken("a person please"), takes_s=6
    )
    await call.call()
    await call.check()
    assert call.queued == "orders"


@every_preset
async def test_a_caller_speaks_into_the_goodbye(form: str, name: str) -> None:
    call = world(form, name, spoken("good bye"), spoken("when are you open", 0.8), spoken("bye"))
    end = await call.call()
    await call.check()
    assert call.queued is None
    assert not answers_in_time(form, name) or shop.HOURS in call.heard_words
    assert end.reason.value in ("CONTACT_FLOW_DISCONNECT", "CUSTOMER_DISCONNECT")


@every_preset
async def test_turns_in_another_order(form: str, name: str) -> None:
    call = world(form, name, spoken("when are you open"), spoken("hm"), spoken("it is 90210"), spoken("a person"))
    await call.call()
    await call.check()
    assert call.queued == "orders"
    assert call.functions.invoked[0][1]["arguments"] == {"order_number": "90210"}
    assert not answers_in_time(form, name) or "90210 is on its way" in call.heard_words


@every_preset
async def test_a_caller_who_says_nothing_hears_goodbye(form: str, name: str) -> None:
    call = world(form, name)
    call.patience_ms = 120_000
    await call.call()
    await call.check()
    assert "Are you still there?" in call.heard_words
    assert "Goodbye." in call.heard_words


@every_preset
async def test_the_agents_socket_is_closed_within_five_seconds_of_a_hang_up(form: str, name: str) -> None:
    call = world(form, name, spoken("where is my order"))
    await call.call()
    await call.check()
    assert call.closed_after_ms <= 5000
