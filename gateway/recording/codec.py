"""Values of the contract as JSON and back, so that a recording is read by later releases too.

A dataclass is an object with its class's name under `is`; fields that a later release no longer has are passed
over, and those that it added take their defaults. Enums and our own errors are written the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from contract import actions, call, errors, turns
from contract.errors import VoiceAgentError
from definition import model
from gateway.functions.invoker import FunctionFailed
from gateway.legs.kvs.errors import Cause, ReadingStopped
from gateway.legs.kvs.prompts import PromptNotStored
from gateway.legs.kvs.reconnect import StartAt, StartSelector
from gateway.voice_agent import errors as connection_errors

IS = "is"
_EXTRA = (FunctionFailed, Cause, ReadingStopped, PromptNotStored, StartAt, StartSelector)


def _named() -> dict[str, type]:
    """Every class that may stand in a recording, by its name."""
    modules = (actions, call, errors, turns, model, connection_errors)
    found = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    kinds = (Enum, VoiceAgentError)
    return {kind.__name__: kind for kind in (*found, *_EXTRA) if is_dataclass(kind) or issubclass(kind, kinds)}


_CLASSES = _named()


def encode(value: object) -> Any:
    """`value` as JSON has it.

    Raises:
        TypeError: of a class that no recording knows.
    """
    match value:
        case Enum():
            return {IS: type(value).__name__, "value": value.value}
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(key): encode(inner) for key, inner in value.items()}
        case tuple():
            return {IS: "tuple", "items": [encode(inner) for inner in value]}
        case list():
            return [encode(inner) for inner in value]
        case VoiceAgentError():
            return {IS: type(value).__name__, "args": [encode(inner) for inner in value.args]}
    if is_dataclass(value) and not isinstance(value, type) and type(value).__name__ in _CLASSES:
        shown = {field.name: encode(getattr(value, field.name)) for field in fields(value)}
        return {IS: type(value).__name__, **shown}
    raise TypeError(f"{type(value).__name__} has no place in a recording")


def written(value: object) -> Any:
    """`encode`, of anything: what has no place in a recording is only named, since no call may suffer from being
    recorded. A replay that needs it says that it cannot be read."""
    try:
        return encode(value)
    except TypeError:
        return {IS: f"lost {type(value).__name__}"}


def decode(value: Any) -> Any:
    """What `encode` was given.

    Raises:
        ValueError: it names a class that this release does not know, or lacks a field that has no default.
    """
    if isinstance(value, list):
        return [decode(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if IS not in value:
        return {key: decode(inner) for key, inner in value.items()}
    return _made(value[IS], {key: decode(inner) for key, inner in value.items() if key != IS})


def _made(name: str, given: dict[str, Any]) -> Any:
    if name == "tuple":
        return tuple(given["items"])
    kind = _CLASSES.get(name)
    if kind is None:
        raise ValueError(f"{name!r} is nothing that this release knows")
    if issubclass(kind, Enum):
        return kind(given["value"])
    if issubclass(kind, VoiceAgentError):
        return kind(*given["args"])
    known = {field.name for field in fields(kind) if field.init}  # type: ignore[arg-type]
    try:
        return kind(**{key: inner for key, inner in given.items() if key in known})
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from None
