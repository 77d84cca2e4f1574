"""Reading a caller's recording: WAV, 8 kHz, 16-bit PCM, mono."""

from __future__ import annotations

import struct
from pathlib import Path

from contract.errors import VoiceAgentError

RATE = 8000
_ENCODINGS = {1: "PCM", 3: "floating point", 6: "A-law", 7: "µ-law", 85: "MP3", 0xFFFE: "extensible"}


class BadRecording(VoiceAgentError):
    def __init__(self, path: Path, found: str, command: str = "") -> None:
        super().__init__(path, found, command)
        self.path = path
        self.found = found
        self.command = command

    def __str__(self) -> str:
        mend = f"; convert it with: {self.command}" if self.command else ""
        return f"{self.path}: a WAV with 8000 Hz, 16-bit PCM, 1 channel is needed, this is {self.found}{mend}"


def read(path: Path) -> bytes:
    """The samples, signed 16-bit little-endian.

    Raises:
        BadRecording: the file is missing or not a WAV of the right format.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadRecording(path, f"not readable ({error.strerror})") from error
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise BadRecording(path, "not a WAV file", _sox(path))
    chunks = _chunks(data)
    form = chunks.get(b"fmt ", b"")
    if len(form) < 16 or b"data" not in chunks:
        raise BadRecording(path, "a damaged WAV file without format or data")
    encoding, channels, rate, _, _, bits = struct.unpack("<HHIIHH", form[:16])
    if (encoding, channels, rate, bits) != (1, 1, RATE, 16):
        name = _ENCODINGS.get(encoding, f"encoding {encoding}")
        plural = "channel" if channels == 1 else "channels"
        raise BadRecording(path, f"{rate} Hz, {bits}-bit {name}, {channels} {plural}", _sox(path))
    samples = chunks[b"data"]
    return samples[: len(samples) // 2 * 2]


def _sox(path: Path) -> str:
    return f"sox {path} -r 8000 -b 16 -c 1 -e signed-integer {path.stem}-8k.wav"


def _chunks(data: bytes) -> dict[bytes, bytes]:
    chunks: dict[bytes, bytes] = {}
    offset = 12
    while offset + 8 <= len(data):
        name, length = data[offset : offset + 4], int.from_bytes(data[offset + 4 : offset + 8], "little")
        chunks.setdefault(name, data[offset + 8 : offset + 8 + length])
        offset += 8 + length + length % 2
    return chunks
