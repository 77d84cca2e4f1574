"""Text from outside is made fit for UTF-8."""

from __future__ import annotations

import pytest

from contract.text import REPLACEMENT, json_object, read_json, whole


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


def test_json_from_outside_comes_whole() -> None:
    assert read_json('{"note": "fine \\ud83d", "\\uDE00": ["\\ud83d\\ude00"]}') == {
        "note": "fine \ufffd",
        "\ufffd": ["\N{GRINNING FACE}"],
    }


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_what_is_no_json_is_refused_in_one_way(text: str) -> None:
    with pytest.raises(ValueError):
        read_json(text)


@pytest.mark.parametrize(("text", "read"), [('{"a": 1}', {"a": 1}), ("[1]", {}), ("no", {}), ("", {})])
def test_what_is_no_object_is_an_empty_one(text: str, read: dict[str, int]) -> None:
    assert json_object(text) == read
