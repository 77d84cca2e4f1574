"""Test tones: as clips that Connect plays, and found again in what the caller hears."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from itertools import pairwise

from contract.audio import SAMPLE_RATE, lin2ulaw, rms

AMPLITUDE = 9000
WINDOW_MS = 8
WINDOW_BYTES = WINDOW_MS * SAMPLE_RATE // 1000 * 2
LOUD = 1500  # root mean square of a window that counts as a tone
SHORTEST_MS = 32  # the window in which a tone begins or ends may look like the other one
BREAK_MS = 40  # a shorter hole does not end a tone


class Pitch(Enum):
    """Two tones that G.711 and a telephone line leave apart, in Hz."""

    LOW = 500
    HIGH = 1500


@cache
def clip(pitch: Pitch, duration_ms: int) -> bytes:
    """A WAV file as Connect plays it: G.711 µ-law, 8 kHz, mono (administrator guide, prompts from S3)."""
    samples = range(duration_ms * SAMPLE_RATE // 1000)
    step = 2 * math.pi * pitch.value / SAMPLE_RATE
    pcm = struct.pack(f"<{len(samples)}h", *(round(AMPLITUDE * math.sin(step * n)) for n in samples))
    return wav(lin2ulaw(pcm))


def wav(ulaw: bytes) -> bytes:
    """Format 7 with an 18-byte format chunk, and the fact chunk that formats other than PCM have."""
    fmt = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 7, 1, SAMPLE_RATE, SAMPLE_RATE, 1, 8, 0)
    fact = struct.pack("<4sII", b"fact", 4, len(ulaw))
    body = b"WAVE" + fmt + fact + struct.pack("<4sI", b"data", len(ulaw)) + ulaw + b"\x00" * (len(ulaw) % 2)
    return struct.pack("<4sI", b"RIFF", len(body)) + body


@dataclass(slots=True)
class Tone:
    """What was heard of a tone; times are the producer's, ms since the epoch."""

    pitch: Pitch
    began_ms: int
    ended_ms: int


@dataclass(slots=True)
class Line:
    """What the caller hears, block by block: the tones in it. `heard_ms` is how far it is known."""

    tones: list[Tone] = field(default_factory=list)
    heard_ms: int = 0

    def add(self, at_ms: int, pcm: bytes) -> None:
        """Append a block of 16-bit PCM at 8 kHz."""
        for offset in range(0, len(pcm), WINDOW_BYTES):
            window = pcm[offset : offset + WINDOW_BYTES]
            begin_ms = at_ms + offset // 16
            pitch = _pitch(window)
            if pitch is not None:
                self._extend(pitch, begin_ms)
        self.heard_ms = at_ms + len(pcm) // 16

    def _extend(self, pitch: Pitch, begin_ms: int) -> None:
        end_ms = begin_ms + WINDOW_MS
        last = self.tones[-1] if self.tones else None
        if last is not None and last.pitch is pitch and begin_ms - last.ended_ms <= BREAK_MS:
            last.ended_ms = end_ms
        else:
            self.tones.append(Tone(pitch, begin_ms, end_ms))

    def tone(self, pitch: Pitch, since_ms: int) -> Tone | None:
        """The first one that began at `since_ms` or later, once it is over."""
        heard = (tone for tone in self.tones if tone.pitch is pitch and tone.ended_ms - tone.began_ms >= SHORTEST_MS)
        found = next((tone for tone in heard if tone.began_ms >= since_ms), None)
        return found if found is not None and self.heard_ms - found.ended_ms > BREAK_MS else None


def _pitch(window: bytes) -> Pitch | None:
    """By how often the signal crosses zero: 8 and 24 times in a window of 8 ms."""
    if len(window) < WINDOW_BYTES or rms(window) < LOUD:
        return None
    samples = struct.unpack(f"<{len(window) // 2}h", window)
    crossings = sum((a < 0) != (b < 0) for a, b in pairwise(samples))
    if 5 <= crossings <= 11:
        return Pitch.LOW
    return Pitch.HIGH if 19 <= crossings <= 29 else None
