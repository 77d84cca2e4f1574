from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.actions import Outcome
from contract.call import CallState, Head
from gateway.legs.kvs.clips import Clip
from gateway.legs.kvs.playout import Failed, Finished, Playout, PlayoutEvent, Started

T0 = 1_000_000


def head(
    offered: int = 0,
    at: int = 0,
    loaded: int = 0,
    ended: Outcome = Outcome.NONE,
    loaded_at: int = 0,
    delay: int = 400,
) -> Head:
    return Head(
        "c",
        1,
        CallState.ACTIVE,
        T0,
        last_seq=9,
        offered=offered,
        offered_at_ms=T0 + at,
        loaded=loaded,
        loaded_at_ms=T0 + loaded_at if loaded_at else 0,
        ended=ended,
        start_delay_ms=delay,
    )


def clip(start_ms: int, end_ms: int) -> Clip:
    return Clip(start_ms * 8, end_ms * 8, bytes((end_ms - start_ms) * 8))


def polling() -> Playout:
    return Playout(cuts_prompts=False)


def ahead() -> Playout:
    return Playout(cuts_prompts=True)


def playing(playout: Playout, length_ms: int = 2000) -> Playout:
    """Clip 1 of `length_ms` is heard from T0 + 400 on, in either form."""
    playout.appended(1, clip(0, length_ms))
    loaded = 1 if playout.cuts_prompts else 0
    assert playout.head(head(1, 0, loaded, loaded_at=1), T0 + 1) == []
    return playout


BOTH = pytest.mark.parametrize("make", [polling, ahead])


def test_an_empty_clock_says_nothing() -> None:
    playout = polling()
    assert not playout.open
    assert playout.due(T0) == []
    assert playout.clear(T0) == []
    assert playout.abandon(T0) == []
    assert playout.next_due_ms() is None
    assert playout.needed_at_ms() is None
    playout.complete()
    assert playout.due(T0) == []


def test_a_clip_that_was_not_offered_is_not_heard() -> None:
    playout = polling()
    playout.appended(1, clip(0, 1000))
    playout.complete()
    assert playout.head(head(), T0) == []
    assert playout.needed_at_ms() is None
    assert playout.position(T0 + 9000) == 0


def test_an_offered_clip_is_heard_after_the_start_delay_to_its_end() -> None:
    playout = playing(polling())
    assert playout.next_due_ms() == T0 + 400
    assert playout.due(T0 + 399) == []
    assert playout.due(T0 + 400) == [Started(T0 + 400)]
    assert playout.position(T0 + 1400) == 8000
    assert playout.due(T0 + 2400) == []
    playout.complete()
    assert playout.next_due_ms() == T0 + 2400
    assert playout.due(T0 + 2400) == [Finished(2000, False, T0 + 2400)]
    assert not playout.open


def test_an_interruptible_flow_plays_what_it_has_taken_from_then_on() -> None:
    playout = ahead()
    playout.appended(1, clip(0, 2000))
    assert playout.head(head(1, 0), T0 + 5000) == []
    assert playout.next_due_ms() is None
    playout.head(head(1, 0, 1, loaded_at=9000), T0 + 9050)
    assert playout.next_due_ms() == T0 + 9400
    playout.head(head(1, 0, 1, loaded_at=9001), T0 + 9150)
    assert playout.next_due_ms() == T0 + 9400


def test_an_interruptible_flow_that_went_on_as_the_polling_one_is_recognised_and_back() -> None:
    playout = ahead()
    playout.appended(1, clip(0, 2000))
    playout.head(head(1, 0, 1, Outcome.COMPLETED, 2500), T0 + 2600)
    assert not playout.cuts_prompts
    playout.appended(2, clip(2000, 4000))
    playout.head(head(2, 3000, 1, Outcome.COMPLETED, 2500), T0 + 3001)
    assert playout.needed_at_ms() == T0 + 3000 + 400 + 2000
    playout.head(head(2, 3000, 2, loaded_at=3100), T0 + 3101)
    assert playout.cuts_prompts


def test_a_clip_starts_when_the_one_before_is_over() -> None:
    playout = playing(polling())
    playout.appended(2, clip(2000, 3000))
    playout.head(head(2, 2100), T0 + 2100)
    assert playout.needed_at_ms() == T0 + 2500 + 1000
    assert playout.position(T0 + 3000) == 2500 * 8


def test_the_flows_word_beats_the_estimate() -> None:
    playout = playing(polling())
    playout.complete()
    events = playout.head(head(1, 0, 1, Outcome.COMPLETED, 1900), T0 + 1900)
    assert events == [Started(T0), Finished(2000, False, T0 + 1900)]


def test_a_clip_of_which_nothing_was_known_until_it_was_over_was_heard() -> None:
    playout = polling()
    playout.appended(1, clip(0, 2000))
    playout.complete()
    events = playout.head(head(1, 0, 1, Outcome.COMPLETED, 3000), T0 + 3000)
    assert events == [Started(T0 + 400), Finished(2000, False, T0 + 2400)]


