"""Writes Matroska as GetMedia answers it for a Connect stream; for the tests of this package only.

Layout after printed captures: one document per fragment, Segment and Cluster of unknown size, AWS's tags
before and after the Cluster, the producer's tags (ContactId, ...) mostly after it, absolute epoch timecodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

UNKNOWN_8 = bytes.fromhex("01ffffffffffffff")
UNKNOWN_1 = b"\xff"
FROM, TO = "AUDIO_FROM_CUSTOMER", "AUDIO_TO_CUSTOMER"
OURS = "0f4a8a52-ours"
FOREIGN = "9b1c77d0-foreign"
BLOCK_MS = 64
BLOCK_BYTES = 1024


def vint(value: int, length: int = 0) -> bytes:
    """A size (or a track number) in `length` bytes, or in as few as hold it."""
    length = length or next(n for n in range(1, 9) if value < (1 << 7 * n) - 1)
    return (value | 1 << 7 * length).to_bytes(length, "big")


def element(ident: int, content: bytes, size_length: int = 0) -> bytes:
    return ident.to_bytes((ident.bit_length() + 7) // 8, "big") + vint(len(content), size_length) + content


def uint(ident: int, value: int) -> bytes:
    return element(ident, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def text(ident: int, value: str, pad: int = 0) -> bytes:
    return element(ident, value.encode().ljust(pad, b"\0"))


def ebml(doc_type: str = "matroska\0") -> bytes:
    return element(
        0x1A45DFA3,
        uint(0x4286, 1) + uint(0x42F7, 1) + uint(0x42F2, 4) + uint(0x42F3, 8) + text(0x4282, doc_type)
        + uint(0x4287, 2) + uint(0x4285, 2),
    )  # fmt: skip


def segment(content: bytes = b"", size: bytes | None = UNKNOWN_8) -> bytes:
    return bytes.fromhex("18538067") + (vint(len(content)) if size is None else size) + content


def cluster(content: bytes = b"", size: bytes | None = UNKNOWN_1) -> bytes:
    return bytes.fromhex("1f43b675") + (vint(len(content)) if size is None else size) + content


def info(uid: bytes = b"u" * 16, scale: int | None = 1_000_000) -> bytes:
    content = element(0x73A4, uid) if uid else b""
    content += uint(0x2AD7B1, scale) if scale is not None else b""
    return element(0x1549A966, content + text(0x7BA9, "Kinesis Video SDK"))


def tracks(names: Mapping[int, str | None]) -> bytes:
    entries = b""
    for number, name in names.items():
        entry = uint(0xD7, number) + uint(0x73C5, number) + uint(0x83, 2)
        entry += text(0x536E, name, pad=32) if name is not None else b""
        entries += element(0xAE, entry + text(0x86, "A_AAC", pad=32) + element(0x63A2, b"\x11\x90"))
    return element(0x1654AE6B, entries)


def tags(values: Mapping[str, str]) -> bytes:
    simple = b"".join(element(0x67C8, text(0x45A3, name) + text(0x4487, value)) for name, value in values.items())
    return element(0x1254C367, element(0x7373, simple))


def block(track: int, relative: int, payload: bytes, *, flags: int = 0x80, track_length: int = 0) -> bytes:
    return vint(track, track_length) + relative.to_bytes(2, "big", signed=True) + bytes([flags]) + payload


def simple_block(track: int, relative: int, payload: bytes, size_length: int = 8) -> bytes:
    return element(0xA3, block(track, relative, payload), size_length)


def pcm(fill: int, size: int = BLOCK_BYTES) -> bytes:
    """A payload that can be told from others: all samples are `fill`."""
    return (fill % 32768).to_bytes(2, "little") * (size // 2)


@dataclass(frozen=True)
class Audio:
    """One block of a fragment: track, milliseconds after the cluster's timecode, payload."""

    track: int
    relative: int
    payload: bytes


@dataclass(frozen=True)
class Fragment:
    number: int = 100
    start_ms: int = 1_700_000_000_000
    contact: str | None = OURS
    blocks: Sequence[Audio] = field(default_factory=tuple)
    names: Mapping[int, str | None] | None = field(default_factory=lambda: {1: FROM, 2: TO})
    uid: bytes = b"u" * 16
    contact_before: bool = False
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    closing: bool = True
    cluster_size: bytes | None = UNKNOWN_1
    with_cluster: bool = True

    def at(self, index: int, **changes: object) -> Fragment:
        """The fragment `index` places later in the stream."""
        moved = replace(self, number=self.number + index, start_ms=self.start_ms + 1024 * index)
        return replace(moved, **changes)  # type: ignore[arg-type]

    def head(self) -> bytes:
        """Everything before the Cluster."""
        contact = tags({"ContactId": self.contact}) if self.contact and self.contact_before else b""
        aws = {
            "AWS_KINESISVIDEO_FRAGMENT_NUMBER": str(self.number),
            "AWS_KINESISVIDEO_SERVER_TIMESTAMP": seconds(self.start_ms - 970),
            "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP": seconds(self.start_ms),
            **self.before,
        }
        table = tracks(self.names) if self.names is not None else b""
        return ebml() + segment() + info(self.uid) + table + contact + tags(aws)

    def media(self) -> bytes:
        """The Cluster."""
        if not self.with_cluster:
            return b""
        content = uint(0xE7, self.start_ms) + uint(0xA7, 0)
        content += b"".join(simple_block(audio.track, audio.relative, audio.payload) for audio in self.blocks)
        return cluster(content, self.cluster_size)

    def tail(self) -> bytes:
        """Everything after the Cluster."""
        after = b""
        if self.contact and not self.contact_before:
            after += tags({"ContactId": self.contact}) + tags({"InstanceId": "i-1"})
            after += tags({"MimeType": "audio/L16;rate=8000;channels=1;"})
        after += b"".join(tags({name: value}) for name, value in self.after.items())
        if self.closing:
            after += tags(
                {"AWS_KINESISVIDEO_MILLIS_BEHIND_NOW": "0", "AWS_KINESISVIDEO_CONTINUATION_TOKEN": str(self.number)}
            )
        return after

    def encoded(self) -> bytes:
        return self.head() + self.media() + self.tail()


def seconds(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03}"


def both_tracks(count: int = 16, first: int = 1) -> tuple[Audio, ...]:
    """`count` blocks on each track, alternating, the caller's filled with `first` and up, ours with 10,000 and up."""
    return tuple(
        Audio(track, index * BLOCK_MS, pcm(first + index + (10_000 if track == 2 else 0)))
        for index in range(count)
        for track in (1, 2)
    )


def stream(count: int, first: Fragment | None = None) -> list[Fragment]:
    """`count` fragments in a row, each with 16 blocks on both tracks and audio that is different everywhere."""
    start = first or Fragment()
    return [start.at(index, blocks=both_tracks(first=1 + index * 16)) for index in range(count)]
