from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from definition import BadArguments, FunctionDefinition
from definition.functions import (
    WISHES,
    TransferArguments,
    all_functions,
    as_deepgram,
    end_call,
    transfer_arguments,
    transfer_to_human,
    validate_arguments,
)
from definition.model import Endpoint
from tests.definition.conftest import Loaded

QUEUES = "{support: {description: Everything}, orders: {description: Orders}}"
ORDER = FunctionDefinition(
    "get_order_status",
    "Look it up.",
    {
        "type": "object",
        "properties": {
            "order_number": {"type": "string", "pattern": "^[0-9]{6}$"},
            "kind": {"enum": ["new", "old", 3]},
            "items": {"type": "array", "items": {"type": "object", "properties": {"count": {"type": "integer"}}}},
            "flag": {"type": ["boolean", "null"]},
            "never": False,
            "either": {"anyOf": [{"type": "string"}, {"type": "number", "minimum": 3}], "not": {"const": "x"}},
            "amount": {"type": "number", "minimum": 1},
            "when": {"type": "string", "format": "date"},
            "notes": {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
            "part": {"type": "object", "required": ["a", "b"], "properties": {"a": {}, "b": {}}},
            "unique": {"uniqueItems": True},
        },
        "required": ["order_number"],
        "additionalProperties": False,
        "not": {"required": ["amount", "when"]},
    },
)


def test_the_built_in_functions_come_last_and_are_deferred(loaded: Loaded) -> None:
    functions = all_functions(loaded("functions: {find: {description: Find it}}\n"))
    assert list(functions) == ["find", *WISHES]
    assert [function.defer_until_eot for function in functions.values()] == [None, True, True]


def test_a_transfer_names_the_queues_of_the_definition(loaded: Loaded) -> None:
    function = transfer_to_human(loaded(queues=QUEUES))
    properties: Any = function.parameters["properties"]
    assert properties["queue"]["enum"] == ["support", "orders"]
    assert "orders: Orders" in properties["queue"]["description"]
    assert "When unsure: support" in properties["queue"]["description"]
    assert function.parameters["required"] == ["queue", "reason", "sentiment", "summary"]


def test_ending_a_call_shows_the_goodbye(loaded: Loaded) -> None:
    assert '"So long."' in end_call(loaded("goodbye: So long.\n")).description


def test_deepgram_gets_four_keys_of_a_function_at_most() -> None:
    function = FunctionDefinition("f", "d", defer_until_eot=True, while_running="w", timeout_s=3)
    assert as_deepgram(function) == {
        "name": "f",
        "description": "d",
        "parameters": {"type": "object", "properties": {}},
        "defer_until_eot": True,
    }
    assert "defer_until_eot" not in as_deepgram(function, deferral=False)


@pytest.mark.parametrize(
    ("declared", "deferred"),
    [
        ({}, True),
        ({"idempotent": True}, False),
        ({"endpoint": Endpoint("https://orders.example/")}, True),
        ({"defer_until_eot": False}, False),
        ({"defer_until_eot": True, "idempotent": True}, True),
        ({"defer_until_eot": False, "idempotent": True, "confirm": "Really?"}, True),
    ],
)
def test_what_cannot_be_done_again_waits_for_the_end_of_the_turn(declared: dict[str, Any], deferred: bool) -> None:
    assert ("defer_until_eot" in as_deepgram(FunctionDefinition("f", "d", **declared))) is deferred


def test_arguments_that_fit_are_returned() -> None:
    assert validate_arguments(ORDER, '{"order_number": "123456"}') == {"order_number": "123456"}


async def test_arguments_can_be_checked_inside_the_event_loop() -> None:
    with pytest.raises(BadArguments):
        validate_arguments(ORDER, '{"order_number": 7}')


@pytest.mark.parametrize("text", ["", "  ", "{}"])
def test_no_text_means_no_arguments(text: str) -> None:
    assert validate_arguments(FunctionDefinition("f", "d"), text) == {}


@pytest.mark.parametrize(
    ("text", "expected", "found"),
    [
        ("{", "a JSON object", "something else"),
        ("[]", "a JSON object", "a list"),
        ("null", "a JSON object", "nothing"),
        ('{"order_number": NaN}', "a JSON object", "something else"),
        ('{"a": ' + "9" * 5000 + "}", "a JSON object", "something else"),
        ('{"a": "\\ud800"}', "a JSON object", "something else"),
        ("[" * 60_000, "a JSON object", "something else"),
        (" " * 65_537, "at most 65,536 characters", "more"),
    ],
)
def test_arguments_that_are_no_json_object_are_refused(text: str, expected: str, found: str) -> None:
    with pytest.raises(BadArguments) as caught:
        validate_arguments(ORDER, text)
    assert (caught.value.path, caught.value.expected, caught.value.found) == ("", expected, found)


@pytest.mark.parametrize(
    ("arguments", "path", "expected", "found"),
    [
        ({}, "order_number", "a value", "nothing"),
        ({"order_number": 123456}, "order_number", "text", "a number"),
        ({"order_number": "12"}, "order_number", "text that matches ^[0-9]{6}$", "text"),
        ({"kind": "x"}, "kind", "one of new, old, 3", "text"),
        ({"items": [{"count": 1}, {"count": "x"}]}, "items[1].count", "a whole number", "text"),
        ({"flag": 7}, "flag", "true or false or null", "a number"),
        ({"never": 1}, "", "what the schema of the function says there", "a number"),
        ({"either": []}, "either", "what the schema of the function says there", "a list"),
        ({"either": "x"}, "either", "what the schema of the function says there", "text"),
        ({"amount": 0}, "amount", "minimum 1", "a number"),
        ({"amount": 1, "when": "2026-12-31"}, "", "what the schema of the function says there", "an object"),
        ({"when": "2026-13-45"}, "when", "format date", "text"),
        ({"notes": {"Jane Doe": 1}}, "notes.*", "text", "a number"),
        ({"notes": {}}, "notes", "minProperties 1", "an object"),
        ({"part": {"a": 1}}, "part.b", "a value", "nothing"),
        (
            {"Jane Doe": 1},
            "",
            "no other keys than order_number, kind, items, flag, never, either, amount, when, notes, part, unique",
            "other keys",
        ),
    ],
)
def test_a_refusal_holds_the_path_and_what_was_expected_and_no_value(
    arguments: dict[str, object], path: str, expected: str, found: str
) -> None:
    given_number = {"order_number": "123456"} if arguments else {}
    with pytest.raises(BadArguments) as caught:
        validate_arguments(ORDER, json.dumps({**given_number, **arguments}))
    error = caught.value
    assert (error.function, error.path, error.expected, error.found) == ("get_order_status", path, expected, found)
    assert "Jane" not in str(error)


def test_a_schema_without_properties_allows_no_other_key() -> None:
    function = FunctionDefinition("f", "d", {"type": "object", "additionalProperties": False})
    with pytest.raises(BadArguments, match="expected no other keys than none"):
        validate_arguments(function, '{"a": 1}')


def test_a_dependent_key_that_is_missing_is_told_by_a_list_of_keys() -> None:
    function = FunctionDefinition("f", "d", {"type": "object", "dependentSchemas": {"a": {"required": ["b"]}}})
    with pytest.raises(BadArguments) as caught:
        validate_arguments(function, '{"a": 1}')
    assert caught.value.path == "b"


def test_arguments_nested_too_deep_to_compare_are_refused() -> None:
    deep = "[" * 900 + "]" * 900
    with pytest.raises(BadArguments):
        validate_arguments(ORDER, f'{{"order_number": "123456", "unique": [{deep}, {deep}]}}')


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
@settings(max_examples=60, deadline=None)
def test_whatever_a_model_passes_is_taken_or_refused(value: object) -> None:
    for text in (json.dumps(value), str(value)):
        with contextlib.suppress(BadArguments):
            assert isinstance(validate_arguments(ORDER, text), dict)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"queue": "orders", "reason": " asks ", "summary": "s"}', TransferArguments("orders", "asks", "s")),
        ('{"queue": "sales"}', TransferArguments("support", "", "")),
        ('{"queue": ["orders"], "reason": 7}', TransferArguments("support", "", "")),
        ("{", TransferArguments("support", "", "")),
        ("", TransferArguments("support", "", "")),
    ],
)
def test_a_transfer_with_bad_arguments_goes_to_the_default_queue(
    loaded: Loaded, text: str, expected: TransferArguments
) -> None:
    assert transfer_arguments(loaded(queues=QUEUES), text) == expected


