"""A reader of what the stand-in writes, made for these tests alone: it trusts sizes and knows no streaming."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from simulator.kvs.stream import Reader

MASTERS = {"18538067", "1549A966", "1654AE6B", "AE", "1254C367", "7373", "67C8", "1F43B675"}


def elements(data: bytes) -> Iterator[tuple[str, bytes, int]]:
    """Identifier, payload and length of the size, in order; masters come before what they hold."""
    at = 0
    while at < len(data):
        length = 9 - data[at].bit_length()
        identifier = data[at : at + length].hex().upper()
        at += length
        size_bytes = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + size_bytes], "big") - (1 << 7 * size_bytes)
        at += size_bytes
        unknown = size == (1 << 7 * size_bytes) - 1
        if identifier in MASTERS:
            yield identifier, b"" if unknown else data[at : at + size], size_bytes
            continue
        assert not unknown
        assert at + size <= len(data), f"{identifier} is cut off"
        yield identifier, data[at : at + size], size_bytes
        at += size


@dataclass
class Document:
    """One fragment as it was given."""

    uid: bytes = b""
    tracks: dict[int, str] = field(default_factory=dict)
    track_uids: dict[str, int] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    tags_before_cluster: set[str] = field(default_factory=set)
    timecode: int = -1
    blocks: list[tuple[str, int, bytes]] = field(default_factory=list)  # track, media time, PCM

    @property
    def number(self) -> int:
        return int(self.tags["AWS_KINESISVIDEO_FRAGMENT_NUMBER"])

    @property
    def contact(self) -> str:
        return self.tags.get("ContactId", "")

    @property
    def error(self) -> int:
        return int(self.tags.get("AWS_KINESISVIDEO_ERROR_ID", "0"))

    def audio(self, track: str) -> bytes:
        return b"".join(pcm for name, _, pcm in self.blocks if name == track)

    def times(self, track: str) -> list[int]:
        return [at for name, at, _ in self.blocks if name == track]


def documents(data: bytes) -> list[Document]:
    found: list[Document] = []
    number = 0
    tag = ""
    for identifier, payload, _ in elements(data):
        if identifier == "1A45DFA3":
            found.append(Document())
        doc = found[-1]
        match identifier:
            case "73A4":
                doc.uid = payload
            case "D7":
                number = payload[0]
            case "73C5":
                doc.track_uids[str(number)] = int.from_bytes(payload, "big")
            case "536E":
                doc.tracks[number] = payload.rstrip(b"\x00").decode()
            case "45A3":
                tag = payload.decode()
            case "4487":
                doc.tags[tag] = payload.decode()
                if doc.timecode < 0:
                    doc.tags_before_cluster.add(tag)
            case "E7":
                doc.timecode = int.from_bytes(payload, "big")
            case "A3":
                at = doc.timecode + int.from_bytes(payload[1:3], "big", signed=True)
                doc.blocks.append((doc.tracks[payload[0] & 0x7F], at, payload[4:]))
    return found


def read_until(reader: Reader, now_ms: int, until_ms: int, step_ms: int = 10) -> bytes:
    """As a client that asks every 10 ms; stops when the body has ended."""
    data = b""
    while now_ms <= until_ms and not reader.ended:
        data += reader.read(now_ms)
        now_ms += step_ms
    return data
