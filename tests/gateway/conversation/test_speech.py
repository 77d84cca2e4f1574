from __future__ import annotations

from gateway.conversation.speech import KEPT_BYTES, SPEECH_LOST_MS, SPEECH_OVER_MS, AgentSpeech, Tail

NOW = 1_000_000


def test_at_first_nothing_plays() -> None:
    speech = AgentSpeech()
    assert not speech.playing
    assert speech.next_due_ms() is None
    assert not speech.is_over(NOW)


def test_the_opening_plays_without_audio_of_ours() -> None:
    speech = AgentSpeech()
    speech.opening()
    assert speech.stretch == 0
    assert speech.finished(0, 1500) is None
    assert not speech.playing


def test_a_stretch_is_new_once() -> None:
    speech = AgentSpeech()
    assert speech.queued(1, b"a")
    assert not speech.queued(1, b"b")
    assert speech.queued(2, b"c")


def test_what_was_not_heard_is_the_tail() -> None:
    speech = AgentSpeech()
    speech.queued(1, b"old")
    speech.queued(2, b"a" * 80)
    speech.queued(2, b"b" * 80)
    assert speech.finished(2, 10) == Tail(2, 10, b"b" * 80)
    assert speech.finished(2, 10) is None


def test_a_stretch_that_was_heard_to_its_end_has_no_tail() -> None:
    speech = AgentSpeech()
    speech.queued(2, b"a" * 80)
    assert speech.finished(2, 10) is None


def test_two_minutes_are_kept_and_no_more() -> None:
    speech = AgentSpeech()
    speech.queued(1, bytes(KEPT_BYTES))
    speech.queued(1, b"more")
    tail = speech.finished(1, 0)
    assert tail is not None
    assert len(tail.ulaw) == KEPT_BYTES


def test_a_reply_is_over_a_moment_after_its_last_audio_was_announced() -> None:
    speech = AgentSpeech()
    speech.received(NOW)
    speech.audio_done(NOW + 100)
    assert not speech.is_over(NOW + 100 + SPEECH_OVER_MS - 1)
    assert speech.is_over(NOW + 100 + SPEECH_OVER_MS)
    assert not speech.is_over(NOW + 9000)


def test_audio_after_the_announcement_takes_it_back() -> None:
    speech = AgentSpeech()
    speech.received(NOW)
    speech.audio_done(NOW + 100)
    speech.received(NOW + 200)
    assert speech.next_due_ms() == NOW + 200 + SPEECH_LOST_MS


def test_an_announcement_that_never_comes_is_not_waited_for() -> None:
    speech = AgentSpeech()
    speech.received(NOW)
    assert speech.is_over(NOW + SPEECH_LOST_MS)


def test_an_announcement_without_audio_means_nothing() -> None:
    speech = AgentSpeech()
    speech.audio_done(NOW)
    assert speech.next_due_ms() is None


def test_of_a_session_that_was_lost_no_announcement_is_waited_for() -> None:
    speech = AgentSpeech()
    speech.session_lost(NOW)
    assert speech.next_due_ms() is None
    speech.received(NOW)
    speech.session_lost(NOW + 100)
    assert speech.next_due_ms() == NOW + 100 + SPEECH_OVER_MS


def test_what_the_next_session_says_has_an_announcement_of_its_own() -> None:
    speech = AgentSpeech()
    speech.received(NOW)
    speech.session_lost(NOW + 100)
    speech.received(NOW + 200)
    assert speech.next_due_ms() == NOW + 200 + SPEECH_LOST_MS
