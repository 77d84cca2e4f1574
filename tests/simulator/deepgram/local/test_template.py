from __future__ import annotations

import pytest

from simulator.deepgram.local.template import Template


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Order {n:digits}.", "Order four seven one A."),
        ("On {d:date}.", "On Saturday, November 28."),
        ("On {n:date}.", "On 471A."),
        ("{t:time} to {u:time} or {n:time}", "9:30 am to 6 pm or 471A"),
        ("{noon:time}, {midnight:time}", "12 pm, 12 am"),
        ("It is {s:words}.", "It is in transit."),
        ("{s:title}", "In_Transit"),
        ("{f.s}", "nested"),
        ("Hello {missing|you}.", "Hello you."),
        ("Hello{missing|}.", "Hello."),
        ("Hello {missing:digits|you}.", "Hello you."),
        ("Hello {missing} there", "Hello there"),
    ],
)
def test_a_sentence_is_filled(text: str, expected: str) -> None:
    known = {
        "n": "471A",
        "d": "2026-11-28T10:00:00Z",
        "t": "09:30",
        "u": "18:00:00",
        "s": "in_transit",
        "f.s": "nested",
        "noon": "12:00",
        "midnight": "00:00",
    }
    assert Template.of(text).fill(known) == expected


def test_a_sentence_needs_what_has_no_replacement() -> None:
    template = Template.of("{a} {b|x} {c:date}")
    assert template.needs == {"a", "c"}
    assert template.fits({"a": "1", "c": "2"})
    assert not template.fits({"a": "1", "c": ""})


@pytest.mark.parametrize("text", ["{a", "a}", "{A B}", "{a:nonsense}", "{}"])
def test_a_malformed_gap_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unknown format|brace"):
        Template.of(text)
