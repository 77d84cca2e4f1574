"""Both sides of a call on one time line, for recordings that customers ask for. A core without I/O.

Left is what the caller said, right what the caller heard, µ-law 8 kHz, each at the media time that its leg gives it:
both tracks of a call share one clock. Where nothing came there is silence. What continues a track within a few
milliseconds continues it to the sample, since media times are whole milliseconds.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from contract.audio import BYTES_PER_MS, ULAW_SILENCE
from gateway.telemetry.bounds import Bound, reached

PART_MS = 120_000  # one file; some 2 MB are in memory until it is full
LATE_MS = 5000  # a track may be so far behind the other one
JITTER_MS = 3
MOST_MS = PART_MS + 60_000  # ahead of the start: a time further off is no time of this call
_ULAW = 7


@dataclass(frozen=True, slots=True)
class Part:
    """`started_ms`: epoch time of the first sample of both sides, which are equally long."""

    started_ms: int
    caller: bytes = field(repr=False)
    heard: bytes = field(repr=False)


@dataclass(slots=True)
class Tape:
    """`said` and `played` take audio in the order of each track; `full` and `rest` give parts."""

    _started_ms: int | None = None
    _caller: bytearray = field(default_factory=bytearray)
    _heard: bytearray = field(default_factory=bytearray)

    def said(self, media_ms: int, ulaw: bytes) -> None:
        """The caller said it. Runs for every frame."""
        self._write(self._caller, media_ms, ulaw)

    def played(self, media_ms: int, ulaw: bytes) -> None:
        """The caller heard it. Runs for every frame."""
        self._write(self._heard, media_ms, ulaw)

    def full(self) -> Part | None:
        """A part that nothing more is to come of; None before that."""
        length = PART_MS * BYTES_PER_MS
        ahead = max(len(self._caller), len(self._heard))
        return self._cut(length) if ahead >= length + LATE_MS * BYTES_PER_MS else None

    def rest(self) -> Part | None:
        """What is left at the end."""
        length = max(len(self._caller), len(self._heard))
        return self._cut(length) if length else None

    def _cut(self, length: int) -> Part:
        assert self._started_ms is not None
        sides = []
        for track in (self._caller, self._heard):
            sides.append(bytes(track[:length]).ljust(length, ULAW_SILENCE))
            del track[:length]
        part = Part(self._started_ms, *sides)
        self._started_ms += length // BYTES_PER_MS
        return part

    def _write(self, track: bytearray, media_ms: int, ulaw: bytes) -> None:
        if self._started_ms is None:
            self._started_ms = media_ms
        at = (media_ms - self._started_ms) * BYTES_PER_MS
        if abs(at - len(track)) <= JITTER_MS * BYTES_PER_MS:
            track += ulaw
        elif at > MOST_MS * BYTES_PER_MS:
            reached(Bound.TAPE)
        elif at > len(track):
            track += ULAW_SILENCE * (at - len(track)) + ulaw
        else:  # it was heard before: after a reconnect a fragment may be read again
            track += ulaw[len(track) - at :]


def stereo_wav(part: Part) -> bytes:
    """A WAV file, µ-law, 8 kHz, left and right (RIFF MCI specification, non-PCM formats)."""
    samples = len(part.caller)
    frames = bytearray(2 * samples)
    frames[0::2], frames[1::2] = part.caller, part.heard
    header = b"".join(
        (
            struct.pack("<4sI4s", b"RIFF", 50 + 2 * samples, b"WAVE"),
            struct.pack("<4sIHHIIHHH", b"fmt ", 18, _ULAW, 2, 8000, 16000, 2, 8, 0),
            struct.pack("<4sII", b"fact", 4, samples),
            struct.pack("<4sI", b"data", 2 * samples),
        )
    )
    return header + bytes(frames)
