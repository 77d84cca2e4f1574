"""A caller who speaks while a function runs, and wants the same after all: it runs once, in a whole call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from contract.turns import FunctionState
from tests.chaos import shop
from tests.scenarios.world import CONTACT, Functions, World, spoken

pytestmark = pytest.mark.scenario


async def cancelling(payload: Mapping[str, Any]) -> object:
    await asyncio.sleep(6)
    return {"number": payload["arguments"]["order_number"]}


@pytest.mark.parametrize("form", ["interruptible", "polling", "sip"])
async def test_what_the_caller_spoke_into_is_done_once_and_its_answer_is_heard(form: str) -> None:
    into_the_one_moment = spoken("yes cancel 4711", after_s=0.5)
    said = [spoken("cancel 4711"), into_the_one_moment, spoken("a person please")]
    call = World(form, said, shop.mind(), functions=Functions({"cancel_order": cancelling}), agent=shop.SHOP)
    await call.call()
    assert [name for name, _ in call.functions.invoked] == ["cancel_order"]
    entries = [entry for entry in await call.store.functions(CONTACT) if entry.name == "cancel_order"]
    assert [(entry.state, json.loads(entry.result)) for entry in entries] == [
        (FunctionState.FINISHED, {"number": "4711"})
    ]
    texts = [turn.text for turn in await call.turns()]
    assert "yes cancel 4711" in texts
    assert shop.CANCELLED.format(number="4711") in texts
