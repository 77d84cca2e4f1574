"""Whole calls on the phone, and what can be read off them."""

from __future__ import annotations

import asyncio
import io
import json
import re
import wave
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from contract.audio import lin2ulaw
from simulator.caller.schedule import HANG_UP_MS
from simulator.deepgram.local.language import words
from simulator.deepgram.local.process import WorkerProcess
from simulator.phone import options
from simulator.phone.call import PhoneCall
from simulator.phone.facts import Facts
from simulator.phone.listening import Track
from simulator.phone.report import BUSY, build
from simulator.phone.run import Beside, conduct
from simulator.phone.stage import Session
from simulator.phone.terminal import Terminal

INTO_THE_CLIP_S = 0.7
ABOUT_MS = 300  # a turn begins with its first sound, its clip may begin a little before
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@dataclass(frozen=True)
class Outcome:
    """A call that is over. Times in the report and on the tracks are ms from the ring."""

    report: Mapping[str, Any]
    facts: Facts
    sessions: Sequence[Session]
    recording: Path
    screen: str

    def channel(self, number: int) -> bytes:
        """0: what the caller said, 1: what the caller heard; 16-bit PCM."""
        with wave.open(str(self.recording)) as file:
            frames = file.readframes(file.getnframes())
        pcm = bytearray(len(frames) // 2)
        pcm[0::2], pcm[1::2] = frames[2 * number :: 4], frames[2 * number + 1 :: 4]
        return bytes(pcm)

    @property
    def heard(self) -> Track:
        return Track.of(self.channel(1))

    def turns(self, role: str) -> list[Mapping[str, Any]]:
        return [turn for turn in self.report["transcript"] if turn["role"] == role]

    def played_ms(self, begin_ms: int, end_ms: int) -> int:
        """How much of what the agent says reached the caller of the prompts that began in this time."""
        begin, end = (self.facts.started_ms + at for at in (begin_ms - ABOUT_MS, end_ms - ABOUT_MS))
        return sum(
            one.ended_ms - one.started_ms for one in self.facts.played if one.speech and begin <= one.started_ms < end
        )

    def at_ms(self, kind: str) -> int:
        """When the flow first did this."""
        return next(event.at_ms for event in self.facts.flow if event.kind == kind) - self.facts.started_ms


async def phone(
    folder: Path,
    *,
    speech: bool,
    beside: Beside | None = None,
    hang_up_ms: int = HANG_UP_MS,
    gateway: str = "gateway",
    **environment: str,
) -> Outcome:
    """One call; `environment` as `make call` would be given it, `gateway` the module that serves it."""
    asked = options.read({**environment, "REPORT": str(folder)}, speech=speech)
    screen = io.StringIO()
    terminal = Terminal(Console(file=screen, width=120, highlight=False, no_color=True))
    facts, stage = await conduct(replace(asked, hang_up_ms=hang_up_ms, gateway=gateway), terminal, beside)
    return Outcome(build(facts), facts, stage.sessions, folder / "call.wav", screen.getvalue())


def together(*calls: Coroutine[Any, Any, Outcome]) -> list[Outcome]:
    """Several calls at the same time: each spends most of it waiting for the others to speak."""

    async def all_of_them() -> list[Outcome | BaseException]:
        return await asyncio.gather(*calls, return_exceptions=True)

    ended = asyncio.run(all_of_them())
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    return [one for one in ended if isinstance(one, Outcome)]


def faults(call: Outcome) -> list[str]:
    """The errors of a report but for the remark on a busy machine, which is about this one and not about the call."""
    return [error for error in call.report["errors"] if not error.startswith(BUSY)]


def undisturbed(call: Outcome, again: Coroutine[Any, Any, Outcome]) -> Outcome:
    """The call itself, or the same once more where the machine was too busy for its times to mean anything."""
    if faults(call) == call.report["errors"]:
        again.close()
        return call
    return together(again)[0]


async def agent_speaks(call: PhoneCall, clips: int) -> None:
    """Wait until the caller hears the agent's clip of this number."""
    played = 0
    while played < clips:
        await asyncio.sleep(0.05)
        played = sum(one.speech and "/openings/" not in one.uri for one in call.facts().played)
    await asyncio.sleep(INTO_THE_CLIP_S)


def reads(recogniser: WorkerProcess, pcm: bytes) -> str:
    """What the local agent's own recogniser makes of it."""
    rows = json.loads(recogniser.ask(lin2ulaw(pcm)))
    return " ".join(text for text, *_ in rows)


def plain(text: str) -> list[str]:
    """Words to be compared: numbers as single digits, however they were written."""
    spelt = {word: str(number) for number, word in enumerate(DIGITS)}
    return re.findall(r"\d|[a-z]+", " ".join(spelt.get(word, word) for word in words(text)))


def errors(expected: str, found: str) -> int:
    """Words that are missing, wrong or too many."""
    before, given = plain(expected), plain(found)
    row = list(range(len(given) + 1))
    for number, word in enumerate(before, 1):
        diagonal, row[0] = row[0], number
        for at, other in enumerate(given, 1):
            diagonal, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, diagonal + (word != other))
    return row[-1]
