"""What a stream gives to readers: when, from where, and with which awkward habits."""

from __future__ import annotations

import pytest

from simulator.kvs import mkv
from simulator.kvs.faults import Corrupted, Cut, Fault, InBand, KvsRefusal, Refusal, Refused
from simulator.kvs.habits import Delivery, Habits, LastTags, TrackOrder
from simulator.kvs.stream import (
    BLOCK_MS,
    BLOCKS_A_FRAGMENT,
    FIRST_NUMBER,
    FURTHEST_MS,
    NoFragment,
    Reader,
    Stream,
)
from tests.simulator.kvs.reading import Document, documents, elements, read_until

T = 1_790_000_000_000
ARN = "arn:aws:kinesisvideo:eu-central-1:111122223333:stream/voiceai-connect-x-contact-1/1790000000000"
TAME = Habits(track_order=TrackOrder.CALLER_FIRST, last_tags=LastTags.ALL, short_end=False, server_clock_ms=0)
AT_ONCE = Delivery(delay_ms=0)
FRAGMENT_MS = BLOCKS_A_FRAGMENT * BLOCK_MS
EARLIEST = {"StartSelectorType": "EARLIEST"}


def stream(habits: Habits = TAME, delivery: Delivery = AT_ONCE) -> Stream:
    return Stream(ARN, "instance-1", delivery, habits)


def said(index: int) -> bytes:
    return index.to_bytes(2, "little") * 512


def heard(index: int) -> bytes:
    return (index | 0x4000).to_bytes(2, "little") * 512


def talk(into: Stream, blocks: int, contact: str = "contact-1", since_ms: int = T) -> int:
    """Blocks in real time; returns when the last one was written."""
    for index in range(blocks):
        at = since_ms + index * BLOCK_MS
        into.write(contact, at, said(index), heard(index), at + BLOCK_MS)
    return since_ms + blocks * BLOCK_MS


def all_of(from_: Stream, now_ms: int, **selector: object) -> list[Document]:
    return documents(from_.reader(selector or EARLIEST, now_ms).read(now_ms))


# -- what is written -------------------------------------------------------------------------------------------


def test_a_fragment_holds_sixteen_blocks_of_each_track() -> None:
    written = stream()
    end = talk(written, 40)
    written.stop(end)
    docs = all_of(written, end)
    assert [len(doc.blocks) for doc in docs] == [32, 32, 16]
    assert [doc.timecode for doc in docs] == [T, T + FRAGMENT_MS, T + 2 * FRAGMENT_MS]
    assert [doc.number for doc in docs] == [fragment.number for fragment in written.fragments]
    times = [at for doc in docs for at in doc.times(mkv.FROM_CUSTOMER)]
    assert times == [T + index * BLOCK_MS for index in range(40)]
    assert b"".join(doc.audio(mkv.FROM_CUSTOMER) for doc in docs) == b"".join(map(said, range(40)))
    assert b"".join(doc.audio(mkv.TO_CUSTOMER) for doc in docs) == b"".join(map(heard, range(40)))
    assert {doc.contact for doc in docs} == {"contact-1"}
    assert docs[0].tags["AWS_KINESISVIDEO_PRODUCER_TIMESTAMP"] == mkv.seconds(T)
    assert docs[0].tags["AWS_KINESISVIDEO_SERVER_TIMESTAMP"] == mkv.seconds(T + BLOCK_MS)


def test_fragment_numbers_only_grow() -> None:
    written = stream()
    announced = [written.last_number, written.next_number]
    talk(written, 48)
    numbers = [fragment.number for fragment in written.fragments]
    assert numbers == sorted(set(numbers))
    assert announced[0] < announced[1] == numbers[0] == FIRST_NUMBER
    assert numbers[-1] == written.last_number < written.next_number
    assert numbers[2] - numbers[1] != numbers[1] - numbers[0]
    assert len(str(numbers[-1])) == 47


def test_another_contact_gets_a_fragment_of_its_own() -> None:
    written = stream()
    end = talk(written, 4)
    end = talk(written, 4, "contact-2", end)
    written.stop(end)
    docs = all_of(written, end)
    assert [(doc.contact, len(doc.blocks)) for doc in docs] == [("contact-1", 8), ("contact-2", 8)]
    assert docs[0].uid != docs[1].uid


