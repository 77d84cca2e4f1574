"""What can be read off the recording of a call: where there is sound, in steps of 20 ms."""

from __future__ import annotations

from dataclasses import dataclass, field

from contract.audio import rms

FRAME_MS = 20
FRAME_BYTES = FRAME_MS * 16
LOUD = 150  # the quiet beginning of a consonant; comfort noise and the silence of µ-law stay below


@dataclass(slots=True)
class Track:
    """One side of a recording. `started_ms` is the time of its first sample; all times count as that one does."""

    started_ms: int = 0
    loud: list[bool] = field(default_factory=list)

    @classmethod
    def of(cls, pcm: bytes, started_ms: int = 0) -> Track:
        """16-bit PCM, 8 kHz; a last piece of less than 20 ms is left out."""
        track = cls(started_ms)
        for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES):
            track.add(pcm[at : at + FRAME_BYTES])
        return track

    def add(self, pcm: bytes) -> None:
        """The next 20 ms."""
        self.loud.append(rms(pcm) > LOUD)

    def first_sound_ms(self, from_ms: int, to_ms: int | None = None) -> int | None:
        """When the first sound between the two begins."""
        return next((self._time(index) for index in self._between(from_ms, to_ms) if self.loud[index]), None)

    def last_sound_ms(self, from_ms: int, to_ms: int | None = None) -> int | None:
        """When the last sound between the two ends."""
        frames = reversed(self._between(from_ms, to_ms))
        return next((self._time(index + 1) for index in frames if self.loud[index]), None)

    def gaps_ms(self, from_ms: int, to_ms: int) -> list[tuple[int, int]]:
        """The silences between two sounds: when each begins, and its length."""
        gaps: list[tuple[int, int]] = []
        quiet_since: int | None = None
        for index in self._between(from_ms, to_ms):
            if not self.loud[index]:
                continue
            if quiet_since is not None and index > quiet_since:
                gaps.append((self._time(quiet_since), (index - quiet_since) * FRAME_MS))
            quiet_since = index + 1
        return gaps

    def _time(self, index: int) -> int:
        return self.started_ms + index * FRAME_MS

    def _between(self, from_ms: int, to_ms: int | None) -> range:
        first = max(0, (from_ms - self.started_ms) // FRAME_MS)
        last = len(self.loud) if to_ms is None else max(0, -(-(to_ms - self.started_ms) // FRAME_MS))
        return range(first, min(len(self.loud), last))
