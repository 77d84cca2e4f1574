"""YAML values that know their line, and are asked for by type: every complaint names file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import yaml

from simulator.deepgram.local.errors import RulesInvalid

T = TypeVar("T")


class Lined:
    """One value of a YAML file."""

    def __init__(self, path: Path, node: yaml.Node) -> None:
        self._path = path
        self._node = node

    @classmethod
    def read(cls, path: Path) -> Lined:
        """The whole file.

        Raises:
            RulesInvalid: it is not there, not YAML, or empty.
        """
        try:
            node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except OSError as error:
            raise RulesInvalid(path, 1, f"cannot be read: {error.strerror}") from error
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or "this cannot be read"
            raise RulesInvalid(path, mark.line + 1 if mark else 1, f"not YAML: {problem}") from error
        if node is None:
            raise RulesInvalid(path, 1, "the file is empty")
        return cls(path, node)

    def wrong(self, problem: str) -> RulesInvalid:
        """The error to raise about this value."""
        return RulesInvalid(self._path, self._node.start_mark.line + 1, problem)

    def text(self) -> str:
        """A scalar as it is written: `4711`, `yes` and `09:00` are texts here."""
        if not isinstance(self._node, yaml.ScalarNode) or not str(self._node.value).strip():
            raise self.wrong("a text is expected here")
        return str(self._node.value)

    def number(self) -> int:
        text = self.text()
        if not (text.isascii() and text.isdigit()):
            raise self.wrong(f"a whole number is expected here, not {text!r}")
        return int(text)

    def flag(self) -> bool:
        text = self.text()
        if text not in ("true", "false"):
            raise self.wrong(f"true or false is expected here, not {text!r}")
        return text == "true"

    def parsed(self, read: Callable[[str], T]) -> T:
        """The text read by `read`; its ValueError becomes a complaint about this line."""
        try:
            return read(self.text())
        except ValueError as error:
            raise self.wrong(str(error)) from error

    def one_of(self, names: Iterator[str] | frozenset[str] | set[str], what: str) -> str:
        """A text that is one of `names`."""
        text, known = self.text(), sorted(names)
        if text not in known:
            raise self.wrong(f"unknown {what} {text!r}; there are {', '.join(known) or 'none'}")
        return text

    def items(self) -> list[Lined]:
        """A list; a single text stands for a list of one."""
        if isinstance(self._node, yaml.SequenceNode):
            return [Lined(self._path, node) for node in self._node.value]
        if isinstance(self._node, yaml.ScalarNode):
            return [self]
        raise self.wrong("a list is expected here")

    def fields(self) -> dict[str, Lined]:
        """A mapping with any keys, each once."""
        if not isinstance(self._node, yaml.MappingNode):
            raise self.wrong("a mapping is expected here")
        found: dict[str, Lined] = {}
        for key, value in self._node.value:
            name = Lined(self._path, key).text()
            if name in found:
                raise Lined(self._path, key).wrong(f"{name!r} stands here for the second time")
            found[name] = Lined(self._path, value)
        return found

    def record(self, required: set[str], optional: set[str]) -> dict[str, Lined]:
        """A mapping with these keys and no others."""
        found = self.fields()
        for name, value in found.items():
            if name not in required | optional:
                raise value.wrong(f"unknown key {name!r}; there are {', '.join(sorted(required | optional))}")
        for name in sorted(required - found.keys()):
            raise self.wrong(f"the key {name!r} is missing")
        return found

    @property
    def is_mapping(self) -> bool:
        return isinstance(self._node, yaml.MappingNode)
