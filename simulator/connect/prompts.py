"""What Connect plays: S3 objects of one form, at URLs of one form (admin guide, Play prompt)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from simulator.connect.errors import NotPlayable

MAX_BYTES = 50 * 1024 * 1024
MAX_MS = 5 * 60 * 1000
BILLED_CHARACTERS = 3_000
TOTAL_CHARACTERS = 6_000
ULAW_8K_MONO = (7, 1, 8000, 8)  # format tag, channels, Hz, bits

_URL = re.compile(r"https://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com/([^?#\s]+)")
_TAG = re.compile(r"<[^>]*>")


def parse_s3_url(url: str) -> tuple[str, str]:
    """Bucket and key of a virtual-hosted https URL; presigned ones are not documented to work.

    Raises:
        NotPlayable: any other form.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise NotPlayable(url, "another address", "https://BUCKET.s3.REGION.amazonaws.com/KEY")
    return match[1], match[2]


def check_text(text: str) -> None:
    """Raises NotPlayable: more than 3,000 billed characters (SSML tags are free), or 6,000 in all."""
    billed = len(_TAG.sub("", text))
    if len(text) > TOTAL_CHARACTERS or billed > BILLED_CHARACTERS:
        raise NotPlayable("text", f"{billed} billed of {len(text)} characters", "3,000 billed, 6,000 in all")


def samples(name: str, wav: bytes) -> bytes:
    """The µ-law bytes of a WAV that Connect would play.

    Raises:
        NotPlayable: not a WAV, not G.711 µ-law 8 kHz mono, longer than 5 minutes or larger than 50 MB.
    """
    if len(wav) >= MAX_BYTES:
        raise NotPlayable(name, f"{len(wav)} bytes", f"less than {MAX_BYTES} bytes")
    found: dict[bytes, bytes] = dict(_chunks(name, wav))
    if b"fmt " not in found or b"data" not in found or len(found[b"fmt "]) < 16:
        raise NotPlayable(name, "a file without fmt or data chunk", "a WAV file")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", found[b"fmt "])
    if (tag, channels, rate, bits) != ULAW_8K_MONO:
        raise NotPlayable(
            name, f"format tag {tag}, {channels} channels, {rate} Hz, {bits} bits", "tag 7, 1 channel, 8000 Hz, 8 bits"
        )
    ulaw = found[b"data"]
    if len(ulaw) >= MAX_MS * 8:
        raise NotPlayable(name, f"{len(ulaw) // 8} ms", f"less than {MAX_MS} ms")
    return ulaw


def _chunks(name: str, wav: bytes) -> Iterator[tuple[bytes, bytes]]:
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise NotPlayable(name, f"a file that begins with {wav[:4]!r}", "a RIFF WAVE file")
    position = 12
    while position + 8 <= len(wav):
        kind, size = struct.unpack_from("<4sI", wav, position)
        body = wav[position + 8 : position + 8 + size]
        if len(body) < size:
            raise NotPlayable(name, f"a {kind!r} chunk of {len(body)} bytes", f"{size} bytes, as its header says")
        yield kind, body
        position += 8 + size + size % 2
