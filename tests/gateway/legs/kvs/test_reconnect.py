"""When to come back, from where, and when not to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.legs.kvs.blocks import Position
from gateway.legs.kvs.errors import Cause
from gateway.legs.kvs.reconnect import GiveUp, ReconnectPolicy, Reopen, StartAt, StartSelector, Stopped

T0 = 1_700_000_000_000
START = StartSelector.at_time(T0 - 1000)
READ = Position("100", "100", "101", T0 + 5000)
NOTHING = Position()


def policy(chance: float = 0.5) -> ReconnectPolicy:
    return ReconnectPolicy(T0, lambda: chance)


def stopped(cause: Cause, opened_at_ms: int = T0, error_id: int = 0) -> Stopped:
    return Stopped(cause, opened_at_ms, error_id)


def reopened(decision: Reopen | GiveUp) -> Reopen:
    assert isinstance(decision, Reopen)
    return decision


def test_the_first_start_is_a_second_before_the_stream_begins() -> None:
    """NOW loses the caller's first words; the fragment number of the start excludes itself."""
    assert policy().first() == START


def test_a_body_that_ends_after_45_minutes_is_reopened_at_once_after_the_last_whole_fragment() -> None:
    """The end of a session is nothing special."""
    decision = policy().next(stopped(Cause.BODY_ENDED), READ, T0 + 45 * 60_000)
    assert decision == Reopen(StartSelector.after("100"), 0)


def test_a_pause_of_three_seconds_is_reopened_at_once() -> None:
    assert policy().next(stopped(Cause.IDLE), READ, T0 + 3000) == Reopen(StartSelector.after("100"), 0)


def test_before_the_first_whole_fragment_reading_begins_as_at_first() -> None:
    assert policy().next(stopped(Cause.IDLE), Position(open_fragment="100"), T0 + 3000) == Reopen(START, 0)


def test_a_stream_that_stays_silent_for_two_minutes_is_given_up() -> None:
    watched, now = policy(), T0
    decisions: list[Reopen | GiveUp] = []
    while not decisions or isinstance(decisions[-1], Reopen):
        decisions.append(watched.next(stopped(Cause.IDLE, now), READ, now + 3000))
        now += 3000
    assert decisions[-1] == GiveUp("media_silent", 41)


def test_silence_counts_from_the_last_progress() -> None:
    watched = policy()
    watched.next(stopped(Cause.IDLE), READ, T0 + 3000)
    moved = Position("101", "101", "", T0 + 6000)
    assert isinstance(watched.next(stopped(Cause.IDLE, T0 + 100_000), moved, T0 + 200_000), Reopen)


def test_a_body_that_ends_at_once_again_and_again_is_a_failure() -> None:
    watched = policy()
    delays = [
        reopened(watched.next(stopped(Cause.BODY_ENDED, at), NOTHING, at + 10)).delay_ms for at in range(T0, T0 + 6)
    ]
    assert delays == [150, 300, 600, 1200, 2250, 2250]
    assert watched.next(stopped(Cause.BODY_ENDED, T0 + 40_000), NOTHING, T0 + 40_010) == GiveUp("body_ended", 7)


def test_a_normal_session_between_failures_forgives_them() -> None:
    watched = policy()
    for _ in range(4):
        watched.next(stopped(Cause.CLIENT_LIMIT), NOTHING, T0)
    watched.next(stopped(Cause.IDLE), NOTHING, T0 + 3000)
    assert reopened(watched.next(stopped(Cause.CLIENT_LIMIT), NOTHING, T0 + 4000)).delay_ms == 150


@given(chance=st.floats(0, 1, exclude_max=True), failures=st.integers(1, 12))
def test_delays_double_up_to_three_seconds_with_half_left_to_chance(chance: float, failures: int) -> None:
    watched = policy(chance)
    decisions = [reopened(watched.next(stopped(Cause.CLIENT_LIMIT), NOTHING, T0)) for _ in range(failures)]
    ceiling = min(3000, 200 * 2 ** (failures - 1))
    assert ceiling / 2 <= decisions[-1].delay_ms <= ceiling


@pytest.mark.parametrize(
    "cause", [Cause.CLIENT_LIMIT, Cause.CONNECTION_LIMIT, Cause.INVALID_ENDPOINT, Cause.UNREACHABLE, Cause.CORRUPT]
)
def test_what_may_pass_is_tried_for_thirty_seconds(cause: Cause) -> None:
    watched = policy()
    assert isinstance(watched.next(stopped(cause), READ, T0), Reopen)
    assert isinstance(watched.next(stopped(cause), READ, T0 + 29_999), Reopen)
    assert watched.next(stopped(cause), READ, T0 + 30_000) == GiveUp(str(cause), 3)


def test_progress_begins_the_patience_anew() -> None:
    watched = policy()
    watched.next(stopped(Cause.UNREACHABLE), READ, T0)
    moved = Position("101", "101", "", T0 + 6000)
    assert isinstance(watched.next(stopped(Cause.UNREACHABLE), moved, T0 + 60_000), Reopen)


