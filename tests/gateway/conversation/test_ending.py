from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.conversation.ending import (
    FIRST_WORD_MS,
    GRACE_MS,
    HELD_MS,
    LATE_MS,
    LONGEST_MS,
    NO_WORDS_MS,
    QUIET_MS,
    UTMOST_MS,
    Ending,
    Leave,
    Step,
)

NOW = 1_000_000
LEAVE = Leave("goodbye")


def asked(*, playing: bool = False) -> Ending:
    ending = Ending()
    assert ending.ask(LEAVE, NOW, playing=playing)
    return ending


def last_words(ending: Ending, from_ms: int = NOW + 500, for_ms: int = 2000) -> int:
    """The agent speaks, and the caller hears all of it and is known to have said nothing; when that was."""
    ending.agent_audio()
    ending.audio_done(from_ms + 200)
    ending.playback_started(from_ms + 300)
    ending.playback_finished(from_ms + for_ms)
    ending.caller_heard(from_ms + for_ms + GRACE_MS)
    return from_ms + for_ms


def test_nothing_is_due_before_it_is_asked_for() -> None:
    ending = Ending()
    assert ending.next_due_ms() is None
    assert ending.due(NOW) is None
    assert ending.act() is None


def test_it_is_asked_for_once() -> None:
    ending = asked()
    assert not ending.ask(Leave("other"), NOW + 1, playing=False)
    assert ending.leave is LEAVE


def test_it_acts_once_when_the_last_words_were_heard() -> None:
    ending = asked()
    heard = last_words(ending)
    assert ending.due(NOW + 500) is None
    assert ending.due(heard) is LEAVE
    assert ending.step is Step.ACTING
    assert ending.due(heard + LONGEST_MS) is None
    assert ending.next_due_ms() is None


def test_without_last_words_it_waits_four_seconds() -> None:
    ending = asked()
    assert ending.next_due_ms() == NOW + NO_WORDS_MS


def test_an_audio_done_without_audio_ends_the_wait_for_a_first_word() -> None:
    ending = asked()
    ending.audio_done(NOW + 100)
    assert ending.next_due_ms() == NOW + FIRST_WORD_MS
    ending.audio_done(NOW + 2000)
    assert ending.next_due_ms() == NOW + 2000 + QUIET_MS


def test_audio_after_an_audio_done_is_waited_for() -> None:
    ending = asked()
    last_words(ending)
    ending.agent_audio()
    assert ending.next_due_ms() == NOW + 500 + 300 + LONGEST_MS


def test_the_sentence_before_is_heard_to_its_end() -> None:
    ending = asked(playing=True)
    assert ending.next_due_ms() == NOW + LONGEST_MS
    ending.playback_finished(NOW + 1000)
    ending.caller_heard(NOW + 1000 + GRACE_MS)
    assert ending.next_due_ms() == NOW + NO_WORDS_MS


def test_words_whose_audio_done_never_comes_are_over_when_the_speech_is() -> None:
    ending = asked()
    ending.agent_audio()
    ending.playback_finished(NOW + 2000)
    ending.caller_heard(NOW + 3000)
    assert ending.next_due_ms() == NOW + LONGEST_MS
    ending.speech_over(NOW + 4500)
    assert ending.next_due_ms() == NOW + 4500 + QUIET_MS
    ending.speech_over(NOW + 9000)
    assert ending.next_due_ms() == NOW + 4500 + QUIET_MS


def test_it_waits_until_the_callers_audio_of_the_last_word_is_known() -> None:
    ending = asked()
    ending.caller_heard(NOW)
    ending.agent_audio()
    ending.audio_done(NOW + 600)
    ending.playback_finished(NOW + 2000)
    assert ending.next_due_ms() == NOW + 2000 + LATE_MS
    ending.caller_heard(NOW + 2000 + GRACE_MS)
    assert ending.next_due_ms() == NOW + 600 + QUIET_MS


def test_a_flow_that_is_slow_to_play_them_gets_more_time() -> None:
    ending = asked()
    ending.agent_audio()
    ending.playback_started(NOW + 12_000)
    assert ending.next_due_ms() == NOW + 12_000 + LONGEST_MS
    ending.playback_started(NOW + 44_000)
    assert ending.next_due_ms() == NOW + UTMOST_MS


