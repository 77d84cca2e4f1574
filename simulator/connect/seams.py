"""What a contact needs of the world outside: protocols, and the errors that they may raise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from contract.call import MediaStream
from contract.clock import Clock
from simulator.connect.errors import ConnectError
from simulator.connect.events import DialThirdParty, StartPrompt, StopPrompt, ThirdPartyOutcome
from simulator.connect.lambdas import LambdaInvoker

TextVoice = Callable[[str], bytes]  # text or SSML to µ-law 8 kHz


class ObjectMissing(ConnectError):
    """No object of this name, or no right to read it: Connect cannot tell the difference."""

    def __init__(self, bucket: str, key: str) -> None:
        super().__init__(bucket, key)
        self.bucket = bucket
        self.key = key

    def __str__(self) -> str:
        return f"no object {self.key} can be read from bucket {self.bucket}"


class StreamUnavailable(ConnectError):
    """Live media streaming cannot be started."""

    def __init__(self, contact_id: str) -> None:
        super().__init__(contact_id)
        self.contact_id = contact_id

    def __str__(self) -> str:
        return f"contact {self.contact_id}: no Kinesis video stream to write to"


class ObjectReader(Protocol):
    async def read(self, bucket: str, key: str) -> bytes:
        """Raises ObjectMissing."""
        ...


class Line(Protocol):
    """The caller's ear; both return at once. `stop_prompt` comes after `start_prompt`, perhaps just after its end."""

    def start_prompt(self, prompt: StartPrompt) -> None: ...

    def stop_prompt(self, prompt: StopPrompt) -> None: ...


class Streams(Protocol):
    """Live media streaming of contacts."""

    async def start(self, contact_id: str, directions: tuple[str, ...]) -> MediaStream:
        """Raises StreamUnavailable."""
        ...

    def stop(self, contact_id: str, directions: tuple[str, ...]) -> None:
        """Also for a stream whose start was not awaited to its end."""
        ...


class ThirdParties(Protocol):
    async def dial(self, call: DialThirdParty, connected: Callable[[], None]) -> ThirdPartyOutcome:
        """Call `connected` when somebody answers; returns when the leg is over. Is cancelled to hang up."""
        ...


class NobodyAnswers:
    """Third parties that cannot be had."""

    async def dial(self, call: DialThirdParty, connected: Callable[[], None]) -> ThirdPartyOutcome:
        return ThirdPartyOutcome.CALL_FAILED


@dataclass(frozen=True, slots=True)
class Seams:
    lambdas: LambdaInvoker
    objects: ObjectReader
    line: Line
    streams: Streams
    voice: TextVoice
    clock: Clock
    third_parties: ThirdParties = field(default_factory=NobodyAnswers)
