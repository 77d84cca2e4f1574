"""What the caller hears, to the packet."""

from __future__ import annotations

from contract.turns import HeardSource
from gateway.legs.leg import HeardMeasured, PlaybackFinished, PlaybackStarted
from gateway.legs.sip.playout import SILENT_FRAME, Playout

A, B = b"\x01" * 160, b"\x02" * 160


def test_silence_is_sent_while_there_is_nothing_to_say() -> None:
    playout = Playout()
    assert playout.frame(0) == (SILENT_FRAME, False)
    assert not playout.playing
    playout.end_of_speech()
    playout.clear(0)
    assert playout.frame(20) == (SILENT_FRAME, False)
    assert playout.events() == []


def test_a_stretch_starts_and_ends_with_its_packets() -> None:
    playout = Playout()
    assert playout.speak(A + B) == 1
    assert playout.speak(b"\x03" * 80) == 1
    playout.end_of_speech()
    assert playout.playing
    assert [playout.frame(now) for now in (100, 120, 140)] == [
        (A, True), (B, False), (b"\x03" * 80 + SILENT_FRAME[80:], False),
    ]  # fmt: skip
    assert playout.events() == [
        PlaybackStarted(1, 100),
        PlaybackFinished(1, 50, False, 160),
        HeardMeasured(1, 50, HeardSource.PACKETS),
    ]
    assert playout.frame(160) == (SILENT_FRAME, False)
    assert playout.speak(A) == 2


def test_after_a_barge_in_the_next_packet_is_silent() -> None:
    playout = Playout()
    playout.speak(A * 10)
    playout.frame(0)
    playout.frame(20)
    playout.clear(33)
    assert playout.frame(40) == (SILENT_FRAME, False)
    assert playout.events()[1:] == [PlaybackFinished(1, 40, True, 33), HeardMeasured(1, 40, HeardSource.PACKETS)]
    assert playout.silent_after_ms == 7
    playout.clear(50)
    assert playout.events() == []


def test_a_barge_in_before_the_first_packet_means_that_nothing_was_heard() -> None:
    playout = Playout()
    playout.speak(A)
    playout.clear(5)
    assert playout.events() == [PlaybackFinished(1, 0, True, 5), HeardMeasured(1, 0, HeardSource.PACKETS)]


def test_words_that_are_not_here_yet_are_silence_within_the_stretch() -> None:
    playout = Playout()
    playout.speak(A)
    assert playout.frame(0)[0] == A
    assert playout.frame(20) == (SILENT_FRAME, False)
    assert playout.starved == 1
    assert playout.speak(B) == 1
    assert playout.frame(40) == (B, False)
    playout.end_of_speech()
    playout.frame(60)
    assert playout.events()[-2] == PlaybackFinished(1, 40, False, 60)


def test_before_its_first_word_a_stretch_starves_nobody() -> None:
    playout = Playout()
    playout.speak(b"")
    playout.frame(0)
    assert playout.starved == 0


def test_more_of_the_same_before_its_end_continues_it() -> None:
    playout = Playout()
    playout.speak(A)
    playout.end_of_speech()
    assert playout.speak(B) == 1
    playout.frame(0)
    playout.end_of_speech()
    playout.frame(20)
    assert playout.events()[1] == PlaybackFinished(1, 40, False, 40)


def test_the_opening_is_stretch_0() -> None:
    playout = Playout()
    playout.opening(A)
    assert playout.frame(0) == (A, True)
    assert playout.events()[:2] == [PlaybackStarted(0, 0), PlaybackFinished(0, 20, False, 20)]


def test_the_agent_may_go_on_where_the_opening_plays() -> None:
    playout = Playout()
    playout.opening(A)
    assert playout.speak(B) == 0


def test_a_tone_is_heard_until_there_are_words() -> None:
    playout = Playout()
    playout.tone(A + B[:80])
    assert playout.frame(0) == (A, False)
    assert playout.frame(20) == (B[:80] + SILENT_FRAME[80:], False)
    assert playout.frame(40) == (SILENT_FRAME, False)
    playout.tone(A)
    playout.speak(B)
    playout.frame(60)
    playout.clear(70)
    assert playout.frame(80) == (SILENT_FRAME, False)


def test_a_tone_can_be_ended_and_says_whether_it_plays() -> None:
    playout = Playout()
    playout.tone(A + B)
    assert playout.frame(0) == (A, False)
    before = playout.tone_plays
    playout.tone(b"")
    assert (before, playout.tone_plays) == (True, False)
    assert playout.frame(20) == (SILENT_FRAME, False)
