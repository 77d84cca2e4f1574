from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.deepgram.local.digits import DIGITS, FILLERS, TEENS, TENS, runs
from simulator.deepgram.local.language import words


def said(text: str) -> list[str]:
    return [run.digits for run in runs(words(text))]


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("four seven one one", "4711"),
        ("forty seven eleven", "4711"),
        ("forty-seven eleven", "4711"),
        ("4711", "4711"),
        ("4,711", "4711"),
        ("4-7-1-1.", "4711"),
        ("4, 7, 1, 1", "4711"),
        ("47 11", "4711"),
        ("four thousand seven hundred and eleven", "4711"),
        ("four thousand seven hundred eleven", "4711"),
        ("forty seven hundred", "4700"),
        ("four thousand eleven", "4011"),
        ("four thousand", "4000"),
        ("seven hundred oh five", "70005"),
        ("double five", "55"),
        ("triple oh seven", "0007"),
        ("double 5 triple 1", "55111"),
        ("four seven, um, and then one one", "4711"),
        ("twenty ten", "2010"),
        ("ninety", "90"),
        ("Oh, four seven one one", "4711"),
        ("zero hundred", "0"),
    ],
)
def test_a_number_is_understood_however_it_is_said(text: str, digits: str) -> None:
    assert said(text) == [digits]


@pytest.mark.parametrize("text", ["", "hello", "double trouble", "double", "and then", "double ten"])
def test_no_number_is_heard_where_there_is_none(text: str) -> None:
    assert "".join(said(text)) in ("", "10")


def test_other_words_separate_two_numbers() -> None:
    assert said("not four seven but one one") == ["47", "11"]


def test_a_run_knows_its_place() -> None:
    run = runs(words("my number is forty seven eleven please"))[0]
    assert (run.start, run.end) == (3, 6)


def one_by_one(digits: str) -> str:
    return " ".join(DIGITS[int(one)] for one in digits)


def with_oh(digits: str) -> str:
    return one_by_one(digits).replace("zero", "oh")


def with_doubles(digits: str) -> str:
    spoken, position = [], 0
    while position < len(digits):
        twice = digits[position : position + 2] == digits[position] * 2
        spoken.append(("double " if twice else "") + DIGITS[int(digits[position])])
        position += 2 if twice else 1
    return " ".join(spoken)


def in_pairs(digits: str) -> str:
    first = len(digits) % 2
    pairs = [digits[:first]] * first + [digits[at : at + 2] for at in range(first, len(digits), 2)]
    return " ".join(_pair(pair) for pair in pairs)


def _pair(pair: str) -> str:
    value = int(pair)
    if len(pair) == 1 or value < 10:
        return one_by_one(pair)
    names = {number: word for word, number in {**TEENS, **TENS}.items()}
    if value in names:
        return names[value]
    return f"{names[value // 10 * 10]} {DIGITS[value % 10]}"


def with_dashes(digits: str) -> str:
    return "-".join(digits)


def with_fillers(digits: str) -> str:
    return f" {sorted(FILLERS)[0]}, ".join(DIGITS[int(one)] for one in digits)


@pytest.mark.parametrize("spoken", [one_by_one, with_oh, with_doubles, in_pairs, with_dashes, with_fillers, str])
@given(digits=st.text("0123456789", min_size=1, max_size=8))
@settings(max_examples=60)
def test_every_digit_string_survives_every_way_of_saying_it(spoken: Callable[[str], str], digits: str) -> None:
    assert said(spoken(digits)) == [digits]


@given(st.integers(1, 9999))
@settings(max_examples=60)
def test_a_number_said_as_a_quantity_is_understood(number: int) -> None:
    assert said(_quantity(number)) == [str(number)]


def _quantity(number: int) -> str:
    thousands, below = divmod(number, 1000)
    hundreds, rest = divmod(below, 100)
    parts = [f"{DIGITS[thousands]} thousand"] * bool(thousands) + [f"{DIGITS[hundreds]} hundred"] * bool(hundreds)
    return " ".join([*parts, *([_pair(str(rest))] * bool(rest))])


@given(st.text(max_size=60))
@settings(max_examples=60)
def test_any_text_at_all_can_be_looked_through(text: str) -> None:
    for run in runs(words(text)):
        assert run.digits.isdigit()
        assert run.start < run.end