def test_each_start_of_streaming_has_its_own_identity() -> None:
    written = stream()
    end = talk(written, 4)
    written.stop(end)
    end = talk(written, 20, since_ms=end + 5_000)
    written.stop(end)
    first, second, third = all_of(written, end)
    assert first.uid != second.uid == third.uid


def test_a_stream_can_have_one_identity_for_everybody() -> None:
    written = stream(Habits(uid_per_session=False))
    talk(written, 16)
    talk(written, 16, "contact-2", T + 5_000)
    first, second = all_of(written, T + 10_000)
    assert first.uid == second.uid


@pytest.mark.parametrize("gap_ms", [FURTHEST_MS, 60_000, -5_000])
def test_a_step_in_media_time_is_kept(gap_ms: int) -> None:
    written = stream()
    written.write("contact-1", T, said(1), heard(1), T)
    written.write("contact-1", T + gap_ms, said(2), heard(2), T + 10)
    written.stop(T + 20)
    docs = all_of(written, T + 20)
    assert len(docs) == (1 if gap_ms == FURTHEST_MS else 2)
    assert [at for doc in docs for at in doc.times(mkv.FROM_CUSTOMER)] == [T, T + gap_ms]


def test_one_direction_is_one_track() -> None:
    written = stream()
    written.write("contact-1", T, said(1), None, T)
    written.write("contact-1", T + 64, None, heard(2), T)
    written.write("contact-1", T + 128, said(3), heard(3), T)
    written.stop(T)
    docs = all_of(written, T)
    assert [list(doc.tracks.values()) for doc in docs] == [[mkv.FROM_CUSTOMER], [mkv.TO_CUSTOMER], list(mkv.BOTH)]
    assert "AUDIO_TO_CUSTOMER" not in docs[0].tags
    assert docs[1].audio(mkv.TO_CUSTOMER) == heard(2)


# -- awkward habits --------------------------------------------------------------------------------------------


def orders(written: Stream) -> list[bool]:
    """For each fragment: is the caller's track number 1?"""
    return [doc.tracks[1] == mkv.FROM_CUSTOMER for doc in all_of(written, T + 1_000_000)]


def three_sessions(habits: Habits) -> Stream:
    written = stream(habits)
    for session in range(3):
        talk(written, 32, since_ms=T + session * 10_000)
        written.stop(T + session * 10_000 + 9_000)
    return written


@pytest.mark.parametrize(
    ("order", "expected"), [(TrackOrder.CALLER_FIRST, [True] * 6), (TrackOrder.PROMPTS_FIRST, [False] * 6)]
)
def test_the_order_of_tracks_can_be_fixed(order: TrackOrder, expected: list[bool]) -> None:
    assert orders(three_sessions(Habits(track_order=order))) == expected


def test_tracks_change_places_with_each_start_of_streaming() -> None:
    order = orders(three_sessions(Habits()))
    assert order[0] == order[1] != order[2] == order[3] != order[4] == order[5]


def test_the_order_differs_between_streams_and_seeds() -> None:
    assert {tuple(orders(three_sessions(Habits(seed=seed)))) for seed in range(8)} == {
        (True, True, False, False, True, True),
        (False, False, True, True, False, False),
    }


def test_tracks_can_change_places_at_any_fragment() -> None:
    assert len(set(orders(three_sessions(Habits(track_order=TrackOrder.BY_FRAGMENT, seed=2))))) == 2


def test_the_audio_and_the_uid_of_a_track_follow_its_name() -> None:
    for order in (TrackOrder.CALLER_FIRST, TrackOrder.PROMPTS_FIRST):
        (doc,) = all_of(three_sessions(Habits(track_order=order)), T + 20_000)[:1]
        assert doc.audio(mkv.FROM_CUSTOMER)[:1024] == said(0)
        assert {doc.tracks[int(number)]: uid for number, uid in doc.track_uids.items()} == {
            mkv.FROM_CUSTOMER: 1,
            mkv.TO_CUSTOMER: 2,
        }
        assert doc.tags["AUDIO_FROM_CUSTOMER"] == "1"


@pytest.mark.parametrize(
    ("which", "names"),
    [
        (LastTags.ALL, {"ContactId", "MimeType"}),
        (LastTags.NO_CONTACT_ID, {"MimeType"}),
        (LastTags.NONE, set[str]()),
    ],
)
def test_the_last_fragment_of_a_contact_may_lack_tags(which: LastTags, names: set[str]) -> None:
    written = stream(Habits(last_tags=which, short_end=False))
    end = talk(written, 20)
    written.stop(end)
    first, last = all_of(written, end)
    assert first.contact == "contact-1"
    assert {"ContactId", "MimeType"} & last.tags.keys() == names
    assert "AWS_KINESISVIDEO_CONTINUATION_TOKEN" in last.tags


