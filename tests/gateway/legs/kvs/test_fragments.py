"""Whose audio it is: nothing of another contact, nothing twice, nothing of ours lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.legs.kvs.blocks import CallerBlock, ContactEnded, Direction, Position
from gateway.legs.kvs.errors import MatroskaError, StreamFailed
from gateway.legs.kvs.fragments import FragmentReader
from tests.gateway.legs.kvs import mkv
from tests.gateway.legs.kvs.mkv import FOREIGN, FROM, OURS, TO, Audio, Fragment

T0 = 1_700_000_000_000
FIRST = Fragment()
TWO = (Audio(1, 0, mkv.pcm(1)), Audio(2, 0, mkv.pcm(2)))
OTHER_UID = b"v" * 16


def feed(reader: FragmentReader, *parts: Fragment | bytes) -> list[CallerBlock | ContactEnded]:
    data = b"".join(part if isinstance(part, bytes) else part.encoded() for part in parts)
    return list(reader.feed(data))


def caller(events: Iterable[CallerBlock | ContactEnded]) -> list[CallerBlock]:
    return [event for event in events if isinstance(event, CallerBlock)]


def from_customer(events: Iterable[CallerBlock | ContactEnded]) -> list[int]:
    """The first sample of each block of the caller's: `mkv.both_tracks` numbers them."""
    blocks = [block for block in caller(events) if block.direction is Direction.FROM_CUSTOMER]
    return [int.from_bytes(block.pcm[:2], "little") for block in blocks]


def samples(fragments: Sequence[Fragment]) -> list[int]:
    return [
        int.from_bytes(audio.payload[:2], "little") for one in fragments for audio in one.blocks if audio.track == 1
    ]


@pytest.fixture
def reader() -> FragmentReader:
    return FragmentReader(OURS)


@pytest.fixture
def confirmed() -> FragmentReader:
    """A reader that has read fragment 100 of ours to its end."""
    reader = FragmentReader(OURS)
    assert caller(feed(reader, replace(FIRST, blocks=TWO)))
    return reader


def test_a_block_carries_its_time_its_direction_and_its_fragment(reader: FragmentReader) -> None:
    first, second = caller(feed(reader, replace(FIRST, blocks=(Audio(1, 0, b"abcd"), Audio(2, 64, b"wxyz")))))
    assert first == CallerBlock(T0, b"abcd", Direction.FROM_CUSTOMER, "100", T0 - 970, T0)
    assert second == CallerBlock(T0 + 64, b"wxyz", Direction.TO_CUSTOMER, "100", T0 - 970, T0)


def test_both_tracks_come_from_one_reader_in_the_order_of_the_stream(reader: FragmentReader) -> None:
    """One connection for both directions, none of which waits for the other."""
    events = caller(feed(reader, *mkv.stream(2)))
    assert len(events) == 64
    assert [event.media_ms for event in events] == sorted(event.media_ms for event in events)


def test_audio_is_held_back_until_its_contact_is_known(reader: FragmentReader) -> None:
    """The ContactId comes after the audio it belongs to."""
    fragment = replace(FIRST, blocks=TWO)
    assert feed(reader, fragment.head() + fragment.media()) == []
    assert len(feed(reader, mkv.tags({"ContactId": OURS}))) == 2


def test_audio_of_the_caller_before_is_never_given(reader: FragmentReader) -> None:
    """A reused stream begins with somebody else's fragments."""
    before = [FIRST.at(index, contact=FOREIGN, blocks=TWO) for index in range(3)]
    assert feed(reader, *before) == []
    assert reader.counters.foreign == 3
    assert len(feed(reader, FIRST.at(3, blocks=TWO))) == 2
    assert not reader.ended


def test_the_contact_may_be_named_before_the_audio(reader: FragmentReader) -> None:
    fragment = replace(FIRST, blocks=TWO, contact_before=True)
    assert len(feed(reader, fragment.head() + fragment.media())) == 2
    foreign = FragmentReader(OURS)
    assert feed(foreign, replace(fragment, contact=FOREIGN)) == []


def test_a_confirmed_contact_is_given_block_by_block(confirmed: FragmentReader) -> None:
    fragment = FIRST.at(1, blocks=TWO)
    media = fragment.media()
    assert feed(confirmed, fragment.head()) == []
    block = len(mkv.simple_block(2, 0, TWO[1].payload))
    assert len(feed(confirmed, media[:-block])) == 1
    assert len(feed(confirmed, media[-block:])) == 1
    assert feed(confirmed, fragment.tail()) == []


