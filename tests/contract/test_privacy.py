from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import handover
from contract.privacy import CARD, SOCIAL, redacted
from contract.sizes import within_limits
from contract.turns import Role, Turn


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("my card is 4111 1111 1111 1111 thanks", f"my card is {CARD} thanks"),
        ("4111111111111111", CARD),
        ("5500-0000-0000-0004, and 3400 000000 00009", f"{CARD}, and {CARD}"),
        ("it is 078-05-1120.", f"it is {SOCIAL}."),
        ("078 05 1120", SOCIAL),
        ("four one one one one one one one one one one one one one one one please", f"{CARD} please"),
        ("Oh seven eight, oh five, one one two zero", SOCIAL),
    ],
)
def test_numbers_that_nobody_needs_are_taken_out(text: str, kept: str) -> None:
    assert redacted(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "where is my order",
        "order 471108, or 4711 0890 12",
        "call +49 151 1234 5678",
        "4111 1111 1111 1112",  # the check digit is wrong
        "490154203237518",  # a telephone's IMEI has a check digit of the same kind
        "000-12-3456",
        "one two three four five six seven eight",
        "one two three four five six seven eight nine one",
        "at 10:30 on 2027-01-18",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert redacted(text) == text


@given(st.text())
def test_whatever_was_said_can_be_looked_at(text: str) -> None:
    assert redacted(redacted(text)) == redacted(text)


def test_the_record_and_the_handover_are_without_them() -> None:
    turn = within_limits(Turn(1, Role.CALLER, "4111111111111111", heard_text="4111111111111111"))
    assert (turn.text, turn.heard_text) == (CARD, CARD)
    assert handover.attributes({"va_summary": "Paid with 4111 1111 1111 1111."})["va_summary"] == f"Paid with {CARD}."