def test_tags_that_may_have_been_read_stay() -> None:
    written = stream(Habits(last_tags=LastTags.NONE))
    end = talk(written, 16)
    written.stop(end)
    (doc,) = all_of(written, end)
    assert doc.contact == "contact-1"


def test_the_contacts_tags_can_come_first() -> None:
    written = stream(Habits(tags_first=True))
    end = talk(written, 16)
    (doc,) = all_of(written, end)
    assert {"ContactId", "MimeType"} <= doc.tags_before_cluster
    data = written.reader(EARLIEST, end).read(end)
    assert [payload for _, payload, _ in elements(data)].count(b"ContactId") == 1


def test_what_is_left_at_the_end_is_a_short_block_and_silence_follows_on_the_grid() -> None:
    written = stream(Habits())
    end = talk(written, 3)
    written.stop(end + 12, said(9)[:192], heard(9)[:192])
    (doc,) = all_of(written, end + 5_000)
    assert doc.times(mkv.FROM_CUSTOMER) == doc.times(mkv.TO_CUSTOMER) == [T + index * BLOCK_MS for index in range(9)]
    lengths = [len(pcm) for name, _, pcm in doc.blocks if name == mkv.FROM_CUSTOMER]
    assert lengths == [1024, 1024, 1024, 192, 1024, 1024, 1024, 1024, 1024]
    assert doc.audio(mkv.TO_CUSTOMER)[3072:] == heard(9)[:192] + bytes(5 * 1024)
    assert doc.contact == ""


def test_the_silence_after_a_short_block_comes_in_real_time() -> None:
    written = stream(Habits())
    end = talk(written, 3)
    written.stop(end + 12, said(9)[:192], heard(9)[:192])
    reader = written.reader(EARLIEST, end)
    assert len(documents(reader.read(end))[0].blocks) == 6
    assert [len(reader.read(at)) for at in (end + 11, end + 12, end + 127, end + 128)] == [
        0,
        2 * len(mkv.block(1, 0, bytes(192))),
        0,
        2 * len(mkv.block(1, 0, bytes(1024))),
    ]


def test_without_a_rest_nothing_follows_the_last_block() -> None:
    written = stream(Habits())
    end = talk(written, 3)
    written.stop(end)
    assert [len(doc.blocks) for doc in all_of(written, end + 5_000)] == [6]


def test_a_short_end_of_one_direction_is_one_track() -> None:
    written = stream(Habits(blocks_after=1))
    written.write("contact-1", T, said(1), None, T + 64)
    written.stop(T + 70, said(2)[:96])
    (doc,) = all_of(written, T + 1_000)
    assert [len(pcm) for _, _, pcm in doc.blocks] == [1024, 96, 1024]


def test_streaming_that_starts_again_ends_the_silence_of_the_stop() -> None:
    written = stream(Habits())
    end = talk(written, 16)
    written.stop(end + 12, said(9)[:192], heard(9)[:192])
    reader = written.reader({"StartSelectorType": "NOW"}, end + 100)
    written.begin("contact-1", end + 100)
    announced = written.next_number
    talk(written, 16, since_ms=end + 100)
    docs = documents(read_until(reader, end + 100, end + 3_000))
    assert [len(doc.blocks) for doc in docs] == [2, 32]
    assert docs[1].number == announced
    assert docs[0].times(mkv.FROM_CUSTOMER) == [end]


def test_a_fragment_that_would_only_have_been_silence_gives_its_number_back() -> None:
    written = stream(Habits())
    end = talk(written, 15)
    written.stop(end + 12, said(9)[:192], heard(9)[:192])
    assert len(written.fragments) == 2
    written.begin("contact-1", end + 20)
    assert len(written.fragments) == 1
    announced = written.next_number
    talk(written, 16, since_ms=end + 20)
    assert [doc.number for doc in all_of(written, end + 3_000)][1] == announced


