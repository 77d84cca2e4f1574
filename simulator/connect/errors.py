"""What can go wrong in the stand-in, as a tree.

VoiceAgentError
└── ConnectError
    ├── InvalidFlow        the service would refuse this content: a list of problems
    ├── UnknownFlow        no flow of this ARN or id in the instance
    ├── UnknownPreset      no preset of this name
    ├── EndlessFlow        blocks run on and on and no time passes
    ├── ContactMisused     started twice, or fed before it was started
    └── Refusal            a block cannot do what it should: it takes its error branch
        ├── Unresolved     a JSONPath that leads nowhere, or to an empty string
        ├── NotPlayable    a prompt that Connect does not play
        └── TooLarge       more than attributes or a Lambda's answer may hold
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from contract.errors import VoiceAgentError


class ConnectError(VoiceAgentError):
    """Something that the stand-in for Connect does not do."""


class InvalidFlow(ConnectError):
    """Content that CreateContactFlow refuses (InvalidContactFlowException and its `problems`)."""

    def __init__(self, name: str, problems: Sequence[str]) -> None:
        super().__init__(name, tuple(problems))
        self.name = name
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return f"flow {self.name} is refused: {'; '.join(self.problems)}"


class UnknownFlow(ConnectError):
    def __init__(self, flow: str) -> None:
        super().__init__(flow)
        self.flow = flow

    def __str__(self) -> str:
        return f"the instance has no flow {self.flow}"


class UnknownPreset(ConnectError):
    def __init__(self, name: str, names: Iterable[str]) -> None:
        self.name = name
        self.names = tuple(names)
        super().__init__(name, self.names)

    def __str__(self) -> str:
        return f"no preset is called {self.name!r}; there are {', '.join(self.names)}"


class EndlessFlow(ConnectError):
    """Raised after `blocks` blocks within the same millisecond."""

    def __init__(self, flow: str, identifier: str, blocks: int) -> None:
        super().__init__(flow, identifier, blocks)
        self.flow = flow
        self.identifier = identifier
        self.blocks = blocks

    def __str__(self) -> str:
        return f"flow {self.flow} ran {self.blocks} blocks while no time passed, the last one {self.identifier!r}"


class ContactMisused(ConnectError):
    def __init__(self, contact_id: str, expected: str) -> None:
        super().__init__(contact_id, expected)
        self.contact_id = contact_id
        self.expected = expected

    def __str__(self) -> str:
        return f"contact {self.contact_id}: {self.expected}"


class Refusal(ConnectError):
    """The reason why a block takes its error branch."""


class Unresolved(Refusal):
    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.value = value

    def __str__(self) -> str:
        return f"{self.value} has no value, and an empty one is refused"


class NotPlayable(Refusal):
    def __init__(self, prompt: str, found: str, expected: str) -> None:
        super().__init__(prompt, found, expected)
        self.prompt = prompt
        self.found = found
        self.expected = expected

    def __str__(self) -> str:
        return f"prompt {self.prompt}: found {self.found}, expected {self.expected}"


class TooLarge(Refusal):
    def __init__(self, what: str, size: int, limit: int) -> None:
        super().__init__(what, size, limit)
        self.what = what
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.what}: {self.size} bytes, at most {self.limit}"