def test_a_flow_that_has_gone_on_has_played_what_was_before() -> None:
    playout = polling()
    playout.appended(1, clip(0, 2000))
    playout.appended(2, clip(2000, 3000))
    playout.head(head(2, 2500, 2, Outcome.COMPLETED, 4000), T0 + 4000)
    assert playout.position(T0 + 4000) == 3000 * 8


def test_what_was_found_in_the_track_beats_the_estimate() -> None:
    playout = playing(polling())
    playout.began(1, T0 + 150)
    playout.began(7, T0)
    playout.complete()
    assert playout.due(T0 + 2150) == [Started(T0 + 150), Finished(2000, False, T0 + 2150)]


def test_the_track_says_nothing_new_of_a_clip_that_is_over() -> None:
    playout = playing(polling())
    playout.head(head(1, 0, 1, Outcome.COMPLETED, 1900), T0 + 1900)
    playout.began(1, T0 + 5000)
    assert playout.needed_at_ms() == T0 + 1900


def test_more_may_come_after_all() -> None:
    playout = playing(polling())
    playout.complete()
    playout.resume()
    assert playout.due(T0 + 3000) == [Started(T0 + 400)]
    playout.complete()
    assert playout.due(T0 + 3000) == [Finished(2000, False, T0 + 2400)]


def test_the_opening_was_offered_by_start_call() -> None:
    playout = ahead()
    playout.appended(0, clip(0, 1500), offered_ms=T0)
    playout.complete()
    playout.head(head(0, 0, 0, loaded_at=300), T0 + 310)
    assert playout.due(T0 + 2200) == [Started(T0 + 700), Finished(1500, False, T0 + 2200)]


# --- barge-in


def test_an_interruptible_flow_leaves_the_clip_a_moment_later() -> None:
    playout = playing(ahead())
    playout.due(T0 + 401)
    assert playout.clear(T0 + 901) == []
    assert playout.cut
    assert playout.next_due_ms() == T0 + 1051
    assert playout.clear(T0 + 950) == []
    playout.complete()
    [finished] = playout.due(T0 + 1051)
    assert finished == Finished(650, True, T0 + 1051)
    assert not playout.cut


def test_a_polling_flow_plays_the_clip_to_its_end() -> None:
    playout = playing(polling())
    playout.appended(2, clip(2000, 3000))
    playout.clear(T0 + 900)
    assert playout.due(T0 + 2399) == []
    assert playout.due(T0 + 2400) == [Finished(2000, True, T0 + 2400)]


def test_a_polling_flow_plays_the_last_clip_that_it_was_offered() -> None:
    playout = playing(polling())
    playout.appended(2, clip(2000, 3000))
    playout.head(head(2, 2300), T0 + 2300)
    playout.clear(T0 + 2350)
    assert playout.due(T0 + 3699) == []
    assert playout.due(T0 + 3700) == [Finished(3000, True, T0 + 3700)]


def test_a_polling_flow_may_say_sooner_that_the_clip_is_over() -> None:
    playout = playing(polling())
    playout.due(T0 + 900)
    playout.clear(T0 + 900)
    assert playout.head(head(1, 0, 1, Outcome.COMPLETED, 2100), T0 + 2100) == [Finished(2000, True, T0 + 2100)]


@BOTH
def test_what_was_never_offered_ends_at_once(make: Callable[[], Playout]) -> None:
    playout = make()
    playout.appended(1, clip(0, 2000))
    assert playout.clear(T0) == [Finished(0, True, T0)]


def test_a_clip_that_has_not_begun_is_left_at_its_beginning() -> None:
    playout = playing(ahead())
    playout.clear(T0 + 100)
    finished = playout.due(T0 + 401)
    assert finished[-1] == Finished(0, True, T0 + 401)


def test_a_clip_that_follows_the_one_that_is_left_is_left_too() -> None:
    playout = playing(ahead())
    playout.appended(2, clip(2000, 3000))
    playout.head(head(2, 2200, 2, loaded_at=2200), T0 + 2250)
    playout.due(T0 + 2250)
    playout.clear(T0 + 2260)
    assert playout.due(T0 + 9000) == [Finished(2000, True, T0 + 2600)]


def test_of_two_clips_that_may_play_the_later_one_is_left_before_it_begins() -> None:
    playout = playing(ahead())
    playout.appended(2, clip(2000, 3000), offered_ms=T0 + 2300)
    playout.due(T0 + 2300)
    playout.clear(T0 + 2310)
    assert playout.due(T0 + 9000) == [Finished(2000, True, T0 + 2401)]


def test_between_two_clips_the_stretch_ends_at_once() -> None:
    playout = playing(polling())
    playout.due(T0 + 500)
    playout.appended(2, clip(2000, 3000))
    assert playout.clear(T0 + 2600) == [Finished(2000, True, T0 + 2600)]


def test_when_the_caller_is_gone_the_stretch_ends_where_it_is() -> None:
    playout = playing(polling())
    assert playout.abandon(T0 + 1400) == [Finished(1000, True, T0 + 1400)]
    assert not playout.open