def test_an_intent_is_one_of_the_definitions_and_not_asked_for_without_any(loaded: Loaded) -> None:
    definition = loaded("intents: [order_status, return]\n")
    properties: Any = transfer_to_human(definition).parameters["properties"]
    assert properties["intent"]["enum"] == ["order_status", "return", "other"]
    for said, kept in (("return", "return"), ("a refund", "other"), ("", "other")):
        assert transfer_arguments(definition, json.dumps({"intent": said})).intent == kept
    without = loaded("")
    assert "intent" not in json.dumps(transfer_to_human(without).parameters)
    assert transfer_arguments(without, '{"intent": "return"}').intent == ""


def test_a_sentiment_is_one_of_three_or_not_known(loaded: Loaded) -> None:
    for said, kept in (("negative", "negative"), ("furious", ""), ("", "")):
        assert transfer_arguments(loaded(""), json.dumps({"sentiment": said})).sentiment == kept


def test_a_reason_is_one_of_the_definitions_or_another(loaded: Loaded) -> None:
    definition = loaded("reasons: [complaint, customer_request]\n")
    properties: Any = transfer_to_human(definition).parameters["properties"]
    assert properties["reason"]["enum"] == ["complaint", "customer_request", "other"]
    for said, kept in (("complaint", "complaint"), ("He is angry.", "other"), ("", "other")):
        assert transfer_arguments(definition, json.dumps({"reason": said})).reason == kept
