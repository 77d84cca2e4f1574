"""When the caller speaks: after the agent, or into its words. A core without I/O, on 20 ms frames."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contract.errors import VoiceAgentError

FRAME_MS = 20
BYTES_A_MS = 16
FRAME_BYTES = FRAME_MS * BYTES_A_MS
SILENCE = bytes(FRAME_BYTES)
AGENT_DONE_MS = 1600  # quiet for so long: the agent has finished (pauses between clips are shorter)
PATIENCE_MS = 12_000  # a caller who hears nothing speaks anyway
HANG_UP_MS = 8000  # after the last word of both sides
NEW_SPEECH_MS = 700  # quiet for so long before it: speech is an answer, not the rest of what was interrupted


_ITEM = re.compile(r"(?:keys:(?P<keys>[0-9*#]+)|(?P<path>.+?\.wav))(?:@\+(?P<after>\d+(?:\.\d+)?))?", re.IGNORECASE)


class BadSchedule(VoiceAgentError):
    def __init__(self, item: str) -> None:
        super().__init__(item)
        self.item = item

    def __str__(self) -> str:
        return (
            f"CALLER: {self.item!r} is not FILE.wav or FILE.wav@+SECONDS, or keys:1234# to press keys; "
            "separate several by commas"
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording, or keys of the telephone. `after_ms` counts from the agent's first word; None: when the agent has
    finished."""

    path: Path
    after_ms: int | None = None
    keys: str = ""


def parse(text: str) -> list[Entry]:
    """`a.wav,b.wav@+1.5,keys:4711#` as entries.

    Raises:
        BadSchedule: an item has another form.
    """
    entries = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise BadSchedule(item)
        after = match["after"]
        entries.append(
            Entry(Path(match["path"] or ""), round(float(after) * 1000) if after else None, match["keys"] or "")
        )
    if not entries:
        raise BadSchedule(text)
    return entries


@dataclass(frozen=True, slots=True)
class Words:
    """Something to say: 16-bit PCM 8 kHz, and when."""

    name: str
    pcm: bytes
    after_ms: int | None = None
    keys: str = ""  # pressed instead of saying anything


@dataclass(slots=True)
class Caller:
    """Speaks its words one after the other; asked once every 20 ms.

    What the agent says counts as its answer when it begins after the caller's words and after a pause: the rest of
    a sentence that the caller has talked over is none.
    """

    words: Sequence[Words]
    hang_up_ms: int = HANG_UP_MS
    spoken: list[tuple[str, int, int]] = field(default_factory=list)  # name, begin and end in epoch ms
    _pressed: str = ""
    _next: int = 0
    _at: int | None = None  # byte position in the words that are being spoken
    _answer_since_ms: int | None = None  # when the agent began to speak after our last words
    _agent_until_ms: int | None = None
    _quiet_since_ms: int | None = None

    def frame(self, now_ms: int, *, agent_speaks: bool) -> bytes:
        """The caller's 20 ms that begin at `now_ms`: 320 bytes of PCM."""
        if self._quiet_since_ms is None:
            self._quiet_since_ms = now_ms
        if agent_speaks:
            fresh = self._agent_until_ms is None or now_ms - self._agent_until_ms >= NEW_SPEECH_MS
            if fresh and self._answer_since_ms is None:
                self._answer_since_ms = now_ms
            self._agent_until_ms = now_ms + FRAME_MS
        if self._at is None and self._next < len(self.words) and self._may_speak(now_ms, self._quiet_since_ms):
            self._at = 0
            self.spoken.append((self.words[self._next].name, now_ms, now_ms))
        return SILENCE if self._at is None else self._speak(self._at, now_ms)

    def pressed(self) -> str:
        """The keys that were pressed since this was last asked."""
        keys, self._pressed = self._pressed, ""
        return keys

    def wants_to_hang_up(self, now_ms: int) -> bool:
        """Everything is said, and nobody has spoken for a while."""
        if self._next < len(self.words) or self._quiet_since_ms is None:
            return False
        return now_ms - max(self._quiet_since_ms, self._agent_until_ms or 0) >= self.hang_up_ms

    def _may_speak(self, now_ms: int, quiet_since_ms: int) -> bool:
        after_ms = self.words[self._next].after_ms
        agent_is_done = self._agent_until_ms is None or now_ms - self._agent_until_ms >= AGENT_DONE_MS
        if self._answer_since_ms is None:
            return agent_is_done and now_ms - quiet_since_ms >= PATIENCE_MS
        return agent_is_done if after_ms is None else now_ms - self._answer_since_ms >= after_ms

    def _speak(self, at: int, now_ms: int) -> bytes:
        words = self.words[self._next]
        self._pressed += words.keys
        frame = words.pcm[at : at + FRAME_BYTES]
        name, since_ms, _ = self.spoken[-1]
        self.spoken[-1] = (name, since_ms, now_ms + len(frame) // BYTES_A_MS)
        self._at = at + FRAME_BYTES
        if self._at >= len(words.pcm):
            self._at = None
            self._next += 1
            self._answer_since_ms = None
            self._quiet_since_ms = now_ms + FRAME_MS
        return frame.ljust(FRAME_BYTES, b"\x00")
