"""From a text frame to a server message, leniently, without ever raising.

Rules: an unknown type is `Unknown`; unknown fields are ignored; a required field that is missing or of another
type makes the message `Malformed`; an optional field of another type counts as absent. An Error or a Warning is
never lost over its fields: whatever is unreadable in it is "".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from contract.text import read_json
from gateway.voice_agent.messages import (
    AgentAudioDone,
    AgentStartedSpeaking,
    AgentThinking,
    ConversationText,
    EndOfTurn,
    Error,
    FunctionCall,
    FunctionCallCancelled,
    FunctionCallRequest,
    FunctionCallResponseEcho,
    History,
    HistoryCall,
    InjectionRefused,
    LatencyReport,
    ListenUpdated,
    Malformed,
    PromptUpdated,
    ServerMessage,
    SettingsApplied,
    SpeakUpdated,
    ThinkUpdated,
    Unknown,
    UserStartedSpeaking,
    Warning_,
    Welcome,
)

Fields = dict[str, Any]
_LONGEST_TYPE = 64  # it may end up as a metric's dimension


class _Wrong(Exception):
    """A field is not as it must be; the text is the problem, without any value."""


def parse(text: str) -> ServerMessage | Malformed:
    """Read one text frame. Never raises, whatever the text is."""
    try:
        fields = read_json(text)  # a model's token may end within an emoji
    except ValueError as problem:
        return Malformed("", f"expected JSON, found {type(problem).__name__} after {len(text)} characters")
    if type(fields) is not dict:
        return Malformed("", f"expected an object, found {_kind(fields)}")
    wire_type = fields.get("type")
    if type(wire_type) is not str:
        return Malformed("", f"type: expected a string, found {_kind(wire_type)}")
    read = _READERS.get(wire_type)
    if read is None:
        return Unknown(wire_type[:_LONGEST_TYPE])
    try:
        return read(fields)
    except _Wrong as wrong:
        return Malformed(wire_type, str(wrong))
    except RecursionError:  # writing back an object that was only just shallow enough to be read
        return Malformed(wire_type, "nested too deeply")


# ---- fields ----


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__


def _string(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if type(value) is not str:
        raise _Wrong(f"{name}: expected a string, found {_kind(value)}")
    return value


def _text(fields: Fields, *names: str) -> str:
    """The first of several spellings that holds a string, else ""."""
    for name in names:
        value = fields.get(name)
        if type(value) is str:
            return value
    return ""


def _strings(fields: Fields, name: str) -> tuple[str, ...]:
    value = fields.get(name)
    return tuple(item for item in value if type(item) is str) if type(value) is list else ()


def _objects(fields: Fields, name: str) -> list[Fields]:
    value = fields.get(name)
    if type(value) is not list:
        raise _Wrong(f"{name}: expected an array, found {_kind(value)}")
    for position, item in enumerate(value):
        if type(item) is not dict:
            raise _Wrong(f"{name}[{position}]: expected an object, found {_kind(item)}")
    return value


def _client_side(fields: Fields) -> bool:
    # Absent counts as true: a call that nobody answers stalls the agent, an answer too many is ignored.
    return fields.get("client_side") is not False


def _json_string(fields: Fields, name: str) -> str:
    """A string of JSON; an object in its place, which some examples show, is written back as one."""
    value = fields.get(name)
    if value is None:
        return ""
    if type(value) is str:
        return value
    if type(value) in (dict, list):
        return json.dumps(value)
    raise _Wrong(f"{name}: expected a string, found {_kind(value)}")


def _seconds(fields: Fields) -> dict[str, float]:
    """Every finite number, by name. Python's JSON also reads NaN and infinity: no comparison holds for them."""
    return {name: float(value) for name, value in fields.items() if type(value) in (float, int) and -1e9 < value < 1e9}


# ---- messages ----


def _conversation_text(fields: Fields) -> ServerMessage:
    return ConversationText(_string(fields, "role"), _string(fields, "content"), _strings(fields, "languages"))


def _function_call(fields: Fields) -> FunctionCall:
    return FunctionCall(
        _string(fields, "id"),
        _string(fields, "name"),
        _json_string(fields, "arguments"),
        _client_side(fields),
        _text(fields, "thought_signature"),
    )


def _history_call(fields: Fields) -> HistoryCall:
    return HistoryCall(
        _text(fields, "id"),
        _string(fields, "name"),
        _json_string(fields, "arguments"),
        _json_string(fields, "response"),
        _client_side(fields),
        _text(fields, "thought_signature"),
    )


def _history(fields: Fields) -> ServerMessage:
    if "function_calls" in fields:
        return History(function_calls=tuple(_history_call(call) for call in _objects(fields, "function_calls")))
    return History(_string(fields, "role"), _string(fields, "content"))


def _always(message: ServerMessage) -> Callable[[Fields], ServerMessage]:
    return lambda fields: message


_READERS: dict[str, Callable[[Fields], ServerMessage]] = {
    "Welcome": lambda fields: Welcome(_text(fields, "request_id")),
    "SettingsApplied": _always(SettingsApplied()),
    "ConversationText": _conversation_text,
    "UserStartedSpeaking": _always(UserStartedSpeaking()),
    "AgentThinking": lambda fields: AgentThinking(_text(fields, "content")),
    "LatencyReport": lambda fields: LatencyReport(_seconds(fields)),
    "FunctionCallRequest": lambda fields: FunctionCallRequest(
        tuple(_function_call(call) for call in _objects(fields, "functions"))
    ),
    "FunctionCallCancelled": lambda fields: FunctionCallCancelled(
        tuple(_string(call, "id") for call in _objects(fields, "functions"))
    ),
    "AgentStartedSpeaking": lambda fields: AgentStartedSpeaking(_seconds(fields)),
    "AgentAudioDone": _always(AgentAudioDone()),
    "History": _history,
    "InjectionRefused": lambda fields: InjectionRefused(_text(fields, "message")),
    "FunctionCallResponse": lambda fields: FunctionCallResponseEcho(
        _text(fields, "id"), _string(fields, "name"), _text(fields, "content")
    ),
    "PromptUpdated": _always(PromptUpdated()),
    "SpeakUpdated": _always(SpeakUpdated()),
    "ThinkUpdated": _always(ThinkUpdated()),
    "ListenUpdated": _always(ListenUpdated()),
    # The older spellings and `message` still turn up in the field.
    "Error": lambda fields: Error(
        _text(fields, "code", "err_code"), _text(fields, "description", "err_msg", "message")
    ),
    "Warning": lambda fields: Warning_(
        _text(fields, "code", "warn_code"), _text(fields, "description", "warn_msg", "message")
    ),
    "EndOfTurn": lambda fields: EndOfTurn(_text(fields, "trigger")),
}
