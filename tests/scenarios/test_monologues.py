"""A caller who speaks and speaks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract.call import Result
from contract.turns import Role
from tests.scenarios import shop
from tests.scenarios.world import CONTACT, SHOP, World, spoken

pytestmark = pytest.mark.scenario

each_flow = pytest.mark.parametrize("form", ["interruptible", "polling", "sip"])
MINUTES = " ".join(["and so on"] * 120)  # nearly two, without a pause


@each_flow
async def test_a_caller_who_speaks_for_minutes_is_heard_to_the_end(form: str) -> None:
    call = World(form, [spoken(MINUTES), spoken("a person please")], shop.mind(), patience_ms=60_000)
    await call.call()
    await call.check()
    caller = [turn.text for turn in await call.turns() if turn.role is Role.CALLER]
    assert caller == [MINUTES, "a person please"]
    assert call.queued == "orders"


@each_flow
async def test_a_caller_who_never_stops_speaking_is_told_goodbye_after_the_longest_call(form: str) -> None:
    brief = replace(SHOP, max_duration_s=60, warn_s=0)
    call = World(form, [spoken(MINUTES)], shop.mind(), agent=brief, patience_ms=60_000)
    end = await call.call()
    await call.check()
    head = await call.store.head(CONTACT)
    assert (head.result, head.reason) == (Result.ENDED, "max_duration")
    assert SHOP.goodbye in call.heard_words
    assert 60_000 < end.ended_at_ms - head.started_at_ms < 80_000
