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
    assert sum(handover.ESSENTIAL.values()) <= handover.ESSENTIAL_BYTES


def test_what_is_missing_or_blank_is_none() -> None:
    assert handover.attributes({"va_reason": "  "})["va_reason"] == "none"


def test_a_key_that_is_not_in_the_contract_is_refused() -> None:
    with pytest.raises(KeyError, match="va_mood"):
        handover.attributes({"va_mood": "good"})
