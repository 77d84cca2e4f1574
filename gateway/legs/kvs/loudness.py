"""Is there speech in this block? A simple measure, wrong on the safe side: what is doubtful counts as speech."""

from __future__ import annotations

from contract.audio import rms

QUIETEST_SPEECH = 100
"""RMS of 16-bit samples, -50 dB of full scale: telephone speech is 20 dB louder, an idle line mostly quieter."""
OVER_NOISE = 2.5
"""Speech is 8 dB above the noise."""
LOWEST_FLOOR, HIGHEST_FLOOR = 20.0, 400.0
_FALL = 0.3  # of the difference, per block: one pause between words finds the floor again
_RISE = 1.015  # per block of 64 ms: doubles in 3 s


class SpeechMeter:
    """Follows the noise floor of one line, block by block."""

    def __init__(self) -> None:
        self._floor = LOWEST_FLOOR

    def is_speech(self, pcm: bytes) -> bool:
        """Whether a block (signed 16-bit little-endian, tens of ms) is louder than the line's noise."""
        level = rms(pcm)
        speech = level > max(QUIETEST_SPEECH, self._floor * OVER_NOISE)
        if level < self._floor:
            self._floor = max(LOWEST_FLOOR, self._floor + (level - self._floor) * _FALL)
        else:
            self._floor = min(HIGHEST_FLOOR, self._floor * _RISE, max(level, LOWEST_FLOOR))
        return speech
