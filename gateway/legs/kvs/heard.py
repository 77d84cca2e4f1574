"""What the caller really heard: clips found again in the AUDIO_TO_CUSTOMER track. A core without I/O.

The track carries everything that Connect plays, on the same clock as the caller's audio. A clip is recognised
by its loudness over time, in steps of 8 ms: robust against whatever codec lies in between, and cheap enough,
since only the places where silence turns into sound are compared.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from contract.audio import BYTES_PER_MS, rms, ulaw2lin

HOP_MS = 8
_HOP_PCM = HOP_MS * 16
_HOP_ULAW = HOP_MS * BYTES_PER_MS
LOUD = 250
COMPARED_HOPS = 60  # about half a second from the onset
ALIKE = 0.8  # normalised correlation of the two loudness curves
QUIET_BEFORE_HOPS = 4
KEPT_HOPS = 30_000 // HOP_MS
MISSING_MS = 6000  # a clip that does not show up so long after it was offered has not been played
EARLIEST_MS = 60  # nothing that was offered is heard sooner


@dataclass(frozen=True, slots=True)
class Found:
    """A clip began at `at_ms`, `delay_ms` after it was offered."""

    seq: int
    at_ms: int
    delay_ms: int


@dataclass(frozen=True, slots=True)
class Heard:
    """Of a clip, `heard_bytes` reached the caller."""

    seq: int
    heard_bytes: int


@dataclass(frozen=True, slots=True)
class Missing:
    """A clip was offered and never showed up."""

    seq: int


Measured = Found | Heard | Missing


@dataclass(slots=True)
class _Sought:
    seq: int
    curve: list[int]
    onset: int  # first loud hop
    offered_ms: int
    length: int
    at_ms: int | None = None
    stopped_ms: int | None = None


@dataclass(slots=True)
class StartDelays:
    """How long the clips of one call took to be heard."""

    _delays: deque[int] = field(default_factory=lambda: deque(maxlen=40))

    def add(self, delay_ms: int) -> None:
        self._delays.append(delay_ms)

    def p95(self, unknown: int) -> int:
        """`unknown` until something was measured."""
        if not self._delays:
            return unknown
        ordered = sorted(self._delays)
        return ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]


def loudness(pcm: bytes) -> list[int]:
    """RMS of each whole 8 ms of 16-bit PCM."""
    return [rms(pcm[at : at + _HOP_PCM]) for at in range(0, len(pcm) - _HOP_PCM + 1, _HOP_PCM)]


@dataclass(slots=True)
class HeardTrack:
    """Feed it blocks of the track and what was offered; it says what it finds."""

    _curve: deque[int] = field(default_factory=lambda: deque(maxlen=KEPT_HOPS))
    _end_ms: int = 0  # of the track so far
    _sought: list[_Sought] = field(default_factory=list)

    def offered(self, seq: int, ulaw: bytes, offered_ms: int) -> None:
        """Look out for a clip."""
        curve = loudness(ulaw2lin(ulaw))
        onset = next((index for index, level in enumerate(curve) if level > LOUD), None)
        if onset is not None:
            self._sought.append(_Sought(seq, curve, onset, offered_ms, len(ulaw)))

    def cut(self, now_ms: int) -> None:
        """The flow was told to leave what plays: measure what was heard sooner than to the clip's end."""
        for sought in self._sought:
            if sought.stopped_ms is None:
                sought.stopped_ms = now_ms

    def block(self, media_ms: int, pcm: bytes) -> list[Measured]:
        """The next block of the track."""
        if self._end_ms and media_ms > self._end_ms:
            self._curve.extend([0] * min(KEPT_HOPS, (media_ms - self._end_ms) // HOP_MS))
        curve = loudness(pcm)
        self._curve.extend(curve)
        self._end_ms = media_ms + len(curve) * HOP_MS
        if not self._sought:
            return []
        return self._look(self._sought[0])

    def _look(self, sought: _Sought) -> list[Measured]:
        if sought.at_ms is None:
            return self._search(sought)
        end_ms = sought.at_ms + sought.length // BYTES_PER_MS
        if sought.stopped_ms is not None:
            end_ms = min(end_ms, sought.stopped_ms + 1500)
        if self._end_ms < end_ms:
            return []
        self._sought.pop(0)
        return [Heard(sought.seq, self._heard(sought))]

    def _search(self, sought: _Sought) -> list[Measured]:
        first_ms = self._end_ms - len(self._curve) * HOP_MS
        earliest = max(0, (sought.offered_ms + EARLIEST_MS - first_ms) // HOP_MS + sought.onset)
        track = list(self._curve)
        needed = min(COMPARED_HOPS, len(sought.curve) - sought.onset)
        for index in range(earliest, len(track) - needed + 1):
            if track[index] <= LOUD or any(level > LOUD for level in track[max(0, index - QUIET_BEFORE_HOPS) : index]):
                continue
            if _alike(sought.curve[sought.onset : sought.onset + needed], track[index : index + needed]):
                sought.at_ms = first_ms + (index - sought.onset) * HOP_MS
                return [Found(sought.seq, sought.at_ms, sought.at_ms - sought.offered_ms)]
        if self._end_ms > sought.offered_ms + MISSING_MS:
            self._sought.pop(0)
            return [] if sought.stopped_ms is not None else [Missing(sought.seq)]
        return []

    def _heard(self, sought: _Sought) -> int:
        """Bytes up to the last hop at which clip and track are both loud."""
        assert sought.at_ms is not None
        first_ms = self._end_ms - len(self._curve) * HOP_MS
        start = (sought.at_ms - first_ms) // HOP_MS
        track = list(self._curve)[max(0, start) :]
        last_loud = max((index for index, level in enumerate(sought.curve) if level > LOUD), default=0)
        both = [
            index
            for index, (clip, line) in enumerate(zip(sought.curve, track, strict=False))
            if clip > LOUD and line > LOUD
        ]
        last = max(both, default=-1)
        return sought.length if last >= last_loud - 2 else (last + 1) * _HOP_ULAW


def _alike(clip: list[int], track: list[int]) -> bool:
    """Normalised correlation of two loudness curves of the same length."""
    product = sum(a * b for a, b in zip(clip, track, strict=True))
    energies = sum(a * a for a in clip) * sum(b * b for b in track)
    return energies > 0 and product * product >= ALIKE * ALIKE * energies
