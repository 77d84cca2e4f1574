from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.voice_agent import messages as m
from gateway.voice_agent.parsing import _READERS, parse

CALL = {"id": "c1", "name": "find", "arguments": "{}", "client_side": True}


def read(**fields: Any) -> m.ServerMessage | m.Malformed:
    return parse(json.dumps(fields))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"type": "Welcome", "request_id": "r1"}, m.Welcome("r1")),
        ({"type": "Welcome"}, m.Welcome("")),
        ({"type": "SettingsApplied"}, m.SettingsApplied()),
        ({"type": "ConversationText", "role": "user", "content": "Hi."}, m.ConversationText("user", "Hi.")),
        (
            {"type": "ConversationText", "role": "user", "content": "Hola", "languages": ["es", 1, "en"]},
            m.ConversationText("user", "Hola", ("es", "en")),
        ),
        ({"type": "UserStartedSpeaking"}, m.UserStartedSpeaking()),
        ({"type": "AgentThinking", "content": "..."}, m.AgentThinking("...")),
        ({"type": "LatencyReport", "total_latency": 1, "x": "y"}, m.LatencyReport({"total_latency": 1.0})),
        ({"type": "LatencyReport", "flag": True, "huge": 10**400}, m.LatencyReport({})),
        (
            {"type": "FunctionCallRequest", "functions": [CALL]},
            m.FunctionCallRequest((m.FunctionCall("c1", "find", "{}", True),)),
        ),
        (
            {"type": "FunctionCallRequest", "functions": [{"id": "c1", "name": "f", "arguments": {"a": 1}}]},
            m.FunctionCallRequest((m.FunctionCall("c1", "f", '{"a": 1}', True),)),
        ),
        (
            {"type": "FunctionCallRequest", "functions": [{**CALL, "client_side": False, "thought_signature": "s"}]},
            m.FunctionCallRequest((m.FunctionCall("c1", "find", "{}", False, "s"),)),
        ),
        (
            {"type": "FunctionCallRequest", "functions": [{"id": "c1", "name": "f"}]},
            m.FunctionCallRequest((m.FunctionCall("c1", "f", "", True),)),
        ),
        (
            {"type": "FunctionCallCancelled", "functions": [{"id": "c1", "name": "f"}, {"id": "c2"}]},
            m.FunctionCallCancelled(("c1", "c2")),
        ),
        ({"type": "AgentStartedSpeaking", "tts_latency": 0.1}, m.AgentStartedSpeaking({"tts_latency": 0.1})),
        ({"type": "AgentAudioDone"}, m.AgentAudioDone()),
        ({"type": "History", "role": "user", "content": "Hi."}, m.History("user", "Hi.")),
        (
            {"type": "History", "function_calls": [{**CALL, "response": "[]"}]},
            m.History(function_calls=(m.HistoryCall("c1", "find", "{}", "[]", True),)),
        ),
        ({"type": "InjectionRefused", "message": "busy"}, m.InjectionRefused("busy")),
        ({"type": "InjectionRefused"}, m.InjectionRefused("")),
        (
            {"type": "FunctionCallResponse", "name": "f", "content": "ok"},
            m.FunctionCallResponseEcho("", "f", "ok"),
        ),
        ({"type": "PromptUpdated"}, m.PromptUpdated()),
        ({"type": "SpeakUpdated"}, m.SpeakUpdated()),
        ({"type": "ThinkUpdated"}, m.ThinkUpdated()),
        ({"type": "ListenUpdated"}, m.ListenUpdated()),
        ({"type": "Error", "code": "C", "description": "D"}, m.Error("C", "D")),
        ({"type": "Error", "err_code": "C", "err_msg": "D"}, m.Error("C", "D")),
        ({"type": "Error", "code": "C", "message": "D"}, m.Error("C", "D")),
        ({"type": "Error", "code": 7, "description": []}, m.Error("", "")),
        ({"type": "Warning", "code": "C", "description": "D"}, m.Warning_("C", "D")),
        ({"type": "Warning", "warn_code": "C", "warn_msg": "D"}, m.Warning_("C", "D")),
        ({"type": "EndOfTurn", "trigger": "model"}, m.EndOfTurn("model")),
        ({"type": "EndOfTurn"}, m.EndOfTurn("")),
    ],
)
def test_every_server_message_is_read_and_fields_that_nobody_knows_are_ignored(
    fields: dict[str, Any], expected: m.ServerMessage
) -> None:
    assert read(**fields) == expected
    assert read(**fields, a_field_of_next_year={"x": [1]}) == expected


