"""Shapes: what a node may hold, what to say when it does not, and the plain value when it does.

A shape reads a node and returns plain Python data, or BAD after noting a problem; reading goes on, so that
one run names every problem of a file.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from definition import secret
from definition.errors import Problem
from definition.source import Node, joined


class _Sentinel:
    """A value that no YAML text can produce."""


BAD: Final = _Sentinel()
ABSENT: Final = _Sentinel()


class Shape(Protocol):
    @property
    def expected(self) -> str:
        """What the node should hold, to stand between "expected" and a comma."""
        ...

    def read(self, node: Node, findings: Findings) -> Any:
        """The plain value, or BAD after a problem was noted in `findings`."""
        ...


class Findings:
    """The problems of one file, as they are found."""

    def __init__(self, file: str, problems: Iterable[Problem] = ()) -> None:
        self.file = file
        self.problems = list(problems)

    def refuse(self, node: Node, expected: str, found: str | None = None) -> _Sentinel:
        """Note a problem with the node itself; returns BAD."""
        found = shown(node.value) if found is None else found
        self.problems.append(Problem(self.file, node.line, node.path, expected, found))
        return BAD

    def below(self, node: Node, key: str, expected: str, found: str = "nothing") -> None:
        """Note a problem with a key of a mapping, at the key's line where it exists."""
        child = node.child(key)
        line = child.line if child else node.line
        path = child.path if child else joined(node.path, key)  # a language takes over keys from elsewhere
        self.problems.append(Problem(self.file, line, path, expected, found))


def shown(value: object) -> str:
    """A value as a problem shows it: text quoted and cut, containers by their kind."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return _shown_text(value)
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return json.dumps(value)


def _shown_text(text: str) -> str:
    """A secret that stands in the wrong place is not shown either: problems end up in the logs of builds."""
    if not text.strip():
        return "empty text"
    if secret.by_value("", text[:200]):
        return "what looks like a secret"
    short = text if len(text) <= 40 else f"{text[:40]}…"
    return f"'{short}'" if short.isprintable() else json.dumps(short)


def meant(text: str, known: Iterable[str]) -> str:
    """` (did you mean ...?)` with the nearest known word, or nothing."""
    near = difflib.get_close_matches(text[:64], list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""


@dataclass(frozen=True, slots=True)
class Text:
    """Text of 1 to `most` characters. White space is folded to single spaces unless `lines` are kept."""

    expected: str
    most: int = 400
    pattern: str = ""
    lines: bool = False

    def read(self, node: Node, findings: Findings) -> Any:
        if not isinstance(node.value, str) or not node.value.strip():
            return findings.refuse(node, self.expected)
        text = node.value.strip() if self.lines else " ".join(node.value.split())
        if len(text) > self.most:
            return findings.refuse(node, f"{self.expected} of at most {self.most:,} characters", f"{len(text):,}")
        if any(not (character.isprintable() or character in "\n\t") for character in text if ord(character) < 0xA0):
            return findings.refuse(node, f"{self.expected} without control characters", "one")
        if self.pattern and not re.fullmatch(self.pattern, text):
            return findings.refuse(node, self.expected)
        return text


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the range, ends included; a multiple of `step` where one is given."""

    low: float
    high: float
    what: str = "a number"
    whole: bool = False
    step: float = 0

    @property
    def expected(self) -> str:
        steps = f" in steps of {self.step:g}" if self.step else ""
        return f"{self.what} from {self.low:g} to {self.high:g}{steps}"

    def read(self, node: Node, findings: Findings) -> Any:
        value = node.value
        kind = int if self.whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kind) or not self.low <= value <= self.high:
            return findings.refuse(node, self.expected)
        if self.step and abs(value / self.step - round(value / self.step)) > 1e-6:
            return findings.refuse(node, self.expected)
        return value


@dataclass(frozen=True, slots=True)
class NumberOf:
    """One of a few whole numbers."""

    numbers: tuple[int, ...]
    what: str

    @property
    def expected(self) -> str:
        return f"{self.what} out of {', '.join(map(str, self.numbers))}"

    def read(self, node: Node, findings: Findings) -> Any:
        known = type(node.value) is int and node.value in self.numbers
        return node.value if known else findings.refuse(node, self.expected)


def whole(low: int, high: int, what: str = "a whole number") -> Number:
    """A number that must be an integer in JSON too: `8000.0` is refused."""
    return Number(low, high, what, whole=True)


@dataclass(frozen=True, slots=True)
class Switch:
    expected: str = "true or false"

    def read(self, node: Node, findings: Findings) -> Any:
        return node.value if isinstance(node.value, bool) else findings.refuse(node, self.expected)


