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


@dataclass(frozen=True, slots=True)
class Facilities:
    """`queue_arns`: queue names of the definitions to ARNs. `random`: numbers in [0, 1)."""

    store: GatewayStore
    clock: Clock
    connector: Connector
    invoker: Invoker
    open_leg: OpenLeg
    definitions: Mapping[str, AgentDefinition]
    queue_arns: Mapping[str, str]
    random: Callable[[], float]
    lag: LoopLag = field(default_factory=LoopLag)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    record: Record | None = None

    def of_call(self, lease: Lease, head: Head, call: Call) -> AbstractAsyncContextManager[Facilities]:
        """The same for one call, recorded where calls are."""
        return nullcontext(self) if self.record is None else self.record(self, lease, head, call)
