"""Dataclasses of the contract as plain values (str, int, bool, dict) and back; and those as DynamoDB's.

Reading is lenient so that two neighbouring releases understand each other: an unknown key is skipped, a
missing one takes the field's default. What is required and missing, or of the wrong type, is MalformedRecord.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from contract.actions import Action, Collect, End, Numbered, Outcome, Play, Say, Transfer
from contract.errors import MalformedRecord
from contract.turns import FunctionEntry

T = TypeVar("T")
Plain: TypeAlias = "str | int | bool | dict[str, Plain]"
Attributes: TypeAlias = dict[str, Any]

_KINDS: dict[str, type[Action]] = {"play": Play, "say": Say, "collect": Collect, "transfer": Transfer, "end": End}


def kind_of(action: Action) -> str:
    """The action's name on the wire and in the table."""
    return type(action).__name__.lower()


def to_plain(record: object) -> dict[str, Plain]:
    """The fields of a dataclass; a field that is None is left out."""
    assert is_dataclass(record)
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _plain(value: Any) -> Plain:
    if is_dataclass(value):
        return to_plain(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, StrEnum):
        return value.value
    assert isinstance(value, (str, int, bool)), f"no plain form of {type(value).__name__}"
    return value


def from_plain(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    """A dataclass from its fields. `where` names the record in the error. Raises MalformedRecord."""
    arguments = {}
    for name, (expected, required) in _schema(cls).items():  # type: ignore[arg-type]  # a class is hashable
        if name in values:
            arguments[name] = _typed(expected, values[name], f"{where}.{name}")
        elif required:
            raise MalformedRecord(f"{where}.{name}", "a value", None)
    return cls(**arguments)


@cache
def _schema(cls: Any) -> dict[str, tuple[Any, bool]]:
    hints = get_type_hints(cls)
    required = {f.name: f.default is MISSING and f.default_factory is MISSING for f in fields(cls)}
    return {name: (_without_none(hints[name]), required[name]) for name in required}


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        return next(argument for argument in get_args(hint) if argument is not types.NoneType)
    return hint


def _typed(expected: Any, value: Any, where: str) -> Any:
    if expected is object:
        return value
    if get_origin(expected) is not None:  # Mapping[str, X]
        inner = get_args(expected)[1]
        return {key: _typed(inner, item, f"{where}.{key}") for key, item in _map(value, where).items()}
    if is_dataclass(expected):
        assert isinstance(expected, type)
        return from_plain(expected, _map(value, where), where)
    if issubclass(expected, StrEnum):
        if value not in list(expected):
            raise MalformedRecord(where, f"one of {', '.join(expected)}", value)
        return expected(value)
    if type(value) is not expected:
        raise MalformedRecord(where, expected.__name__, value)
    return value


def _map(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MalformedRecord(where, "a map", value)
    return value


def numbered_to_plain(numbered: Numbered) -> dict[str, Plain]:
    """A line of the log: its action as a map of its own, beside the name of its kind."""
    return {
        "seq": numbered.seq,
        "kind": kind_of(numbered.action),
        "action": to_plain(numbered.action),
        "appended_at_ms": numbered.appended_at_ms,
        "outcome": numbered.outcome.value,
    }


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the log without its action."""

    seq: int
    appended_at_ms: int
    outcome: Outcome = Outcome.NONE


def numbered_from_plain(values: Mapping[str, Any], where: str) -> Numbered:
    """Raises MalformedRecord, also for a kind of action that a newer release invented."""
    kind = _KINDS.get(values.get("kind", ""))
    if kind is None:
        raise MalformedRecord(f"{where}.kind", f"one of {', '.join(_KINDS)}", values.get("kind"))
    line = from_plain(_Line, values, where)
    action: Action = from_plain(kind, _map(values.get("action"), where), f"{where}.action")
    return Numbered(line.seq, action, line.appended_at_ms, line.outcome)


def function_to_plain(entry: FunctionEntry) -> dict[str, Plain]:
    """The arguments become JSON: they may hold numbers and nulls that DynamoDB would change."""
    return {
        "key": entry.key,
        "name": entry.name,
        "arguments": canonical(entry.arguments),
        "state": entry.state.value,
        "entered_at_ms": entry.entered_at_ms,
        "finished_at_ms": entry.finished_at_ms,
        "result": entry.result,
        "error": entry.error,
    }


def function_from_plain(values: Mapping[str, Any], where: str) -> FunctionEntry:
    """Raises MalformedRecord."""
    try:
        arguments = json.loads(values.get("arguments", "{}"))
    except (TypeError, ValueError):
        raise MalformedRecord(f"{where}.arguments", "JSON", values["arguments"]) from None
    return from_plain(FunctionEntry, {**values, "arguments": arguments}, where)


def canonical(arguments: Mapping[str, object]) -> str:
    """One JSON text for equal arguments, whatever their order: fit for comparing and for a ledger's key."""
    return json.dumps(arguments, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def to_attributes(values: Mapping[str, Plain]) -> Attributes:
    """Plain values as DynamoDB's typed attribute values."""
    return {name: _attribute(value) for name, value in values.items()}


def _attribute(value: Plain) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int):
        return {"N": str(value)}
    return {"M": to_attributes(value)}


def from_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, Plain]:
    """The other way round; kinds of values that we never write are left out."""
    values: dict[str, Plain] = {}
    for name, attribute in attributes.items():
        for kind, value in attribute.items():
            if kind in _READERS:
                values[name] = _READERS[kind](value)
    return values


_READERS: dict[str, Callable[[Any], Plain]] = {"S": str, "N": int, "BOOL": bool, "M": from_attributes}
