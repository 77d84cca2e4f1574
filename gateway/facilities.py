"""What a gateway has at hand for its calls. In production all of it is AWS and Deepgram; nothing here knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from contract.call import Call, Head, Lease
from contract.clock import Clock
from contract.store import GatewayStore
from definition import AgentDefinition
from gateway.announcing import Announcer, NobodyToTell
from gateway.call_audio import NoShelf, Shelf
from gateway.functions.invoker import Invoker
from gateway.legs.leg import Leg
from gateway.telemetry.lag import LoopLag
from gateway.voice_agent.connection import Connector


class OpenLeg(Protocol):
    """Makes the leg of a call that was taken."""

    def __call__(self, lease: Lease, head: Head, call: Call) -> Leg: ...


class Record(Protocol):
    """Records one call: gives the facilities that it is to use instead."""

    def __call__(
        self, facilities: Facilities, lease: Lease, head: Head, call: Call
    ) -> AbstractAsyncContextManager[Facilities]: ...


class Lines(Protocol):
    """Calls that come to this gateway by themselves, over a line that no other one can carry on."""

    def has(self, contact_id: str) -> bool:
        """The line of this contact ends here."""
        ...

    def taken(self, contact_id: str) -> Callable[[], None]:
        """Somebody serves this contact. What is returned ends its line, if it still stands, when nobody does any more:
        the one that it has now, since a caller who comes back has another one before the first attempt is closed."""
        ...

    def give_back(self, record: str) -> None:
        """End the line of another gateway, as `Head.dialog` describes it, so that the flow has its caller back."""
        ...


class NoLines:
    """A gateway that nobody can call."""

    def has(self, contact_id: str) -> bool:
        return False

    def taken(self, contact_id: str) -> Callable[[], None]:
        return lambda: None

    def give_back(self, record: str) -> None:
        """There is nothing to end it with."""


def _unheard(what: str, value: object) -> None:
    """Nobody records this call."""


@dataclass(frozen=True, slots=True)
class Facilities:
    """`queue_arns`: queue names of the definitions to ARNs. `random`: numbers in [0, 1). `told`: what the service wants
    of a call, for who records it. `shelf`: where recordings for customers are kept."""

    store: GatewayStore
    clock: Clock
    connector: Connector
    invoker: Invoker
    open_leg: OpenLeg
    definitions: Mapping[str, AgentDefinition]
    queue_arns: Mapping[str, str]
    random: Callable[[], float]
    lines: Lines = field(default_factory=NoLines)
    lag: LoopLag = field(default_factory=LoopLag)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    announcer: Announcer = field(default_factory=NobodyToTell)
    shelf: Shelf = field(default_factory=NoShelf)
    record: Record | None = None
    told: Callable[[str, object], None] = _unheard

    def of_call(self, lease: Lease, head: Head, call: Call) -> AbstractAsyncContextManager[Facilities]:
        """The same for one call, recorded where calls are."""
        if self.record is None:
            return nullcontext(self)
        return self.record(self, lease, head, call)
