"""The line of a recorded call over SIP: its beats come when they came, with what the caller said and pressed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from gateway.legs.sip.jitter import Frame
from gateway.legs.sip.playout import Playout
from gateway.legs.sip.stream import Stream
from gateway.recording.sip_taps import LINE


class Source(Protocol):
    """What a player has of a recording."""

    @property
    def lines(self) -> list[dict[str, Any]]: ...

    @property
    def began(self) -> float: ...

    def frames(self) -> list[tuple[dict[str, Any], bytes]]:
        """The lines of beats, with the caller's 20 ms."""
        ...

    def now_ns(self) -> int: ...

    async def answer(self, at: str, do: str) -> Any: ...


@dataclass
class Beat:
    line: dict[str, Any]
    ulaw: bytes
    keys: str = ""


@dataclass
class Agreed:
    held: bool = False


class PlayedStream:
    """As much of `gateway.legs.sip.stream.Stream` as a leg asks for."""

    def __init__(self, source: Source) -> None:
        self.playout = Playout()
        self.agreed = Agreed()
        self.beat = Beat({}, b"")
        self._source = source
        self._silent_ns = next((line["t"] for line in source.lines if _is(line, "silent")), None)

    def packet(self, now_ms: int, left_out: int) -> bytes | None:
        self.agreed.held = bool(self.beat.line.get("held"))
        return None if self.agreed.held else self.playout.frame(now_ms)[0]

    def caller(self) -> Frame:
        return Frame(self.beat.ulaw, self.beat.line["delay"], bool(self.beat.line.get("made_up")))

    @property
    def takes_keys(self) -> bool:
        return not any(_is(line, "no_keys") for line in self._source.lines)

    def pressed(self) -> str:
        return self.beat.keys

    def silent(self, now_ms: int) -> bool:
        return self._silent_ns is not None and self._source.now_ns() >= self._silent_ns

    def figures(self) -> Mapping[str, int]:
        return {}


@dataclass
class PlayedLine:
    source: Source
    _stream: PlayedStream = field(init=False)
    _timers: list[asyncio.TimerHandle] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stream = PlayedStream(self.source)

    @property
    def stream(self) -> Stream:
        return cast(Stream, self._stream)

    @property
    def record(self) -> str:
        number = next(line["n"] for line in self.source.lines if _is(line, "record"))
        found = (
            line["ok"] for line in self.source.lines if line["at"] == LINE and line.get("n") == number and "ok" in line
        )
        return str(next(found))

    def start(self, beat: Callable[[int], None]) -> None:
        loop = asyncio.get_running_loop()
        for each in _beats(self.source):
            self._timers.append(loop.call_at(self.source.began + each.line["t"] / 1e9, self._serve, beat, each))

    def _serve(self, beat: Callable[[int], None], present: Beat) -> None:
        self._stream.beat = present
        beat(int(present.line.get("left_out", 0)))

    def send(self, packet: bytes) -> None:
        """Nobody hears it."""

    async def ended(self) -> str:
        return str(await self.source.answer(LINE, "ended"))

    def hang_up(self) -> None:
        """The recording knows when it was over."""

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()


def _is(line: Mapping[str, Any], do: str) -> bool:
    return line["at"] == LINE and line.get("do") == do


def _beats(source: Source) -> list[Beat]:
    """Keys stand behind the beat that brought them."""
    contents = iter(source.frames())
    found: list[Beat] = []
    for line in source.lines:
        if line["at"] == LINE and "bytes" in line:
            found.append(Beat(*next(contents)))
        elif _is(line, "pressed"):
            found[-1].keys += line["args"][0]
    return found
