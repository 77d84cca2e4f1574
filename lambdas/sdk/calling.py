"""JSON arguments to Python values by the type hints of a function, and its answer back to JSON."""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from lambdas.sdk.context import Context

_TIMES = (datetime, date, time)


class Refused(Exception):
    """Raise it with a sentence for the model: what is wrong with what it passed, or why the caller cannot have it."""


def call(function: Callable[..., object], arguments: Mapping[str, object], context: Context) -> object:
    """Call with what the hints make of the arguments.

    Raises:
        Refused: an argument is missing, unknown, or not what its hint says.
    """
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters
    given: dict[str, object] = {}
    for name, parameter in parameters.items():
        if hints.get(name) is Context:
            given[name] = context
        elif name in arguments:
            given[name] = convert(hints.get(name, Any), arguments[name], name)
        elif parameter.default is inspect.Parameter.empty:
            raise Refused(f"{name} is missing")
    unknown = sorted(set(arguments) - {name for name in given if hints.get(name) is not Context})
    if unknown:
        raise Refused("there are arguments that the function does not have")
    return function(**given)


def convert(hint: Any, value: Any, name: str) -> Any:
    """One value as its hint wants it. Raises Refused; the sentence holds the name, never the value."""
    try:
        return _converted(hint, value, name)
    except (ValueError, TypeError, KeyError):
        raise Refused(f"{name} is not what the function takes") from None


def _converted(hint: Any, value: Any, name: str) -> Any:
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return convert(inside[0], value, name)
    if origin in (Union, types.UnionType):
        return None if value is None else convert(next(i for i in inside if i is not type(None)), value, name)
    if origin is Literal:
        return inside[inside.index(value)]
    if origin is list:
        return [convert(inside[0], one, name) for one in _of(list, value)]
    if origin is dict:
        return {str(key): convert(inside[1], one, name) for key, one in _of(dict, value).items()}
    return _plain(hint, value, name)


def _plain(hint: Any, value: Any, name: str) -> Any:
    if hint is Any:
        return value
    if hint in _TIMES:
        return hint.fromisoformat(value)
    if is_typeddict(hint):
        return _fields(get_type_hints(hint, include_extras=True), _of(dict, value), name)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return hint(**_fields(get_type_hints(hint, include_extras=True), _of(dict, value), name))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return _of(hint, value)


def _fields(hints: Mapping[str, Any], value: Mapping[str, object], name: str) -> dict[str, object]:
    return {key: convert(hints[key], one, f"{name}.{key}") for key, one in value.items()}


def _of(kind: Any, value: Any) -> Any:
    """The value, which must be of exactly this kind: `True` is no number. Raises TypeError."""
    if type(value) is not kind:
        raise TypeError(kind)
    return value


def plain(answer: object) -> object:
    """An answer as JSON can hold it: data classes, enums and times are taken apart."""
    if dataclasses.is_dataclass(answer) and not isinstance(answer, type):
        return {field.name: plain(getattr(answer, field.name)) for field in dataclasses.fields(answer)}
    if isinstance(answer, Enum):
        return answer.value
    if isinstance(answer, _TIMES):
        return answer.isoformat()
    if isinstance(answer, Mapping):
        return {str(plain(key)): plain(value) for key, value in answer.items()}
    if isinstance(answer, (list, tuple, set, frozenset)):
        return [plain(value) for value in answer]
    return answer
