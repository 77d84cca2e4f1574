"""Messages over a pipe: 4 bytes of length, little endian, and so many bytes."""

from __future__ import annotations

import struct
from typing import IO

LENGTH = struct.Struct("<I")


def read(stream: IO[bytes]) -> bytes | None:
    """One message; None at the end of the stream."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = stream.read(length)
    return body if len(body) == length else None


def write(stream: IO[bytes], message: bytes) -> None:
    stream.write(LENGTH.pack(len(message)) + message)
    stream.flush()
