"""Sounds for tests, µ-law 8 kHz."""

from __future__ import annotations

import math
import random
import struct

from contract.audio import ULAW_SILENCE, lin2ulaw


def quiet(ms: int) -> bytes:
    return ULAW_SILENCE * (ms * 8)


def tone(ms: int, level: int = 3000, hertz: int = 440) -> bytes:
    """A sine whose RMS is about `level`."""
    samples = (int(level * 1.414 * math.sin(2 * math.pi * hertz * n / 8000)) for n in range(ms * 8))
    return lin2ulaw(b"".join(struct.pack("<h", sample) for sample in samples))


def noise(ms: int, level: int, seed: int = 1) -> bytes:
    drawn = random.Random(seed)
    limit = int(level * 1.7)
    return lin2ulaw(b"".join(struct.pack("<h", drawn.randint(-limit, limit)) for _ in range(ms * 8)))


def speech(ms: int, seed: int = 1, pause_every_ms: int = 0, pause_ms: int = 200) -> bytes:
    """Something with the ups and downs of speech: syllables of random length and loudness, pauses between sentences."""
    drawn = random.Random(seed)
    parts: list[bytes] = []
    length = since = 0
    while length < ms:
        if pause_every_ms and since >= pause_every_ms:
            part, since = quiet(pause_ms), 0
        else:
            part = tone(drawn.randint(60, 200), drawn.randint(600, 6000), drawn.randint(120, 400)) + quiet(
                drawn.randint(0, 60)
            )
            since += len(part) // 8
        parts.append(part)
        length += len(part) // 8
    return b"".join(parts)[: ms * 8]