def test_the_last_fragment_needs_none_after_it(confirmed: FragmentReader) -> None:
    """A fragment given only when the next begins is late, and the last one is lost."""
    last = FIRST.at(1, blocks=TWO, contact=None)
    assert len(feed(confirmed, last)) == 2
    assert confirmed.position.fragment_number == "101"


def test_a_missing_contact_is_that_of_the_fragment_before(confirmed: FragmentReader) -> None:
    confirmed.restart()
    last = FIRST.at(1, blocks=TWO, contact=None, closing=False)
    assert feed(confirmed, last) == []
    assert len(feed(confirmed, FIRST.at(2, blocks=TWO).head())) == 2


def test_a_missing_contact_at_the_start_is_nobody(reader: FragmentReader) -> None:
    assert feed(reader, replace(FIRST, contact=None, blocks=TWO)) == []
    assert reader.counters.unidentified == 2


def test_a_missing_contact_after_a_foreign_one_is_foreign(reader: FragmentReader) -> None:
    feed(reader, replace(FIRST, contact=FOREIGN, blocks=TWO))
    assert feed(reader, FIRST.at(1, contact=None, blocks=TWO)) == []
    assert reader.counters.foreign == 2


def test_a_missing_contact_is_not_inherited_by_another_segment(confirmed: FragmentReader) -> None:
    assert feed(confirmed, FIRST.at(1, contact=None, blocks=TWO, uid=OTHER_UID)) == []
    assert confirmed.counters.unidentified == 2


def test_a_missing_contact_is_not_that_of_a_later_fragment(reader: FragmentReader) -> None:
    """The first fragment is nobody's; read again after the second, it would come out of order."""
    first, second = FIRST.at(0, contact=None, blocks=TWO), FIRST.at(1, blocks=TWO)
    assert len(feed(reader, first, second)) == 2
    reader.restart()
    assert feed(reader, first, second) == []


def test_a_new_segment_uid_holds_audio_back_again(confirmed: FragmentReader) -> None:
    stranger = FIRST.at(1, contact=FOREIGN, blocks=TWO, uid=OTHER_UID)
    assert feed(confirmed, stranger.head() + stranger.media()) == []
    assert feed(confirmed, stranger.tail()) == [ContactEnded(T0)]


def test_a_gap_in_the_media_holds_audio_back_again(confirmed: FragmentReader) -> None:
    stranger = FIRST.at(3, contact=FOREIGN, blocks=TWO)
    assert feed(confirmed, stranger.head() + stranger.media()) == []
    assert feed(confirmed, stranger.tail()) == [ContactEnded(T0)]


def test_our_own_audio_after_a_gap_is_given_when_it_is_known_to_be_ours(confirmed: FragmentReader) -> None:
    later = FIRST.at(3, blocks=TWO, after={"ContactId": OURS})
    assert feed(confirmed, later.head() + later.media()) == []
    assert len(feed(confirmed, later.tail())) == 2


def test_segment_uids_that_change_all_the_time_are_not_waited_for(reader: FragmentReader) -> None:
    uids = [bytes([index]) * 16 for index in range(5)]
    feed(reader, *(FIRST.at(index, blocks=TWO, uid=uid) for index, uid in enumerate(uids[:3])))
    fourth = FIRST.at(3, blocks=TWO, uid=uids[3])
    assert len(feed(reader, fourth.head() + fourth.media())) == 2


def test_a_foreign_fragment_after_ours_ends_the_contact(confirmed: FragmentReader) -> None:
    events = feed(confirmed, FIRST.at(1, contact=FOREIGN, contact_before=True, blocks=TWO), FIRST.at(2, blocks=TWO))
    assert events == [ContactEnded(T0)]
    assert confirmed.ended
    assert feed(confirmed, FIRST.at(3, blocks=TWO)) == []


def test_the_next_caller_is_noticed_after_a_reconnect_too(confirmed: FragmentReader) -> None:
    confirmed.restart()
    assert feed(confirmed, FIRST.at(1, contact=FOREIGN, blocks=TWO)) == [ContactEnded(T0)]


