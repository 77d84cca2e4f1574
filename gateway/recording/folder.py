"""A recording on disk: a folder for each call with the lines and the audio.

    sidecar.jsonl   the lines of `gateway.recording.tape`; the first one says what the call began with
    kvs.mkv         what GetMedia brought: both sides of the call as Connect streams them
    agent.wav       what the voice agent said, without the pauses
    caller.wav      what the voice agent was sent
    line.wav        of a call over SIP: what the caller said
    heard.wav       and heard
    prompts.wav     and the rendered sentences among it

No file is held open: what was on disk when a gateway died is a recording that ends there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tarfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from contract.call import Call, Head, Lease
from contract.running import Run, in_thread
from gateway.facilities import Facilities
from gateway.legs.kvs.leg import KvsServices
from gateway.legs.kvs.wav import HEADER_BYTES, ulaw_header
from gateway.legs.sip.services import SipServices
from gateway.recording.errors import UnknownVersion, UnreadableRecording
from gateway.recording.tape import VERSION, Audio, Tape, TapeClock
from gateway.recording.taps import header, tapped

log = structlog.get_logger()

SIDECAR = "sidecar.jsonl"
FILES = {kind: f"{kind.value}.wav" for kind in Audio} | {Audio.KVS: "kvs.mkv"}
WAV = tuple(kind for kind in Audio if kind is not Audio.KVS)
FLUSH_S = 1.0


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records every call of a gateway below `folder`. `now_ns`: of the clock that the event loop follows."""

    folder: Path
    release: str
    services: KvsServices
    now_ns: Callable[[], int]
    exact: bool = False  # the event loop's clock jumps: a replay is the same to the millisecond
    run: Run = in_thread
    sip: SipServices | None = None

    @asynccontextmanager
    async def __call__(self, facilities: Facilities, lease: Lease, head: Head, call: Call) -> AsyncIterator[Facilities]:
        """The facilities for one call; what it does with them is on disk when this ends."""
        clock = TapeClock(facilities.clock.now_ms(), self.now_ns)
        first = {"exact": self.exact, **header(facilities, lease, head, call, self.release)}
        tape = Tape(clock, first, facilities.secrets)
        folder = self.folder / f"{call.contact_id}-{lease.epoch}"
        over = asyncio.Event()
        flushing = asyncio.create_task(self._flush(folder, tape, over), name="recording")
        try:
            yield tapped(facilities, self.services, tape, clock, self.sip)
        finally:
            over.set()
            await flushing  # one thread after the other: the order of the lines is the order of the call
            log.info("recorded", contact=call.contact_id, bytes=tape.bytes, full=tape.full)

    async def _flush(self, folder: Path, tape: Tape, over: asyncio.Event) -> None:
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    await over.wait()
            await self._write(folder, tape)
        await self._write(folder, tape, last=True)

    async def _write(self, folder: Path, tape: Tape, *, last: bool = False) -> None:
        """A disk that is full costs the recording, never the call."""
        lines, audio = tape.take()
        try:
            await self.run(lambda: append(folder, lines, audio))
            if last:
                await self.run(lambda: finish(folder))
        except OSError as error:
            tape.full = True
            log.error("recording_not_written", folder=str(folder), error=type(error).__name__)


def append(folder: Path, lines: str, audio: Mapping[Audio, bytes]) -> None:
    """Write more of a recording; only this user may read it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for kind, content in audio.items():
        path = folder / FILES[kind]
        begins = kind is not Audio.KVS and not path.exists()
        _append(path, (ulaw_header(0) if begins else b"") + content)
    _append(folder / SIDECAR, lines.encode(errors="backslashreplace"))


def finish(folder: Path) -> None:
    """Write into the WAV files how long they have become; until then they seem empty."""
    for kind in WAV:
        path = folder / FILES[kind]
        if path.exists():
            with path.open("r+b") as file:
                file.write(ulaw_header(path.stat().st_size - HEADER_BYTES))


def _append(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
        file.write(content)


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording that was read: the header, the lines after it, and the audio."""

    name: str
    header: Mapping[str, Any]
    lines: list[dict[str, Any]]
    audio: Mapping[Audio, bytes]


def load(path: Path) -> Recording:
    """Read a folder, or the same folder packed as .tar.xz.

    Raises:
        UnknownVersion: a later release made it.
        UnreadableRecording: a file is missing or is not what it should be.
    """
    files = _packed(path) if path.is_file() else _unpacked(path)
    if SIDECAR not in files:
        raise UnreadableRecording(str(path), 0, f"no {SIDECAR} in it; name the folder of one recorded call")
    first, *lines = _lines(str(path / SIDECAR), files[SIDECAR])
    if first.get("version") != VERSION:
        raise UnknownVersion(str(path), first.get("version"), VERSION)
    audio = {kind: files.get(name, b"") for kind, name in FILES.items()}
    for kind in WAV:
        audio[kind] = audio[kind][HEADER_BYTES:]
    return Recording(path.name.removesuffix(".tar.xz"), first, lines, audio)


def _unpacked(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()} if path.is_dir() else {}


def _packed(path: Path) -> dict[str, bytes]:
    try:
        with tarfile.open(path) as archive:
            members = [(member, archive.extractfile(member)) for member in archive]
            return {Path(member.name).name: file.read() for member, file in members if file is not None}
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UnreadableRecording(str(path), 0, f"not an archive ({type(error).__name__})") from None


def _lines(path: str, content: bytes) -> list[dict[str, Any]]:
    """A last line without its end was being written when the gateway died."""
    *whole, _ = content.split(b"\n")
    found: list[dict[str, Any]] = []
    for number, text in enumerate(whole, 1):
        try:
            line = json.loads(text)
        except ValueError:
            line = None
        if not isinstance(line, dict):
            raise UnreadableRecording(path, number, "not a JSON object")
        found.append(line)
    if not found:
        raise UnreadableRecording(path, 1, "no first line")
    return found
