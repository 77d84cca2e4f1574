"""Calls in which something odd happens, each with the fault by name, and what must be seen of it in the recording."""

from __future__ import annotations

import asyncio
import itertools
import json
import tarfile
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from gateway.recording.folder import Recording
from gateway.recording.tape import Audio
from simulator import jumping
from simulator.caller.schedule import Words
from simulator.connect.events import CallerHungUp
from simulator.deepgram.manners import PESSIMISTIC, Incident, Manners
from simulator.kvs.stream import Stream
from tests.recordings.studio import Studio, Tamper
from tests.scenarios import shop
from tests.scenarios.world import World, spoken

HOME = Path(__file__).parent / "calls"
HOLE_MS = 1500
BEFORE = "99999999-0000-4000-8000-000000000000"
BEFORE_BLOCKS = 32
BLOCK_MS = 64
ORDER = (spoken("where is my order"), spoken("it is 4711"), spoken("a person please"))
Frame = str | bytes


@dataclass(frozen=True)
class Oddity:
    """`shows`: whether the fault is in a recording. `tamper`, `during`: what makes it."""

    name: str
    fault: str
    shows: Callable[[Recording], bool]
    said: Sequence[Words] = ORDER
    form: str = "interruptible"
    manners: Manners = PESSIMISTIC
    tamper: Callable[[], Tamper] | None = None
    during: Callable[[Studio], Coroutine[Any, Any, None]] | None = None
    takes_s: float = 0.1
    stream: Callable[[Stream, int], None] | None = None  # as the caller rings

    @property
    def path(self) -> Path:
        return HOME / f"{self.name}.tar.xz"


def make(oddity: Oddity, folder: Path) -> Path:
    """Play the call and record it below `folder`; gives back the recording's own folder."""
    studio = Studio(
        oddity.form,
        oddity.said,
        shop.mind(),
        functions=shop.functions(oddity.takes_s),
        folder=folder,
        tamper=oddity.tamper,
        spoil=oddity.stream,
    )

    async def during(world: World) -> None:
        studio.deepgram.manners = oddity.manners  # the opening was rendered without the fault
        await studio.until(lambda world: any(not one.closed for one in world.deepgram.connections))
        studio.deepgram.manners = PESSIMISTIC
        if oddity.during is not None:
            await oddity.during(studio)

    async def whole() -> None:
        await studio.call(during)

    jumping.run(whole())
    return next(folder.iterdir())


def pack(folder: Path, path: Path) -> None:
    """One small file of a recording."""
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:xz", preset=9) as archive:
        for file in sorted(folder.iterdir()):
            archive.add(file, file.name, filter=lambda info: replace_owner(info))