@pytest.mark.parametrize("wire_type", ["FunctionCalling", "__customFromThinkProvider", "", "welcome"])
def test_an_unknown_type_is_unknown(wire_type: str) -> None:
    assert read(type=wire_type) == m.Unknown(wire_type)


def test_the_name_of_an_unknown_type_is_cut_at_64_characters() -> None:
    assert read(type="x" * 100) == m.Unknown("x" * 64)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"type": None}, "type: expected a string, found nothing"),
        ({"type": 1}, "type: expected a string, found int"),
        ({"type": "ConversationText", "role": "user"}, "content: expected a string, found nothing"),
        ({"type": "ConversationText", "role": 1, "content": "x"}, "role: expected a string, found int"),
        ({"type": "FunctionCallRequest"}, "functions: expected an array, found nothing"),
        ({"type": "FunctionCallRequest", "functions": [CALL, 1]}, "functions[1]: expected an object, found int"),
        ({"type": "FunctionCallRequest", "functions": [{"name": "f"}]}, "id: expected a string, found nothing"),
        (
            {"type": "FunctionCallRequest", "functions": [{**CALL, "arguments": 1}]},
            "arguments: expected a string, found int",
        ),
        ({"type": "FunctionCallCancelled", "functions": {}}, "functions: expected an array, found dict"),
        ({"type": "History", "function_calls": "x"}, "function_calls: expected an array, found str"),
        ({"type": "FunctionCallResponse"}, "name: expected a string, found nothing"),
    ],
)
def test_a_wrong_field_is_named_with_both_types_and_without_its_value(fields: dict[str, Any], problem: str) -> None:
    found = read(**fields)
    assert isinstance(found, m.Malformed)
    assert found.problem == problem


@pytest.mark.parametrize("text", ["", "not JSON", "[1]", "null", "3", '"text"', '{"type":', "9" * 5000])
def test_a_text_that_is_no_json_object_is_malformed(text: str) -> None:
    found = parse(text)
    assert isinstance(found, m.Malformed)
    assert found.type == ""


def test_a_text_nested_deeper_than_the_reader_can_go_is_malformed() -> None:
    assert isinstance(parse("[" * 100_000), m.Malformed)


def test_half_of_an_emoji_is_replaced_so_that_the_turn_can_be_written() -> None:
    assert parse('{"type": "ConversationText", "role": "user", "content": "Hi \\ud83d"}') == m.ConversationText(
        "user", "Hi \ufffd"
    )


def test_an_object_that_can_just_be_read_but_not_be_written_back_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_deep(value: object) -> str:
        raise RecursionError

    text = json.dumps({"type": "FunctionCallRequest", "functions": [{**CALL, "arguments": {}}]})
    monkeypatch.setattr(json, "dumps", too_deep)
    assert parse(text) == m.Malformed("FunctionCallRequest", "nested too deeply")


def test_objects_nested_around_the_limit_of_the_interpreter_never_raise() -> None:
    limit = sys.getrecursionlimit()
    for depth in range(limit - 200, limit + 20, 3):
        deep = "[" * depth + "]" * depth
        parse('{"type":"FunctionCallRequest","functions":[{"id":"c","name":"f","arguments":' + deep + "}]}")


scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=4)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)
field_names = st.sampled_from(["role", "content", "functions", "function_calls", "id", "name", "arguments", "code"])
calls = st.lists(scalars | st.dictionaries(st.sampled_from(["id", "name", "arguments"]), scalars), max_size=2)
types = st.sampled_from([*_READERS, "another"])


@settings(max_examples=200)
@given(types, st.dictionaries(field_names, json_values | calls, max_size=3))
def test_no_message_with_any_fields_makes_it_raise(wire_type: str, fields: dict[str, Any]) -> None:
    parse(json.dumps({**fields, "type": wire_type}))


@settings(max_examples=100)
@given(json_values)
def test_no_json_makes_it_raise(value: object) -> None:
    parse(json.dumps(value))


@settings(max_examples=100)
@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    parse(text)