def test_a_missing_stream_is_waited_for_five_seconds() -> None:
    watched = policy()
    assert isinstance(watched.next(stopped(Cause.NOT_FOUND), NOTHING, T0), Reopen)
    assert watched.next(stopped(Cause.NOT_FOUND), NOTHING, T0 + 5000) == GiveUp("not_found", 2)


def test_a_refusal_is_tried_three_times() -> None:
    watched = policy()
    decisions = [watched.next(stopped(Cause.NOT_AUTHORIZED), NOTHING, T0) for _ in range(3)]
    assert [type(decision) for decision in decisions] == [Reopen, Reopen, GiveUp]


@pytest.mark.parametrize("error_id", [4500, 4501, 4502, 4504, 4505, 4506])
def test_a_key_that_may_not_be_used_is_hopeless(error_id: int) -> None:
    assert policy().next(stopped(Cause.IN_BAND, T0, error_id), READ, T0) == GiveUp(f"kms_{error_id}", 1)


@pytest.mark.parametrize("error_id", [0, 3002, 4000, 4503, 5000])
def test_other_errors_inside_the_body_are_tried_again(error_id: int) -> None:
    assert isinstance(policy().next(stopped(Cause.IN_BAND, T0, error_id), READ, T0), Reopen)


def test_a_fragment_that_is_not_found_is_looked_for_by_token_and_then_by_time() -> None:
    watched = policy()
    watched.next(stopped(Cause.IDLE), READ, T0 + 3000)
    missing = stopped(Cause.IN_BAND, T0, 4000)
    assert reopened(watched.next(missing, READ, T0 + 4000)).selector == StartSelector.at_token("100")
    by_time = StartSelector.at_time(T0 + 4000)
    assert reopened(watched.next(missing, READ, T0 + 5000)).selector == by_time
    assert reopened(watched.next(missing, READ, T0 + 6000)).selector == by_time
    moved = Position("102", "102", "", T0 + 7000)
    assert reopened(watched.next(stopped(Cause.IDLE, T0), moved, T0 + 9000)).selector == StartSelector.after("102")


def test_a_selector_that_is_refused_is_not_used_again() -> None:
    watched = policy()
    watched.next(stopped(Cause.IDLE), READ, T0 + 3000)
    refused = stopped(Cause.INVALID_ARGUMENT)
    assert reopened(watched.next(refused, READ, T0 + 4000)).selector.kind is StartAt.CONTINUATION_TOKEN


def test_a_token_that_is_no_number_is_not_used() -> None:
    watched = policy()
    odd = Position("100", "FRAGMENT_NUMBER", "", T0 + 5000)
    watched.next(stopped(Cause.IDLE), odd, T0 + 3000)
    again = reopened(watched.next(stopped(Cause.INVALID_ARGUMENT), odd, T0 + 4000))
    assert again.selector.kind is StartAt.PRODUCER_TIMESTAMP


def test_a_fragment_that_is_corrupt_twice_is_skipped() -> None:
    watched = policy()
    first = reopened(watched.next(stopped(Cause.CORRUPT), READ, T0))
    second = reopened(watched.next(stopped(Cause.CORRUPT), READ, T0 + 100))
    assert [first.selector, second.selector] == [StartSelector.after("100"), StartSelector.after("101")]


def test_a_fragment_after_a_corrupt_one_gets_its_own_second_chance() -> None:
    watched = policy()
    watched.next(stopped(Cause.CORRUPT), READ, T0)
    moved = Position("101", "101", "102", T0 + 6000)
    assert reopened(watched.next(stopped(Cause.CORRUPT), moved, T0 + 1000)).selector == StartSelector.after("101")


def test_corrupt_bytes_before_any_fragment_are_read_from_the_start_again() -> None:
    watched = policy()
    for _ in range(3):
        assert reopened(watched.next(stopped(Cause.CORRUPT), NOTHING, T0)).selector == START


@given(
    causes=st.lists(st.tuples(st.sampled_from(Cause), st.integers(0, 6000), st.sampled_from([0, 4000, 5000]))),
    positions=st.lists(st.sampled_from([NOTHING, READ, Position("102", "102", "103", T0)])),
)
def test_reading_never_begins_at_the_oldest_fragment(
    causes: list[tuple[Cause, int, int]], positions: list[Position]
) -> None:
    watched, now = policy(), T0
    for (cause, lasted, error_id), position in zip(causes, positions, strict=False):
        decision = watched.next(Stopped(cause, now, error_id), position, now + lasted)
        now += lasted
        if isinstance(decision, GiveUp):
            break
        assert decision.selector.kind in StartAt
        assert decision.selector.kind is not StartAt.PRODUCER_TIMESTAMP or int(decision.selector.value) >= T0 - 1000
        assert 0 <= decision.delay_ms <= 3000
