"""A supervisor brings a sentence or a note into a live call."""

from __future__ import annotations

import json

import pytest

from contract.injections import Kind
from simulator.deepgram.loopback import Loopback
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
