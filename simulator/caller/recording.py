"""Reading a caller's recording: WAV, 8 kHz, 16-bit PCM, mono."""

from __future__ import annotations

import shlex
import struct
from pathlib import Path

from contract.errors import VoiceAgentError

RATE = 8000
_PCM, _EXTENSIBLE = 1, 0xFFFE
_ENCODINGS = {_PCM: "PCM", 3: "floating point", 6: "A-law", 7: "µ-law", 85: "MP3", _EXTENSIBLE: "extensible"}
_SUBFORMAT = bytes.fromhex("000000001000800000AA00389B71")  # of an extensible format, after the encoding itself
_UNTIL_THE_END = (0, 0x7FFFF000, 0xFFFFFFFF)  # lengths that writers to a pipe leave behind


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
        BadRecording: the file is missing, cut off, empty, or not a WAV of the right format.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadRecording(path, f"not readable ({error.strerror})") from error
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise BadRecording(path, "not a WAV file", _sox(path))
    form, samples, announced = _chunks(data)
    if len(form) < 16 or samples is None:
        raise BadRecording(path, "a damaged WAV file without format or data")
    _, channels, rate, _, _, bits = struct.unpack("<HHIIHH", form[:16])
    encoding = _encoding(form)
    if (encoding, channels, rate, bits) != (_PCM, 1, RATE, 16):
        name = _ENCODINGS.get(encoding, f"encoding {encoding}")
        plural = "channel" if channels == 1 else "channels"
        raise BadRecording(path, f"{rate} Hz, {bits}-bit {name}, {channels} {plural}", _sox(path))
    if len(samples) < announced and announced not in _UNTIL_THE_END:
        raise BadRecording(path, f"cut off: {len(samples)} of {announced} bytes of audio are there")
    if len(samples) < 2:
        raise BadRecording(path, "one without a sample")
    return samples[: len(samples) // 2 * 2]


def _encoding(form: bytes) -> int:
    """The format tag; of an extensible format the one inside, where it is one of the plain ones."""
    encoding = int.from_bytes(form[:2], "little")
    if encoding == _EXTENSIBLE and form[26:40] == _SUBFORMAT:
        return int.from_bytes(form[24:26], "little")
    return encoding


def _sox(path: Path) -> str:
    source, target = shlex.quote(str(path)), shlex.quote(str(path.with_name(f"{path.stem}-8k.wav")))
    return f"sox {source} -r 8000 -b 16 -c 1 -e signed-integer {target}"


def _chunks(data: bytes) -> tuple[bytes, bytes | None, int]:
    """The format, the samples (None without a data chunk), and how many bytes of them the file announces."""
    form, offset = b"", 12
    while offset + 8 <= len(data):
        name, length = data[offset : offset + 4], int.from_bytes(data[offset + 4 : offset + 8], "little")
        if name == b"data":
            there = None if length in _UNTIL_THE_END else offset + 8 + length
            return form, data[offset + 8 : there], length
        if name == b"fmt ":
            form = data[offset + 8 : offset + 8 + length]
        offset += 8 + length + length % 2
    return form, None, 0
