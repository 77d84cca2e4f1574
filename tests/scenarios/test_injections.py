"""A supervisor brings a sentence or a note into a live call."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal

import pytest

from contract.injections import Kind
from simulator.deepgram.loopback import Loopback
from simulator.deepgram.manners import PESSIMISTIC, REAL_TIME, Incident
from tests.scenarios import shop
from tests.scenarios.world import CONTACT, World, spoken

pytestmark = pytest.mark.scenario
SAID = [spoken("it is 4711"), spoken("when are you open"), spoken("a person please")]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What Deepgram was told, without the audio."""
    messages: list[dict[str, object]] = []
    send = Loopback.send

    async def noted(self: Loopback, frame: str | bytes) -> None:
        if isinstance(frame, str):
            messages.append(json.loads(frame))
        await send(self, frame)

    monkeypatch.setattr(Loopback, "send", noted)
    return messages


@pytest.mark.parametrize("form", ["interruptible", "polling", "sip"])
async def test_the_caller_hears_the_sentence_once_and_it_is_in_the_record(
    form: str, sent: list[dict[str, object]]
) -> None:
    call = World(form, SAID, shop.mind(), functions=shop.functions(), patience_ms=30_000)

    async def supervise(world: World) -> None:
        await world.until(lambda world: bool(world.functions.invoked))
        await world.store.inject(CONTACT, Kind.SAY, "anna is on her way", world.clock.now_ms())

    await call.call(supervise)
    await call.check()
    assert call.heard_words.count("anna is on her way") == 1
    assert [turn.text for turn in await call.said_by_agent() if "anna" in turn.text]
    assert (await call.store.head(CONTACT)).injected == 1


@pytest.mark.parametrize("form", ["interruptible", "polling"])
async def test_a_note_is_known_to_the_agent_and_to_the_one_of_another_gateway(
    form: str, sent: list[dict[str, object]]
) -> None:
    call = World(form, SAID, shop.mind(), functions=shop.functions(3), patience_ms=60_000)

    async def supervise(world: World) -> None:
        await world.until(lambda world: bool(world.functions.invoked))
        await world.store.inject(CONTACT, Kind.NOTE, "The caller is a member.", world.clock.now_ms())
        await world.until(lambda world: any(message["type"] == "UpdatePrompt" for message in sent))
        world.start_another_gateway()
        world.kill_gateway()
        await world.until(lambda world: world.deepgram.connections[-1].session.settings != {})

    await call.call(supervise)
    await call.check()
    assert "member" not in call.heard_words
    noted = [message for message in sent if "The caller is a member." in json.dumps(message)]
    assert [message["type"] for message in noted] == ["UpdatePrompt", "Settings"]


async def test_who_is_on_the_way_to_a_human_hears_nothing_more() -> None:
    call = World("polling", [spoken("a person please")], shop.mind(), functions=shop.functions(), patience_ms=30_000)

    async def supervise(world: World) -> None:
        await world.until(lambda world: any("connecting you" in turn.text for turn in world.turns_now()))
        await world.store.inject(CONTACT, Kind.SAY, "anna is on her way", world.clock.now_ms())

    await call.call(supervise)
    await call.check()
    assert "anna" not in call.heard_words


@pytest.mark.parametrize("form", ["interruptible", "polling", "sip"])
async def test_a_sentence_whose_session_breaks_is_said_by_the_next_one(form: str) -> None:
    """It waits behind what the agent says when the connection drops."""
    call = World(form, SAID, shop.mind(), functions=shop.functions(), patience_ms=30_000)

    async def supervise(world: World) -> None:
        world.deepgram.manners = replace(REAL_TIME, incidents=(Incident("speech", "drop", nth=2),))
        await world.until(lambda world: world.speaking)
        world.deepgram.manners = PESSIMISTIC
        await world.store.inject(CONTACT, Kind.SAY, "anna is on her way", world.clock.now_ms())

    await call.call(supervise)
    assert len(call.deepgram.connections) == 3, "the openings', and two of the call"
    assert call.heard_words.count("anna is on her way") == 1


@pytest.mark.parametrize("form", ["interruptible", "polling", "sip"])
@pytest.mark.parametrize("refusal", ["bare", "warning", "both"])
async def test_a_sentence_that_was_refused_is_said_and_the_one_before_it_not_again(
    form: str, refusal: Literal["bare", "warning", "both"]
) -> None:
    """Also one of two sentences, whose texts come one by one."""
    question = (
        "when are you open on saturday i would like to come by with my friends and have a look at chairs and tables"
    )
    said = [spoken("it is 4711"), spoken(question), spoken("a person please")]
    manners = replace(PESSIMISTIC, refusal=refusal)
    call = World(form, said, shop.mind(), manners=manners, functions=shop.functions(), patience_ms=30_000)

    async def supervise(world: World) -> None:
        await world.until(lambda world: bool(world.functions.invoked))
        await world.store.inject(CONTACT, Kind.SAY, "anna is on her way. please stay.", world.clock.now_ms())
        await world.until(lambda world: any("please stay" in turn.text for turn in world.turns_now()))
        await world.until(lambda world: world.deepgram.connections[-1].session._turns.speaking)
        await world.store.inject(CONTACT, Kind.SAY, "she comes by bus", world.clock.now_ms())

    await call.call(supervise)
    await call.check()
    assert call.deepgram.connections[-1].session.counters.refused_injections == 1
    assert call.heard_words.count("anna is on her way") == 1
    assert call.heard_words.count("she comes by bus") == 1