def replace_owner(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = 0
    return info


# -- what came from Deepgram -----------------------------------------------------------------------------------


def texts(recording: Recording) -> list[str]:
    """The types of what Deepgram sent, in order; `audio` stands for a frame of it."""
    lines = [line for line in recording.lines if line["at"].startswith("deepgram") and not line["at"].endswith(".sent")]
    shown = [
        json.loads(line["text"]).get("type", "") if "text" in line else "audio"
        for line in lines
        if "do" not in line and "n" not in line
    ]
    return [str(kind) for kind in shown]


def _type(frame: Frame) -> str:
    return str(json.loads(frame).get("type", "")) if isinstance(frame, str) else ""


def _roles(recording: Recording) -> list[str]:
    found = [json.loads(line["text"]) for line in recording.lines if "text" in line]
    return [message["role"] for message in found if message.get("type") == "ConversationText"]


def held_back(kind: str, until: Callable[[Frame], bool]) -> Callable[[], Tamper]:
    """The first message of a kind arrives after the frame for which `until` holds."""

    def begin() -> Tamper:
        held: list[Frame] = []
        done: list[bool] = []

        def tamper(frame: Frame) -> Sequence[Frame]:
            if _type(frame) == kind and not held and not done:
                held.append(frame)
                return ()
            if held and until(frame):
                done.append(True)
                return (frame, held.pop())
            return (frame,)

        return tamper

    return begin


def doubled(kind: str) -> Callable[[], Tamper]:
    return lambda: lambda frame: (frame, frame) if _type(frame) == kind else (frame,)


def before(kind: str, message: dict[str, object]) -> Callable[[], Tamper]:
    """Each message of a kind has another one before it."""
    return lambda: lambda frame: (json.dumps(message), frame) if _type(frame) == kind else (frame,)


def _started_late() -> Tamper:
    """AgentStartedSpeaking, which stands before the audio in the documentation, comes after the first of it."""
    state = {"told": False}

    def tamper(frame: Frame) -> Sequence[Frame]:
        if isinstance(frame, bytes) and not state["told"]:
            state["told"] = True
            return (frame, json.dumps({"type": "AgentStartedSpeaking", "total_latency": 1.1}))
        return (frame,)

    return tamper


def _end_of_turn_twice() -> Tamper:
    message = json.dumps({"type": "EndOfTurn", "trigger": "model"})
    return lambda frame: (
        (message, message, frame) if _type(frame) == "ConversationText" and "user" in frame else (frame,)
    )


def _cancelled() -> Tamper:
    """A function is called off by the first sound of the caller after it was asked for."""
    asked: list[dict[str, Any]] = []

    def tamper(frame: Frame) -> Sequence[Frame]:
        if _type(frame) == "FunctionCallRequest":
            asked.extend(json.loads(frame)["functions"])
        if _type(frame) == "UserStartedSpeaking" and asked:
            calls = [{"id": call["id"], "name": call["name"]} for call in asked]
            asked.clear()
            return (frame, json.dumps({"type": "FunctionCallCancelled", "functions": calls}))
        return (frame,)

    return tamper


def _ends_after(recording: Recording, kind: str) -> bool:
    """The first connection ended right after a frame of this kind."""
    lines = [line for line in recording.lines if line["at"] == "deepgram.1" and "do" not in line and "n" not in line]
    ends = [at for at, line in enumerate(lines) if "raised" in line]
    if not ends:
        return False
    last = [json.loads(line["text"]).get("type") if "text" in line else "audio" for line in lines[: ends[0]]]
    return [name for name in last if name != "LatencyReport"][-1] == kind


# -- what the caller and the stream do -------------------------------------------------------------------------


async def _hang_up_in_a_clip(studio: Studio) -> None:
    await studio.until(lambda world: len(world.clips_asked()) > 1)
    await asyncio.sleep(0.7)
    studio.shell.tell(CallerHungUp())


async def _stop(studio: Studio) -> None:
    await studio.until(lambda world: len(world.clips_asked()) > 1)
    studio.service.stop()


async def _hole(studio: Studio) -> None:
    """Connect writes nothing for a while, and the timecodes go on as if it had."""
    await studio.until(lambda world: len(world.clips_asked()) > 0)
    write = studio.stream.write
    until_ms = studio.clock.now_ms() + HOLE_MS

    def forgetful(contact: str, media_ms: int, caller: bytes | None, heard: bytes | None, now_ms: int) -> Any:
        if media_ms >= until_ms:
            return write(contact, media_ms, caller, heard, now_ms)
        return None

    studio.stream.write = forgetful  # type: ignore[method-assign, assignment]


def _caller_before(stream: Stream, now_ms: int) -> None:
    """The caller before hung up this very moment."""
    noise = Random(1)
    for media_ms in range(now_ms - BEFORE_BLOCKS * BLOCK_MS, now_ms, BLOCK_MS):
        stream.write(BEFORE, media_ms, noise.randbytes(1024), None, media_ms + BLOCK_MS)
    stream.stop(now_ms)


async def _every_third_packet_is_lost(studio: Studio) -> None:
    await studio.until(lambda world: bool(world.switchboard.lines))
    line = studio.switchboard.lines[0]
    receive, count = line.stream.receive, itertools.count()

    def lossy(data: bytes, source: tuple[str, int], now_ms: int) -> None:
        if next(count) % 3:
            receive(data, source, now_ms)

    line.lossy = lossy


def _beats(recording: Recording) -> list[dict[str, Any]]:
    return [line for line in recording.lines if line["at"] == "line" and "bytes" in line]


def _do(recording: Recording, at: str, do: str) -> list[list[Any]]:
    return [line["args"] for line in recording.lines if line["at"] == at and line.get("do") == do]


def _silent_ms(recording: Recording) -> int:
    """The longest time without a byte of the stream."""
    times = [line["t"] / 1e6 for line in recording.lines if line["at"].startswith("kvs") and line.get("bytes")]
    return int(max(late - early for early, late in pairwise(times)))


ODDITIES = {
    oddity.name: oddity
    for oddity in (
        Oddity(
            "audio_before_started",
            "agent audio before AgentStartedSpeaking",
            lambda recording: 0 <= texts(recording).index("audio") < texts(recording).index("AgentStartedSpeaking"),
            tamper=_started_late,
        ),
        Oddity(
            "texts_out_of_order",
            "the agent's ConversationText before the caller's that it answers",
            lambda recording: _roles(recording)[0] == "assistant",
            tamper=held_back("ConversationText", lambda frame: _type(frame) == "ConversationText"),
        ),
        Oddity(
            "function_cancelled",
            "FunctionCallCancelled while the function runs, as the caller goes on speaking",
            lambda recording: "FunctionCallCancelled" in texts(recording),
            said=(spoken("it is 4711"), spoken("when are you open", 2.0), spoken("a person please")),
            tamper=_cancelled,
            takes_s=6,
        ),
        Oddity(
            "error_then_close",
            "an Error in the middle of a sentence, then the close frame",
            lambda recording: _ends_after(recording, "Error"),
            manners=replace(PESSIMISTIC, incidents=(Incident("speech", "error"),)),
        ),
        Oddity(
            "cut_in_mid_word",
            "the connection breaks in the middle of the agent's sentence",
            lambda recording: _ends_after(recording, "audio"),
            manners=replace(PESSIMISTIC, incidents=(Incident("speech", "drop"),)),
        ),
        Oddity(
            "previous_contact",
            "the stream begins with fragments of the caller before",
            lambda recording: BEFORE.encode() in recording.audio[Audio.KVS],
            form="polling",
            stream=_caller_before,
        ),
        Oddity(
            "hole_in_timecodes",
            "one and a half seconds of the stream were never written",
            lambda recording: _silent_ms(recording) > HOLE_MS,
            during=_hole,
        ),
        Oddity(
            "hang_up_in_a_clip",
            "the caller hangs up while a clip plays",
            lambda recording: _do(recording, "store", "end")[0][1]["value"] == "caller_hung_up",
            during=_hang_up_in_a_clip,
        ),
        Oddity(
            "told_to_stop",
            "the gateway is told to stop in the middle of the agent's sentence",
            lambda recording: any(line["at"] == "service" for line in recording.lines),
            during=_stop,
        ),
        Oddity(
            "end_of_turn_twice",
            "EndOfTurn comes twice for one turn",
            lambda recording: texts(recording).count("EndOfTurn") >= 2,
            tamper=_end_of_turn_twice,
        ),
        Oddity(
            "into_the_goodbye",
            "the caller speaks into the goodbye, and the end is taken back",
            lambda recording: "when are you open" in _user_texts(recording),
            said=(spoken("good bye"), spoken("when are you open", 0.8), spoken("bye")),
        ),
        Oddity(
            "over_sip_into_the_answer",
            "over SIP the caller speaks into the agent's answer, and the line goes quiet at the next packet",
            lambda recording: "when are you open" in _user_texts(recording) and len(_beats(recording)) > 500,
            said=(spoken("it is 4711"), spoken("when are you open", 1.5), spoken("a person please")),
            form="sip",
        ),
        Oddity(
            "over_sip_with_loss",
            "over SIP every third packet of the caller is lost",
            lambda recording: sum("made_up" in beat for beat in _beats(recording)) > 100,
            said=(spoken("it is 4711"), spoken("a person please")),
            form="sip",
            during=_every_third_packet_is_lost,
        ),
        Oddity(
            "unknown_messages",
            "message types that nobody knows, and half of an emoji",
            lambda recording: "AgentYawned" in texts(recording),
            tamper=before("ConversationText", {"type": "AgentYawned", "content": "\ud83d", "deep": [[{}]]}),
        ),
    )
}


def _user_texts(recording: Recording) -> str:
    found = [json.loads(line["text"]) for line in recording.lines if "text" in line]
    return " ".join(message["content"] for message in found if message.get("role") == "user")