# --- clips that fail


def test_a_clip_that_failed_was_not_heard_and_keeps_the_stretch_open() -> None:
    playout = playing(polling())
    playout.complete()
    assert playout.head(head(1, 0, 1, Outcome.FAILED, 200), T0 + 200) == [Failed(1, clip(0, 2000))]
    assert playout.open
    playout.appended(2, clip(0, 2000))
    playout.complete()
    playout.head(head(2, 300, 1, Outcome.FAILED, 200), T0 + 300)
    assert playout.due(T0 + 2700) == [Started(T0 + 700), Finished(2000, False, T0 + 2700)]


def test_a_stretch_of_which_nothing_played_ends_when_nothing_more_comes() -> None:
    playout = playing(polling())
    playout.head(head(1, 0, 1, Outcome.FAILED, 200), T0 + 200)
    playout.complete()
    assert playout.due(T0 + 200) == [Finished(0, False, T0 + 200)]


def test_a_failure_after_a_barge_in_is_of_no_interest() -> None:
    playout = playing(polling())
    playout.clear(T0 + 100)
    assert playout.head(head(1, 0, 1, Outcome.FAILED, 200), T0 + 200) == [Finished(0, True, T0 + 200)]


# --- in any order


STEPS = st.lists(
    st.tuples(
        st.integers(0, 1500),
        st.sampled_from(
            ["append", "offer", "load", "ended", "failed", "clear", "complete", "resume", "due", "abandon"]
        ),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(STEPS, st.booleans(), st.integers(100, 3000))
def test_each_stretch_ends_exactly_once_at_a_place_that_exists(
    steps: list[tuple[int, str]], cuts: bool, length: int
) -> None:
    playout, now = Playout(cuts_prompts=cuts), T0
    seq = offered = offered_at = loaded = loaded_at = end = 0
    ended = Outcome.NONE
    in_stretch, finished, stretches, started = 0, 0, 0, 0

    def see(events: list[PlayoutEvent]) -> None:
        nonlocal in_stretch, finished, end, started
        for event in events:
            if isinstance(event, Started):
                started += 1
                assert started == 1
            elif isinstance(event, Finished):
                finished += 1
                assert in_stretch, "an end without a stretch"
                assert 0 <= event.position_ms <= end
                assert event.at_ms <= now
                in_stretch = end = started = 0

    for gap, step in steps:
        now += gap
        if step == "append" and not playout.cut:
            if not in_stretch:
                stretches += 1
            seq, in_stretch = seq + 1, in_stretch + 1
            playout.appended(seq, clip(end, end + length))
            end += length
        elif step == "offer" and offered < seq:
            offered, offered_at = offered + 1, now - T0
        elif step == "load" and loaded < offered:
            loaded, loaded_at, ended = offered, now - T0, Outcome.NONE if cuts else Outcome.COMPLETED
        elif step in ("ended", "failed") and loaded and ended is Outcome.NONE:
            ended = Outcome.COMPLETED if step == "ended" else Outcome.FAILED
        elif step == "clear":
            see(playout.clear(now))
        elif step == "complete":
            playout.complete()
        elif step == "resume":
            playout.resume()
        elif step == "abandon":
            see(playout.abandon(now))
        see(playout.head(head(offered, offered_at, loaded, ended, loaded_at), now))
        see(playout.due(now))
        due = playout.next_due_ms()
        assert due is None or due > now, "what is due has been said"
        positions = [playout.position(at) for at in range(now - 2000, now + 4000, 250)]
        assert positions == sorted(positions)
        assert positions[-1] <= end * 8
        assert playout.open == bool(in_stretch)
    see(playout.abandon(now))
    assert finished == stretches


# --- left to the flow


def test_with_nothing_in_the_log_nothing_is_left_to_the_flow() -> None:
    assert polling().forecast(T0) is None


@BOTH
def test_what_is_in_the_log_will_be_heard_to_its_end(make: Callable[[], Playout]) -> None:
    playout = playing(make())
    playout.appended(2, clip(2000, 3500))  # the flow has not taken it
    begun_ms = 1 if playout.cuts_prompts else 0
    assert playout.forecast(T0 + 1000) == Finished(3500, False, T0 + begun_ms + 2400 + 1500)
    assert playout.open


def test_of_what_was_cut_the_caller_hears_so_much() -> None:
    playout = playing(polling())
    playout.clear(T0 + 1000)
    assert playout.forecast(T0 + 1000) == Finished(2000, True, T0 + 2400)
    cut = playing(ahead())
    cut.clear(T0 + 1400)
    assert cut.forecast(T0 + 1400) == Finished(1149, True, T0 + 1550)


def test_a_clip_that_failed_will_not_be_heard() -> None:
    playout = playing(polling())
    playout.head(head(1, 0, 1, Outcome.FAILED), T0 + 500)
    assert playout.forecast(T0 + 600) == Finished(0, False, T0 + 600)
