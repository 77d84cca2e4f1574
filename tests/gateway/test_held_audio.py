"""Caller audio that waits for a session."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.held_audio import BEFORE_MS, KEPT_PAUSE_MS, LONGEST_MS, HeldAudio

FRAME_MS = 64
T0 = 1_700_000_000_000


class Line:
    """Frames of 64 ms, each of one byte value of its own, pushed one after the other."""

    def __init__(self, held: HeldAudio | None = None) -> None:
        self.held = held or HeldAudio()
        self.now = T0
        self.number = 0

    def feed(self, count: int, *, ready: bool, speech: bool = True, every_ms: int = FRAME_MS) -> list[int]:
        """The numbers of the frames that went out."""
        sent: list[int] = []
        for _ in range(count):
            self.now += every_ms
            ulaw = bytes([self.number % 256]) * (FRAME_MS * 8)
            self.held.push(T0 + self.number * FRAME_MS, ulaw, speech=speech)
            self.number += 1
            if ready:
                sent += [frame[0] for frame in self.held.due(self.now)]
            else:
                self.held.wait(self.now)
        return sent


def test_with_a_session_every_frame_goes_out_as_it_comes() -> None:
    assert Line().feed(5, ready=True) == [0, 1, 2, 3, 4]


def test_what_is_said_without_a_session_goes_out_later_and_in_order() -> None:
    line = Line()
    assert line.feed(10, ready=False) == []
    assert line.held.backlog_ms == 10 * FRAME_MS
    assert line.feed(30, ready=True) == list(range(40))
    assert line.held.backlog_ms == 0


def test_it_catches_up_at_one_and_a_half_times_real_time() -> None:
    line = Line()
    line.feed(20, ready=False)
    assert line.feed(10, ready=True) == list(range(15))


def test_it_is_no_faster_where_the_line_itself_catches_up() -> None:
    """A pacer with a backlog sends at one and a half times real time already."""
    line = Line()
    line.feed(20, ready=False)
    began = line.now
    sent = line.feed(60, ready=True, every_ms=FRAME_MS * 2 // 3)
    assert len(sent) * FRAME_MS <= (line.now - began) * 3 // 2 + FRAME_MS


def test_a_session_that_was_away_for_long_gets_no_burst() -> None:
    line = Line()
    line.feed(20, ready=False)
    line.feed(1, ready=True)
    line.now += 10_000  # the process was frozen
    assert len(line.feed(1, ready=True)) <= 2


def test_pauses_in_what_has_piled_up_are_left_out() -> None:
    line = Line()
    line.feed(100, ready=False, speech=False)  # six seconds of nothing, then a word
    line.feed(10, ready=False)
    sent = line.feed(16, ready=True, speech=False)
    assert set(range(99, 110)) <= set(sent)  # the word, and what was right before it
    assert len([number for number in sent if number < 99]) * FRAME_MS <= KEPT_PAUSE_MS + FRAME_MS
    assert line.held.backlog_ms <= FRAME_MS


def test_ten_seconds_after_an_outage_hardly_anything_waits() -> None:
    line = Line()
    for _ in range(6):  # twenty seconds in which the caller speaks for four tenths of the time
        line.feed(20, ready=False)
        line.feed(32, ready=False, speech=False)
    line.feed(10_000 // FRAME_MS, ready=True, speech=False)
    assert line.held.backlog_ms < 500


def test_a_new_session_hears_the_open_turn_again() -> None:
    line = Line()
    line.feed(50, ready=True)
    line.held.lost(T0 + 40 * FRAME_MS)
    first = 40 - BEFORE_MS // FRAME_MS
    assert line.feed(60, ready=True)[:3] == [first, first + 1, first + 2]


def test_of_a_long_outage_the_newest_is_kept() -> None:
    line = Line()
    line.feed(1000, ready=False)
    assert line.held.backlog_ms <= LONGEST_MS
    assert line.feed(1, ready=True) == [(1001 - LONGEST_MS // FRAME_MS) % 256]


@given(st.lists(st.sampled_from(["ready", "gone", "lost"]), max_size=60))
def test_without_repetition_asked_for_every_frame_goes_out_once_and_in_order(steps: list[str]) -> None:
    line, sent = Line(), []
    for step in steps:
        if step == "lost":
            line.held.lost(T0 + line.number * FRAME_MS + BEFORE_MS)  # nothing is open
            continue
        sent += line.feed(1, ready=step == "ready")
    sent += line.feed(150, ready=True)
    assert sent == list(range(line.number))
