"""Caller audio that waits for a session."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.held_audio import BEFORE_MS, LONGEST_MS, HeldAudio

FRAME_MS = 64


def frame(number: int) -> tuple[int, bytes]:
    return number * FRAME_MS, bytes([number % 256]) * (FRAME_MS * 8)


def feed(held: HeldAudio, first: int, count: int, *, ready: bool) -> list[int]:
    sent: list[int] = []
    for number in range(first, first + count):
        held.push(*frame(number))
        if ready:
            sent += [ulaw[0] for ulaw in held.due()]
        else:
            held.wait()
    return sent


def test_with_a_session_every_frame_goes_out_as_it_comes() -> None:
    assert feed(HeldAudio(), 0, 5, ready=True) == [0, 1, 2, 3, 4]


def test_what_is_said_without_a_session_goes_out_later_and_in_order() -> None:
    held = HeldAudio()
    assert feed(held, 0, 10, ready=False) == []
    assert held.backlog_ms == 10 * FRAME_MS
    assert feed(held, 10, 30, ready=True) == list(range(40))
    assert held.backlog_ms == 0


def test_it_catches_up_at_one_and_a_half_times_real_time() -> None:
    held = HeldAudio()
    feed(held, 0, 20, ready=False)
    assert feed(held, 20, 10, ready=True) == list(range(15))


def test_a_new_session_hears_the_open_turn_again() -> None:
    held = HeldAudio()
    feed(held, 0, 50, ready=True)
    held.lost(40 * FRAME_MS)
    first = 40 - BEFORE_MS // FRAME_MS
    assert feed(held, 50, 60, ready=True)[:3] == [first, first + 1, first + 2]


def test_of_a_long_outage_the_newest_is_kept() -> None:
    held = HeldAudio()
    feed(held, 0, 1000, ready=False)
    assert held.backlog_ms <= LONGEST_MS
    assert feed(held, 1000, 1, ready=True) == [(1001 - LONGEST_MS // FRAME_MS) % 256]


@given(st.lists(st.sampled_from(["ready", "gone", "lost"]), max_size=60))
def test_without_repetition_asked_for_every_frame_goes_out_once_and_in_order(steps: list[str]) -> None:
    held, sent, number = HeldAudio(), [], 0
    for step in steps:
        if step == "lost":
            held.lost(number * FRAME_MS + BEFORE_MS)  # nothing is open
            continue
        sent += feed(held, number, 1, ready=step == "ready")
        number += 1
    sent += feed(held, number, 150, ready=True)
    assert sent == list(range(number + 150))
