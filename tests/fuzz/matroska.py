"""GetMedia's body: any bytes, in any pieces."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.legs.kvs.blocks import ContactEnded
from gateway.legs.kvs.errors import KvsError, MatroskaError
from gateway.legs.kvs.fragments import FragmentReader
from gateway.legs.kvs.matroska import Block, Event, Limits, MatroskaReader
from tests.gateway.legs.kvs import mkv

LIMITS = Limits(max_block_bytes=2048, max_table_bytes=2048, max_skipped_bytes=4096, max_tracks=4, max_tags=16)
HELD_BYTES = 1024


def seeds() -> Sequence[bytes]:
    """Fragments as Connect writes them, small; each of another kind; the first byte is the size of the pieces."""
    small = mkv.Fragment(blocks=(mkv.Audio(1, 0, mkv.pcm(1, 16)), mkv.Audio(2, 0, mkv.pcm(2, 16))))
    known_sizes = mkv.ebml() + mkv.segment(mkv.cluster(mkv.uint(0xE7, 1), None), None)
    group = mkv.element(0xA0, mkv.element(0xA1, mkv.block(1, 0, b"\0\0")))
    streams = [
        small.encoded(),
        small.encoded() + small.at(1, contact_before=True).encoded(),
        small.at(0, contact=mkv.FOREIGN).encoded() + small.at(1).encoded() + small.at(2, contact=None).encoded(),
        small.at(0, after={"AWS_KINESISVIDEO_ERROR_ID": "3002"}).encoded(),
        known_sizes,
        mkv.ebml() + mkv.segment() + mkv.cluster(mkv.uint(0xE7, 9) + group),
    ]
    return [bytes([size]) + stream for stream in streams for size in (7, 255)]


def holds(data: bytes) -> None:
    """The first byte says how the rest is cut into pieces."""
    size, data = (data[0] or 1, data[1:]) if data else (1, b"")
    whole, failed = _events([data])
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert (whole, failed) == _events(pieces), f"read otherwise in pieces of {size} bytes"
    assert sum(len(event.payload) for event in whole if isinstance(event, Block)) <= len(data)
    _fragments(pieces)


def _events(pieces: Sequence[bytes]) -> tuple[list[Event], str]:
    reader = MatroskaReader(LIMITS)
    events: list[Event] = []
    try:
        for piece in pieces:
            events += reader.feed(piece)
            kept = len(reader._buffer) - reader._pos
            assert kept <= max(LIMITS.max_block_bytes, LIMITS.max_table_bytes, 12), f"{kept} bytes kept"
        reader.end()
    except MatroskaError as error:
        return events, f"{type(error).__name__} at {error.offset}"
    return events, ""


def _fragments(pieces: Sequence[bytes]) -> None:
    """Read twice, with a reconnect in between: whole samples, and no more held back than is allowed."""
    reader = FragmentReader(mkv.OURS, limits=LIMITS, max_held_bytes=HELD_BYTES)
    for _ in range(2):
        try:
            for piece in pieces:
                for block in reader.feed(piece):
                    assert isinstance(block, ContactEnded) or (block.pcm and len(block.pcm) % 2 == 0)
                assert reader._now.held_bytes <= HELD_BYTES
        except KvsError:
            pass
        reader.restart()
