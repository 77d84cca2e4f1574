"""The grammar below Matroska: element ids, sizes, and the few kinds of content that we read (RFC 8794)."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.legs.kvs.errors import ElementMisplaced, ElementTooLarge, MalformedVint

UNKNOWN = -1
"""The size of an element whose size has all value bits set: it ends where something begins that it cannot hold."""

# Length of a vint by its first byte; 0 where the byte holds no marker.
SIZE_LENGTH = bytes(0 if byte == 0 else 9 - byte.bit_length() for byte in range(256))
_ID_LENGTH = bytes(length if length <= 4 else 0 for length in SIZE_LENGTH)
SIZE_MASK = tuple((1 << 7 * length) - 1 for length in range(9))


def read_header(data: bytes | bytearray, pos: int, stop: int, base: int) -> tuple[int, int, int] | None:
    """Id, size and position after them; None where `data` ends before they do."""
    if pos >= stop:
        return None
    id_length = _ID_LENGTH[data[pos]]
    if not id_length:
        raise MalformedVint(base + pos, f"byte {data[pos]:#04x}", "the first byte of an element id of 1 to 4 bytes")
    at = pos + id_length
    if at >= stop:
        return None
    size_length = SIZE_LENGTH[data[at]]
    if not size_length:
        raise MalformedVint(base + at, "byte 0x00", "the first byte of a size of 1 to 8 bytes")
    end = at + size_length
    if end > stop:
        return None
    mask = SIZE_MASK[size_length]
    size = int.from_bytes(data[at:end], "big") & mask
    ident = data[pos] if id_length == 1 else int.from_bytes(data[pos:at], "big")
    return ident, UNKNOWN if size == mask else size, end


def children(body: bytes, base: int) -> Iterator[tuple[int, int, int]]:
    """Id, start and stop of each element in `body`, whose first byte is at the absolute offset `base`."""
    pos, stop = 0, len(body)
    while pos < stop:
        found = read_header(body, pos, stop, base)
        if found is None:
            raise ElementMisplaced(base + pos, "an element cut off by its parent's end", "its whole id and size")
        ident, size, start = found
        if size == UNKNOWN or start + size > stop:
            raise ElementMisplaced(base + pos, size_of("element", size), f"its end not after byte {base + stop}")
        pos = start + size
        yield ident, start, pos


def text(raw: bytes) -> str:
    """Strings may be padded with NULs: the producer SDK reserves 32 bytes for a name."""
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace")


def uint(raw: bytes, offset: int) -> int:
    """An unsigned number of up to 8 bytes; 0 where there are none."""
    if len(raw) > 8:
        raise ElementTooLarge(offset, f"a number of {len(raw)} bytes", "at most 8 bytes")
    return int.from_bytes(raw, "big")


def size_of(name: str, size: int) -> str:
    """Words for an error."""
    return f"{name} of {'unknown size' if size == UNKNOWN else f'{size} bytes'}"
