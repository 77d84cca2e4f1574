"""The reader alone: bytes in, events out, whatever the bytes and however they are cut."""

from __future__ import annotations

import sys
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.legs.kvs.errors import (
    ElementMisplaced,
    ElementTooLarge,
    LacingRefused,
    MalformedVint,
    MatroskaError,
    TruncatedDocument,
)
from gateway.legs.kvs.matroska import (
    Block,
    ClusterStart,
    DocumentStart,
    Event,
    Limits,
    MatroskaReader,
    SegmentInfo,
    Tags,
    Tracks,
)
from tests.gateway.legs.kvs import mkv
from tests.gateway.legs.kvs.mkv import Audio, Fragment


def read(data: bytes, *, limits: Limits | None = None) -> list[Event]:
    return list(MatroskaReader(limits).feed(data))


def blocks(data: bytes) -> list[Block]:
    return [event for event in read(data) if isinstance(event, Block)]


def in_cluster(content: bytes, *, scale: int | None = 1_000_000, size: bytes | None = mkv.UNKNOWN_1) -> bytes:
    return mkv.ebml() + mkv.segment() + mkv.info(scale=scale) + mkv.cluster(mkv.uint(0xE7, 1000) + content, size)


SMALL = Fragment(blocks=(Audio(1, 0, b"abcd"), Audio(2, 0, b"wxyz"), Audio(1, 64, b"efgh")), start_ms=1_726_677_688_724)
SMALL_EVENTS: list[Event] = [
    DocumentStart("matroska"),
    SegmentInfo(b"u" * 16, 1_000_000),
    Tracks({1: mkv.FROM, 2: mkv.TO}),
    Tags(
        {
            "AWS_KINESISVIDEO_FRAGMENT_NUMBER": "100",
            "AWS_KINESISVIDEO_SERVER_TIMESTAMP": "1726677687.754",
            "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP": "1726677688.724",
        }
    ),
    ClusterStart(1_726_677_688_724),
    Block(1, 1_726_677_688_724, b"abcd"),
    Block(2, 1_726_677_688_724, b"wxyz"),
    Block(1, 1_726_677_688_788, b"efgh"),
    Tags({"ContactId": mkv.OURS}),
    Tags({"InstanceId": "i-1"}),
    Tags({"MimeType": "audio/L16;rate=8000;channels=1;"}),
    Tags({"AWS_KINESISVIDEO_MILLIS_BEHIND_NOW": "0", "AWS_KINESISVIDEO_CONTINUATION_TOKEN": "100"}),
]


def test_a_fragment_becomes_its_events_in_order() -> None:
    assert read(SMALL.encoded()) == SMALL_EVENTS


def test_documents_follow_each_other_without_an_end() -> None:
    data = SMALL.encoded() * 3
    reader = MatroskaReader()
    assert list(reader.feed(data)) == SMALL_EVENTS * 3
    reader.end()


def test_every_split_in_two_gives_the_same_events() -> None:
    data = SMALL.encoded() + SMALL.encoded()
    for at in range(len(data) + 1):
        reader = MatroskaReader()
        assert [*reader.feed(data[:at]), *reader.feed(data[at:])] == SMALL_EVENTS * 2
        reader.end()


def test_byte_by_byte_gives_the_same_events() -> None:
    reader = MatroskaReader()
    data = SMALL.encoded() * 2
    assert [event for index in range(len(data)) for event in reader.feed(data[index : index + 1])] == SMALL_EVENTS * 2


def test_an_event_is_out_with_its_last_byte() -> None:
    """A reader that waits for the next document is a second late and never gives the last one."""
    head, media = SMALL.head(), SMALL.media()
    reader = MatroskaReader()
    list(reader.feed(head + media[:-1]))
    assert list(reader.feed(media[-1:])) == [SMALL_EVENTS[7]]


def test_events_that_nobody_took_come_with_the_next_call() -> None:
    reader = MatroskaReader()
    reader.feed(SMALL.head())
    assert list(reader.feed(b"")) == SMALL_EVENTS[:4]