def test_stopping_twice_or_without_a_start_does_nothing() -> None:
    written = stream(Habits())
    written.stop(T, said(1), heard(1))
    written.begin("contact-1", T)
    written.stop(T, said(1), heard(1))
    assert written.fragments == []
    end = talk(written, 3)
    written.stop(end)
    written.stop(end + 10, said(1), heard(1))
    assert [len(doc.blocks) for doc in all_of(written, end + 5_000)] == [6]


def test_the_services_clock_is_not_the_producers() -> None:
    written = stream(Habits())
    talk(written, 16)
    (doc,) = all_of(written, T + 2_000)
    assert doc.tags["AWS_KINESISVIDEO_SERVER_TIMESTAMP"] == mkv.seconds(T + BLOCK_MS - 970)


def test_a_token_is_the_number_or_a_text_that_means_nothing() -> None:
    for literal in (False, True):
        written = stream(Habits(literal_token=literal))
        end = talk(written, 16)
        (doc,) = all_of(written, end)
        expected = "FRAGMENT_NUMBER" if literal else str(doc.number)
        assert doc.tags["AWS_KINESISVIDEO_CONTINUATION_TOKEN"] == expected


# -- when it is given ------------------------------------------------------------------------------------------


def test_block_by_block_each_is_there_after_the_delay() -> None:
    written = stream(delivery=Delivery(delay_ms=40))
    reader = written.reader(EARLIEST, T)
    written.write("contact-1", T, said(0), heard(0), T + 64)
    assert reader.read(T + 103) == b""
    assert len(documents(reader.read(T + 104))[0].blocks) == 2
    written.write("contact-1", T + 64, said(1), heard(1), T + 128)
    assert reader.read(T + 167) == b""
    assert reader.read(T + 168).count(said(1)) == 1


def test_fragment_by_fragment_nothing_comes_before_its_end_and_the_delay() -> None:
    written = stream(delivery=Delivery(per_fragment=True, delay_ms=300))
    end = talk(written, 20)
    reader = written.reader(EARLIEST, T)
    assert reader.read(T + FRAGMENT_MS + 299) == b""
    (doc,) = documents(reader.read(T + FRAGMENT_MS + 300))
    assert len(doc.blocks) == 32
    assert doc.contact == "contact-1"
    written.stop(end)
    assert reader.read(end + 299) == b""
    assert len(documents(reader.read(end + 300))[0].blocks) == 8


def test_the_end_of_a_fragment_is_given_with_its_last_block_not_with_the_next_fragment() -> None:
    written = stream(delivery=Delivery(delay_ms=40))
    end = talk(written, 16)
    reader = written.reader(EARLIEST, T)
    assert b"CONTINUATION_TOKEN" not in reader.read(end + 39)
    assert b"CONTINUATION_TOKEN" in reader.read(end + 40)


@pytest.mark.parametrize("per_fragment", [False, True])
def test_asking_often_gives_the_same_bytes_as_asking_once(per_fragment: bool) -> None:
    written = stream(Habits(), Delivery(per_fragment=per_fragment, delay_ms=300))
    end = talk(written, 50)
    written.stop(end + 30, said(1)[:480], heard(1)[:480])
    often = read_until(written.reader(EARLIEST, T), T, end + 3_000)
    assert often == written.reader(EARLIEST, end + 3_000).read(end + 3_000)


def test_millis_behind_now_counts_from_the_newest_chunk() -> None:
    written = stream()
    end = talk(written, 40)
    docs = all_of(written, end)
    behind = [doc.tags.get("AWS_KINESISVIDEO_MILLIS_BEHIND_NOW") for doc in docs]
    assert behind == [str(40 * 64 - 1024), str(40 * 64 - 2048), None]
    reader = written.reader({"StartSelectorType": "NOW"}, end)
    reader.read(end)
    talk(written, 8, since_ms=end)
    assert documents_behind(reader.read(end + 512)) == "0"


def documents_behind(data: bytes) -> str:
    """Of the end of a fragment whose beginning was read before."""
    texts = [payload for name, payload, _ in elements(data) if name == "4487"]
    return texts[-2].decode()


# -- from where ------------------------------------------------------------------------------------------------


def three_fragments(habits: Habits = TAME) -> tuple[Stream, list[int], int]:
    written = stream(habits)
    end = talk(written, 48)
    return written, [fragment.number for fragment in written.fragments], end


def numbers(written: Stream, now_ms: int, **selector: object) -> list[int]:
    return [doc.number for doc in all_of(written, now_ms, **selector)]


