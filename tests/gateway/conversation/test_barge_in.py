from __future__ import annotations

from gateway.conversation.barge_in import (
    COUGH_QUIET_MS,
    LONGEST_COUGH_MS,
    LOOK_AGAIN_MS,
    WORDS_QUIET_MS,
    BargeIn,
)
from gateway.conversation.voice_activity import VoiceActivity

NOW = 1_000_000


def heard(started: int = 0, stopped: int = 0, until: int = NOW) -> VoiceActivity:
    return VoiceActivity(started_ms=started, stopped_ms=stopped, media_ms=until)


def test_nothing_is_undecided_at_first() -> None:
    barge_in = BargeIn()
    assert not barge_in.undecided
    assert barge_in.next_due_ms() is None
    assert not barge_in.is_cough(heard(), NOW, playing=False)


def test_the_onset_is_what_our_own_ear_heard_a_moment_before() -> None:
    barge_in = BargeIn()
    barge_in.began(heard(NOW - 700, NOW - 20), NOW, playing=True)
    assert barge_in.onset_ms == NOW - 700
    assert barge_in.marks == {"user_started_speaking": NOW, "barge_in": NOW - 700, "barge_in_noticed": NOW}
    assert barge_in.undecided


def test_without_a_sound_of_late_the_onset_is_now() -> None:
    barge_in = BargeIn()
    barge_in.began(heard(NOW - 9000, NOW - 8000), NOW, playing=False)
    assert barge_in.onset_ms == NOW
    assert barge_in.marks == {"user_started_speaking": NOW}
    unheard = BargeIn()
    unheard.began(heard(), NOW, playing=False)
    assert unheard.onset_ms == NOW


def test_the_first_onset_of_a_turn_counts() -> None:
    barge_in = BargeIn()
    barge_in.began(heard(), NOW, playing=True)
    barge_in.began(heard(), NOW + 900, playing=False)
    assert barge_in.onset_ms == NOW
    assert barge_in.marks["user_started_speaking"] == NOW
    assert barge_in.next_due_ms() == NOW + 900 + COUGH_QUIET_MS


def test_a_short_sound_with_quiet_after_it_is_a_cough() -> None:
    barge_in = BargeIn()
    barge_in.began(heard(NOW - 300, NOW), NOW, playing=True)
    after = NOW + COUGH_QUIET_MS
    assert not barge_in.is_cough(heard(NOW - 300, NOW, after), after - 1, playing=False)
    assert barge_in.is_cough(heard(NOW - 300, NOW, after), after, playing=False)


def test_it_is_looked_at_again_while_the_caller_still_hears_a_clip() -> None:
    barge_in = BargeIn()
    barge_in.began(heard(NOW - 300, NOW), NOW, playing=True)
    after = NOW + COUGH_QUIET_MS
    assert not barge_in.is_cough(heard(NOW - 300, NOW, after), after, playing=True)
    assert barge_in.next_due_ms() == after + LOOK_AGAIN_MS


def test_a_long_sound_is_waited_for_longer() -> None:
    barge_in = BargeIn()
    barge_in.began(heard(NOW - 300, NOW), NOW, playing=True)
    stopped = NOW + LONGEST_COUGH_MS
    for quiet, cough in ((COUGH_QUIET_MS, False), (WORDS_QUIET_MS - 1, False), (WORDS_QUIET_MS, True)):
        voice = heard(NOW - 300, stopped, stopped + quiet)
        due = barge_in.next_due_ms()
        assert due is not None
        assert barge_in.is_cough(voice, due, playing=False) is cough


def test_a_session_that_hears_the_sound_anew_has_time_to_say_what_it_was() -> None:
    barge_in = BargeIn()
    barge_in.heard_anew(NOW)
    assert not barge_in.undecided  # there was no sound
    barge_in.began(heard(NOW - 300, NOW), NOW, playing=True)
    barge_in.heard_anew(NOW + 900)
    assert barge_in.next_due_ms() == NOW + 900 + WORDS_QUIET_MS
    barge_in.began(heard(NOW + 1000, NOW + 1300), NOW + 1300, playing=False)
    for quiet, cough in ((COUGH_QUIET_MS, False), (WORDS_QUIET_MS, True)):
        voice = heard(NOW + 1000, NOW + 1300, NOW + 1300 + quiet)
        assert barge_in.is_cough(voice, NOW + 9000 + quiet, playing=False) is cough


def test_what_is_decided_leaves_nothing() -> None:
    barge_in = BargeIn()
    barge_in.began(heard(), NOW, playing=True)
    barge_in.over()
    assert (barge_in.onset_ms, barge_in.marks, barge_in.undecided) == (0, {}, False)