def test_work_grows_with_the_bytes_and_not_with_their_square() -> None:
    """Others look at the whole buffer again for each chunk. Calls are counted: time depends on the machine."""

    def calls(size: int) -> int:
        data = in_cluster(mkv.simple_block(1, 0, bytes(size)) + mkv.simple_block(1, 64, bytes(100)) * (size // 100))
        reader = MatroskaReader(Limits(max_block_bytes=size + 8))
        count = 0

        def note(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(note)
        try:
            for at in range(0, len(data), 64):
                list(reader.feed(data[at : at + 64]))
        finally:
            sys.setprofile(None)
        return count

    assert calls(80_000) < calls(10_000) * 9


@pytest.mark.parametrize("length", [1, 2, 3, 4, 8])
def test_a_track_number_may_have_more_than_one_byte(length: int) -> None:
    """Others assume a block header of four bytes."""
    data = in_cluster(mkv.element(0xA3, mkv.block(5, -3, b"pcm!", track_length=length)))
    assert blocks(data) == [Block(5, 997, b"pcm!")]


def test_a_block_group_holds_a_block() -> None:
    group = mkv.element(0xA0, mkv.uint(0x9B, 64) + mkv.element(0xA1, mkv.block(1, 64, b"pcm!")))
    assert blocks(in_cluster(group)) == [Block(1, 1064, b"pcm!")]


def test_blocks_of_every_length_are_given_as_they_are() -> None:
    """Others drop what is not 1,024 bytes."""
    content = b"".join(mkv.simple_block(1, 0, bytes(size)) for size in (0, 1, 192, 1024))
    assert [len(block.payload) for block in blocks(in_cluster(content))] == [0, 1, 192, 1024]


def test_timecodes_follow_the_timecode_scale() -> None:
    data = in_cluster(mkv.simple_block(1, 7, b"x"), scale=500_000)
    assert blocks(data) == [Block(1, 503, b"x")]
    assert ClusterStart(500) in read(data)


def test_the_timecode_scale_is_one_millisecond_where_none_is_given() -> None:
    data = in_cluster(mkv.simple_block(1, 7, b"x"), scale=500_000) + in_cluster(
        mkv.simple_block(1, 7, b"y"), scale=None
    )
    assert blocks(data)[1] == Block(1, 1007, b"y")
    assert blocks(in_cluster(mkv.simple_block(1, 7, b"y"), scale=0)) == [Block(1, 1007, b"y")]


def test_void_checksums_and_unknown_elements_are_passed_over() -> None:
    junk = mkv.element(0xEC, bytes(300)) + mkv.element(0xBF, b"crc!") + mkv.element(0x5ABC, b"what")
    data = junk[:303] + mkv.ebml() + junk[:303] + mkv.segment() + junk + mkv.info() + junk
    data += mkv.cluster(junk + mkv.uint(0xE7, 5) + junk + mkv.simple_block(1, 0, b"a") + junk)
    assert blocks(data) == [Block(1, 5, b"a")]


@pytest.mark.parametrize("cluster_size", [mkv.UNKNOWN_1, mkv.UNKNOWN_8, None])
@pytest.mark.parametrize("segment_size", [mkv.UNKNOWN_1, mkv.UNKNOWN_8, None])
def test_segment_and_cluster_may_have_known_and_unknown_sizes(
    segment_size: bytes | None, cluster_size: bytes | None
) -> None:
    cluster = mkv.cluster(mkv.uint(0xE7, 1) + mkv.simple_block(1, 0, b"a"), cluster_size)
    document = mkv.ebml() + mkv.segment(mkv.info() + cluster + cluster, segment_size)
    reader = MatroskaReader()
    events = [*reader.feed(document[:-1]), *reader.feed(document[-1:] + document)]
    assert [event for event in events if isinstance(event, Block)] == [Block(1, 1, b"a")] * 4
    reader.end()


def test_tags_may_follow_an_open_cluster_and_another_cluster_them() -> None:
    cluster = mkv.cluster(mkv.uint(0xE7, 1) + mkv.simple_block(1, 0, b"a"))
    data = mkv.ebml() + mkv.segment(cluster + mkv.tags({"a": "b"}) + cluster)
    assert [type(event) for event in read(data)] == [DocumentStart, ClusterStart, Block, Tags, ClusterStart, Block]


def test_a_new_segment_ends_an_open_one() -> None:
    data = mkv.ebml() + mkv.segment(mkv.info()) + mkv.segment(mkv.info())
    assert [type(event) for event in read(data)] == [DocumentStart, SegmentInfo, SegmentInfo]


def test_the_magic_bytes_may_occur_in_audio() -> None:
    payload = bytes.fromhex("1a45dfa3 1f43b675 18538067") * 20
    assert blocks(in_cluster(mkv.simple_block(1, 0, payload)))[0].payload == payload


def test_tables_without_what_we_look_for_are_no_error() -> None:
    """Metadata may be missing."""
    nameless = mkv.element(
        0x1654AE6B, mkv.element(0xAE, mkv.uint(0xD7, 3)) + mkv.element(0xAE, b"") + mkv.uint(0xD7, 1)
    )
    other = mkv.element(0x63C0, b"")
    bare = mkv.element(0x67C8, mkv.text(0x45A3, "name") + other)
    odd = mkv.element(0x1254C367, other + mkv.element(0x7373, other + bare))
    data = mkv.ebml() + mkv.segment(mkv.info(uid=b"") + nameless + odd)
    assert read(data)[1:] == [SegmentInfo(b"", 1_000_000), Tracks({3: "", 0: ""}), Tags({"name": ""})]


def test_webm_is_read_and_other_documents_are_not() -> None:
    assert read(mkv.ebml("webm")) == [DocumentStart("webm")]
    with pytest.raises(ElementMisplaced, match="'mp4'"):
        read(mkv.ebml("mp4"))


@pytest.mark.parametrize("flags", [0x02, 0x04, 0x06])
def test_lacing_is_refused(flags: int) -> None:
    with pytest.raises(LacingRefused) as caught:
        read(in_cluster(mkv.element(0xA3, mkv.block(1, 0, b"x", flags=flags))))
    assert str(caught.value) == f"byte {caught.value.offset}: a block with lacing, expected one frame per block"


@pytest.mark.parametrize("content", [b"", b"\x81", b"\x81\0\0", b"\x00\0\0\0x"])
def test_a_block_without_its_header_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedVint):
        read(in_cluster(mkv.element(0xA3, content)))


def test_a_block_before_the_timecode_is_refused() -> None:
    with pytest.raises(ElementMisplaced, match="Timecode"):
        read(mkv.ebml() + mkv.segment() + mkv.cluster(mkv.simple_block(1, 0, b"x")))


@pytest.mark.parametrize(
    "data",
    [
        mkv.segment(),  # without an EBML header
        mkv.ebml() + mkv.info(),  # outside a Segment
        mkv.ebml() + mkv.segment(mkv.ebml(), None),  # a document within a Segment of known size
        mkv.ebml() + mkv.segment(mkv.cluster(mkv.tags({}), None)),  # Tags within a Cluster of known size
        mkv.ebml() + mkv.segment(mkv.cluster(b"\xe7\x88\1\1\1\1"[:3], None)),  # longer than its Cluster
        mkv.ebml() + mkv.segment(b"\x15\x49\xa9\x66\x85\1", None),  # longer than its Segment
    ],
)
def test_an_element_where_it_cannot_be_is_refused(data: bytes) -> None:
    with pytest.raises(ElementMisplaced):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        in_cluster(b"\xa3" + mkv.vint(65_537, 8)),
        in_cluster(b"\xa3\xff"),
        in_cluster(b"\xec" + mkv.vint(1 << 21)),
        in_cluster(b"\xec\xff"),
        in_cluster(mkv.element(0xE7, b"\1" * 9)),
        mkv.ebml() + mkv.segment() + bytes.fromhex("1254c367") + mkv.vint(1 << 40, 8),
        mkv.ebml() + mkv.segment() + bytes.fromhex("1254c367ff"),
        mkv.ebml() + mkv.segment() + mkv.tracks(dict.fromkeys(range(17), "x")),
        mkv.ebml() + mkv.segment() + mkv.tags({str(number): "x" for number in range(257)}),
    ],
)
def test_what_is_larger_than_the_limits_is_refused_before_it_is_kept(data: bytes) -> None:
    with pytest.raises(ElementTooLarge):
        read(data)