def test_earliest_is_the_first_and_now_the_newest_fragment() -> None:
    written, there, end = three_fragments()
    assert numbers(written, end, StartSelectorType="EARLIEST") == there
    assert numbers(written, end, StartSelectorType="NOW") == there[2:]


def test_now_is_what_the_service_has_not_what_is_under_way() -> None:
    written = stream(delivery=Delivery(per_fragment=True, delay_ms=300))
    end = talk(written, 40)
    first = written.fragments[0].number
    assert numbers(written, end - 512, StartSelectorType="NOW")[0] == first


def test_a_fragment_number_is_exclusive() -> None:
    written, there, end = three_fragments()
    for index, number in enumerate(there):
        selector = {"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": str(number)}
        assert numbers(written, end, **selector) == there[index + 1 :]


def test_a_token_starts_with_its_own_fragment_or_behind_it() -> None:
    for repeats in (True, False):
        written, there, end = three_fragments(Habits(token_repeats=repeats, short_end=False))
        selector = {"StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": str(there[1])}
        assert numbers(written, end, **selector) == there[1 if repeats else 2 :]


@pytest.mark.parametrize(
    ("at_ms", "first"), [(-60_000, 0), (0, 0), (1_023, 0), (1_024, 1), (2_047, 1), (2_048, 2), (3_071, 2), (3_072, 3)]
)
def test_a_producer_timestamp_starts_with_the_fragment_that_contains_it(at_ms: int, first: int) -> None:
    written, there, end = three_fragments()
    selector = {"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": (T + at_ms) / 1000}
    assert numbers(written, end, **selector) == there[first:]


def test_a_timestamp_in_the_fragment_that_is_being_written_finds_it() -> None:
    written = stream()
    end = talk(written, 20)
    selector = {"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": (end + 200) / 1000}
    assert numbers(written, end, **selector) == [written.last_number]


def test_a_server_timestamp_goes_by_the_services_clock() -> None:
    written = stream(Habits(server_clock_ms=-970, short_end=False))
    end = talk(written, 48)
    there = [fragment.number for fragment in written.fragments]
    received = [fragment.server_ms for fragment in written.fragments]
    for at_ms, first in ((received[1] - 1, 0), (received[1], 1), (received[2], 2)):
        selector = {"StartSelectorType": "SERVER_TIMESTAMP", "StartTimestamp": at_ms / 1000}
        assert numbers(written, end, **selector) == there[first:]


def test_a_reader_may_come_before_the_first_fragment() -> None:
    for kind in ("NOW", "EARLIEST"):
        written = stream()
        reader = written.reader({"StartSelectorType": kind}, T)
        assert reader.read(T) == b""
        talk(written, 16)
        assert len(documents(reader.read(T + 1_024))) == 1


def test_the_fragment_after_one_that_does_not_exist_yet_is_waited_for() -> None:
    written = stream()
    end = talk(written, 16)
    to_come = written.next_number
    reader = written.reader({"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": str(to_come)}, end)
    assert reader.read(end) == b""
    end = talk(written, 32, since_ms=end)
    docs = documents(reader.read(end))
    assert [doc.number for doc in docs] == [written.last_number]


def test_the_first_fragment_is_lost_when_its_number_is_where_reading_starts() -> None:
    written = stream()
    announced = written.next_number
    before = written.last_number
    end = talk(written, 32)
    there = [fragment.number for fragment in written.fragments]
    inclusive = {"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": str(announced)}
    exclusive = {"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": str(before)}
    assert numbers(written, end, **inclusive) == there[1:]
    assert numbers(written, end, **exclusive) == there


def forgetful(missing_in_band: bool) -> tuple[Stream, list[int], int]:
    """Only the last one and a half seconds are kept."""
    written = stream(Habits(retention_ms=1_500, missing_in_band=missing_in_band, short_end=False, token_repeats=False))
    gone = []
    end = T
    for session in range(3):
        gone.append(written.next_number)
        end = talk(written, 16, since_ms=T + session * 2_000)
    return written, gone, end


def test_what_is_older_than_the_retention_is_gone() -> None:
    written, all_numbers, end = forgetful(missing_in_band=False)
    assert numbers(written, end, StartSelectorType="EARLIEST") == all_numbers[1:]
    after_newest_gone = {"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": str(all_numbers[0])}
    assert numbers(written, end, **after_newest_gone) == all_numbers[1:]


