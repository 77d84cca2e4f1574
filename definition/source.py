"""YAML text to a tree of nodes that know their line and their path, so that every problem can name both.

A careful subset of YAML: scalars mean what JSON makes of them (`no` and `on` are text, `true` is a switch),
keys are always text, and anchors, aliases and tags are refused. No input makes it recurse deeply.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import yaml

from definition.errors import DefinitionError, Problem

MAX_DEPTH = 20
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]+)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_SIMPLE_KEY = re.compile(r"[A-Za-z0-9_$ -]{1,64}")

Value = None | bool | int | float | str | list["Node"] | dict[str, "Node"]


@dataclass(frozen=True, slots=True)
class Node:
    """A value with the line of its key (of itself, in a list) and its path, such as `think[1].provider.model`."""

    value: Value
    line: int
    path: str

    def child(self, key: str) -> Node | None:
        return self.value.get(key) if isinstance(self.value, dict) else None

    def text(self, key: str) -> str | None:
        """The child's value where it is text."""
        child = self.child(key)
        return child.value if child is not None and isinstance(child.value, str) else None


def joined(path: str, key: str) -> str:
    """The path of `key` below `path`; a key with unusual characters is quoted and cut to 40."""
    if not _SIMPLE_KEY.fullmatch(key):
        key = json.dumps(key[:40])
    return f"{path}.{key}" if path else key


def plain(node: Node) -> object:
    """The node's value without lines, as JSON would have it."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def parse(file: str, text: str) -> tuple[Node, list[Problem]]:
    """The one document of a YAML text, and the keys that stand in it twice (the first one counts).

    Raises:
        DefinitionError: text that is not YAML, or uses what this subset leaves out.
    """
    builder = _Builder(file, text)
    return builder.document(), builder.problems


class _Builder:
    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.line = 1
        self.problems: list[Problem] = []
        self.events = self._events()

    def document(self) -> Node:
        next(self.events)  # the start of the stream
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return Node(None, 1, "")
        root = self._node(next(self.events), 1, "", 0)
        next(self.events)  # the end of the document
        for event in self.events:
            if not isinstance(event, yaml.StreamEndEvent):
                self._refuse(self.line, "", "one YAML document", "a second one after ---")
        return root

    def _events(self) -> Iterator[yaml.Event]:
        try:
            for event in yaml.parse(self.text, Loader=yaml.SafeLoader):
                assert event.start_mark is not None
                self.line = event.start_mark.line + 1
                yield event
        except yaml.MarkedYAMLError as error:
            self._not_yaml(error)
        except yaml.reader.ReaderError as error:
            line = self.text.count("\n", 0, error.position) + 1
            self._refuse(line, "", "printable characters", f"the character U+{ord(self.text[error.position]):04X}")
        except (ValueError, OverflowError):
            # PyYAML hands a number out of range (an escape such as "\UFFFFFFFF") to chr() and int() unchecked.
            self._refuse(self.line, "", "valid YAML", "a number out of range in an escape or directive")

    def _not_yaml(self, error: yaml.MarkedYAMLError) -> NoReturn:
        mark: yaml.Mark | None = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else self.line
        lines = self.text.split("\n")
        text = lines[line - 1] if line <= len(lines) else ""
        if "\t" in text[: len(text) - len(text.lstrip())]:
            self._refuse(line, "", "spaces before a key", "a tab")
        self._refuse(line, "", "valid YAML", f"{error.problem or 'a syntax error'}")

    def _refuse(self, line: int, path: str, expected: str, found: str) -> NoReturn:
        raise DefinitionError([*self.problems, Problem(self.file, line, path, expected, found)])

    def _node(self, event: yaml.Event, line: int, path: str, depth: int) -> Node:
        if depth > MAX_DEPTH:
            self._refuse(self.line, "", f"at most {MAX_DEPTH} levels", "more")
        if isinstance(event, yaml.AliasEvent):
            self._refuse(self.line, path, "the value written out", "an alias (*)")
        assert isinstance(event, yaml.NodeEvent)
        if event.anchor is not None:
            self._refuse(self.line, path, "the value alone", "an anchor (&)")
        assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
        if event.tag is not None:
            self._refuse(self.line, path, "the value alone", "a tag (!)")
        if isinstance(event, yaml.ScalarEvent):
            return Node(self._scalar(event, path), line, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(self._sequence(path, depth), line, path)
        return Node(self._mapping(path, depth), line, path)

    def _scalar(self, event: yaml.ScalarEvent, path: str) -> Value:
        text: str = event.value
        if any("\ud800" <= character <= "\udfff" for character in text):
            self._refuse(self.line, path, "whole characters", "half of a surrogate pair")
        return _resolved(text) if event.style is None else text

    def _sequence(self, path: str, depth: int) -> list[Node]:
        nodes: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            nodes.append(self._node(event, self.line, f"{path}[{len(nodes)}]", depth + 1))
        return nodes

    def _mapping(self, path: str, depth: int) -> dict[str, Node]:
        nodes: dict[str, Node] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = self.line
            key = self._key(event, path)
            node = self._node(next(self.events), line, joined(path, key), depth + 1)
            if key in nodes:
                found = f"it again (it stands in line {nodes[key].line})"
                self.problems.append(Problem(self.file, line, node.path, "the key once", found))
            else:
                nodes[key] = node
        return nodes

    def _key(self, event: yaml.Event, path: str) -> str:
        if not isinstance(event, yaml.ScalarEvent) or event.tag is not None or event.anchor is not None:
            self._refuse(self.line, path, "a key of plain text", "something else")
        self._scalar(event, path)
        key: str = event.value
        return key


def _resolved(text: str) -> Value:
    """What a scalar without quotes means."""
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text