@pytest.mark.parametrize("before", [True, False])
def test_the_caller_before_us_read_again_is_not_the_next_caller(confirmed: FragmentReader, before: bool) -> None:
    confirmed.restart()
    earlier = FIRST.at(-1, contact=FOREIGN, blocks=TWO, contact_before=before)
    assert feed(confirmed, earlier) == []
    assert len(feed(confirmed, FIRST.at(1, blocks=TWO))) == 2


def test_a_foreign_fragment_without_any_time_ends_the_contact(confirmed: FragmentReader) -> None:
    timeless = {"AWS_KINESISVIDEO_PRODUCER_TIMESTAMP": "never"}
    bare = FIRST.at(1, contact=FOREIGN, with_cluster=False, before=timeless)
    assert feed(confirmed, bare) == [ContactEnded(T0)]


def test_audio_is_held_back_once_the_contact_may_have_ended(confirmed: FragmentReader) -> None:
    confirmed.contact_may_have_ended()
    for index in (1, 2):
        fragment = FIRST.at(index, blocks=TWO)
        assert feed(confirmed, fragment.head() + fragment.media()) == []
        assert len(feed(confirmed, fragment.tail())) == 2
    assert feed(confirmed, FIRST.at(3, contact=FOREIGN, blocks=TWO)) == [ContactEnded(T0 + 2 * 1024)]


def test_the_rest_of_an_open_fragment_is_held_back_too(confirmed: FragmentReader) -> None:
    fragment = FIRST.at(1, blocks=TWO)
    media = fragment.media()
    assert len(feed(confirmed, fragment.head() + media[:-100])) == 1
    confirmed.contact_may_have_ended()
    assert feed(confirmed, media[-100:]) == []
    assert len(feed(confirmed, fragment.tail())) == 1


def test_what_is_held_back_is_bounded() -> None:
    reader = FragmentReader(OURS, max_held_bytes=4 * 1024)
    fragment = replace(FIRST, blocks=mkv.both_tracks(8))
    events = feed(reader, fragment)
    assert len(events) == 4
    assert caller(events)[-1].pcm == fragment.blocks[-1].payload
    assert reader.counters.overflowed == 12


def test_a_fragment_read_again_is_given_once(reader: FragmentReader) -> None:
    fragments = mkv.stream(3)
    first = feed(reader, *fragments)
    reader.restart()
    again = feed(reader, *fragments, *mkv.stream(4)[3:])
    assert from_customer(first) + from_customer(again) == samples(mkv.stream(4))
    assert reader.counters.duplicates == 96


def test_a_fragment_that_was_cut_is_completed_and_given_once(reader: FragmentReader) -> None:
    fragments = mkv.stream(3)
    whole = b"".join(fragment.encoded() for fragment in fragments)
    start = len(fragments[0].encoded())
    for cut in range(start, len(whole) + 1, 97):
        reader = FragmentReader(OURS)
        events = feed(reader, whole[:cut])
        position = reader.position
        reader.restart()
        resumed = next(one for one in fragments if str(one.number) > position.fragment_number or position == Position())
        if position.fragment_number != "102":
            events += feed(reader, *(one for one in fragments if one.number >= resumed.number))
        assert from_customer(events) == samples(fragments)


def test_a_cut_fragment_is_remembered_over_another_cut(confirmed: FragmentReader) -> None:
    fragments = mkv.stream(3)
    cut = fragments[1].head() + fragments[1].media()
    first = feed(confirmed, cut)
    confirmed.restart()
    assert feed(confirmed, fragments[1].head()) == []
    confirmed.restart()
    assert first
    assert feed(confirmed, fragments[1]) == []


def test_old_fragment_numbers_are_forgotten(reader: FragmentReader) -> None:
    feed(reader, *(FIRST.at(index, blocks=TWO) for index in range(300)))
    reader.restart()
    assert len(feed(reader, FIRST.at(299, blocks=TWO))) == 0
    assert len(feed(reader, replace(FIRST, blocks=TWO))) == 2


def test_a_fragment_without_a_number_is_given_and_leaves_the_position(confirmed: FragmentReader) -> None:
    nameless = FIRST.at(1, blocks=TWO).encoded().replace(b"FRAGMENT_NUMBER", b"FRAGMENT_NUMBXX")
    assert len(feed(confirmed, nameless)) == 2
    assert confirmed.position.fragment_number == "100"


