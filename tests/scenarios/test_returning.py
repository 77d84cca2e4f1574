"""A caller from somebody's IVR: where our flow would close the line, the IVR has its caller back."""

from __future__ import annotations

import pytest

from contract.call import Result
from simulator.connect.presets import preset
from simulator.estate import THANKS
from tests.scenarios import shop
from tests.scenarios.world import CONTACT, World, spoken

pytestmark = pytest.mark.scenario
FORMS = ("interruptible", "polling", "sip")


def world(form: str, *said: str) -> World:
    return World(form, [spoken(each) for each in said], shop.mind(), preset("default"), returning=True)


@pytest.mark.parametrize("form", FORMS)
async def test_the_ivr_has_its_caller_back_after_the_goodbye(form: str) -> None:
    call = world(form, "good bye")
    await call.call()
    await call.check()
    assert THANKS in call.heard_words
    assert call.queued is None
    head = await call.store.head(CONTACT)
    assert (head.result, head.reason) == (Result.ENDED, "goodbye")


@pytest.mark.parametrize("form", FORMS)
async def test_a_caller_who_wants_a_person_does_not_come_back(form: str) -> None:
    call = world(form, "a person please")
    await call.call()
    await call.check()
    assert call.queued == "orders"
    assert THANKS not in call.heard_words
