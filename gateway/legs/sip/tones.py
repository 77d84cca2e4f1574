"""Two soft tones, for a line that has to sound alive without the voice agent."""

from __future__ import annotations

import math
import struct

from contract.audio import SAMPLE_RATE, ULAW_SILENCE, lin2ulaw

LEVEL = 1400  # of 32,768: -27 dB, below speech
TONE_MS = 180
EDGE = SAMPLE_RATE // 100  # 10 ms of fading, against clicks


def tone(hertz: float, duration_ms: int = TONE_MS) -> bytes:
    """A sine that fades in and out, µ-law."""
    count = duration_ms * SAMPLE_RATE // 1000
    edges = (min(1.0, at / EDGE, (count - at) / EDGE) for at in range(count))
    samples = [int(LEVEL * edge * math.sin(math.tau * hertz * at / SAMPLE_RATE)) for at, edge in enumerate(edges)]
    return lin2ulaw(struct.pack(f"<{count}h", *samples))


WAIT_TONE = tone(523.25) + ULAW_SILENCE * 480 + tone(659.26)