def test_the_events_before_a_fault_are_given_and_the_fault_comes_again() -> None:
    reader = MatroskaReader()
    events = reader.feed(SMALL.encoded() + b"\0\0")
    assert [next(events) for _ in SMALL_EVENTS] == SMALL_EVENTS
    with pytest.raises(MalformedVint) as caught:
        next(events)
    for again in (lambda: list(reader.feed(SMALL.encoded())), reader.end):
        with pytest.raises(MalformedVint):
            again()
    assert caught.value.offset == len(SMALL.encoded())


def test_an_end_within_an_element_is_told() -> None:
    data = SMALL.encoded() + mkv.ebml() + mkv.segment(mkv.info() + mkv.element(0xEC, bytes(50)), None)
    document = len(SMALL.encoded())
    complete = {0, document, document + len(mkv.ebml()), len(data)}
    for at in range(len(data) + 1):
        reader = MatroskaReader()
        list(reader.feed(data[:at]))
        if at in complete:
            reader.end()
        elif at > document:
            with pytest.raises(TruncatedDocument) as caught:
                reader.end()
            assert caught.value.offset == at


def test_a_fragment_cut_in_a_block_is_truncated_and_cut_between_blocks_is_not() -> None:
    whole = SMALL.head() + SMALL.media()
    reader = MatroskaReader()
    list(reader.feed(whole))
    reader.end()
    reader = MatroskaReader()
    list(reader.feed(whole[:-1]))
    with pytest.raises(TruncatedDocument):
        reader.end()


