"""The record of a handover is kept before it happens; whoever subscribes is told of it, and of every end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from contract.actions import Action, Transfer
from contract.announcement import Kind, Told
from contract.call import Lease, Result
from simulator import exchange
from simulator.caller.schedule import Words
from simulator.deepgram.scripted import Rule, ScriptedMind, calls
from tests.scenarios import shop, written
from tests.scenarios.playing import prepared, world
from tests.scenarios.world import CONTACT, SHOP, World, spoken
from tests.scenarios.written import Expected, Said, Written

pytestmark = pytest.mark.scenario
prepared("shop")

SUMMARY = "The caller asks where order 4711 is."
ASKED = {"queue": "orders", "reason": "delivery", "summary": SUMMARY, "intent": "delivery", "sentiment": "negative"}
PERSON = Rule("person", calls("transfer_to_human", json.dumps(ASKED)))
OPEN = Rule("open", shop.HOURS)


def talk(form: str, *said: Words) -> World:
    """A caller of a shop whose agent gives all that a human may be told."""
    mind = ScriptedMind(rules=[OPEN, PERSON], answers={"transfer_to_human": shop.CONNECTING})
    agent = replace(SHOP, intents=("delivery", "returns"))
    return World(form, said, mind, agent=agent)


def nothing_of_a_handover(told: Told) -> bool:
    return (told.queue, told.summary, dict(told.handover)) == ("", "", {})


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
async def test_every_record_of_a_handover_holds_what_the_human_got(form: str) -> None:
    call = talk(form, spoken("a person please"))
    await call.call()
    [kept], [handed_over, ended] = call.announcer.kept, call.announcer.told
    for told in (kept, handed_over, ended):
        _holds(told, call.handover)


def _holds(told: Told, given: Mapping[str, str]) -> None:
    assert (told.result, told.queue, told.summary) == ("transferred", "orders", SUMMARY)
    assert (told.handover["va_intent"], told.handover["va_sentiment"]) == ("delivery", "negative")
    assert dict(told.handover) == {key: given[key] for key in told.handover}


@pytest.mark.parametrize("form", written.IN_CONNECT)
async def test_the_next_gateway_tells_what_the_human_got(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one before died between writing the transfer into the log and hearing that the flow has it."""
    monkeypatch.setattr(exchange, "WITH_A_HUMAN_MS", 20_000)
    call = talk(form, spoken("a person please"))

    async def kill(world: World) -> None:
        append = world.store.append

        async def last(lease: Lease, action: Action, now_ms: int) -> int:
            seq = await append(lease, action, now_ms)
            if isinstance(action, Transfer) and len(world.alive) == 1:
                world.start_another_gateway()
                world.kill_gateway()
            return seq

        monkeypatch.setattr(world.store, "append", last)

    await call.call(kill)
    assert (await call.store.head(CONTACT)).owner == "gateway-2"
    handed_over, ended = call.announcer.told
    assert (handed_over.kind, ended.kind) == (Kind.HANDED_OVER, Kind.ENDED)
    for told in (handed_over, ended):
        _holds(told, call.handover)


@pytest.mark.parametrize("form", written.IN_CONNECT)
async def test_of_a_transfer_that_was_taken_back_the_end_says_nothing(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = talk(form, spoken("a person please"), spoken("wait when are you open", 3.5))

    async def busy(world: World) -> None:
        """The flow comes for the transfer so late that the caller says something before."""
        offer = world.store.offer

        async def late(contact_id: str, request_id: str, seq: int, now_ms: int, final: bool = False) -> bool:
            await asyncio.sleep(3 if final else 0)
            return await offer(contact_id, request_id, seq, now_ms, final)

        monkeypatch.setattr(world.store, "offer", late)

    await call.call(busy)
    assert call.announcer.kept, "the transfer was asked for"
    assert call.queued is None, "and taken back"
    [ended] = call.announcer.told
    assert (ended.kind, ended.result) == (Kind.ENDED, Result.CALLER_HUNG_UP)
    assert nothing_of_a_handover(ended)


@pytest.mark.parametrize("form", written.FORMS)
async def test_of_a_transfer_that_came_back_the_end_says_nothing(form: str) -> None:
    call = talk(form, spoken("a person please"))
    for arn in call.estate.queue_arns.values():
        queue = call.estate.instance.queue(arn)
        assert queue is not None
        queue.staffed = queue.available = queue.online = 0
    await call.call()
    assert call.queued is None
    ends = [told for told in call.announcer.told if told.kind is Kind.ENDED]
    assert ends[-1].result == Result.CALLER_HUNG_UP
    assert nothing_of_a_handover(ends[-1])


@pytest.mark.parametrize("form", written.FORMS)
async def test_a_call_that_ends_by_itself_is_told_once(form: str) -> None:
    call = world(Written("told", "", [Said("goodbye")], Expected()), form, "best")
    await call.call()
    [ended] = call.announcer.told
    assert (ended.kind, ended.result, ended.queue) == (Kind.ENDED, "ended", "")
