from __future__ import annotations

import pytest

from simulator.deepgram.local.language import Phrase, words
from simulator.deepgram.local.slots import ChoiceSlot, DigitSlot, WordsSlot

NUMBER = DigitSlot("number", 4, 6, (Phrase.of("zip code"), Phrase.of("zip code is")), (), None)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("four seven one one", "4711"),
        ("not 4712 but 4711", "4711"),
        ("47 is the beginning 11 the end", "4711"),
        ("my zip code is 60601", None),
        ("zip code 60601, order 4711", "4711"),
        ("two weeks ago", None),
        ("1234567", None),
    ],
)
def test_a_number_of_fitting_length_is_found(text: str, number: str | None) -> None:
    assert NUMBER.find(words(text)) == number


@pytest.mark.parametrize(
    ("begun", "text", "expected"),
    [
        ("", "it's four seven", (None, "47")),
        ("47", "one one", ("4711", "")),
        ("47", "one", (None, "471")),
        ("47", "no, 4712", ("4712", "")),
        ("471", "one two three four five six", ("123456", "")),
        ("471", "1 2 3", ("471123", "")),
        ("47", "two weeks ago I bought it", (None, "47")),
        ("47", "double one", ("4711", "")),
        ("4", "seven hundred", ("4700", "")),
        ("47", "what", (None, "47")),
    ],
)
def test_a_number_is_collected_in_parts(begun: str, text: str, expected: tuple[str | None, str]) -> None:
    assert NUMBER.join(begun, words(text)) == expected


def test_parts_that_are_too_long_together_are_forgotten() -> None:
    six = DigitSlot("number", 6, 6, (), (), None)
    assert six.join("47110", words("one two three")) == (None, "")


def test_the_choice_said_last_counts() -> None:
    slot = ChoiceSlot("day", {"mon": (Phrase.of("monday"),), "tue": (Phrase.of("tuesday"),)}, (), None)
    assert slot.find(words("not Monday, Tuesday!")) == "tue"
    assert slot.find(words("whenever")) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("my name is Alice Brown, my social is", "alice brown"),
        ("My name is Jack. I'm calling", "jack"),
        ("my name is 4711", None),
        ("my name is", None),
        ("hello", None),
    ],
)
def test_the_words_after_a_phrase_are_a_name(text: str, name: str | None) -> None:
    assert WordsSlot("name", (Phrase.of("name is"),), 2).find(words(text)) == name
