from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.connect import paths
from simulator.connect.errors import Unresolved

DATA = {
    "Attributes": {"name": "Ann", "empty": "", "key-1": "k"},
    "External": {"a": {"b": "deep"}, "n": 5, "yes": True, "no": False, "list": [1], "nothing": None},
    "ContactId": "c-1",
}


def test_a_dotted_and_a_bracketed_reference_lead_to_the_same_value() -> None:
    assert paths.lookup("$.Attributes.name", DATA) == paths.lookup("$['Attributes']['name']", DATA) == "Ann"


def test_a_nested_value_is_found() -> None:
    assert paths.lookup("$.External.a.b", DATA) == "deep"


def test_numbers_and_booleans_are_read_as_text() -> None:
    assert [paths.lookup(f"$.External.{key}", DATA) for key in ("n", "yes", "no")] == ["5", "true", "false"]


@pytest.mark.parametrize("path", ["$.External.a", "$.External.list", "$.External.nothing", "$.External.x", "$.No.x"])
def test_what_is_no_leaf_has_no_value(path: str) -> None:
    assert paths.lookup(path, DATA) is None


def test_a_way_beyond_a_leaf_has_no_value() -> None:
    assert paths.lookup("$.ContactId.more", DATA) is None


def test_references_in_a_text_are_replaced() -> None:
    assert paths.fill("Hello $.Attributes.name, $['External']['n'].", DATA) == "Hello Ann, 5."


def test_a_dollar_that_begins_no_reference_stays() -> None:
    assert paths.fill("costs $5 or $", DATA) == "costs $5 or $"


@pytest.mark.parametrize("text", ["$.Attributes.gone", "Hi $.Attributes.empty", ""])
def test_a_reference_without_value_and_an_empty_text_are_refused(text: str) -> None:
    with pytest.raises(Unresolved, match="no value"):
        paths.fill(text, DATA)


def test_a_url_with_references_inside_is_filled() -> None:
    assert paths.fill("https://b.s3.amazonaws.com/$['Attributes']['key-1'].wav", DATA).endswith("/k.wav")


def test_only_a_text_that_is_one_reference_is_a_reference() -> None:
    assert paths.is_reference("$.A.b")
    assert not paths.is_reference("x $.A.b")
    assert paths.references("x $.A.b $['C']['d']") == ["$.A.b", "$['C']['d']"]


@given(st.text(st.characters(exclude_characters="$", exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_a_text_without_references_is_unchanged(text: str) -> None:
    assert paths.fill(text, DATA) == text
