"""The one file format that a Connect prompt may have: WAV, G.711 µ-law, 8 kHz, mono.

Amazon Connect administrator guide, Play prompt and S3 prompts: anything else "won't play correctly", files
below 50 MB and 5 minutes. Format tag 7 needs the 18-byte form of the `fmt ` chunk and a `fact` chunk (RIFF
MCI specification, non-PCM formats).
"""

from __future__ import annotations

import struct

_ULAW = 7
HEADER_BYTES = 58


def ulaw_wav(ulaw: bytes) -> bytes:
    """Raw µ-law samples, 8 kHz mono, with a header before them."""
    return b"".join((ulaw_header(len(ulaw)), ulaw, b"\x00" * (len(ulaw) % 2)))


def ulaw_of(wav: bytes) -> bytes:
    """The samples of a file that `ulaw_wav` made; empty for anything else."""
    if len(wav) < HEADER_BYTES or wav[HEADER_BYTES - 8 : HEADER_BYTES - 4] != b"data":
        return b""
    (count,) = struct.unpack("<I", wav[HEADER_BYTES - 4 : HEADER_BYTES])
    return wav[HEADER_BYTES : HEADER_BYTES + int(count)]


def ulaw_header(samples: int) -> bytes:
    """What stands before so many µ-law samples, 8 kHz mono."""
    pad = samples % 2  # RIFF chunks are padded to an even length
    return b"".join(
        (
            struct.pack("<4sI4s", b"RIFF", HEADER_BYTES - 8 + samples + pad, b"WAVE"),
            struct.pack("<4sIHHIIHHH", b"fmt ", 18, _ULAW, 1, 8000, 8000, 1, 8, 0),
            struct.pack("<4sII", b"fact", 4, samples),
            struct.pack("<4sI", b"data", samples),
        )
    )
