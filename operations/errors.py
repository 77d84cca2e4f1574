"""What can go wrong, as a tree; each error carries its data and makes its own sentence.

VoiceAgentError
└── OperationsError
    ├── NotDeployed         a command needs the deployment, and it is not there
    ├── DeepgramUnusable    no Voice Agent connection up to its Welcome
    ├── NoTestCall          `doctor --live` waited, and no call of the interruptible flow came
    ├── MediaUnreadable     the test call's audio could not be read from Kinesis Video Streams
    └── CallLeft            the test call ended, or another gateway took it, before the measurement was done
"""

from __future__ import annotations

from contract.errors import VoiceAgentError


class OperationsError(VoiceAgentError):
    """A command cannot do what it was asked for."""


class NotDeployed(OperationsError):
    def __init__(self, name: str, region: str) -> None:
        super().__init__(name, region)
        self.name = name
        self.region = region

    def __str__(self) -> str:
        return f"there is no stack {self.name} in {self.region} with these credentials: run make deploy first"


class DeepgramUnusable(OperationsError):
    """`status` is that of the refused upgrade, 0 where it came to none. The key is never part of the sentence."""

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why, status)
        self.why = why
        self.status = status

    def __str__(self) -> str:
        return f"Deepgram: {self.why}"


class NoTestCall(OperationsError):
    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        return f"no call came within {self.seconds} s: call a number that leads to the interruptible flow"


class MediaUnreadable(OperationsError):
    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"the audio of the test call cannot be read: {self.why}"


class CallLeft(OperationsError):
    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"the measurement is not complete: {self.why}"
