from __future__ import annotations

import pytest

from simulator.deepgram.local.language import Phrase, best, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Where's my order?", "where is my order"),
        ("I'd like to, please!", "i would like to please"),
        ("I don’t know, I can't, I won't", "i do not know i can not i will not"),
        ("We're here, they've gone, I'll wait, I'm late", "we are here they have gone i will wait i am late"),
        ("Let's see Tom's chair", "let us see tom chair"),
        ("Oh, hello. Oh, well; four, oh, five", "hello well four oh five"),
        ("order A4711", "order a 4711"),
        ("1,234,567", "1234567"),
        ("…", ""),
    ],
)
def test_words_are_plain(text: str, expected: str) -> None:
    assert words(text) == expected.split()


@pytest.mark.parametrize(
    ("phrase", "heard"),
    [
        ("my order", "where is my order now"),
        ("deliver*", "about the delivery"),
        ("where .. order", "where is my new order"),
        ("where .. order", "where order"),
        ("where's .. order", "where is it order"),
    ],
)
def test_a_phrase_is_found(phrase: str, heard: str) -> None:
    assert Phrase.of(phrase).ends(heard.split())


@pytest.mark.parametrize(
    ("phrase", "heard"),
    [("my order", "my new order"), ("deliver", "delivery"), ("where .. order", "where a b c d order"), ("order", "")],
)
def test_a_phrase_is_not_found_elsewhere(phrase: str, heard: str) -> None:
    assert Phrase.of(phrase).ends(heard.split()) == []


@pytest.mark.parametrize("text", ["", ".. order", "order ..", "?!"])
def test_a_phrase_begins_and_ends_with_a_word(text: str) -> None:
    with pytest.raises(ValueError, match="begins and ends with a word"):
        Phrase.of(text)


def test_the_phrase_with_more_words_weighs_more() -> None:
    phrases = [Phrase.of("order"), Phrase.of("cancel .. order")]
    assert best(phrases, ["cancel", "my", "order"]) == 2
    assert best(phrases, ["an", "order"]) == 1
    assert best(phrases, ["hello"]) == 0
