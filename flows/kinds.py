"""What a parameter of an action may hold, as the flow language reference sorts it: static, one reference, free text.

Each kind yields the problems of a value. Numbers and booleans are strings, as the console writes them (a JSON
boolean was refused by CreateContactFlow), and an empty string is refused wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from flows.errors import Problem

ROOTS_WITH_LEAF = frozenset(
    [
        "Attributes",
        "External",
        "FlowAttributes",
        "CustomerEndpoint",
        "SystemEndpoint",
        "Queue",
        "MediaStreams",
        "Lex",
        "Metrics",
        "Loop",
        "Media",
        "Customer",
        "Wisdom",
        "LambdaInvocation",
        "DataTables",
        "ExternalTool",
    ]
)
ROOTS_ALONE = frozenset(
    [
        "ContactId",
        "InitialContactId",
        "PreviousContactId",
        "Channel",
        "InstanceARN",
        "StoredCustomerInput",
        "TextToSpeechVoiceId",
        "LanguageCode",
    ]
)
_REFERENCE = re.compile(r"\$(?:\.([A-Za-z]\w*)|\[['\"](\w+)['\"]\])((?:\.\w|\[)?)")
_WHOLE = re.compile(r"\$(?:\.[\w-]+|\[['\"]?[\w:.-]+['\"]?\])+")


class Kind(Protocol):
    def problems(self, value: object, path: str) -> Iterator[Problem]: ...


def is_reference(value: str) -> bool:
    """Whether the whole value is one JSONPath reference."""
    return _WHOLE.fullmatch(value) is not None


def text_problems(value: object, path: str) -> Iterator[Problem]:
    """A string that is not empty, whose references begin at a root that exists."""
    if not isinstance(value, str):
        yield Problem(path, "not_a_string", f"{value!r} must be written as a string")
    elif not value.strip() and value != " ":
        yield Problem(path, "empty_value", "an empty string is refused; write a word such as 'none'")
    else:
        yield from _reference_problems(value, path)


def _reference_problems(value: str, path: str) -> Iterator[Problem]:
    for match in _REFERENCE.finditer(value):
        root = match.group(1) or match.group(2)
        if root in ROOTS_ALONE or (root in ROOTS_WITH_LEAF and match.group(3)):
            continue
        why = "needs a leaf, as in $.Attributes.name" if root in ROOTS_WITH_LEAF else "is no root that a flow knows"
        yield Problem(path, "jsonpath", f"the reference {match.group(0)!r}: {root!r} {why}")


@dataclass(frozen=True, slots=True)
class Text:
    """Free text, with references filled in wherever they stand; `limit` is the most characters."""

    limit: int = 0

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        found = list(text_problems(value, path))
        yield from found
        if not found and isinstance(value, str) and 0 < self.limit < len(value):
            yield Problem(path, "value", f"{len(value)} characters, at most {self.limit} are taken")


@dataclass(frozen=True, slots=True)
class Static:
    """A value that is known when the flow is created: no reference in it, and of the shape of `pattern`."""

    pattern: str = r"(?s).*"

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        found = list(text_problems(value, path))
        yield from found
        if found or not isinstance(value, str):
            return
        if is_reference(value):
            yield Problem(path, "value", f"must be static, not the reference {value!r}")
        elif not re.fullmatch(self.pattern, value):
            yield Problem(path, "value", f"{value!r} is not of the form {self.pattern}")


@dataclass(frozen=True, slots=True)
class Reference:
    """Static, or exactly one reference; with `required`, a reference and nothing else."""

    required: bool = False

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        found = list(text_problems(value, path))
        yield from found
        if found or not isinstance(value, str) or is_reference(value):
            return
        if self.required:
            yield Problem(path, "value", f"must be one reference such as $.External.action, found {value!r}")
        elif _REFERENCE.search(value):
            yield Problem(path, "value", f"must be static or one reference and nothing else, found {value!r}")


@dataclass(frozen=True, slots=True)
class Dialled:
    """Up to 50 keys and commas, each of them a pause of 750 ms; or one reference."""

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        found = list(text_problems(value, path))
        yield from found
        if found or not isinstance(value, str) or is_reference(value):
            return
        if not re.fullmatch(r"[0-9*#,]{1,50}", value):
            yield Problem(path, "value", f"expected up to 50 of 0 to 9, *, # and comma, found {value!r}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words, case sensitive; with `dynamic`, or a reference."""

    words: frozenset[str]
    dynamic: bool = False

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        found = list(text_problems(value, path))
        yield from found
        if found or not isinstance(value, str) or value in self.words or (self.dynamic and is_reference(value)):
            return
        yield Problem(path, "value", f"expected one of {', '.join(sorted(self.words))}, found {value!r}")


@dataclass(frozen=True, slots=True)
class Number:
    """An integer written as a string, from `low` to `high`; with `dynamic`, or a reference."""

    low: int
    high: int
    dynamic: bool = False

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        found = list(text_problems(value, path))
        yield from found
        if found or not isinstance(value, str) or (self.dynamic and is_reference(value)):
            return
        if not re.fullmatch(r"\d{1,9}", value) or not self.low <= int(value) <= self.high:
            yield Problem(path, "number", f"expected a whole number from {self.low} to {self.high}, found {value!r}")


@dataclass(frozen=True, slots=True)
class Map:
    """An object with free keys, whose values are all of one kind."""

    of: Kind

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, Mapping) or not value:
            yield Problem(path, "value", f"expected an object with at least one entry, found {value!r}")
            return
        for key, each in value.items():
            yield from self.of.problems(each, f"{path}.{key}")


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list with at least one entry, all of one kind."""

    of: Kind

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, list) or not value:
            yield Problem(path, "value", f"expected a list with at least one entry, found {value!r}")
            return
        for index, each in enumerate(value):
            yield from self.of.problems(each, f"{path}[{index}]")


@dataclass(frozen=True, slots=True)
class Opaque:
    """An object that we do not look into."""

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        yield from ()


@dataclass(frozen=True, slots=True)
class Shape:
    """An object with known keys: `required` ones, and exactly one of each group in `one_of`."""

    keys: Mapping[str, Kind]
    required: frozenset[str] = frozenset()
    one_of: tuple[frozenset[str], ...] = field(default=())

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, Mapping):
            yield Problem(path, "value", f"expected an object, found {value!r}")
            return
        for key in value:
            if key not in self.keys:
                yield Problem(f"{path}.{key}", "unknown_parameter", f"known here: {_listed(self.keys)}")
        for key in sorted(self.required - set(value)):
            yield Problem(f"{path}.{key}", "missing_parameter", "required and not there")
        yield from self._exclusive(value, path)
        for key, each in value.items():
            if key in self.keys:
                yield from self.keys[key].problems(each, f"{path}.{key}")

    def _exclusive(self, value: Mapping[str, Any], path: str) -> Iterator[Problem]:
        for group in self.one_of:
            there = sorted(group & set(value))
            if not there:
                yield Problem(path, "missing_parameter", f"exactly one is needed of {_listed(group)}")
            elif len(there) > 1:
                yield Problem(path, "exclusive_parameters", f"only one may be there of {_listed(there)}")


def _listed(names: object) -> str:
    assert isinstance(names, frozenset | list | Mapping)
    return ", ".join(sorted(names)) or "nothing"
