"""Whether the caller speaks, by energy over an adaptive noise floor. It measures; it decides no turn.

Deepgram owns turn taking. What needs our own ear: when the caller really stopped (latency), whether a
barge-in was only a cough, and how long it has been quiet, all on the time of the audio itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from contract.audio import BYTES_PER_MS, rms, ulaw2lin

LOWEST_THRESHOLD = 250  # about -42 dBFS: digital silence and a clean line stay below
ABOVE_FLOOR = 3.0  # about 10 dB over the noise
FLOOR_RISE = 1.02  # a frame; noise that stays is learned in a few seconds
SPEECH_MS = 60  # so much energy in a row is a sound and not a click


@dataclass(slots=True)
class VoiceActivity:
    """Fed with frames of 20 to 100 ms in order. Times are epoch ms of the audio, 0 before the first speech."""

    speaking: bool = False
    started_ms: int = 0  # first sample of the present or last sound
    stopped_ms: int = 0  # last loud sample
    media_ms: int = 0  # end of what was heard so far
    _floor: float = 80.0
    _run_ms: int = 0

    def hear(self, ulaw: bytes, media_ms: int) -> None:
        duration = len(ulaw) // BYTES_PER_MS
        level = rms(ulaw2lin(ulaw))
        self.media_ms = media_ms + duration
        if level > max(LOWEST_THRESHOLD, self._floor * ABOVE_FLOOR):
            if not self._run_ms and self.quiet_ms > 300:
                self.started_ms = media_ms
            self._run_ms += duration
            self._floor = min(self._floor * FLOOR_RISE, level)
            if self._run_ms >= SPEECH_MS:
                self.speaking = True
                self.stopped_ms = self.media_ms
        else:
            self._run_ms = 0
            self.speaking = False
            self._floor = level if level < self._floor else self._floor * FLOOR_RISE
        self._floor = max(self._floor, 20.0)

    @property
    def quiet_ms(self) -> int:
        """Milliseconds of audio since the last sound."""
        return self.media_ms - self.stopped_ms
