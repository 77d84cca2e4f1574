from __future__ import annotations

import pytest

from simulator.deepgram.local.transcript import Segment, trusted


def test_clear_speech_is_believed() -> None:
    segments = [Segment(" Where is", 0.02, -0.1, 0.9), Segment(" my order?", 0.02, -0.2, 0.9)]
    assert trusted(segments, 1500) == "Where is my order?"


@pytest.mark.parametrize("text", ["Yes.", "No.", "Goodbye.", "Thank you.", "4711.", "Bye."])
def test_a_short_clear_answer_survives(text: str) -> None:
    assert trusted([Segment(text, 0.05, -0.3, 0.6)], 260) == text


@pytest.mark.parametrize(
    ("segment", "speech_ms"),
    [
        (Segment("Yes.", 0.02, -0.1, 0.6), 120),
        (Segment("Who knows.", 0.1, -1.2, 0.9), 900),
        (Segment("na na na na na na", 0.1, -0.2, 3.0), 900),
        (Segment("Thank you.", 0.5, -0.3, 0.6), 900),
        (Segment("you", 0.1, -0.8, 0.3), 900),
        (Segment("Thank you.", 0.1, -0.3, 0.6), 200),
        (Segment("Some words here.", 0.7, -0.3, 0.6), 900),
        (Segment("[BLANK_AUDIO]", 0.1, -0.2, 0.6), 900),
        (Segment("(wind) ♪♪", 0.1, -0.2, 0.6), 900),
        (Segment(" ... ", 0.1, -0.2, 0.6), 900),
    ],
)
def test_what_is_doubtful_is_refused(segment: Segment, speech_ms: int) -> None:
    assert trusted([segment], speech_ms) == ""


def test_less_certain_words_are_believed_where_somebody_surely_spoke() -> None:
    assert trusted([Segment("Some mumbled words.", 0.1, -0.8, 0.9)], 900) == "Some mumbled words."


def test_no_segments_are_no_text() -> None:
    assert trusted([], 1000) == ""
