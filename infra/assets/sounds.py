"""The sounds of the flows, as the one format that a Connect prompt may have: silences, and music for those who wait."""

from __future__ import annotations

import math
from array import array
from functools import cache
from pathlib import Path

from contract.audio import ULAW_SILENCE, lin2ulaw
from gateway.legs.kvs.wav import ulaw_wav

SOUNDS = {
    "silence": "Silence that outlasts every Wait of the voice agent's flows",
    "short-silence": "Silence between two questions of the voice agent's flows",
    "music": "Music for callers who wait for a human",
}
SILENCES_MS = {"silence": 50_000, "short-silence": 200}
"""The long one outlasts every Wait of the flow, the short one is the grain of its polling."""

# Broken chords, C - A minor - F - G, in Hz: the telephone carries 300 to 3400.
_CHORDS = ((523, 659, 784), (440, 523, 659), (349, 440, 523), (392, 494, 587))
_NOTE_S = 0.5
_NOTES_A_CHORD = 8
_RATE_HZ = 8000
_LEVEL = 4200  # of 32767: behind a voice, not in front of it


def sound(folder: Path, name: str) -> Path:
    """Write one of SOUNDS; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.wav"
    path.write_bytes(ulaw_wav(_music() if name == "music" else ULAW_SILENCE * (SILENCES_MS[name] * 8)))
    return path


@cache
def _music() -> bytes:
    """16 s of µ-law that begin where they end: soft plucked notes, each fading before the next one but one."""
    count = round(_NOTE_S * _RATE_HZ)
    notes = [chord[step % 3] for chord in _CHORDS for step in range(_NOTES_A_CHORD)]
    total = [0.0] * (count * len(notes))
    for number, frequency in enumerate(notes):
        for at, value in enumerate(_note(frequency)):
            total[(number * count + at) % len(total)] += value
    return lin2ulaw(array("h", (round(value) for value in total)).tobytes())


@cache
def _note(frequency: int) -> tuple[float, ...]:
    """One note with its octave, 1 s long, without a click at either end."""
    length = 2 * round(_NOTE_S * _RATE_HZ)

    def value(at: int) -> float:
        seconds = at / _RATE_HZ
        envelope = min(1.0, seconds / 0.02) * math.exp(-3.0 * seconds) * (1 - at / length)
        angle = 2 * math.pi * frequency * seconds
        return _LEVEL * envelope * (math.sin(angle) + 0.3 * math.sin(2 * angle))

    return tuple(value(at) for at in range(length))
