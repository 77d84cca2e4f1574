from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import items
from contract.actions import Action, Collect, End, Numbered, Outcome, Play, Say, Transfer
from contract.call import Call, CallState, FlowForm, Head, MediaStream
from contract.errors import MalformedRecord
from contract.turns import FunctionEntry, FunctionState, Role, Turn
from tests.contract.samples import CONTACT, T0, a_call

TEXT = st.text(max_size=20)
WHOLE = st.integers(0, 2**53)
ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(Play, TEXT, WHOLE),
    st.builds(Say, TEXT),
    st.builds(Collect, TEXT, WHOLE, TEXT, WHOLE, st.booleans()),
    st.builds(Transfer, TEXT, TEXT, TEXT, st.dictionaries(TEXT, TEXT, max_size=3)),
    st.builds(End, TEXT),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


def through_the_table(values: dict[str, items.Plain]) -> dict[str, items.Plain]:
    return items.from_attributes(items.to_attributes(values))


@given(st.builds(Numbered, WHOLE, ACTIONS, WHOLE, st.sampled_from(Outcome)))
def test_a_line_of_the_log_comes_back_as_it_was(numbered: Numbered) -> None:
    assert items.numbered_from_plain(through_the_table(items.numbered_to_plain(numbered)), "action") == numbered


@given(
    st.builds(FunctionEntry, TEXT, TEXT, st.dictionaries(TEXT, JSON, max_size=3), st.sampled_from(FunctionState), WHOLE)
)
def test_a_line_of_the_ledger_comes_back_as_it_was(entry: FunctionEntry) -> None:
    assert items.function_from_plain(through_the_table(items.function_to_plain(entry)), "function") == entry


@given(st.from_type(Head))
def test_a_head_comes_back_as_it_was(head: Head) -> None:
    assert items.from_plain(Head, through_the_table(items.to_plain(head)), "head") == head


@pytest.mark.parametrize("record", [a_call(), a_call(opening=None), Turn(1, Role.CALLER, "", marks={"a": 1})])
def test_calls_and_turns_come_back_as_they_were(record: Call | Turn) -> None:
    assert items.from_plain(type(record), through_the_table(items.to_plain(record)), "record") == record


def test_a_fragment_number_stays_a_string_to_the_last_digit() -> None:
    stream = MediaStream("arn", T0, "9" * 47)
    assert items.from_plain(MediaStream, through_the_table(items.to_plain(stream)), "media") == stream


def test_what_a_newer_release_added_is_skipped_and_what_an_older_one_lacks_has_its_default() -> None:
    values: dict[str, Any] = {"contact_id": CONTACT, "attempt": 1, "state": "waiting", "started_at_ms": T0, "mood": "x"}
    assert items.from_plain(Head, values, "head") == Head(CONTACT, 1, CallState.WAITING, T0)


def test_kinds_of_values_that_are_never_written_are_left_out() -> None:
    assert items.from_attributes({"a": {"S": "x"}, "b": {"SS": ["y"]}, "c": {"NULL": True}}) == {"a": "x"}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"attempt": "1"}, "call.attempt"),
        ({"attempt": True}, "call.attempt"),
        ({"form": "telepathic"}, "call.form"),
        ({"media": "stream"}, "call.media"),
        ({"media": {"stream_arn": "a", "start_timestamp_ms": 1}}, "call.media.start_fragment_number"),
        ({"attributes": []}, "call.attributes"),
        ({"attributes": {"a": 1}}, "call.attributes.a"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(change: dict[str, Any], where: str) -> None:
    with pytest.raises(MalformedRecord) as malformed:
        items.from_plain(Call, {**items.to_plain(a_call()), **change}, "call")
    assert malformed.value.where == where


def test_an_action_of_an_unknown_kind_is_malformed() -> None:
    with pytest.raises(MalformedRecord, match="expected one of play, say, collect, transfer, end, found str"):
        items.numbered_from_plain({"kind": "dance"}, "action")


@pytest.mark.parametrize("arguments", ["{", 5])
def test_arguments_that_are_no_json_are_malformed(arguments: Any) -> None:
    values = items.function_to_plain(FunctionEntry("k", "f", {}, FunctionState.ENTERED, T0))
    with pytest.raises(MalformedRecord, match="expected JSON"):
        items.function_from_plain({**values, "arguments": arguments}, "function")


def test_equal_arguments_have_one_canonical_text() -> None:
    assert items.canonical({"b": 1, "a": "ü"}) == items.canonical({"a": "ü", "b": 1}) == '{"a":"ü","b":1}'


def test_a_form_is_written_by_its_name() -> None:
    assert items.to_plain(replace(a_call(), form=FlowForm.SIP))["form"] == "sip"
