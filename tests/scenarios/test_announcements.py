"""The record of a handover is kept before it happens; whoever subscribes is told of it, and of every end."""

from __future__ import annotations

import pytest

from contract.announcement import Kind
from tests.scenarios import written
from tests.scenarios.playing import prepared, world
from tests.scenarios.written import Expected, Said, Written

pytestmark = pytest.mark.scenario
prepared("shop")


@pytest.mark.parametrize("form", written.FORMS)
async def test_a_handover_is_kept_before_it_happens_and_told(form: str) -> None:
    said = [Said("a person please"), Said("it is about an order")]
    call = world(Written("told", "", said, Expected()), form, "best")
    await call.call()
    handed_over, ended = call.announcer.told
    assert (handed_over.kind, handed_over.queue, handed_over.result) == (Kind.HANDED_OVER, "orders", "transferred")
    [kept] = call.announcer.kept
    assert kept.at_ms <= call.queued_at_ms, "the record is there when the human answers"
    assert handed_over.at_ms - call.queued_at_ms <= 3000
    assert handed_over.handover["va_queue"] == "orders"
    assert (ended.kind, ended.result, ended.queue) == (Kind.ENDED, "transferred", "orders")


@pytest.mark.parametrize("form", written.FORMS)
async def test_a_call_that_ends_by_itself_is_told_once(form: str) -> None:
    call = world(Written("told", "", [Said("goodbye")], Expected()), form, "best")
    await call.call()
    [ended] = call.announcer.told
    assert (ended.kind, ended.result, ended.queue) == (Kind.ENDED, "ended", "")
