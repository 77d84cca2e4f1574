"""A function that Deepgram calls by itself, in a whole call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract.turns import FunctionState
from definition.model import Endpoint
from tests.scenarios import shop
from tests.scenarios.world import CONTACT, SHOP, World, spoken

pytestmark = pytest.mark.scenario
REMOTE = replace(SHOP.functions["get_order_status"], endpoint=Endpoint("https://orders.example/"), folder="")


async def test_it_is_in_the_ledger_and_not_ours_to_invoke() -> None:
    agent = replace(SHOP, functions={**SHOP.functions, "get_order_status": REMOTE})
    answer = '{"number": "4711"}'
    said = [spoken("it is 4711"), spoken("a person please")]
    call = World("polling", said, shop.mind(), functions=shop.functions(), agent=agent, hosted={REMOTE.name: answer})
    await call.call()
    await call.check()
    assert call.functions.invoked == []
    [entry] = [each for each in await call.store.functions(CONTACT) if each.name == REMOTE.name]
    assert (dict(entry.arguments), entry.state, entry.result) == (
        {"order_number": "4711"},
        FunctionState.FINISHED,
        answer,
    )
    assert entry.finished_at_ms > entry.entered_at_ms
    assert "get_order_status: finished" in call.handover["va_functions"]