@pytest.mark.parametrize("number", [FIRST_NUMBER - 1, FIRST_NUMBER + 1, FIRST_NUMBER * 2])
@pytest.mark.parametrize(
    ("kind", "key"), [("FRAGMENT_NUMBER", "AfterFragmentNumber"), ("CONTINUATION_TOKEN", "ContinuationToken")]
)
def test_a_number_that_the_stream_has_not_is_refused(number: int, kind: str, key: str) -> None:
    written, _, end = forgetful(missing_in_band=False)
    with pytest.raises(NoFragment, match=str(number)) as caught:
        written.reader({"StartSelectorType": kind, key: str(number)}, end)
    assert caught.value.refusal is Refusal.NOT_FOUND
    assert caught.value.number == number


def test_a_number_that_the_stream_has_not_is_an_error_in_the_body() -> None:
    written, _, end = forgetful(missing_in_band=True)
    selector = {"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": str(FIRST_NUMBER + 1)}
    reader = written.reader(selector, end)
    (doc,) = documents(reader.read(end))
    assert doc.error == 4000
    assert reader.ended


@pytest.mark.parametrize(
    "selector",
    [
        {},
        {"StartSelectorType": "SOMEWHERE"},
        {"StartSelectorType": "FRAGMENT_NUMBER"},
        {"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": "-1"},
        {"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": "²"},
        {"StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": "FRAGMENT_NUMBER"},
        {"StartSelectorType": "PRODUCER_TIMESTAMP"},
        {"StartSelectorType": "SERVER_TIMESTAMP", "StartTimestamp": "yesterday"},
        {"StartSelectorType": "SERVER_TIMESTAMP", "StartTimestamp": "nan"},
        {"StartSelectorType": "SERVER_TIMESTAMP", "StartTimestamp": "inf"},
    ],
)
def test_a_selector_that_is_none_is_an_invalid_argument(selector: dict[str, object]) -> None:
    with pytest.raises(KvsRefusal) as caught:
        stream().reader(selector, T)
    assert caught.value.refusal is Refusal.INVALID_ARGUMENT
    assert str(caught.value).startswith("InvalidArgumentException: ")


