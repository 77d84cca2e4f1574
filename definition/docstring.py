"""What a docstring says of a function and of each parameter, in the style with `Args:` and indented names."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

_SECTION = re.compile(r"(Args|Arguments|Attributes|Returns|Raises|Yields|Example|Examples|Note|Notes):\s*")
_ENTRY = re.compile(r"(\w+)(?: \([^)]*\))?:\s*(.*)")
_NAMED = ("Args", "Arguments", "Attributes")


@dataclass(frozen=True, slots=True)
class Docstring:
    """`summary`: everything before the first section, in one line; `entries` by name of parameter or field."""

    summary: str = ""
    entries: dict[str, str] = field(default_factory=dict)


def parse(text: str | None) -> Docstring:
    """Sections other than the parameters' are for human readers and left out."""
    summary: list[str] = []
    entries: dict[str, str] = {}
    section, current = "", ""
    for line in inspect.cleandoc(text or "").splitlines():
        if match := _SECTION.fullmatch(line):
            section, current = match[1], ""
        elif not section:
            summary.append(line)
        elif section in _NAMED and line.strip():
            current = _entry(line, current, entries)
    return Docstring(" ".join(" ".join(summary).split()), entries)


def _entry(line: str, current: str, entries: dict[str, str]) -> str:
    """A line of a section goes to a new entry or goes on with the current one; returns the name."""
    indent = len(line) - len(line.lstrip())
    match = _ENTRY.fullmatch(line.strip())
    if match and indent <= 4:
        entries[match[1]] = match[2].strip()
        return match[1]
    if current:
        entries[current] = f"{entries[current]} {line.strip()}".strip()
    return current
