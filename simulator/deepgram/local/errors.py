"""What can go wrong with the agent that really hears and speaks.

VoiceAgentError
└── LocalAgentError
    ├── SpeechPackagesMissing   a package of the extra `speech` cannot be imported
    ├── WorkerFailed            a speech process died, hung, refused a job or has too many of them
    └── RulesInvalid            a rule file is not what its schema says: file, line, problem
"""

from __future__ import annotations

from pathlib import Path

from contract.errors import VoiceAgentError


class LocalAgentError(VoiceAgentError):
    """The root of everything that the local agent raises on purpose."""


class SpeechPackagesMissing(LocalAgentError):
    def __init__(self, packages: tuple[str, ...]) -> None:
        super().__init__(packages)
        self.packages = packages

    def __str__(self) -> str:
        return (
            f"the local agent needs {', '.join(self.packages)}: run `pip install -e '.[simulator,speech]'`, "
            "or use the scripted agent, which needs none of them"
        )


class WorkerFailed(LocalAgentError):
    def __init__(self, role: str, problem: str) -> None:
        super().__init__(role, problem)
        self.role = role
        self.problem = problem

    def __str__(self) -> str:
        return f"the {self.role} process {self.problem}"


class RulesInvalid(LocalAgentError):
    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(path, line, problem)
        self.path = path
        self.line = line
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}"