def test_an_earlier_callers_fragments_are_there_for_who_starts_early() -> None:
    written = stream(Habits())
    end = talk(written, 20, "contact-0", T - 2_000)
    written.stop(end)
    start = talk(written, 16, "contact-1", T)
    selector = {"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": (T - 1_000) // 1000}
    docs = all_of(written, start, **selector)
    assert [doc.contact for doc in docs] == ["contact-0", "", "contact-1"]


# -- how it ends -----------------------------------------------------------------------------------------------


def test_a_body_ends_when_the_producer_pauses_for_three_seconds() -> None:
    written = stream()
    end = talk(written, 16)
    reader = written.reader(EARLIEST, end)
    reader.read(end)
    assert reader.read(end + 2_999) == b""
    assert reader in written.readers
    reader.read(end + 3_000)
    assert reader.ended
    talk(written, 16, since_ms=end + 3_000)
    assert reader.read(end + 9_000) == b""


def test_a_body_that_never_ends_waits() -> None:
    written = stream(Habits(pause_ends_ms=None))
    reader = written.reader(EARLIEST, T)
    reader.read(T + 44 * 60_000)
    assert not reader.ended


@pytest.mark.parametrize("per_fragment", [False, True])
def test_a_body_does_not_end_while_audio_comes(per_fragment: bool) -> None:
    written = stream(Habits(), Delivery(per_fragment=per_fragment, delay_ms=340))
    reader = written.reader(EARLIEST, T)
    for index in range(200):
        at = T + index * BLOCK_MS
        written.write("contact-1", at, said(index), heard(index), at + BLOCK_MS)
        reader.read(at + BLOCK_MS)
    assert not reader.ended


def test_a_session_ends_after_45_minutes_within_a_fragment() -> None:
    written = stream(Habits(session_ms=10_000))
    reader = written.reader(EARLIEST, T)
    data = b""
    for index in range(160):
        at = T + index * BLOCK_MS
        written.write("contact-1", at, said(index), heard(index), at + BLOCK_MS)
        data += reader.read(at + BLOCK_MS)
    assert reader.ended
    assert not reader.broken
    times = [at for doc in documents(data) for at in doc.times(mkv.FROM_CUSTOMER)]
    assert times[-1] == T + 156 * BLOCK_MS
    assert Habits().session_ms == 45 * 60 * 1000


# -- faults ----------------------------------------------------------------------------------------------------


def faulty(*faults: Fault) -> tuple[Stream, int]:
    written = stream()
    end = talk(written, 40)
    written.plant(*faults)
    return written, end


@pytest.mark.parametrize("refusal", list(Refusal))
def test_each_opening_gets_one_planted_refusal(refusal: Refusal) -> None:
    written, end = faulty(Refused(refusal), Refused(Refusal.THROTTLING))
    for expected in (refusal, Refusal.THROTTLING):
        with pytest.raises(KvsRefusal) as caught:
            written.reader(EARLIEST, end)
        assert caught.value.refusal is expected
    assert len(all_of(written, end)) == 3
    assert 400 <= refusal.status <= 500


def test_an_error_in_band_comes_instead_of_the_next_fragment() -> None:
    written, end = faulty()
    reader = written.reader(EARLIEST, end)
    first = reader.read(T + 512)
    reader.plant(InBand(4500, "KMS_KEY_ACCESS_DENIED"))
    docs = documents(first + reader.read(end))
    assert [doc.error for doc in docs] == [0, 4500]
    assert len(docs[0].blocks) == 32
    assert reader.ended
    assert reader.read(end + 100) == b""


def test_an_error_in_band_can_be_all_that_comes() -> None:
    written, end = faulty(InBand())
    (doc,) = all_of(written, end)
    assert (doc.error, doc.tags["AWS_KINESISVIDEO_ERROR_CODE"]) == (5000, "INTERNAL_ERROR")


def test_any_byte_can_be_another() -> None:
    written, end = faulty()
    good = written.reader(EARLIEST, end).read(end)
    for at in (0, 1, 500, len(good) - 1):
        written.plant(Corrupted(at, 0x01))
        spoilt = written.reader(EARLIEST, end + 1_000 + at).read(end)
        written.readers[-1].close()
        assert [index for index in range(len(good)) if spoilt[index] != good[index]] == [at]
        assert spoilt[at] ^ good[at] == 1


def test_a_byte_is_counted_from_where_the_body_is() -> None:
    written, end = faulty()
    good = written.reader(EARLIEST, end).read(end)
    reader = written.reader(EARLIEST, end)
    first = reader.read(T + 512)
    reader.plant(Corrupted(100))
    reader.plant(Corrupted(len(good)))
    spoilt = first + reader.read(end)
    assert [index for index in range(len(good)) if spoilt[index] != good[index]] == [len(first) + 100]


@pytest.mark.parametrize("broken", [False, True])
def test_a_body_can_end_at_any_byte(broken: bool) -> None:
    written, end = faulty()
    good = written.reader(EARLIEST, end).read(end)
    for at in (0, 1, 700, len(good) - 1, len(good)):
        written.plant(Cut(at, broken))
        reader = written.reader(EARLIEST, end + 1_000 + at)
        assert read_until(reader, T, end) == good[:at]
        assert reader.ended
        assert reader.broken is broken


def test_a_cut_is_counted_from_where_the_body_is() -> None:
    written, end = faulty()
    reader = written.reader(EARLIEST, end)
    reader.read(T + 512)
    reader.plant(Cut(5))
    assert len(reader.read(end)) == 5


# -- limits ----------------------------------------------------------------------------------------------------


def open_until_refused(written: Stream, times: list[int]) -> Refusal | None:
    try:
        for at in times:
            written.reader(EARLIEST, at)
    except KvsRefusal as refused:
        return refused.refusal
    return None


def test_a_fourth_connection_is_refused_until_one_is_closed() -> None:
    written = stream()
    assert open_until_refused(written, [T, T, T]) is None
    assert open_until_refused(written, [T + 1]) is Refusal.CONNECTION_LIMIT
    written.readers[1].close()
    assert len(written.readers) == 2
    assert open_until_refused(written, [T + 2]) is None


def test_a_sixth_opening_within_a_second_is_throttled() -> None:
    written = stream()

    def opened(at: int) -> Reader:
        reader = written.reader(EARLIEST, at)
        reader.close()
        return reader

    for at in (0, 200, 400, 600, 800):
        opened(T + at)
    with pytest.raises(KvsRefusal) as caught:
        opened(T + 999)
    assert caught.value.refusal is Refusal.CLIENT_LIMIT
    opened(T + 1_000)