def test_the_position_follows_fragment_token_and_time(reader: FragmentReader) -> None:
    assert reader.position == Position()
    first, second = mkv.stream(2)
    feed(reader, first.head())
    assert reader.position == Position(open_fragment="100")
    feed(reader, first.media() + first.tail())
    assert reader.position == Position("100", "100", "", T0 + 15 * 64)
    feed(reader, second.head() + second.media())
    assert reader.position == Position("100", "100", "101", T0 + 1024 + 15 * 64)


def test_foreign_fragments_do_not_move_the_position(reader: FragmentReader) -> None:
    feed(reader, replace(FIRST, contact=FOREIGN, blocks=TWO))
    assert reader.position == Position()


def test_a_contact_that_is_named_twice_is_the_same(confirmed: FragmentReader) -> None:
    assert len(feed(confirmed, FIRST.at(1, blocks=TWO, contact_before=True, after={"ContactId": OURS}))) == 2


def test_how_far_behind_the_stream_is_read_is_known(reader: FragmentReader) -> None:
    feed(reader, replace(FIRST, after={"AWS_KINESISVIDEO_MILLIS_BEHIND_NOW": "1234"}, closing=False))
    assert reader.millis_behind_now == 1234


@pytest.mark.parametrize(("text", "error_id"), [("4000", 4000), ("", 0), ("many", 0)])
def test_an_error_inside_the_body_is_raised_after_what_came_before(
    reader: FragmentReader, text: str, error_id: int
) -> None:
    failed = FIRST.at(1, before={"AWS_KINESISVIDEO_ERROR_ID": text, "AWS_KINESISVIDEO_ERROR_CODE": "NOT_FOUND"})
    events = reader.feed(replace(FIRST, blocks=TWO).encoded() + failed.encoded())
    assert [type(next(events)) for _ in range(2)] == [CallerBlock] * 2
    with pytest.raises(StreamFailed) as caught:
        next(events)
    assert (caught.value.error_id, caught.value.code, caught.value.fragment_number) == (error_id, "NOT_FOUND", "101")
    assert str(caught.value) == f"GetMedia reported error {error_id} (NOT_FOUND) inside its body at fragment 101"


def test_an_error_needs_neither_code_nor_fragment(reader: FragmentReader) -> None:
    data = mkv.ebml() + mkv.segment() + mkv.tags({"AWS_KINESISVIDEO_ERROR_ID": "5000"})
    with pytest.raises(StreamFailed, match=r"^GetMedia reported error 5000 \(no code\) inside its body$"):
        feed(reader, data)


def test_odd_and_empty_blocks_do_no_harm(confirmed: FragmentReader) -> None:
    """Short blocks near the end of a call; neither they nor a silent track end the reading."""
    odd = (Audio(1, 0, b"abcde"), Audio(2, 0, b""), Audio(1, 64, b"x"), Audio(1, 128, mkv.pcm(3, 192)))
    events = caller(feed(confirmed, FIRST.at(1, blocks=odd)))
    assert [len(event.pcm) for event in events] == [4, 192]


def test_the_end_of_one_track_does_not_end_the_other(confirmed: FragmentReader) -> None:
    """Others end the session for both when one side falls silent."""
    only_ours = tuple(audio for audio in mkv.both_tracks() if audio.track == 2)
    assert len(feed(confirmed, FIRST.at(1, blocks=only_ours), FIRST.at(2, blocks=TWO))) == 18


def test_track_tables_belong_to_their_fragment(confirmed: FragmentReader) -> None:
    swapped = FIRST.at(1, blocks=TWO, names={1: TO, 2: FROM})
    assert [event.direction for event in caller(feed(confirmed, swapped))] == [
        Direction.TO_CUSTOMER,
        Direction.FROM_CUSTOMER,
    ]


@pytest.mark.parametrize("names", [None, {}, {1: None}, {1: ""}, {1: "Track_audio/L16"}])
def test_without_a_telling_name_a_track_is_the_callers(
    reader: FragmentReader, names: dict[int, str | None] | None
) -> None:
    """Track metadata may be missing."""
    events = caller(feed(reader, replace(FIRST, names=names, blocks=TWO[:1])))
    assert [event.direction for event in events] == [Direction.FROM_CUSTOMER]


