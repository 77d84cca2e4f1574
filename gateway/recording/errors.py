"""What can be wrong with a recording.

VoiceAgentError
└── RecordingError
    ├── UnknownVersion      made by a release that writes another format
    └── UnreadableRecording a file is missing, or a line is not what its format says
"""

from __future__ import annotations

from contract.errors import VoiceAgentError


class RecordingError(VoiceAgentError):
    """A recording cannot be used."""


class UnknownVersion(RecordingError):
    def __init__(self, path: str, found: object, known: int) -> None:
        super().__init__(path, found, known)
        self.path = path
        self.found = found
        self.known = known

    def __str__(self) -> str:
        return f"{self.path}: format version {self.found!r}, this release reads up to {self.known}; use a newer release"


class UnreadableRecording(RecordingError):
    """`line` counts from 1, 0 where it is not about a line."""

    def __init__(self, path: str, line: int, problem: str) -> None:
        super().__init__(path, line, problem)
        self.path = path
        self.line = line
        self.problem = problem

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.problem}"
