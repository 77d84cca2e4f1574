"""Whether the caller speaks, by energy over an adaptive noise floor. It measures; it decides no turn.

Deepgram owns turn taking. What needs our own ear: when the caller really stopped (latency), whether a
barge-in was only a cough, and how long it has been quiet, all on the time of the audio itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from contract.audio import BYTES_PER_MS, rms, ulaw2lin

LOWEST_THRESHOLD = 250  # about -42 dBFS: digital silence and a clean line stay below
ABOVE_FLOOR = 3.0  # about 10 dB over the noise
# The floor falls at once and rises by so much a millisecond: noise that stays is learned in a few seconds. What
# tells it from speech are the gaps: even who never takes a breath is silent for some ms within every word, so the
# floor follows the quietest of such moments and not the loudness of whole frames.
RISE_QUIET, RISE_LOUD = 0.001, 0.0003
MOMENT_BYTES = 10 * BYTES_PER_MS * 2
LOWEST_FLOOR = 20.0
SPEECH_MS = 60  # so much energy in a row is a sound and not a click
NEW_SOUND_MS = 300  # after so much quiet it is another sound


@dataclass(slots=True)
class VoiceActivity:
    """Fed with frames of 20 to 100 ms in order. Times are epoch ms of the audio, 0 before the first speech."""

    speaking: bool = False
    started_ms: int = 0  # first sample of the present or last sound
    stopped_ms: int = 0  # last loud sample
    media_ms: int = 0  # end of what was heard so far
    _floor: float = 80.0
    _run_ms: int = 0
    _run_began_ms: int = 0

    def hear(self, ulaw: bytes, media_ms: int) -> None:
        duration = len(ulaw) // BYTES_PER_MS
        pcm = ulaw2lin(ulaw)
        level = rms(pcm)
        self.media_ms = media_ms + duration
        if level <= max(LOWEST_THRESHOLD, self._floor * ABOVE_FLOOR):
            self._run_ms = 0
            self.speaking = False
            self._learn(level, RISE_QUIET * duration)
            return
        if not self._run_ms:
            self._run_began_ms = media_ms
        self._run_ms += duration
        if self._run_ms >= SPEECH_MS:
            self._sound()
        self._learn(_quietest(pcm), RISE_LOUD * duration)

    def _sound(self) -> None:
        if self._run_began_ms - self.stopped_ms > NEW_SOUND_MS:
            self.started_ms = self._run_began_ms
        self.speaking = True
        self.stopped_ms = self.media_ms

    def _learn(self, level: int, rise: float) -> None:
        self._floor = max(LOWEST_FLOOR, min(level, self._floor * (1 + rise)))

    @property
    def quiet_ms(self) -> int:
        """Milliseconds of audio since the last sound."""
        return self.media_ms - self.stopped_ms


def _quietest(pcm: bytes) -> int:
    """The level of the quietest 10 ms."""
    return min(rms(pcm[at : at + MOMENT_BYTES]) for at in range(0, len(pcm), MOMENT_BYTES))