def test_tags_name_tracks_that_have_no_name_and_are_kept_for_the_next_fragment(reader: FragmentReader) -> None:
    unnamed = replace(FIRST, names={1: None, 2: None}, blocks=TWO, after={TO: "1", FROM: "2"}, contact=None)
    events = caller(
        feed(reader, replace(unnamed, contact=OURS, contact_before=True, after={}, before={TO: "1", FROM: "2"}))
    )
    assert [event.direction for event in events] == [Direction.TO_CUSTOMER, Direction.FROM_CUSTOMER]
    following = caller(feed(reader, unnamed.at(1, contact=OURS)))
    assert [event.direction for event in following] == [Direction.TO_CUSTOMER, Direction.FROM_CUSTOMER]


def test_tags_do_not_contradict_names(reader: FragmentReader) -> None:
    fragment = replace(FIRST, blocks=TWO, before={TO: "1", FROM: "2"}, contact_before=True)
    assert next(event.direction for event in caller(feed(reader, fragment))) is Direction.FROM_CUSTOMER


def test_a_track_that_can_be_neither_is_counted_and_dropped(reader: FragmentReader) -> None:
    fragment = replace(FIRST, names={1: FROM, 2: "video", 3: ""}, blocks=(*TWO, Audio(3, 0, mkv.pcm(4))))
    assert len(feed(reader, fragment)) == 1
    assert reader.counters.unknown_track == 2


def test_unreadable_times_are_zero(reader: FragmentReader) -> None:
    fragment = replace(FIRST, blocks=TWO, before={
        "AWS_KINESISVIDEO_SERVER_TIMESTAMP": "inf", "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP": "-5"})  # fmt: skip
    block = caller(feed(reader, fragment))[0]
    assert (block.server_ms, block.producer_ms, block.media_ms) == (0, 0, T0)


def test_every_split_gives_the_same_blocks() -> None:
    fragments = [replace(one, blocks=one.blocks[:4]) for one in mkv.stream(2)]
    data = b"".join(fragment.encoded() for fragment in fragments)
    whole = feed(FragmentReader(OURS), data)
    for at in range(0, len(data) + 1, 3):
        reader = FragmentReader(OURS)
        assert [*reader.feed(data[:at]), *reader.feed(data[at:])] == whole


@example(owners=["ours"] * 3, untagged={0}, early=set(), cuts=[0.0, 0.0, 0.75], seed=12)
@given(
    owners=st.lists(st.sampled_from(["before", "ours", "after"]), max_size=8),
    untagged=st.sets(st.integers(0, 7)),
    early=st.sets(st.integers(0, 7)),
    cuts=st.lists(st.floats(0, 1), max_size=3),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_nothing_foreign_and_nothing_twice_however_a_session_is_cut(
    owners: list[str], untagged: set[int], early: set[int], cuts: list[float], seed: int
) -> None:
    """Three producer sessions on one stream, each with its SegmentUID; reconnects anywhere, from anywhere before."""
    order = sorted(owners, key=["before", "ours", "after"].index)
    contact = {"before": "b-foreign", "ours": OURS, "after": "a-foreign"}
    fragments = [
        FIRST.at(
            index,
            blocks=mkv.both_tracks(3, first=1 + 10 * index),
            contact=None if index in untagged else contact[owner],
            contact_before=index in early,
            uid=owner.encode().ljust(16),
        )
        for index, owner in enumerate(order)
    ]
    encoded = [fragment.encoded() for fragment in fragments]
    reader, random = FragmentReader(OURS), Random(seed)
    events: list[CallerBlock | ContactEnded] = []
    resume = 0
    for cut in [*cuts, 1.0]:
        data = b"".join(encoded[resume:])
        events += reader.feed(data[: int(len(data) * cut)])
        done = [index for index, one in enumerate(fragments) if str(one.number) == reader.position.fragment_number]
        resume = max(0, (done[0] + 1 if done else 0) - random.randrange(3))
        reader.restart()
    heard = from_customer(events)
    ours = samples([one for one, owner in zip(fragments, order, strict=True) if owner == "ours"])
    assert heard == sorted(set(heard))
    assert set(heard) <= set(ours)
    if not untagged:
        assert heard == ours


@given(data=st.binary(max_size=300), at=st.integers(0, 3000), length=st.integers(0, 50))
@settings(max_examples=100, deadline=None)
def test_garbage_raises_only_our_own_errors(data: bytes, at: int, length: int) -> None:
    stream = b"".join(one.encoded() for one in mkv.stream(1, replace(FIRST, contact_before=True)))
    mangled = stream[: at % len(stream)] + data + stream[at % len(stream) + length :]
    with suppress(MatroskaError, StreamFailed):
        feed(FragmentReader(OURS), mangled)