class Choice:
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.expected = words[0] if len(words) == 1 else f"one of {', '.join(words)}"

    def read(self, node: Node, findings: Findings) -> Any:
        if isinstance(node.value, str):
            if node.value in self.words:
                return node.value
            return findings.refuse(node, self.expected + meant(node.value, self.words))
        return findings.refuse(node, self.expected)


@dataclass(frozen=True, slots=True)
class ListOf:
    item: Shape
    what: str
    least: int = 1
    most: int = 100

    @property
    def expected(self) -> str:
        return f"a list of {self.least} to {self.most} {self.what}"

    def read(self, node: Node, findings: Findings) -> Any:
        if not isinstance(node.value, list):
            return findings.refuse(node, self.expected)
        if not self.least <= len(node.value) <= self.most:
            return findings.refuse(node, self.expected, f"{len(node.value)}")
        return [self.item.read(child, findings) for child in node.value]


@dataclass(frozen=True, slots=True)
class OneOrMore:
    """One of the shape, or a list in which the order counts; always a list when read."""

    item: Shape
    what: str
    most: int = 5

    @property
    def expected(self) -> str:
        return f"{self.item.expected}, or a list of them"

    def read(self, node: Node, findings: Findings) -> Any:
        if isinstance(node.value, list):
            return ListOf(self.item, self.what, 1, self.most).read(node, findings)
        return [self.item.read(node, findings)]


@dataclass(frozen=True, slots=True)
class MapOf:
    """Names of the writer's own choice, each with a value of one shape."""

    item: Shape
    name: Text
    what: str
    least: int = 0
    most: int = 100
    reserved: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        return f"a mapping of {self.least} to {self.most} {self.what} by name"

    def read(self, node: Node, findings: Findings) -> Any:
        if not isinstance(node.value, dict):
            return findings.refuse(node, self.expected)
        if not self.least <= len(node.value) <= self.most:
            return findings.refuse(node, self.expected, f"{len(node.value)}")
        return {name: self._entry(name, child, findings) for name, child in node.value.items()}

    def _entry(self, name: str, child: Node, findings: Findings) -> Any:
        if name in self.reserved:
            findings.refuse(child, f"a name other than the built-in {', '.join(self.reserved)}", shown(name))
        else:
            self.name.read(Node(name, child.line, child.path), findings)
        return self.item.read(child, findings)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a table: required, or with a default, or (default ABSENT) left out when it is not there."""

    shape: Shape
    required: bool = False
    default: Any = ABSENT


def need(shape: Shape) -> Key:
    """A key without which the file cannot be used."""
    return Key(shape, required=True)


def may(shape: Shape, default: Any = ABSENT) -> Key:
    """A key that can be left out."""
    return Key(shape, default=default)


Rule = Callable[[Node, dict[str, Any], Findings], None]


@dataclass(frozen=True, slots=True)
class Table:
    """Fixed keys. What is read comes in the order of `keys`, without those that were refused.

    `elsewhere` says for keys that people expect here what to write instead. `rules` see all keys together;
    they run on what could be read, so they must not count on any key.
    """

    expected: str
    keys: Mapping[str, Key]
    rules: tuple[Rule, ...] = ()
    elsewhere: Mapping[str, str] | None = None

    def read(self, node: Node, findings: Findings) -> Any:
        if not isinstance(node.value, dict):
            return findings.refuse(node, self.expected)
        for name, child in node.value.items():
            if name not in self.keys:
                findings.refuse(child, self._instead_of(name), shown(name))
        data = {}
        for name, key in self.keys.items():
            value = self._value(node, name, key, findings)
            if not isinstance(value, _Sentinel):
                data[name] = value
        for rule in self.rules:
            rule(node, data, findings)
        return data

    def _value(self, node: Node, name: str, key: Key, findings: Findings) -> Any:
        child = node.child(name)
        if child is not None:
            return key.shape.read(child, findings)
        if key.required:
            findings.below(node, name, key.shape.expected)
        return key.default

    def _instead_of(self, name: str) -> str:
        if self.elsewhere and name in self.elsewhere:
            return self.elsewhere[name]
        near = meant(name, self.keys)
        return f"a known key{near}" if near else f"one of the keys {', '.join(self.keys)}"


@dataclass(frozen=True, slots=True)
class Depends:
    """A shape that depends on what the node holds; `choose` returns None after noting why there is none."""

    expected: str
    choose: Callable[[Node, Findings], Shape | None]

    def read(self, node: Node, findings: Findings) -> Any:
        if not isinstance(node.value, dict):
            return findings.refuse(node, self.expected)
        shape = self.choose(node, findings)
        return BAD if shape is None else shape.read(node, findings)
