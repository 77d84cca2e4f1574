"""What can go wrong when a flow is written; the package has its own root as it imports nothing of ours.

FlowError
├── DuplicateIdentifier   two actions of one flow have the same identifier
└── InvalidFlow           the flow breaks rules; carries every problem that was found
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule. `path` is where (as the service writes it, `Actions[3].Parameters.Text`), `rule` a key of
    `flows.rules.SOURCES`, `sentence` what was found and what should have been."""

    path: str
    rule: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence} [{self.rule}]"


class FlowError(Exception):
    """The root of every exception that `flows` raises on purpose."""


class DuplicateIdentifier(FlowError):
    def __init__(self, identifier: str) -> None:
        super().__init__(identifier)
        self.identifier = identifier

    def __str__(self) -> str:
        return f"an action named {self.identifier!r} is in the flow already; identifiers are unique"


class InvalidFlow(FlowError):
    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([f"the flow breaks {len(self.problems)} rule(s):", *map(str, self.problems)])
