"""Where a caller's turns begin and end, from µ-law audio alone: no I/O, about 10 µs for each 20 ms.

A frame counts as speech when WebRTC's detector says so and it stands clear of the line's own noise, whose level
is followed all the time. All lengths are audio time, so that a late or bursty stream changes nothing.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import webrtcvad

from contract.audio import BYTES_PER_MS, SAMPLE_RATE, rms, ulaw2lin

FRAME_MS = 20
FRAME_BYTES = FRAME_MS * BYTES_PER_MS

QUIETEST_DB = -75.0
LOUDEST_FLOOR_DB = -30.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is long enough, in ms of audio."""

    onset_ms: int = 120
    """So much speech within `onset_window_ms` is a caller who speaks, and not a click."""
    onset_window_ms: int = 160
    silence_ms: int = 600
    """So much without speech ends the turn."""
    lead_ms: int = 300
    """Kept from before the onset: the first consonant is quiet."""
    tail_ms: int = 300
    """Kept after the last speech; the rest of the silence would only invite the recogniser to invent."""
    long_turn_ms: int = 10_000
    """From here on a shorter pause ends the turn..."""
    long_silence_ms: int = 240
    longest_turn_ms: int = 18_000
    """...and here no pause is needed."""


@dataclass(frozen=True, slots=True)
class Onset:
    """The caller speaks."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A whole turn: its audio, and how much of it was speech."""

    ulaw: bytes
    speech_ms: int


class NoiseFloor:
    """Level of the line without speech, dBFS: falls quickly towards quieter frames, rises slowly otherwise."""

    FALL = 0.2
    RISE_DB = 0.03
    """A frame: 1.5 dB/s, so that 15 s of speech without the smallest pause lift it by 22 dB at most."""

    def __init__(self) -> None:
        self.db = -50.0

    def follow(self, db: float) -> None:
        if db < self.db:
            self.db += (db - self.db) * self.FALL
        else:
            self.db += min(db - self.db, self.RISE_DB)
        self.db = min(max(self.db, QUIETEST_DB), LOUDEST_FLOOR_DB)


class SpeechDetector:
    """Is this frame speech?"""

    CLEAR_DB = 8.0
    """Above the floor."""
    FAINTEST_DB = -48.0
    """Crosstalk and comfort noise stay below, telephone speech is 15 to 30 dB above."""

    def __init__(self) -> None:
        self._vad = webrtcvad.Vad(2)
        self.floor = NoiseFloor()

    def __call__(self, frame: bytes) -> bool:
        """`frame`: FRAME_BYTES of µ-law."""
        pcm = ulaw2lin(frame)
        db = 20 * math.log10(max(rms(pcm), 1) / 32768)
        clear = db > max(self.floor.db + self.CLEAR_DB, self.FAINTEST_DB)
        self.floor.follow(db)
        # Always asked: the detector keeps state from frame to frame.
        return bool(self._vad.is_speech(pcm, SAMPLE_RATE)) and clear


class Endpointer:
    """Audio in blocks of any size in, onsets and endings out."""

    def __init__(self, limits: Limits | None = None, detector: SpeechDetector | None = None) -> None:
        self._limits = limits or Limits()
        self._is_speech = detector or SpeechDetector()
        self._rest = b""
        self._recent: deque[bool] = deque(maxlen=self._limits.onset_window_ms // FRAME_MS)
        self._lead: deque[bytes] = deque(maxlen=(self._limits.lead_ms + self._limits.onset_window_ms) // FRAME_MS)
        self._turn: list[bytes] = []
        self._speech_ms = 0
        self._silence_ms = 0

    @property
    def speaking(self) -> bool:
        return bool(self._turn)

    def push(self, ulaw: bytes) -> Iterator[Onset | Ending]:
        """What this audio brings; iterate to the end, or the rest is not looked at."""
        audio = self._rest + ulaw
        whole = len(audio) // FRAME_BYTES * FRAME_BYTES
        self._rest = audio[whole:]
        for start in range(0, whole, FRAME_BYTES):
            yield from self._frame(audio[start : start + FRAME_BYTES])

    def finish(self) -> Iterator[Ending]:
        """End the turn now, if there is one: no more audio comes."""
        if self._turn:
            yield self._ending()

    def _frame(self, frame: bytes) -> Iterator[Onset | Ending]:
        speech = self._is_speech(frame)
        self._recent.append(speech)
        if self._turn:
            yield from self._go_on(frame, speech)
        else:
            yield from self._wait(frame)

    def _wait(self, frame: bytes) -> Iterator[Onset]:
        self._lead.append(frame)
        speech_ms = sum(self._recent) * FRAME_MS
        if speech_ms >= self._limits.onset_ms:
            self._turn = list(self._lead)
            self._lead.clear()
            self._speech_ms, self._silence_ms = speech_ms, 0
            yield Onset()

    def _go_on(self, frame: bytes, speech: bool) -> Iterator[Ending]:
        self._turn.append(frame)
        self._speech_ms += FRAME_MS * speech
        # One lone frame is a click, and does not make a pause begin again.
        if speech and len(self._recent) > 1 and self._recent[-2]:
            self._silence_ms = 0
        else:
            self._silence_ms += FRAME_MS
        turn_ms = len(self._turn) * FRAME_MS
        enough = self._limits.silence_ms if turn_ms < self._limits.long_turn_ms else self._limits.long_silence_ms
        if self._silence_ms >= enough or turn_ms >= self._limits.longest_turn_ms:
            yield self._ending()

    def _ending(self) -> Ending:
        surplus = max(0, self._silence_ms - self._limits.tail_ms) // FRAME_MS
        kept = self._turn[: len(self._turn) - surplus]
        ending = Ending(b"".join(kept), self._speech_ms)
        self._turn = []
        self._recent.clear()
        return ending
