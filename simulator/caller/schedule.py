"""When the caller speaks: after the agent, or into its words. A core without I/O, on 20 ms frames."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contract.errors import VoiceAgentError

FRAME_MS = 20
FRAME_BYTES = 320
SILENCE = bytes(FRAME_BYTES)
AGENT_DONE_MS = 1600  # quiet for so long: the agent has finished (pauses between clips are shorter)
PATIENCE_MS = 12_000  # a caller who hears nothing speaks anyway
HANG_UP_MS = 8000  # after the last word of both sides


class BadSchedule(VoiceAgentError):
    def __init__(self, item: str) -> None:
        super().__init__(item)
        self.item = item

    def __str__(self) -> str:
        return f"CALLER: {self.item!r} is not FILE.wav or FILE.wav@+SECONDS; separate several by commas"


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording. `after_ms` counts from the agent's first word; None: when the agent has finished."""

    path: Path
    after_ms: int | None = None


def parse(text: str) -> list[Entry]:
    """`a.wav,b.wav@+1.5` as entries.

    Raises:
        BadSchedule: an item has another form.
    """
    entries = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"(?P<path>.+?\.wav)(?:@\+(?P<after>\d+(?:\.\d+)?))?", item)
        if match is None:
            raise BadSchedule(item)
        after = match["after"]
        entries.append(Entry(Path(match["path"]), int(float(after) * 1000) if after else None))
    if not entries:
        raise BadSchedule(text)
    return entries


@dataclass(frozen=True, slots=True)
class Words:
    """Something to say: 16-bit PCM 8 kHz, and when."""

    name: str
    pcm: bytes
    after_ms: int | None = None


@dataclass(slots=True)
class Caller:
    """Speaks its words one after the other; asked once every 20 ms."""

    words: Sequence[Words]
    hang_up_ms: int = HANG_UP_MS
    spoken: list[tuple[str, int, int]] = field(default_factory=list)  # name, first and last sample in ms
    _next: int = 0
    _at: int | None = None  # byte position in the words that are being spoken
    _agent_since_ms: int | None = None  # when the agent began to speak after our last words
    _agent_last_ms: int | None = None
    _quiet_since_ms: int | None = None

    def frame(self, now_ms: int, *, agent_speaks: bool) -> bytes:
        """The caller's 20 ms that begin at `now_ms`: 320 bytes of PCM."""
        if self._quiet_since_ms is None:
            self._quiet_since_ms = now_ms
        if agent_speaks:
            self._agent_last_ms = now_ms
            if self._agent_since_ms is None:
                self._agent_since_ms = now_ms
        if self._at is None and self._next < len(self.words) and self._may_speak(now_ms):
            self._at = 0
            self.spoken.append((self.words[self._next].name, now_ms, now_ms))
        return self._speak(now_ms) if self._at is not None else SILENCE

    def wants_to_hang_up(self, now_ms: int) -> bool:
        if self._next < len(self.words) or self._at is not None or self._quiet_since_ms is None:
            return False
        return now_ms - max(self._quiet_since_ms, self._agent_last_ms or 0) >= self.hang_up_ms

    def _may_speak(self, now_ms: int) -> bool:
        words = self.words[self._next]
        if self._agent_since_ms is None or self._agent_last_ms is None:
            return now_ms - (self._quiet_since_ms or now_ms) >= PATIENCE_MS
        if words.after_ms is not None:
            return now_ms - self._agent_since_ms >= words.after_ms
        return now_ms - self._agent_last_ms >= AGENT_DONE_MS

    def _speak(self, now_ms: int) -> bytes:
        assert self._at is not None
        words = self.words[self._next]
        frame = words.pcm[self._at : self._at + FRAME_BYTES]
        self._at += FRAME_BYTES
        name, since, _ = self.spoken[-1]
        self.spoken[-1] = (name, since, now_ms + FRAME_MS)
        if self._at >= len(words.pcm):
            self._at = None
            self._next += 1
            self._agent_since_ms = None
            self._quiet_since_ms = now_ms + FRAME_MS
        return frame.ljust(FRAME_BYTES, b"\x00")
