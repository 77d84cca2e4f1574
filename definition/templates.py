"""Prompts and sentences with what is known of a call in them: `{{attributes.first_name | there}}`.

Known are `caller_number`, `time`, `day` and `date` in the definition's zone, `attributes.NAME` of the contact and
`lookup.NAME` of the lookup function's answer. After `|` stands what to say where there is no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from definition.model import AgentDefinition
from definition.shape import Findings
from definition.source import Node

MOST_CHARACTERS = 300  # of one value: an attribute is no place for a second prompt
ALWAYS = ("time", "day", "date")
_PLACEHOLDER = re.compile(r"\{\{([^{}|]*)(?:\|([^{}]*))?\}\}")
_NAME = re.compile(r"caller_number|time|day|date|(?:attributes|lookup)\.[A-Za-z0-9_.-]{1,64}")
_EXPECTED = "caller_number, time, day, date, attributes.NAME or lookup.NAME in double braces"


@cache
def zone(name: str) -> tzinfo:
    """A time zone; read from the disk when a definition is checked, and not while a caller waits."""
    return UTC if name == "UTC" else ZoneInfo(name)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one call. `now_ms` since the epoch."""

    now_ms: int
    time_zone: str = "UTC"
    caller_number: str = ""
    attributes: Mapping[str, str] | None = None
    lookup: Mapping[str, Any] | None = None

    def values(self) -> dict[str, str]:
        """By name, cut and in one line, without those that are empty."""
        local = datetime.fromtimestamp(self.now_ms / 1000, UTC).astimezone(zone(self.time_zone))
        found: dict[str, object] = {
            "caller_number": self.caller_number,
            "time": f"{local:%H:%M}",
            "day": f"{local:%A}",
            "date": f"{local:%Y-%m-%d}",
            **{f"attributes.{name}": value for name, value in (self.attributes or {}).items()},
            **{f"lookup.{name}": value for name, value in (self.lookup or {}).items()},
        }
        return {name: text for name, value in found.items() if (text := _one_line(value))}


def _one_line(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str | int | float):
        return ""
    return " ".join(str(value).replace("{", "").replace("}", "").split())[:MOST_CHARACTERS]


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with every placeholder replaced by its value, or else by its default."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1].strip()) or (match[2] or "").strip(), text)


def names(text: str) -> Iterator[tuple[str, str | None]]:
    """What the text asks for, each with its default."""
    for match in _PLACEHOLDER.finditer(text):
        yield match[1].strip(), match[2]


def is_fixed(definition: AgentDefinition) -> bool:
    """Whether the opening is the same in every call, so that it can be rendered beforehand."""
    return not any(names(definition.opening))


def filled(definition: AgentDefinition, values: Mapping[str, str]) -> AgentDefinition:
    """The definition of one call: no placeholder is left in what is said or told to the model."""
    idle = replace(definition.idle, sentences=tuple(fill(each, values) for each in definition.idle.sentences))
    return replace(
        definition,
        opening=fill(definition.opening, values),
        prompt=fill(definition.prompt, values),
        goodbye=fill(definition.goodbye, values),
        idle=idle,
        languages={name: filled(each, values) for name, each in definition.languages.items()},
    )


def check(node: Node, keys: Iterable[str], findings: Findings, *, lookup: bool) -> None:
    """Refuse placeholders that nothing fills, and those that may be empty without saying what stands there then."""
    for key in keys:
        child = node.child(key)
        if child is None or not isinstance(child.value, str):
            continue
        for name, default in names(child.value):
            if not _NAME.fullmatch(name):
                findings.refuse(child, _EXPECTED, f"{{{{{name[:40]}}}}}")
            elif name.startswith("lookup.") and not lookup:
                findings.refuse(child, "a lookup in the definition, since the text uses its answer", "none")
            elif default is None and name not in ALWAYS:
                findings.refuse(child, f"a default, such as {{{{{name} | there}}}}", f"{{{{{name}}}}}")
