"""Recordings for customers: both sides as heard, on one time line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract.audio import BYTES_PER_MS, lin2ulaw
from simulator.connect.presets import preset
from simulator.deepgram import tones
from tests.scenarios import shop
from tests.scenarios.playing import prepared, world
from tests.scenarios.world import CONTACT, SHOP, World, spoken
from tests.scenarios.written import Expected, Said, Written

pytestmark = pytest.mark.scenario
HEADER = 58
RECORDED = replace(SHOP, record_calls=True)
SAID = [spoken("it is 4711"), spoken("a person please")]
prepared("insurance")


def sides(wav: bytes) -> tuple[bytes, bytes]:
    return wav[HEADER::2], wav[HEADER + 1 :: 2]


def started_ms(key: str) -> int:
    assert key.startswith(f"calls/{CONTACT}/1-audio-")
    return int(key.removesuffix(".wav").rpartition("-")[2])


def words(ulaw: bytes) -> str:
    return " ".join(utterance.text for utterance in tones.decode(ulaw))


@pytest.mark.parametrize("form", ["interruptible", "polling"])
async def test_both_sides_stand_where_they_were_said_and_heard(form: str) -> None:
    call = World(form, SAID, shop.mind(), preset("default"), functions=shop.functions(), agent=RECORDED)
    await call.call()
    await call.check()
    [(key, wav)] = call.shelf.kept.items()
    caller, heard = sides(wav)
    assert len(caller) == len(heard)
    line = call.exchange.line
    at = started_ms(key) - line.started_ms
    for side, truth in ((caller, lin2ulaw(bytes(line.said))), (heard, lin2ulaw(bytes(line.heard)))):
        exact = truth[at * BYTES_PER_MS :]
        length = min(len(side), len(exact)) - 800
        assert length > 8000 * 5
        assert side[:length] == exact[:length]
    assert "4711" in words(caller)
    assert "connect you now" in words(heard)


async def test_a_call_over_sip_is_recorded_by_its_beats() -> None:
    call = World("sip", SAID, shop.mind(), functions=shop.functions(), agent=RECORDED)
    await call.call()
    await call.check()
    [(_, wav)] = call.shelf.kept.items()
    caller, heard = sides(wav)
    assert "4711" in words(caller)
    assert "connect you now" in words(heard)


async def test_without_the_key_nothing_is_recorded() -> None:
    call = World("polling", SAID, shop.mind(), functions=shop.functions())
    await call.call()
    assert call.shelf.kept == {}


async def test_after_a_takeover_there_is_another_part() -> None:
    call = World("polling", SAID, shop.mind(), functions=shop.functions(3), agent=RECORDED, patience_ms=60_000)

    async def kill(world: World) -> None:
        await world.until(lambda world: len(world.clips_asked()) >= 2)  # the caller's first turn is in the table
        world.service.calls[CONTACT].hand_on(0)  # type: ignore[union-attr]
        world.start_another_gateway()

    await call.call(kill)
    await call.check()
    assert len(call.shelf.kept) == 2
    heard = " ".join(words(sides(wav)[1]) for wav in call.shelf.kept.values())
    assert "connect you now" in heard


@pytest.mark.parametrize("form", ["interruptible", "polling"])
async def test_a_secret_is_silence(form: str) -> None:
    said = [Said("i have a pin"), Said("", press="7391"), Said("a person please")]
    call = world(Written("planted", "", said, Expected(), agent="insurance", patience_s=20), form, "best")
    call.agent = replace(call.agent, record_calls=True)
    await call.call()
    heard = " ".join(words(sides(wav)[1]) for wav in call.shelf.kept.values())
    assert "thank you" in heard.lower()
    assert "four digit pin" not in heard, "nothing was streamed while it was asked for"
