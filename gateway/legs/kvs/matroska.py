"""An incremental Matroska reader without I/O, for the endless body of GetMedia.

The body is a concatenation of documents, one per fragment, whose Segment and Cluster have unknown size. The
reader walks from element to element by their sizes (it never searches for magic bytes: they may occur in
audio), as a generator that stops where bytes are missing. Each byte is looked at once, and no more than one
element is kept: a block as long as `Limits.max_block_bytes`, or a table as long as `Limits.max_table_bytes`.
What is not read (Void, CRC-32, Cues, codec data, ...) is passed over without being kept.

Structure after RFC 8794 (EBML) and RFC 9559 (Matroska).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from gateway.legs.kvs.ebml import SIZE_LENGTH, SIZE_MASK, UNKNOWN, children, read_header, size_of, text, uint
from gateway.legs.kvs.errors import (
    ElementMisplaced,
    ElementTooLarge,
    LacingRefused,
    MalformedVint,
    MatroskaError,
    TruncatedDocument,
)

EBML, SEGMENT, INFO, TRACKS, TAGS, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1254C367, 0x1F43B675
DOC_TYPE, SEGMENT_UID, TIMECODE_SCALE = 0x4282, 0x73A4, 0x2AD7B1
TRACK_ENTRY, TRACK_NUMBER, TRACK_NAME = 0xAE, 0xD7, 0x536E
TAG, SIMPLE_TAG, TAG_NAME, TAG_STRING = 0x7373, 0x67C8, 0x45A3, 0x4487
TIMECODE, SIMPLE_BLOCK, BLOCK_GROUP, BLOCK = 0xE7, 0xA3, 0xA0, 0xA1
VOID, CRC_32 = 0xEC, 0xBF

DEFAULT_TIMECODE_SCALE = 1_000_000  # ns per tick: timecodes are milliseconds
_LONGEST_LOWER_ID = 0x0FFFFFFF  # ids of level 0 and 1 have 4 bytes, those of a Cluster's children fewer
_LACING = 0x06
_HEADER_BLOCK = 3  # int16 timecode and flags, after the track number


@dataclass(frozen=True, slots=True)
class Limits:
    """What the reader is prepared to keep, in bytes or entries; more raises ElementTooLarge."""

    max_block_bytes: int = 64 * 1024  # 4 s of 8 kHz audio; Connect writes 1,024
    max_table_bytes: int = 64 * 1024  # EBML header, Info, Tracks, Tags
    max_skipped_bytes: int = 1024 * 1024  # not kept, but nothing is read meanwhile
    max_tracks: int = 16
    max_tags: int = 256


@dataclass(frozen=True, slots=True)
class DocumentStart:
    """A new document, and with GetMedia a new fragment."""

    doc_type: str


@dataclass(frozen=True, slots=True)
class SegmentInfo:
    """`uid` is empty where the document has none; `timecode_scale` is nanoseconds per tick."""

    uid: bytes
    timecode_scale: int


@dataclass(frozen=True, slots=True)
class Tracks:
    """Track number to name ("" where it has none)."""

    names: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Tags:
    """All tags of one Tags element, name to text; a later one replaces an earlier one of the same name."""

    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ClusterStart:
    timecode_ms: int


@dataclass(frozen=True, slots=True)
class Block:
    """One frame; `timecode_ms` is absolute, rounded down to a millisecond."""

    track_number: int
    timecode_ms: int
    payload: bytes


Event = DocumentStart | SegmentInfo | Tracks | Tags | ClusterStart | Block

_T = TypeVar("_T")
_Parsing = Generator[Event | None, None, _T]
_Header = tuple[int, int]  # id, size of the content


class MatroskaReader:
    """Feed it bytes as they come; each event is out as soon as its last byte is in."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._buffer = bytearray()
        self._pos = 0  # of the next byte to look at, within the buffer
        self._dropped = 0  # bytes that were in the buffer before
        self._header_at = 0  # absolute offset of the newest element's first byte
        self._between = True  # waits for an element that need not come: all that is open has unknown size
        self._scale = DEFAULT_TIMECODE_SCALE
        self._parsing = self._documents()
        self._error: MatroskaError | None = None

    def feed(self, data: bytes) -> Iterator[Event]:
        """Take the next bytes and iterate over what they complete.

        The bytes are taken at once; events that were not iterated over come with the next call.

        Raises:
            MatroskaError: while iterating, after the events before the fault; the reader is of no more use.
        """
        del self._buffer[: self._pos]
        self._dropped += self._pos
        self._pos = 0
        self._buffer += data
        return self._events()

    def end(self) -> None:
        """Say that no more bytes will come.

        Raises:
            TruncatedDocument: they ended inside an element.
        """
        if self._error:
            raise self._error
        left = len(self._buffer) - self._pos
        if left or not self._between:
            raise TruncatedDocument(self._dropped + len(self._buffer), "the bytes end", "the rest of an element")

    def _events(self) -> Iterator[Event]:
        if self._error:
            raise self._error
        try:
            while (event := next(self._parsing)) is not None:
                yield event
        except MatroskaError as error:
            self._error = error
            raise

    def _documents(self) -> _Parsing[None]:
        header: _Header | None = None
        started = False
        while True:
            while header is None and (header := self._header()) is None:
                self._between = True
                yield None
            ident, size = header
            header = None
            if ident == EBML:
                started = True
                yield self._document_start((yield from self._table(size, "EBML header")))
            elif ident == SEGMENT and started:
                header = yield from self._segment(None if size == UNKNOWN else self._offset + size)
            elif ident in (VOID, CRC_32):
                yield from self._skip(size)
            else:
                raise ElementMisplaced(self._header_at, f"element {ident:#x}", "an EBML header, or a Segment after it")

    def _segment(self, end: int | None) -> _Parsing[_Header | None]:
        """Read a Segment's children; gives back the header that ended a Segment of unknown size."""
        header: _Header | None = None
        while header is not None or end is None or self._offset < end:
            while header is None and (header := self._header()) is None:
                self._between = end is None
                yield None
            ident, size = header
            header = None
            if end is None and ident in (EBML, SEGMENT):
                return ident, size
            if end is not None:
                self._inside(size, end)
            if ident == CLUSTER:
                header = yield from self._cluster(end if size == UNKNOWN else self._offset + size, size == UNKNOWN)
            elif ident == TAGS:
                yield self._tags((yield from self._table(size, "Tags")))
            elif ident == TRACKS:
                yield self._tracks((yield from self._table(size, "Tracks")))
            elif ident == INFO:
                yield self._info((yield from self._table(size, "Info")))
            elif ident in (EBML, SEGMENT):
                raise ElementMisplaced(
                    self._header_at, f"element {ident:#x}", f"children of a Segment up to byte {end}"
                )
            else:
                yield from self._skip(size)
        return None

    def _cluster(self, end: int | None, open_ended: bool) -> _Parsing[_Header | None]:
        """Read a Cluster's children; gives back the header that ended a Cluster of unknown size."""
        buffer = self._buffer
        max_block = self._limits.max_block_bytes
        timecode: int | None = None
        while end is None or self._offset < end:
            while (header := self._header()) is None:
                self._between = end is None
                yield None
            ident, size = header
            if ident > _LONGEST_LOWER_ID:
                if open_ended:
                    return header
                raise ElementMisplaced(
                    self._header_at, f"element {ident:#x}", f"children of a Cluster up to byte {end}"
                )
            if end is not None:
                self._inside(size, end)
            if ident in (SIMPLE_BLOCK, BLOCK_GROUP):
                if not 0 <= size <= max_block:
                    raise ElementTooLarge(self._header_at, size_of("block", size), f"at most {max_block} bytes")
                while len(buffer) - self._pos < size:
                    self._between = False
                    yield None
                if timecode is None:
                    raise ElementMisplaced(self._header_at, "a block", "the Timecode of its Cluster before it")
                start = self._pos
                self._pos = start + size
                if ident == SIMPLE_BLOCK:
                    yield self._block(buffer, start, start + size, self._dropped, timecode)
                else:
                    yield from self._block_group(bytes(buffer[start : start + size]), timecode)
            elif ident == TIMECODE:
                timecode = uint((yield from self._table(size, "Timecode")), self._header_at)
                yield ClusterStart(timecode * self._scale // 1_000_000)
            else:
                yield from self._skip(size)
        return None

    def _block(self, data: bytes | bytearray, start: int, stop: int, base: int, cluster: int) -> Block:
        length = SIZE_LENGTH[data[start]] if start < stop else 0
        content = start + length + _HEADER_BLOCK
        if not length or content > stop:
            raise MalformedVint(base + start, "a block without a header", "track number, timecode and flags")
        if data[content - 1] & _LACING:
            raise LacingRefused(base + start, "a block with lacing", "one frame per block")
        track = int.from_bytes(data[start : start + length], "big") & SIZE_MASK[length]
        relative = int.from_bytes(data[start + length : start + length + 2], "big", signed=True)
        return Block(track, (cluster + relative) * self._scale // 1_000_000, bytes(data[content:stop]))

    def _block_group(self, body: bytes, cluster: int) -> Iterator[Block]:
        base = self._offset - len(body)
        for ident, start, stop in children(body, base):
            if ident == BLOCK:
                yield self._block(body, start, stop, base, cluster)

    def _document_start(self, body: bytes) -> DocumentStart:
        doc_type = "matroska"
        for ident, start, stop in children(body, self._offset - len(body)):
            if ident == DOC_TYPE:
                doc_type = text(body[start:stop])
        if doc_type not in ("matroska", "webm"):
            raise ElementMisplaced(self._header_at, f"a document of type {doc_type[:32]!r}", "matroska or webm")
        self._scale = DEFAULT_TIMECODE_SCALE
        return DocumentStart(doc_type)

    def _info(self, body: bytes) -> SegmentInfo:
        uid = b""
        base = self._offset - len(body)
        for ident, start, stop in children(body, base):
            if ident == SEGMENT_UID:
                uid = body[start:stop]
            elif ident == TIMECODE_SCALE:
                self._scale = uint(body[start:stop], base + start) or DEFAULT_TIMECODE_SCALE
        return SegmentInfo(uid, self._scale)

    def _tracks(self, body: bytes) -> Tracks:
        names: dict[int, str] = {}
        base = self._offset - len(body)
        for ident, start, stop in children(body, base):
            if ident == TRACK_ENTRY:
                number, name = _track(body[start:stop], base + start)
                names[number] = name
        if len(names) > self._limits.max_tracks:
            raise ElementTooLarge(self._header_at, f"{len(names)} tracks", f"at most {self._limits.max_tracks}")
        return Tracks(names)

    def _tags(self, body: bytes) -> Tags:
        values: dict[str, str] = {}
        base = self._offset - len(body)
        for tag, tag_start, tag_stop in children(body, base):
            if tag != TAG:
                continue
            for ident, start, stop in children(body[tag_start:tag_stop], base + tag_start):
                if ident == SIMPLE_TAG:
                    name, value = _simple_tag(body[tag_start + start : tag_start + stop], base + tag_start + start)
                    values[name] = value
        if len(values) > self._limits.max_tags:
            raise ElementTooLarge(self._header_at, f"{len(values)} tags", f"at most {self._limits.max_tags}")
        return Tags(values)

    def _header(self) -> _Header | None:
        """Pass over the next element's id and size; None while they are not there yet."""
        pos = self._pos
        found = read_header(self._buffer, pos, len(self._buffer), self._dropped)
        if found is None:
            return None
        self._header_at = self._dropped + pos
        ident, size, self._pos = found
        return ident, size

    def _table(self, size: int, name: str) -> _Parsing[bytes]:
        limit = self._limits.max_table_bytes
        if not 0 <= size <= limit:
            raise ElementTooLarge(self._header_at, size_of(name, size), f"at most {limit} bytes")
        while len(self._buffer) - self._pos < size:
            self._between = False
            yield None
        start = self._pos
        self._pos += size
        return bytes(self._buffer[start : start + size])

    def _skip(self, size: int) -> _Parsing[None]:
        limit = self._limits.max_skipped_bytes
        if not 0 <= size <= limit:
            raise ElementTooLarge(self._header_at, size_of("unread element", size), f"at most {limit} bytes")
        while size > (available := len(self._buffer) - self._pos):
            self._pos += available
            size -= available
            self._between = False
            yield None
        self._pos += size

    def _inside(self, size: int, end: int) -> None:
        if self._offset + max(size, 0) > end:
            raise ElementMisplaced(self._header_at, size_of("element", size), f"its end not after byte {end}")

    @property
    def _offset(self) -> int:
        return self._dropped + self._pos


def _track(body: bytes, base: int) -> tuple[int, str]:
    """Number and name of a TrackEntry; 0 where it has no number, which no block can name."""
    number, name = 0, ""
    for ident, start, stop in children(body, base):
        if ident == TRACK_NUMBER:
            number = uint(body[start:stop], base + start)
        elif ident == TRACK_NAME:
            name = text(body[start:stop])
    return number, name


def _simple_tag(body: bytes, base: int) -> tuple[str, str]:
    name = value = ""
    for ident, start, stop in children(body, base):
        if ident == TAG_NAME:
            name = text(body[start:stop])
        elif ident == TAG_STRING:
            value = text(body[start:stop])
    return name, value
