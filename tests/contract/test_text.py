"""Text from outside is made fit for UTF-8."""

from __future__ import annotations

import pytest

from contract.text import REPLACEMENT, whole


@pytest.mark.parametrize("text", ["", "Grüße", "😀", "a\U0010ffffb"])
def test_text_that_is_whole_stays_as_it_is(text: str) -> None:
    assert whole(text) is text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\ud83d", REPLACEMENT),
        ("a\ude00b", f"a{REPLACEMENT}b"),
        ("\ude00\ud83d", 2 * REPLACEMENT),
        ("\ud83d\ude00", "😀"),
    ],
)
def test_half_of_a_pair_is_replaced_and_two_that_belong_together_are_joined(text: str, expected: str) -> None:
    assert whole(text) == expected
