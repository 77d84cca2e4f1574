"""Recordings of calls over SIP: nothing secret is in them, and they replay all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from contract.audio import ulaw2lin
from gateway.legs.sip.playout import Playout
from gateway.legs.sip.rtp import Outgoing
from gateway.legs.sip.sdp import Agreed
from gateway.legs.sip.stream import Stream
from gateway.recording.folder import Recording, load
from gateway.recording.sip_taps import TappedLine
from gateway.recording.tape import Audio, Tape, TapeClock
from simulator import jumping
from simulator.caller.schedule import Words
from simulator.deepgram.scripted import ScriptedMind
from tests.recordings.oddities import ODDITIES
from tests.recordings.replayed import judge
from tests.recordings.studio import Studio
from tests.scenarios.playing import RealFunctions, WrittenWorld, prepared
from tests.scenarios.switchboard import AGREED
from tests.scenarios.world import World, pressed, spoken

DIGITS = "739146"
TONE = b"\x05" * 160
AGENT, BOOK = prepared("insurance")


@dataclass
class InsuranceStudio(Studio, WrittenWorld):
    """The insurance desk, recorded."""


def recorded(folder: Path, said: Sequence[Words], *, secret: bool, agreed: Agreed = AGREED) -> Recording:
    """A call in which digits are typed, whose peer sends their tones in the audio too."""
    asked = AGENT.collect["policy_number"]
    receiver = replace(AGENT.functions["verify_caller"], parameters={"properties": {"pin": {"type": "string"}}})
    question = replace(asked, secret=True, function=receiver) if secret else asked
    agent = replace(AGENT, collect={**AGENT.collect, asked.name: question})
    answers: Mapping[str, Mapping[str, Any]] = {"verify_caller": {"answers": {"verified": True}}}
    functions = RealFunctions({}, agent=agent, said_of=answers)
    studio = InsuranceStudio("sip", said, ScriptedMind(), functions=functions, agent=agent, book=BOOK, folder=folder)

    studio.switchboard.agreed = agreed

    async def with_tones(world: World) -> None:
        await world.until(lambda world: bool(world.switchboard.lines))
        line = world.switchboard.lines[0]
        said = line.said
        line.said = lambda pcm: said(ulaw2lin(TONE) if line.microphone._keys else pcm)  # type: ignore[method-assign]

    async def whole() -> None:
        await studio.call(with_tones)

    jumping.run(whole())
    return load(next(folder.iterdir()))


def keys(recording: Recording) -> str:
    return "".join(line["args"][0] for line in recording.lines if line.get("do") == "pressed")


@pytest.mark.parametrize("secret", [True, False])
def test_a_secret_is_not_in_a_recording_which_replays_all_the_same(tmp_path: Path, secret: bool) -> None:
    """What is no secret is there, so that this can fail."""
    said = (spoken("i would rather type"), pressed(DIGITS), spoken("goodbye"))
    recording = recorded(tmp_path, said, secret=secret)
    files = b"".join(file.read_bytes() for file in next(tmp_path.iterdir()).iterdir())
    assert (DIGITS.encode() in files, TONE[:80] in files) == (not secret, not secret)
    assert keys(recording) == ("0" * len(DIGITS) if secret else DIGITS)
    assert judge(recording) is None


def test_a_call_in_which_no_key_can_come_replays(tmp_path: Path) -> None:
    said = (spoken("i would rather type"), spoken("goodbye"))
    recording = recorded(tmp_path, said, secret=False, agreed=replace(AGREED, events=None))
    assert [line["at"] for line in recording.lines if line.get("do") == "no_keys"] == ["line"]
    assert judge(recording) is None


def test_keys_that_nobody_asked_for_are_not_in_it(tmp_path: Path) -> None:
    recording = recorded(tmp_path, (pressed("47*1"), spoken("goodbye")), secret=False)
    assert keys(recording) == "0000"
    assert judge(recording) is None


def test_both_sides_of_the_line_are_as_long_as_the_call() -> None:
    recording = load(ODDITIES["over_sip_into_the_answer"].path)
    assert len(recording.audio[Audio.LINE]) == len(recording.audio[Audio.HEARD]) > 8000 * 10


def test_one_wrong_bit_of_what_the_caller_heard_is_found() -> None:
    recording = load(ODDITIES["over_sip_into_the_answer"].path)
    heard = bytearray(recording.audio[Audio.HEARD])
    heard[40_000] ^= 1
    difference = judge(replace(recording, audio={**recording.audio, Audio.HEARD: bytes(heard)}))
    assert difference is not None
    assert difference.recorded is not None
    assert difference.recorded.at == "line.sent"


def test_what_the_line_says_before_there_is_a_leg_is_not_in_it() -> None:
    clock = TapeClock(1_000_000, lambda: 0)
    tape = Tape(clock, {}, {})
    stream = Stream(AGREED, Playout(), Outgoing(9, 0, 0, 0), 0)
    line = TappedLine(Waiting(stream), tape, lambda: pytest.fail("nobody is asked"))
    line.stream.packet(0, 0)
    before = tape.take()[1]
    line.start(lambda left_out: None)
    line.stream.packet(20, 0)
    assert (before, list(tape.take()[1])) == ({}, [Audio.HEARD])


@dataclass
class Waiting:
    """A line whose packets go nowhere."""

    stream: Stream
    record: str = "{}"

    def start(self, beat: Callable[[int], None]) -> None:
        """Nothing beats here."""

    def send(self, packet: bytes) -> None:
        """Nobody hears it."""

    async def ended(self) -> str:
        return "bye"

    def hang_up(self) -> None:
        """It was over."""

    def close(self) -> None:
        """Nothing is open."""
