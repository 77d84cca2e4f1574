"""One call of a load: no terminal and no recording is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract.call import CallState, Head, Result
from contract.errors import CallNotFound, StoreUnavailable
from simulator.caller.line import Line
from simulator.caller.schedule import Caller
from simulator.connect.events import CallerHungUp, DisconnectReason
from simulator.connect.lambdas import LambdaError
from simulator.connect.presets import DEFAULT, Preset
from simulator.connect.seams import Seams
from simulator.connect.shell import ContactShell, FlowEvent, incoming
from simulator.estate import lambda_arn
from simulator.exchange import Exchange, stream_for
from simulator.fleet.errands import Errand
from simulator.fleet.stage import Fleet
from simulator.phone.cloud import S3Objects

CLOSED_S = 30.0  # how long a gateway may take to close the record
LOOK_S = 0.5
CONTACT_EVENT_MS = 8000
DELIVERIES = 10
CALLER_NUMBER = "+4915112345678"
OUR_NUMBER = "+493012345678"


@dataclass
class FleetCall:
    """Run it once."""

    fleet: Fleet
    errand: Errand
    form: str
    preset: Preset = DEFAULT
    queued: dict[str, Any] = field(default_factory=dict)
    queued_at_ms: int = 0
    failures: list[str] = field(default_factory=list)
    end: str = ""  # queued, ended (by the flow), hung_up
    head: Head | None = None

    def __post_init__(self) -> None:
        fleet, clock = self.fleet, self.fleet.clock
        self._arn = fleet.take_stream()
        stream = stream_for(self.preset, self._arn, fleet.estate.instance.id, clock.now_ms())
        fleet.servers.kvs.streams[self._arn] = stream
        line = Line(Caller(self.errand.words, self.errand.hang_up_ms), clock.now_ms())
        self.exchange = Exchange(line, stream, self.preset, clock)
        objects = S3Objects(fleet.account)
        self.shell: ContactShell = incoming(
            fleet.estate.instance,
            fleet.estate.flow_arn(self.form),
            Seams(fleet.lambdas, objects, self.exchange, self.exchange, fleet.voice, clock),
            caller_number=CALLER_NUMBER,
            system_number=OUR_NUMBER,
            preset=self.preset,
            report=self._note,
        )
        fleet.servers.contacts.add(self.shell)

    @property
    def contact_id(self) -> str:
        return self.shell.contact_id

    @property
    def reason(self) -> str:
        """Why the caller was given to a queue."""
        return str(self.queued.get("va_reason", ""))

    async def run(self) -> None:
        """From the ring until its record is closed."""
        leaving = asyncio.create_task(self._leave(), name="leave")
        try:
            end = await self.exchange.run(self.shell)
            self.end = "queued" if self.queued_at_ms else _ENDS.get(end.reason, end.reason.value)
            await self._deliver(end.contact_event)
            await self._closed()
        finally:
            leaving.cancel()
            line = self.exchange.line
            line.said.clear()
            line.heard.clear()
            self.fleet.call_over(self.contact_id, self._arn)

    async def _leave(self) -> None:
        if self.errand.leaves_ms:
            await asyncio.sleep(self.errand.leaves_ms / 1000)
            self.shell.tell(CallerHungUp())

    async def _deliver(self, event: Mapping[str, Any]) -> None:
        """EventBridge delivers an event again when its function failed."""
        for _ in range(DELIVERIES):
            answer = await self.fleet.lambdas.invoke(lambda_arn("contact_event"), event, CONTACT_EVENT_MS)
            if not isinstance(answer, LambdaError):
                return
            await asyncio.sleep(LOOK_S)

    async def _closed(self) -> None:
        """Wait until the gateway has closed the record."""
        deadline = asyncio.get_running_loop().time() + CLOSED_S
        while asyncio.get_running_loop().time() < deadline:
            try:
                self.head = await self.fleet.store.head(self.contact_id)
            except (CallNotFound, StoreUnavailable):
                self.head = None
            if self.head is not None and self.head.state is CallState.ENDED:
                return
            await asyncio.sleep(LOOK_S)
        self.failures.append(f"its record is not closed {CLOSED_S:g} s after its end")

    def _note(self, event: FlowEvent) -> None:
        match event.kind:
            case "queued":
                self.queued = dict(event.detail["attributes"])
                self.queued_at_ms = self.exchange.queued_at_ms = event.at_ms
            case "lambda_returned" if event.detail["error"]:
                self.failures.append(f"a Lambda failed: {event.detail['error']}")
            case "prompt_failed":
                self.failures.append(f"a prompt could not be played: {event.detail['why']}")
            case "streaming_failed":
                self.failures.append("its audio could not be streamed")
            case _:
                pass

    def disappointments(self) -> list[str]:
        """What was not as the caller could expect, each in a few words."""
        found = list(self.failures)
        if self.end not in self.errand.ends:
            found.append(f"ended as {self.end}")
        if self.head is not None and self.head.result is Result.FAILED:
            found.append(f"failed because of {self.head.reason}")
        return found


_ENDS = {DisconnectReason.CUSTOMER: "hung_up", DisconnectReason.FLOW: "ended"}
