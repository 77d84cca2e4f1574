"""What can go wrong with an agent definition, as a tree; each error carries its data.

VoiceAgentError
├── DefinitionError     a file in agents/ that cannot be used: a list of problems, each with file and line
├── BadArguments        a model called a function with arguments that its schema refuses
└── SecretMissing       Settings were asked for without a secret that the definition refers to
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contract.errors import VoiceAgentError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right. `line` counts from 1, 0 where no line exists; `key` is a path, empty for the file."""

    file: str
    line: int
    key: str
    expected: str
    found: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        key = f"{self.key}: " if self.key else ""
        return f"{where}: {key}expected {self.expected}, found {self.found}"


class DefinitionError(VoiceAgentError):
    """One or more files cannot be used as agent definitions. The sentence has one line per problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(tuple(problems))
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class BadArguments(VoiceAgentError):
    """Arguments that a function's schema refuses.

    The sentence may be told to the model: it holds the path and what was expected there, never a value.
    `found` names a kind ("a number"), never a value either, so that it may be logged.
    """

    def __init__(self, function: str, path: str, expected: str, found: str) -> None:
        super().__init__(function, path, expected, found)
        self.function = function
        self.path = path
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        return f"{self.function}: {self.path or 'arguments'}: expected {self.expected}"


class SecretMissing(VoiceAgentError):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"the secret {self.name} is referred to by the agent definition, but its value was not handed in"
