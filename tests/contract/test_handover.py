from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import handover


@given(st.text(), st.integers(3, 64))
def test_a_text_is_cut_at_a_character(text: str, limit: int) -> None:
    cut = handover.clip_utf8(text, limit)
    assert len(cut.encode()) <= limit
    assert cut == text or cut.endswith("…")


def test_essentials_fit_whatever_else_a_contact_carries() -> None:
    taken = sum(limit + len(key) for key, limit in handover.ESSENTIAL.items())
    assert taken <= handover.ESSENTIAL_BYTES


def test_what_is_missing_or_blank_is_none() -> None:
    assert handover.attributes({"va_reason": "  "})["va_reason"] == "none"


def test_a_card_number_is_taken_out_of_what_was_said_and_the_name_of_a_record_stays() -> None:
    number = "4444-555555555555"
    told = handover.attributes({"va_summary": number, "va_record": f"s3://b/calls/2-3333-{number}/1.json"})
    assert told["va_summary"] == "(card number)"
    assert told["va_record"].endswith(f"{number}/1.json")


def test_a_key_that_is_not_in_the_contract_is_refused() -> None:
    with pytest.raises(KeyError, match="va_mood"):
        handover.attributes({"va_mood": "good"})
