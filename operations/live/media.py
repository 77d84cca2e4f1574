"""GetMedia's bytes to blocks of audio, with the moment at which each arrived.

Written apart from the gateway's reader on purpose: what measures it must not share its errors. The layout is that of
Matroska as Kinesis Video Streams returns it (developer guide, GetMedia; printed captures of Connect's streams): every
element is walked by its size; containers, of known size or not, are entered, so that only leaves are left.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from operations.errors import MediaUnreadable

EBML, SEGMENT_UID, NUMBER, NAME, TIMECODE, BLOCK = 0x1A45DFA3, 0x73A4, 0xD7, 0x536E, 0xE7, 0xA3
TAG_NAME, TAG_STRING = 0x45A3, 0x4487
CONTAINERS = {0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0x1F43B675, 0x1254C367, 0x7373, 0x67C8}
LARGEST = 1 << 20  # bytes of a leaf; a block has 1,024
FROM, TO = "AUDIO_FROM_CUSTOMER", "AUDIO_TO_CUSTOMER"
SAMPLE_BYTES_PER_MS = 16
HEAD_BYTES = 12  # of the longest id and size


@dataclass(frozen=True, slots=True)
class Block:
    """Signed 16-bit PCM at 8 kHz. `at_ms` is the producer's clock, `arrived_ms` ours, both since the epoch."""

    track: str
    at_ms: int
    arrived_ms: int
    pcm: bytes

    @property
    def ends_ms(self) -> int:
        return self.at_ms + len(self.pcm) // SAMPLE_BYTES_PER_MS


@dataclass(slots=True)
class Fragment:
    """One document of the body; its contact is often told after its audio."""

    number: str = ""
    contact: str = ""
    segment: bytes = b""
    last_tag: str = ""
    blocks: list[Block] = field(default_factory=list)


class Reader:
    """Push bytes in; whole fragments come out."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._fragment = Fragment()
        self._tracks: dict[int, str] = {}
        self._track = 0
        self._cluster_ms = 0
        self._tag = ""

    def feed(self, data: bytes, arrived_ms: int) -> Iterator[Fragment]:
        """The fragments that are complete, each when the next one begins.

        Raises:
            MediaUnreadable: the bytes are no Matroska, or the service tells an error in the body.
        """
        self._buffer += data
        while (leaf := self._leaf()) is not None:
            identifier, payload = leaf
            if identifier == EBML:
                if self._fragment.number:
                    yield self._fragment
                self._fragment, self._tracks = Fragment(), {}
            else:
                self._take(identifier, payload, arrived_ms)

    @property
    def open(self) -> Fragment:
        """The fragment that is still coming in."""
        return self._fragment

    def _leaf(self) -> tuple[int, bytes] | None:
        """The next leaf, cut off the buffer; None until it is whole."""
        buffer = self._buffer
        while len(buffer) >= 2:
            id_bytes = _length(buffer[0], 4)
            if len(buffer) <= id_bytes:
                return None
            size_bytes = _length(buffer[id_bytes], 8)
            begin = id_bytes + size_bytes
            if len(buffer) < begin:
                return None
            identifier = int.from_bytes(buffer[:id_bytes], "big")
            if identifier in CONTAINERS:
                del buffer[:begin]
                continue
            size = int.from_bytes(buffer[id_bytes:begin], "big") & ((1 << 7 * size_bytes) - 1)
            if size > LARGEST:
                raise MediaUnreadable(f"an element of {size} bytes")
            if len(buffer) < begin + size:
                return None
            payload = bytes(buffer[begin : begin + size])
            del buffer[: begin + size]
            return identifier, payload
        return None

    def _take(self, identifier: int, payload: bytes, arrived_ms: int) -> None:
        if identifier == NUMBER:
            self._track = int.from_bytes(payload, "big")
        elif identifier == NAME:
            self._tracks[self._track] = _text(payload)
        elif identifier == TIMECODE:
            self._cluster_ms = int.from_bytes(payload, "big")
        elif identifier == BLOCK:
            self._block(payload, arrived_ms)
        elif identifier == SEGMENT_UID:
            self._fragment.segment = payload
        elif identifier == TAG_NAME:
            self._tag = self._fragment.last_tag = _text(payload)
        elif identifier == TAG_STRING:
            self._told(_text(payload))

    def _block(self, payload: bytes, arrived_ms: int) -> None:
        number, relative_ms, _ = struct.unpack(">BhB", payload[:4])
        track = self._tracks.get(number & 0x7F, "")
        self._fragment.blocks.append(Block(track, self._cluster_ms + relative_ms, arrived_ms, payload[4:]))

    def _told(self, value: str) -> None:
        if self._tag == "AWS_KINESISVIDEO_FRAGMENT_NUMBER":
            self._fragment.number = value
        elif self._tag == "ContactId":
            self._fragment.contact = value
        elif self._tag == "AWS_KINESISVIDEO_ERROR_ID":
            raise MediaUnreadable(f"GetMedia tells error {value} in its body")


def _length(first: int, most: int) -> int:
    """How many bytes a number of variable length has, by the zeros that its first byte begins with."""
    length = 9 - first.bit_length()
    if length > most:
        raise MediaUnreadable(f"an element begins with the byte {first}")
    return length


def _text(payload: bytes) -> str:
    return payload.rstrip(b"\x00").decode(errors="replace")
