"""Cutting agent speech into clips: where to cut, and when. A core without I/O.

The flow plays whole files, so every cut costs a short silence; a cut in a pause is not heard. Deepgram
delivers seconds of speech in a few hundred milliseconds (measured by several gateways), so that after the
first clip, which is cut early for the sake of the first word, little more than one cut in a long answer is
needed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from contract.audio import BYTES_PER_MS, rms, ulaw2lin
from gateway.telemetry.bounds import Bound, reached

FRAME_MS = 20
FRAME_BYTES = FRAME_MS * BYTES_PER_MS
QUIET_RMS = 200  # about -44 dBFS: below it a 20 ms frame of synthetic speech is a pause
PAUSE_FRAMES = 8  # 160 ms, the first whole number of frames above 150 ms
KEPT_PAUSE_BYTES = 40 * BYTES_PER_MS  # what stays of a pause at the end of a clip: the flow adds its own silence
MOST_IN_HAND = 300_000 * BYTES_PER_MS  # an agent that talks for ever: what comes later is not heard


@dataclass(frozen=True, slots=True)
class ClipLimits:
    """How long clips may be, in ms. The interruptible flow can leave a prompt, the polling flow cannot."""

    longest_ms: int
    first_least_ms: int = 1000
    first_wait_ms: int = 400
    first_longest_wait_ms: int = 800
    stale_ms: int = 150  # nothing came for so long: what is in hand is probably all of it
    search_from_ms: int = 4000
    urgent_least_ms: int = 200


INTERRUPTIBLE = ClipLimits(longest_ms=15_000, search_from_ms=4000)
POLLING = ClipLimits(longest_ms=4000, search_from_ms=2000)


@dataclass(frozen=True, slots=True)
class Clip:
    """Bytes `start` to `end` of a stretch of speech. `ulaw` may lack the pause at its end."""

    start: int
    end: int
    ulaw: bytes = field(repr=False)

    @property
    def duration_ms(self) -> int:
        return len(self.ulaw) // BYTES_PER_MS


class ClipCutter:
    """Collects one stretch of agent speech and cuts clips off its front. `start`: where in the stretch it begins."""

    def __init__(self, limits: ClipLimits, start: int = 0) -> None:
        self.limits = limits
        self._audio = bytearray()
        self._levels: list[int] = []  # one RMS for each whole frame of `_audio`
        self._start = start  # position in the stretch of the first byte in hand
        self._first_byte_ms: int | None = None
        self._last_byte_ms = 0
        self._finished = False

    @property
    def in_hand(self) -> int:
        """Bytes that wait to be cut."""
        return len(self._audio)

    @property
    def finished(self) -> bool:
        return self._finished

    def push(self, ulaw: bytes, now_ms: int) -> None:
        """Runs for every frame of agent audio; frames are of any length."""
        if self._first_byte_ms is None:
            self._first_byte_ms = now_ms
        self._last_byte_ms = now_ms
        if len(self._audio) >= MOST_IN_HAND:
            reached(Bound.AGENT_SPEECH)
            return
        self._audio += ulaw
        measured = len(self._levels) * FRAME_BYTES
        pcm = ulaw2lin(bytes(self._audio[measured : len(self._audio) // FRAME_BYTES * FRAME_BYTES]))
        for at in range(0, len(pcm), 2 * FRAME_BYTES):
            self._levels.append(rms(pcm[at : at + 2 * FRAME_BYTES]))

    def finish(self) -> None:
        """No more audio belongs to this stretch."""
        self._finished = True

    def resume(self) -> None:
        """More audio belongs to this stretch after all."""
        self._finished = False

    def first_clip(self, now_ms: int) -> Clip | None:
        """The first clip of a stretch, as soon as it may be cut."""
        if self._finished:
            return self._rest() if self._audio else None
        if self._first_byte_ms is None or len(self._audio) < self.limits.first_least_ms * BYTES_PER_MS:
            return None
        pause = self._pause(self.limits.first_least_ms * BYTES_PER_MS, self._longest())
        if pause is not None:
            return self._cut(pause)
        if now_ms < self._first_byte_ms + self.limits.first_wait_ms:
            return None
        return self._first_without_pause(self._first_byte_ms, now_ms)

    def _first_without_pause(self, first_byte_ms: int, now_ms: int) -> Clip | None:
        """A short reply is all there and is best left whole; of a long one, what comes next is better than waiting."""
        if now_ms >= self._last_byte_ms + self.limits.stale_ms:
            return self._rest()
        if now_ms < first_byte_ms + self.limits.first_longest_wait_ms:
            return None
        return self._cut(self._quietest(self.limits.first_least_ms * BYTES_PER_MS, self._longest()))

    def first_due_ms(self) -> int | None:
        """When `first_clip` has something although no more audio comes."""
        if self._first_byte_ms is None or len(self._audio) < self.limits.first_least_ms * BYTES_PER_MS:
            return None
        longest = self._first_byte_ms + self.limits.first_longest_wait_ms
        stale = self._last_byte_ms + self.limits.stale_ms
        return max(self._first_byte_ms + self.limits.first_wait_ms, min(stale, longest))

    def next_clip(self, *, urgent: bool = False) -> Clip | None:
        """A clip that is needed now, cut at the last pause in hand, or the quietest place; None when nothing is.

        `urgent`: the caller would hear a gap otherwise, so that even a short clip is better than none.
        """
        if self._finished:
            return self._rest() if self._audio else None
        least = (self.limits.urgent_least_ms if urgent else self.limits.first_least_ms) * BYTES_PER_MS
        if len(self._audio) < least:
            return None
        longest = self._longest()
        pause = self._pause(least, longest)
        if pause is not None:
            return self._cut(pause)
        start = self.limits.search_from_ms * BYTES_PER_MS
        return self._cut(self._quietest(start if longest > start else longest // 2, longest))

    def _longest(self) -> int:
        return min(len(self._audio), self.limits.longest_ms * BYTES_PER_MS)

    def _rest(self) -> Clip:
        longest = self.limits.longest_ms * BYTES_PER_MS
        if len(self._audio) <= longest:
            return self._cut(len(self._audio))
        pause = self._pause(self.limits.first_least_ms * BYTES_PER_MS, longest)
        return self._cut(pause or self._quietest(self.limits.search_from_ms * BYTES_PER_MS, longest))

    def _pause(self, start: int, end: int) -> int | None:
        """Byte position of the end of the last pause that ends within `start` and `end`."""
        quiet = 0
        newest = min(end // FRAME_BYTES, len(self._levels)) - 1
        oldest = max(start // FRAME_BYTES - PAUSE_FRAMES, 0)
        for index in range(newest, oldest - 1, -1):
            quiet = quiet + 1 if self._levels[index] < QUIET_RMS else 0
            position = (index + quiet) * FRAME_BYTES
            if quiet >= PAUSE_FRAMES and position >= start:
                return position
        return None

    def _quietest(self, start: int, end: int) -> int:
        """The frame boundary after the quietest 20 ms between two byte positions."""
        first, past = start // FRAME_BYTES, max(end // FRAME_BYTES, start // FRAME_BYTES + 1)
        window = self._levels[first:past]
        if not window:
            return end
        return (first + min(range(len(window)), key=window.__getitem__) + 1) * FRAME_BYTES

    def _cut(self, position: int) -> Clip:
        audio = bytes(self._audio[:position])
        frames = position // FRAME_BYTES
        quiet = self._quiet_before(frames) * FRAME_BYTES
        spoken = audio
        if position % FRAME_BYTES == 0 and KEPT_PAUSE_BYTES < quiet < position:
            spoken = audio[: position - quiet + KEPT_PAUSE_BYTES]
        clip = Clip(self._start, self._start + position, spoken)
        del self._audio[:position]
        # A cut off the frame grid takes all that is in hand: what comes then begins on a grid of its own.
        del self._levels[:frames]
        self._start += position
        return clip

    def _quiet_before(self, frame: int) -> int:
        """How many frames in a row are quiet right before this one."""
        first = frame
        while first and self._levels[first - 1] < QUIET_RMS:
            first -= 1
        return frame - first
