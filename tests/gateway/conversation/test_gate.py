from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.conversation.gate import REOPEN_AFTER_MS, Gate


def test_an_open_gate_admits_everything() -> None:
    gate = Gate()
    assert gate.admit(160, 0)
    assert gate.dropped_bytes == 0


def test_late_frames_of_a_cancelled_reply_are_dropped_and_counted() -> None:
    gate = Gate()
    gate.close(1000)
    assert not gate.admit(160, 1010)
    assert not gate.admit(320, 1900)
    assert gate.dropped_bytes == 480


def test_an_opened_gate_admits_at_once() -> None:
    gate = Gate()
    gate.close(1000)
    gate.open()
    assert gate.admit(160, 1001)


def test_audio_a_second_after_the_last_dropped_frame_is_a_new_reply() -> None:
    gate = Gate()
    gate.close(1000)
    assert not gate.admit(160, 1900)
    assert not gate.admit(160, 2899)
    assert gate.admit(160, 2899 + REOPEN_AFTER_MS)
    assert not gate.closed


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, REOPEN_AFTER_MS - 1), max_size=30))
def test_a_stream_without_a_pause_of_a_second_stays_dropped(gaps: list[int]) -> None:
    gate, now = Gate(), 5000
    gate.close(now)
    for gap in gaps:
        now += gap
        assert not gate.admit(1, now)
    assert gate.dropped_bytes == len(gaps)
    assert gate.admit(1, now + REOPEN_AFTER_MS)
