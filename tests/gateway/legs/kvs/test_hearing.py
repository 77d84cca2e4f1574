from __future__ import annotations

from contract.audio import ulaw2lin
from contract.turns import HeardSource
from gateway.legs.kvs.clips import Clip
from gateway.legs.kvs.heard import MISSING_MS, Found
from gateway.legs.kvs.hearing import UNREAD_MS, Hearing, HearingEvent, NotHeard
from gateway.legs.leg import HeardMeasured
from tests.gateway.sounds import quiet, speech

T0 = 1_700_000_000_000
FIRST = Clip(0, 2200 * 8, speech(2000, 1))  # 200 ms of pause were left out at its end
SECOND = Clip(2200 * 8, 3200 * 8, speech(1000, 2))


class Line:
    """The track, fed from T0 on."""

    def __init__(self) -> None:
        self.hearing = Hearing()
        self.at_ms = 0

    def plays(self, ulaw: bytes) -> list[HearingEvent]:
        events: list[HearingEvent] = []
        for at in range(0, len(ulaw), 512):
            events += self.hearing.block(T0 + self.at_ms + at // 8, ulaw2lin(ulaw[at : at + 512]))
        self.at_ms += len(ulaw) // 8
        return [event for event in events if not isinstance(event, Found)]

    def take(self, seq: int, stretch: int, clip: Clip) -> None:
        self.hearing.given(seq, stretch, clip)
        self.hearing.taken(seq, T0 + self.at_ms)


def test_what_was_heard_is_told_when_stretch_and_track_are_over() -> None:
    line = Line()
    line.take(1, 1, FIRST)
    assert line.plays(quiet(200) + FIRST.ulaw + quiet(100)) == []
    line.take(2, 1, SECOND)
    assert line.hearing.finished(1) == []
    assert line.plays(quiet(200) + SECOND.ulaw + quiet(100)) == [HeardMeasured(1, 3200, HeardSource.MEASURED)]
    assert 150 < line.hearing.delays.p95(400) < 320


def test_a_stretch_that_finishes_after_the_track_is_told_then() -> None:
    line = Line()
    line.take(1, 1, FIRST)
    line.plays(quiet(200) + FIRST.ulaw + quiet(100))
    assert line.hearing.finished(1) == [HeardMeasured(1, 2200, HeardSource.MEASURED)]


def test_an_interrupted_clip_is_measured_to_where_it_was_left() -> None:
    line = Line()
    line.take(1, 1, FIRST)
    line.plays(quiet(200) + FIRST.ulaw[: 900 * 8])
    line.hearing.cut(1, T0 + 1000)
    line.hearing.finished(1)
    [measured] = line.plays(quiet(1000))
    assert isinstance(measured, HeardMeasured)
    assert 800 <= measured.position_ms <= 910


def test_of_a_clip_that_the_flow_does_not_leave_the_rest_counts_as_heard() -> None:
    line = Line()
    line.take(1, 1, FIRST)
    line.plays(quiet(200) + FIRST.ulaw[: 500 * 8])
    line.hearing.cut(1, T0 + 600)
    line.hearing.finished(1)
    assert line.plays(FIRST.ulaw[500 * 8 : 1800 * 8]) == [HeardMeasured(1, 2200, HeardSource.ESTIMATED)]
    assert line.plays(FIRST.ulaw[1800 * 8 :] + quiet(200)) == [HeardMeasured(1, 2200, HeardSource.MEASURED)]


def test_a_stretch_of_which_nothing_was_measured_is_not_told() -> None:
    line = Line()
    line.take(1, 1, FIRST)
    line.hearing.cut(1, T0)
    line.hearing.cut(9, T0)
    assert line.hearing.finished(1) == []
    assert line.plays(quiet(3000)) == []
    assert line.hearing.finished(5) == []


def test_a_clip_that_was_withdrawn_and_taken_all_the_same_amends_what_was_told() -> None:
    line = Line()
    line.hearing.given(1, 1, FIRST)
    line.hearing.cut(1, T0)
    assert line.hearing.finished(1) == []
    line.hearing.taken(1, T0)
    [measured] = line.plays(quiet(200) + FIRST.ulaw[: 700 * 8] + quiet(1000))
    assert isinstance(measured, HeardMeasured)
    assert 600 <= measured.position_ms <= 710


def test_a_clip_that_was_withdrawn_long_before_the_flow_took_it_is_found() -> None:
    """The flow had to play its silence to the end."""
    line = Line()
    line.hearing.given(1, 1, FIRST)
    line.hearing.cut(1, T0)
    assert line.hearing.finished(1) == []
    assert line.plays(quiet(13_000)) == []
    line.hearing.taken(1, T0 + 13_000)
    assert line.plays(quiet(200) + FIRST.ulaw + quiet(500))[-1] == HeardMeasured(1, 2200, HeardSource.MEASURED)


def test_a_missing_clip_says_nothing_while_the_track_has_never_shown_one() -> None:
    line = Line()
    line.take(1, 1, FIRST)
    assert line.plays(quiet(MISSING_MS + 500)) == []


def test_a_missing_clip_is_told_once_the_track_has_shown_another() -> None:
    line = Line()
    line.take(1, 1, FIRST)
    line.plays(quiet(200) + FIRST.ulaw + quiet(500))
    line.take(2, 2, SECOND)
    assert line.plays(quiet(MISSING_MS + 500)) == [NotHeard(2, 2, SECOND, silent=True)]


def test_a_missing_clip_is_told_where_the_opening_was_heard_and_then_nothing() -> None:
    line = Line()
    line.plays(speech(3000, 5) + quiet(1000))
    line.take(1, 1, FIRST)
    assert line.plays(quiet(MISSING_MS + 500)) == [NotHeard(1, 1, FIRST, silent=True)]


def test_a_missing_clip_says_nothing_where_something_unknown_was_heard() -> None:
    line = Line()
    line.plays(speech(3000, 5) + quiet(1000))
    line.take(1, 1, FIRST)
    assert line.plays(quiet(500) + speech(2000, 6) + quiet(MISSING_MS)) == []


def test_sequences_that_were_never_given_or_skipped_are_not_looked_for() -> None:
    line = Line()
    line.hearing.taken(5, T0)
    line.hearing.given(1, 1, FIRST)
    line.hearing.given(2, 2, SECOND)
    line.hearing.taken(2, T0)
    line.hearing.taken(1, T0)
    assert line.plays(quiet(200) + FIRST.ulaw + quiet(MISSING_MS)) == []


def test_a_silent_clip_is_not_looked_for() -> None:
    line = Line()
    line.take(1, 1, Clip(0, 8000, quiet(1000)))
    assert line.hearing.finished(1) == []


def test_of_a_clip_that_was_withdrawn_nothing_is_heard_behind_a_transfer() -> None:
    line = Line()
    line.take(1, 1, FIRST)
    line.hearing.cut(1, T0 + 100)
    line.hearing.left(T0 + 150)
    assert line.hearing.finished(1) == []
    assert line.plays(quiet(1000) + FIRST.ulaw + quiet(1000)) == []


def test_with_the_end_of_the_track_nothing_more_was_heard() -> None:
    """The caller has hung up, and the clip that the flow had taken would have been over by the clock."""
    line = Line()
    line.take(1, 1, FIRST)
    line.plays(quiet(200) + FIRST.ulaw + quiet(500))
    line.take(2, 1, SECOND)
    line.plays(quiet(50))
    assert line.hearing.finished(1) == []
    assert line.hearing.ended(0) == [HeardMeasured(1, 2200, HeardSource.MEASURED)]
    assert line.hearing.ended(0) == []


def test_of_a_clip_in_which_the_track_ends_so_much_was_heard() -> None:
    line = Line()
    line.take(1, 1, FIRST)
    line.plays(quiet(200) + FIRST.ulaw[: 900 * 8])
    line.hearing.finished(1)
    [measured] = line.hearing.ended(0)
    assert 800 <= measured.position_ms <= 910


def test_a_clip_that_the_track_ends_before_was_not_heard_at_all() -> None:
    line = Line()
    line.take(1, 1, FIRST)
    line.plays(quiet(200) + FIRST.ulaw + quiet(500))
    line.hearing.finished(1)
    line.take(2, 2, Clip(0, 1000 * 8, SECOND.ulaw))
    line.hearing.finished(2)
    assert line.hearing.ended(0) == [HeardMeasured(2, 0, HeardSource.MEASURED)]


def test_a_track_that_has_never_shown_a_clip_says_nothing_with_its_end() -> None:
    line = Line()
    line.take(1, 1, FIRST)
    line.plays(quiet(200))
    line.hearing.finished(1)
    assert line.hearing.ended(0) == []


def test_a_track_that_was_not_read_to_its_end_says_nothing_with_it() -> None:
    """The flow went on asking long after the newest block had come."""
    line = Line()
    line.take(1, 1, FIRST)
    line.plays(quiet(200) + FIRST.ulaw + quiet(500))
    line.take(2, 2, SECOND)
    line.hearing.finished(2)
    assert line.hearing.ended(T0 + line.at_ms + UNREAD_MS + 1) == []
    assert line.hearing.ended(T0 + line.at_ms + UNREAD_MS) == [HeardMeasured(2, 2200, HeardSource.MEASURED)]


def test_a_withdrawn_clip_that_the_flow_played_all_the_same_was_heard() -> None:
    """A flow that asks in turn says so when it is over, and not before."""
    line = Line()
    line.hearing.given(1, 1, FIRST)
    line.hearing.given(2, 2, SECOND)
    assert line.hearing.completed(9) == []
    line.hearing.finished(1)
    assert line.hearing.completed(1) == [HeardMeasured(1, 2200, HeardSource.ESTIMATED)]
    assert line.hearing.completed(1) == []
    assert line.hearing.completed(2) == []  # of a stretch that is not over: the playout clock counts it
