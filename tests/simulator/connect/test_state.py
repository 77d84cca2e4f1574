from __future__ import annotations

from typing import Any

import pytest

from simulator.connect.errors import TooLarge
from simulator.connect.state import ATTRIBUTE_BYTES, ContactState
from tests.simulator.connect.small import MEDIA, an_instance


def a_state(**facts: Any) -> ContactState:
    return ContactState("c-1", an_instance(), **facts)


def test_attributes_are_merged() -> None:
    state = a_state()
    state.set_attributes({"a": "1", "b": "2"})
    state.set_attributes({"b": "3"})
    assert state.attributes == {"a": "1", "b": "3"}


def test_attributes_may_hold_32_kb_together_and_no_byte_more() -> None:
    state = a_state()
    state.set_attributes({"a": "x" * (ATTRIBUTE_BYTES - 1)})
    with pytest.raises(TooLarge, match="32770 bytes, at most 32768"):
        state.set_attributes({"b": "1"})
    assert "b" not in state.attributes


def test_bytes_are_counted_not_characters() -> None:
    with pytest.raises(TooLarge):
        a_state().set_attributes({"a": "ä" * (ATTRIBUTE_BYTES // 2)})


def test_flow_attributes_have_the_same_limit_of_their_own() -> None:
    state = a_state()
    state.set_flow_attributes({"a": "1"})
    with pytest.raises(TooLarge):
        state.set_flow_attributes({"b": "x" * ATTRIBUTE_BYTES})
    assert state.flow_attributes == {"a": "1"}


def test_the_stream_is_null_before_it_was_started() -> None:
    assert a_state().audio_stream() is None


def test_a_stop_adds_its_time_to_the_stream() -> None:
    state = a_state()
    state.media = MEDIA
    before = dict(state.audio_stream() or {})
    state.stopped_at_ms = 7
    assert state.audio_stream() == {**before, "StopTimestamp": "7"}
    assert before["StartFragmentNumber"] == MEDIA.start_fragment_number


def test_a_withheld_number_is_null() -> None:
    readable = a_state(system_number="+4930").readable()
    assert readable["CustomerEndpoint"] is None
    assert readable["SystemEndpoint"] == {"Address": "+4930", "Type": "TELEPHONE_NUMBER"}
    assert readable["Queue"] is None
