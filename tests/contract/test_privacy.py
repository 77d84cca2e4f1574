from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import handover
from contract.announcement import _function
from contract.privacy import CARD, SOCIAL, redacted, redacted_json, redacted_values
from contract.sizes import entered, finished, within_limits
from contract.turns import FunctionEntry, FunctionState, Role, Turn


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


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"card": "4111 1111 1111 1111", "n": 3}, {"card": CARD, "n": 3}),
        ({"cards": [4111111111111111, 12, True, None, 1.5]}, {"cards": [CARD, 12, True, None, 1.5]}),
        ({"who": {"ssn": "078-05-1120"}}, {"who": {"ssn": SOCIAL}}),
    ],
)
def test_values_are_redacted_wherever_they_stand(value: object, kept: object) -> None:
    assert redacted_values(value) == kept
    assert json.loads(redacted_json(json.dumps(value))) == kept


def test_what_holds_no_such_number_stays_as_it_was_written() -> None:
    assert redacted_json('{"a":  1}') == '{"a":  1}'


def test_what_is_no_json_is_redacted_as_text() -> None:
    assert redacted_json("card 4111 1111 1111 1111") == f"card {CARD}"


def test_the_ledger_keeps_no_such_number_and_the_same_key() -> None:
    entry = FunctionEntry("0001#pay#1", "pay", {"card": "4111111111111111"}, FunctionState.ENTERED, 1)
    assert entered(entry) == replace(entry, arguments={"card": CARD})
    assert finished('{"card": "4111111111111111"}', "") == json.dumps({"card": CARD})


def test_the_record_that_is_announced_keeps_none_either() -> None:
    entry = FunctionEntry("0001#pay#1", "pay", {"card": "4111111111111111"}, FunctionState.FINISHED, 1)
    assert _function(entry)["arguments"] == {"card": CARD}