ANY_LIMITS = Limits(max_block_bytes=2048, max_table_bytes=2048, max_skipped_bytes=4096)


def survive(data: bytes, cuts: list[int]) -> None:
    """Feed it in pieces: events or a MatroskaError at the same place for every cutting, and little memory."""

    def outcome(pieces: list[bytes]) -> tuple[list[Event], tuple[int, str] | None]:
        reader = MatroskaReader(ANY_LIMITS)
        events: list[Event] = []
        try:
            for piece in pieces:
                for event in reader.feed(piece):
                    events.append(event)
        except MatroskaError as error:
            return events, (error.offset, error.what)
        assert len(reader._buffer) - reader._pos <= 2048 + 12
        return events, None

    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[start:stop] for start, stop in pairwise(edges)]
    assert outcome(pieces) == outcome([data])


CUTS = st.lists(st.integers(0, 5000), max_size=8)


@given(data=st.binary(max_size=400), cuts=CUTS)
@settings(max_examples=100, deadline=None)
def test_garbage_raises_nothing_but_a_matroska_error(data: bytes, cuts: list[int]) -> None:
    survive(data, cuts)
    survive(mkv.ebml() + mkv.segment() + data, cuts)
    survive(in_cluster(data), cuts)


@given(
    changes=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=6),
    stop=st.integers(0, 5000),
    cuts=CUTS,
)
@settings(max_examples=150, deadline=None)
def test_changed_and_cut_streams_raise_nothing_but_a_matroska_error(
    changes: list[tuple[int, int]], stop: int, cuts: list[int]
) -> None:
    data = bytearray(SMALL.encoded() * 2)
    for at, byte in changes:
        data[at % len(data)] = byte
    survive(bytes(data[: stop % len(data) or None]), cuts)


def test_memory_stays_bounded_however_long_the_body() -> None:
    fragment = Fragment(blocks=mkv.both_tracks()).encoded()
    reader = MatroskaReader()
    list(reader.feed(fragment))
    tracemalloc.start()
    try:
        for _ in range(100):
            for at in range(0, len(fragment), 1460):
                list(reader.feed(fragment[at : at + 1460]))
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024
    finally:
        tracemalloc.stop()


def test_a_long_unread_element_is_not_kept() -> None:
    reader = MatroskaReader()
    list(reader.feed(in_cluster(b"\xec" + mkv.vint(1_000_000, 8))))
    for _ in range(100):
        list(reader.feed(bytes(10_000)))
        assert len(reader._buffer) <= 10_000
    assert list(reader.feed(mkv.simple_block(1, 0, b"x"))) == [Block(1, 1000, b"x")]
