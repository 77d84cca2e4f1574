"""Keys over SIP, which the gateway takes itself: what a caller who speaks gets, and that a secret stays one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from contract.audio import ulaw2lin
from contract.call import Opening
from definition.collect import COLLECT_DIGITS
from simulator.caller.schedule import Words
from simulator.deepgram.loopback import Loopback
from tests.scenarios.playing import RealFunctions, WrittenWorld, prepared
from tests.scenarios.playing import world as written_world
from tests.scenarios.switchboard import AGREED
from tests.scenarios.world import CONTACT, World, pressed, spoken
from tests.scenarios.written import Expected, Written

pytestmark = pytest.mark.scenario

prepared("insurance")
DIGITS = "739146"
TONE = b"\x05" * 160  # louder than anything the caller says


def insurance(*said: Words, patience_ms: int = 15_000) -> WrittenWorld:
    """A caller of the insurance desk, which asks for keys."""
    file = Written("keys", "", (), Expected(), agent="insurance")
    call = written_world(file, "sip", "default")
    call.said, call.patience_ms = said, patience_ms
    return call


async def collected(call: World) -> dict[str, object]:
    """What the agent was told of the keys it asked for last."""
    entries = [entry for entry in await call.store.functions(CONTACT) if entry.name == COLLECT_DIGITS]
    told: dict[str, object] = json.loads(entries[-1].result)
    return told


async def test_who_speaks_into_a_question_is_answered_at_once() -> None:
    call = insurance(spoken("i would rather type"), spoken("i do not have it", 4), spoken("goodbye"))
    await call.call()
    await call.check()
    assert (await collected(call))["status"] == "not_asked"
    turns = [turn for turn in await call.turns() if turn.text.startswith(("i do not have", "Sorry, I did not get"))]
    assert turns[1].started_at_ms - turns[0].ended_at_ms < 2500


async def test_keys_that_came_are_taken_although_the_caller_speaks() -> None:
    call = insurance(spoken("i would rather type"), spoken("i do not have it", 4), spoken("goodbye"))

    async def press(world: World) -> None:
        await world.until(lambda world: any(line.stream.playout.tone_plays for line in world.switchboard.lines))
        world.switchboard.lines[0].microphone.press("47")

    await call.call(press)
    await call.check()
    told = await collected(call)
    assert (told["status"], told["digits"]) == ("wrong_keys", "47")


async def test_a_prompt_that_was_not_rendered_is_not_asked_on_a_line_without_a_voice_of_its_own() -> None:
    call = insurance(spoken("i would rather type"), spoken("goodbye"))

    async def forget(world: World) -> None:
        for name in ("insurance/policy_number", "insurance"):
            await world.store.put_opening(name, Opening("", "", 0))

    await call.call(forget)
    await call.check()
    assert (await collected(call))["status"] == "not_available"


async def test_where_no_key_can_come_the_agent_is_told_at_once() -> None:
    """The peer's description has no telephone-event: nothing that the caller presses arrives."""
    call = insurance(spoken("i would rather type"), spoken("goodbye"))
    call.switchboard.agreed = replace(AGREED, events=None)
    await call.call()
    await call.check()
    assert (await collected(call))["status"] == "not_available"
    (entry,) = [each for each in await call.store.functions(CONTACT) if each.name == COLLECT_DIGITS]
    assert entry.finished_at_ms - entry.entered_at_ms < 2000


@pytest.mark.parametrize("secret", [True, False])
async def test_only_its_function_learns_a_secret_and_nobody_hears_its_tones(
    secret: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The peer sends the tones in the audio too, between the events. What is no secret arrives: so this can fail."""
    call = insurance(spoken("i would rather type"), pressed(DIGITS), spoken("goodbye"))
    asked = call.agent.collect["policy_number"]
    receiver = replace(call.agent.functions["verify_caller"], parameters={"properties": {"pin": {"type": "string"}}})
    if secret:
        questions = {**call.agent.collect, asked.name: replace(asked, secret=True, function=receiver)}
        call.agent = replace(call.agent, collect=questions)
    assert isinstance(call.functions, RealFunctions)
    call.functions.said_of = {"verify_caller": {"answers": {"verified": True}}}
    frames: list[str | bytes] = []
    send = Loopback.send

    async def listening(self: Loopback, frame: str | bytes) -> None:
        frames.append(frame)
        await send(self, frame)

    monkeypatch.setattr(Loopback, "send", listening)

    async def with_tones(world: World) -> None:
        await world.until(lambda world: bool(world.switchboard.lines))
        line = world.switchboard.lines[0]
        said = line.said
        line.said = lambda pcm: said(ulaw2lin(TONE) if line.microphone._keys else pcm)  # type: ignore[method-assign]

    await call.call(with_tones)
    await call.check()
    told = await collected(call)
    assert told["status"] == "entered"
    to_agent = "".join(frame for frame in frames if isinstance(frame, str))
    audio = b"".join(frame for frame in frames if isinstance(frame, bytes))
    record = repr(await call.turns()) + repr(await call.store.functions(CONTACT)) + str(capsys.readouterr())
    found = [DIGITS in to_agent, TONE[:80] in audio, DIGITS in record]
    given = [payload["arguments"] for name, payload in call.functions.invoked if name == "verify_caller"]
    if secret:
        assert found == [False, False, False]
        assert given == [{"pin": DIGITS}]
        assert told["verified"] is True
    else:
        assert found == [True, True, True]
        assert given == []
