from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.conversation.watch import MUTE_MS, NUDGE_MS, AgentWatch, CallerWatch, Mute

NOW = 1_000_000


def test_nobody_is_expected_at_first() -> None:
    watch = AgentWatch()
    assert watch.next_due_ms() is None
    assert watch.due(NOW) is None


def test_a_mute_agent_is_nudged_and_then_given_up() -> None:
    watch = AgentWatch()
    watch.expect(NOW)
    assert watch.due(NOW + NUDGE_MS - 1) is None
    assert watch.due(NOW + NUDGE_MS) is Mute.NUDGE
    assert watch.next_due_ms() == NOW + MUTE_MS
    assert watch.due(NOW + MUTE_MS - 1) is None
    assert watch.due(NOW + MUTE_MS) is Mute.RECONNECT
    assert watch.next_due_ms() is None


def test_audio_satisfies() -> None:
    watch = AgentWatch()
    watch.expect(NOW)
    watch.satisfied()
    assert watch.due(NOW + MUTE_MS) is None
    watch.resume(NOW)
    assert watch.next_due_ms() is None


def test_a_new_turn_of_the_caller_starts_anew() -> None:
    watch = AgentWatch()
    watch.expect(NOW)
    watch.due(NOW + NUDGE_MS)
    watch.expect(NOW + 8000)
    assert watch.next_due_ms() == NOW + 8000 + NUDGE_MS


def test_what_was_owed_before_a_cough_is_owed_after_it() -> None:
    watch = AgentWatch()
    watch.expect(NOW)
    watch.pause()
    watch.pause()
    assert watch.due(NOW + MUTE_MS) is None
    watch.resume(NOW + 3000)
    assert watch.next_due_ms() == NOW + 3000 + NUDGE_MS


def test_after_a_cough_nothing_is_owed_that_was_not_before() -> None:
    watch = AgentWatch()
    watch.pause()
    watch.resume(NOW)
    assert watch.next_due_ms() is None


def ladder() -> CallerWatch:
    return CallerWatch(after_ms=10_000, rungs=2)


def test_the_ladder_is_climbed_one_rung_at_a_time() -> None:
    watch = ladder()
    assert watch.heard(NOW) is None
    reached = []
    for _ in range(4):
        watch.quiet_from(NOW)
        assert watch.heard(NOW + 9999) is None
        reached.append(watch.heard(NOW + 10_000))
        assert watch.heard(NOW + 99_000) is None
    assert reached == [0, 1, 2, 2]


def test_a_sound_starts_the_time_anew_and_keeps_the_rung() -> None:
    watch = ladder()
    watch.quiet_from(NOW)
    assert watch.heard(NOW + 10_000) == 0
    watch.quiet_from(NOW + 10_000)
    watch.sound(NOW + 15_000)
    assert watch.heard(NOW + 24_999) is None
    assert watch.heard(NOW + 25_000) == 1


def test_before_the_callers_first_audio_no_time_runs() -> None:
    watch = ladder()
    watch.quiet_from(0)
    assert watch.heard(NOW) is None
    assert watch.heard(NOW + 9999) is None
    assert watch.heard(NOW + 10_000) == 0


def test_a_sound_while_the_agent_speaks_starts_nothing() -> None:
    watch = ladder()
    watch.sound(NOW)
    assert watch.heard(NOW + 60_000) is None


def test_a_turn_of_the_caller_goes_back_to_the_foot() -> None:
    watch = ladder()
    watch.quiet_from(NOW)
    assert watch.heard(NOW + 10_000) == 0
    watch.turn()
    assert watch.heard(NOW + 60_000) is None
    watch.quiet_from(NOW + 60_000)
    assert watch.heard(NOW + 70_000) == 0


def test_a_pause_keeps_the_rung() -> None:
    watch = ladder()
    watch.quiet_from(NOW)
    watch.heard(NOW + 10_000)
    watch.quiet_from(NOW + 10_000)
    watch.pause()
    assert watch.heard(NOW + 60_000) is None
    watch.quiet_from(NOW + 60_000)
    assert watch.heard(NOW + 70_000) == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 15_000), st.sampled_from(["quiet", "sound", "pause", "heard"])), max_size=30))
def test_rungs_only_rise_and_never_come_before_their_time(steps: list[tuple[int, str]]) -> None:
    watch, now, rungs, quiet_since = ladder(), NOW, [-1], NOW
    for gap, step in steps:
        now += gap
        if step == "quiet":
            watch.quiet_from(now)
            quiet_since = now
        elif step == "sound":
            watch.sound(now)
            quiet_since = now
        elif step == "pause":
            watch.pause()
        elif (rung := watch.heard(now)) is not None:
            assert now - quiet_since >= 10_000
            assert rung >= rungs[-1]
            rungs.append(rung)
    assert max(rungs) <= 2


def test_what_nobody_spoke_is_due_at_once_from_its_first_sentence_on() -> None:
    watch = ladder()
    watch.quiet_from(NOW)
    assert watch.heard(NOW + 10_000) == 0
    watch.quiet_from(NOW + 10_000)
    assert watch.heard(NOW + 20_000) == 1
    watch.session_lost()
    assert watch.silent
    assert watch.heard(NOW + 20_001) == 0


def test_what_was_spoken_before_the_session_was_lost_is_not_asked_again() -> None:
    watch = ladder()
    watch.quiet_from(NOW)
    assert watch.heard(NOW + 10_000) == 0
    watch.pause()  # the agent says it
    watch.session_lost()
    assert not watch.silent
    watch.quiet_from(NOW + 12_000)
    assert watch.heard(NOW + 22_000) == 1


def test_who_made_a_sound_since_is_not_asked_at_once() -> None:
    watch = ladder()
    watch.quiet_from(NOW)
    assert watch.heard(NOW + 10_000) == 0
    watch.quiet_from(NOW + 10_000)
    watch.sound(NOW + 12_000)
    watch.session_lost()
    assert not watch.silent
    assert watch.heard(NOW + 21_999) is None
    assert watch.heard(NOW + 22_000) == 0
