"""G.711 µ-law, the one codec of the live path: 8,000 Hz, mono, 1 byte a sample, 8 bytes a millisecond.

CPython 3.13 dropped `audioop`; the package audioop-lts brings it back under the same name.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop as audioop  # what else a leg needs of it

SAMPLE_RATE = 8000
BYTES_PER_MS = 8
PCM_BYTES_PER_MS = 16
ULAW_SILENCE = b"\xff"


def ulaw2lin(ulaw: bytes) -> bytes:
    """µ-law to signed 16-bit little-endian: twice as many bytes."""
    return audioop.ulaw2lin(ulaw, 2)


def lin2ulaw(pcm: bytes) -> bytes:
    """Signed 16-bit little-endian to µ-law: half as many bytes; an odd last byte raises audioop.error."""
    return audioop.lin2ulaw(pcm, 2)


def rms(pcm: bytes) -> int:
    """Root mean square of signed 16-bit little-endian samples, 0 to 32,768."""
    return audioop.rms(pcm, 2)


def alike(one: bytes, other: bytes) -> float:
    """How much two pieces of the same length have the same shape, whatever their loudness: their correlation, -1 to 1.

    Signed 16-bit little-endian; 0 where one of them is silent.
    """
    loud, reference = audioop.rms(one, 2), audioop.rms(other, 2)
    if not loud or not reference:
        return 0.0
    return audioop.findfactor(one, other) * reference / loud


def halved(pcm: bytes) -> bytes:
    """At half the sample rate: each two samples become their mean. An odd last sample is left out."""
    return audioop.tomono(pcm[: len(pcm) & ~3], 2, 0.5, 0.5)


def quieter(pcm: bytes, factor: float) -> bytes:
    """Signed 16-bit samples times a factor below 1."""
    return audioop.mul(pcm, 2, factor)


def ulaw_ms(ulaw: bytes) -> int:
    """Whole milliseconds of µ-law audio."""
    return len(ulaw) // BYTES_PER_MS