def test_a_replayed_tail_needs_no_audio_done() -> None:
    ending = asked()
    ending.agent_audio()
    ending.replayed()
    ending.playback_finished(NOW + 5000)
    ending.caller_heard(NOW + 9000)
    due = ending.next_due_ms()
    assert due is not None
    assert due <= NOW + 5000


def test_a_replayed_tail_keeps_an_audio_done_that_came() -> None:
    ending = asked()
    ending.agent_audio()
    ending.audio_done(NOW + 700)
    ending.replayed()
    ending.playback_finished(NOW + 800)
    ending.caller_heard(NOW + 9000)
    assert ending.next_due_ms() == NOW + 700 + QUIET_MS


def test_it_does_not_act_while_the_caller_makes_a_sound() -> None:
    ending = asked()
    heard = last_words(ending)
    ending.hold(heard)
    assert ending.interrupted
    assert ending.due(heard + 5000) is None
    ending.release()
    assert ending.due(heard + 5000) is LEAVE


def test_a_sound_takes_back_what_was_told_for_as_long_as_it_is_undecided() -> None:
    ending = Ending()
    assert not ending.reconsider()
    ending = asked()
    heard = last_words(ending)
    assert not ending.reconsider()  # nobody was told
    assert ending.due(heard + 5000) is LEAVE
    assert ending.reconsider()
    ending.hold(heard + 5000)
    assert ending.due(heard + 6000) is None
    ending.release()
    assert ending.due(heard + 6000) is LEAVE
    ending.taken()
    assert not ending.reconsider()


def test_a_sound_that_never_ends_does_not_keep_the_caller_for_ever() -> None:
    ending = asked()
    ending.hold(NOW + 1000)
    assert ending.due(NOW + 1000 + HELD_MS - 1) is None
    assert ending.due(NOW + 1000 + HELD_MS) is LEAVE


@pytest.mark.parametrize("acting", [False, True])
def test_it_can_be_taken_back_until_the_flow_has_it(acting: bool) -> None:
    ending = asked()
    if acting:
        assert ending.act() is LEAVE
    assert ending.cancel() is LEAVE
    assert (ending.step, ending.leave) == (Step.NOT, None)
    assert ending.cancel() is None


def test_what_the_flow_has_taken_stays() -> None:
    ending = asked()
    ending.act()
    ending.taken()
    assert ending.cancel() is None
    assert ending.step is Step.TAKEN
    ending.returned()
    assert (ending.step, ending.leave) == (Step.NOT, None)


def test_a_second_request_starts_afresh() -> None:
    ending = asked()
    last_words(ending)
    ending.hold(NOW + 3000)
    ending.cancel()
    assert ending.ask(LEAVE, NOW + 10_000, playing=False)
    assert not ending.interrupted
    assert ending.next_due_ms() == NOW + 10_000 + NO_WORDS_MS


def test_what_the_model_wrote_is_kept_out_of_logs() -> None:
    assert "lives" not in repr(Leave("transfer", summary="lives in Ulm", why="lives there"))


STEPS = st.lists(
    st.tuples(
        st.integers(0, 4000),
        st.sampled_from(
            ["audio", "done", "started", "finished", "hold", "release", "media", "replayed", "over", "due"]
        ),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.booleans())
def test_it_acts_exactly_once_never_while_held_and_always_by_the_bound(
    steps: list[tuple[int, str]], playing: bool
) -> None:
    ending, now, held_until, acted = asked(playing=playing), NOW, 0, 0

    def look() -> None:
        nonlocal acted
        leave = ending.due(now)
        if leave is not None:
            acted += 1
            assert now >= held_until

    for gap, step in steps:
        now += gap
        match step:
            case "audio":
                ending.agent_audio()
            case "done":
                ending.audio_done(now)
            case "started":
                ending.playback_started(now)
            case "finished":
                ending.playback_finished(now)
            case "hold":
                ending.hold(now)
                held_until = now + HELD_MS
            case "release":
                ending.release()
                held_until = 0
            case "media":
                ending.caller_heard(now - 1500)
            case "replayed":
                ending.replayed()
            case "over":
                ending.speech_over(now)
        look()
    now = max(NOW + UTMOST_MS, held_until, now)
    look()
    assert acted == 1
