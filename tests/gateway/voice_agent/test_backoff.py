from __future__ import annotations

import random

import pytest

from gateway.sessions import TAKEOVER_OUTAGE_MS
from gateway.voice_agent import treatment
from gateway.voice_agent.backoff import CAPACITY, FAILURES, STABLE_MS, Reconnects
from gateway.voice_agent.treatment import SessionEnded


def ended(code: str, lived_ms: int = 0) -> SessionEnded:
    treated = treatment.ENDS.get(code) or treatment.treat_error(code, applied=True)
    return SessionEnded(treated, code, lived_ms=lived_ms)


def refused(status: int = 429, retry_after_ms: int = 0) -> SessionEnded:
    return SessionEnded(treatment.treat_upgrade(status), f"HTTP_{status}", retry_after_ms=retry_after_ms)


def longest() -> float:
    """The largest number that `random.random` gives."""
    return 1 - 2**-53


def delays(reconnects: Reconnects, what: SessionEnded) -> list[int]:
    found = []
    while (delay := reconnects.delay_ms(what)) is not None:
        found.append(delay)
    return found


def test_failures_are_tried_eight_times_with_doubling_delays_up_to_thirty_seconds() -> None:
    expected = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
    assert delays(Reconnects(longest), ended("INTERNAL_SERVER_ERROR")) == expected


def test_chance_takes_away_at_most_half_of_a_delay() -> None:
    expected = [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]
    assert delays(Reconnects(lambda: 0.0), ended("INTERNAL_SERVER_ERROR")) == expected
    between = delays(Reconnects(random.Random(7).random), ended("INTERNAL_SERVER_ERROR"))
    assert all(least <= delay < 2 * least for least, delay in zip(expected, between, strict=True))


def test_where_it_is_worth_it_the_first_attempt_comes_at_once() -> None:
    assert delays(Reconnects(lambda: 0.0), ended("SERVER_GOING_AWAY"))[:3] == [0, 500, 1_000]


def test_a_session_that_fails_right_after_its_start_is_not_tried_for_ever() -> None:
    reconnects = Reconnects(lambda: 0.0)
    assert len(delays(reconnects, ended("CONNECTION_LOST", lived_ms=STABLE_MS - 1))) == FAILURES.attempts


def test_a_session_that_held_for_a_minute_wipes_the_record() -> None:
    reconnects = Reconnects(lambda: 0.0)
    delays(reconnects, ended("CONNECTION_LOST"))
    delays(reconnects, refused())
    assert reconnects.delay_ms(ended("FAILED_TO_THINK")) is None
    assert reconnects.delay_ms(ended("CONNECTION_LOST", lived_ms=STABLE_MS)) == 0
    assert reconnects.delay_ms(refused()) == CAPACITY.base_ms // 2
    assert reconnects.delay_ms(ended("FAILED_TO_THINK")) == 500


def test_once_means_once_for_each_code() -> None:
    reconnects = Reconnects(lambda: 0.0)
    assert reconnects.delay_ms(ended("FAILED_TO_THINK")) == 0
    assert reconnects.delay_ms(ended("NON_EXISTENT_FUNCTION_CALLED")) == 500
    assert reconnects.delay_ms(ended("FAILED_TO_THINK")) is None


@pytest.mark.parametrize("code", ["INVALID_SETTINGS", "FAILED_TO_SPEAK", "CLOSED"])
def test_never_means_never(code: str) -> None:
    assert Reconnects(lambda: 0.0).delay_ms(ended(code)) is None


@pytest.mark.parametrize("status", [429, 503])
def test_where_there_is_no_room_four_attempts_are_made_within_fifteen_seconds(status: int) -> None:
    assert delays(Reconnects(longest), refused(status)) == [1_000, 2_000, 4_000, 8_000]


def test_a_retry_after_is_kept_to_and_one_that_is_too_long_ends_it() -> None:
    reconnects = Reconnects(lambda: 0.0)
    assert reconnects.delay_ms(refused(retry_after_ms=3_000)) == 3_000
    assert reconnects.delay_ms(refused(retry_after_ms=500)) == 1_000
    assert reconnects.delay_ms(refused(retry_after_ms=9_000)) is None


def test_after_a_takeover_room_is_waited_for_as_long_as_the_caller_waits() -> None:
    """The place that is taken may be the dead gateway's own."""
    tried = delays(Reconnects(longest, waits_for_room=True), refused(429))
    assert tried[:4] == [1_000, 2_000, 4_000, 4_000]
    assert sum(tried) > TAKEOVER_OUTAGE_MS
