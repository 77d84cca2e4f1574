"""One call on the phone: rings, follows line, flow and record, collects the facts."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from contract.clock import Clock
from contract.dynamodb import DynamoStore
from contract.running import in_thread
from contract.turns import Role
from simulator.caller.line import Line
from simulator.caller.schedule import Caller
from simulator.connect.events import CallerHungUp
from simulator.connect.seams import Seams
from simulator.connect.shell import ContactEnd, FlowEvent, incoming
from simulator.estate import lambda_arn
from simulator.exchange import Exchange, stream_for
from simulator.phone import timing
from simulator.phone.cloud import TABLE, S3Objects
from simulator.phone.facts import Facts, Played
from simulator.phone.listening import Track
from simulator.phone.options import Options
from simulator.phone.processes import Child
from simulator.phone.record import Record
from simulator.phone.stage import Stage
from simulator.phone.terminal import Terminal
from simulator.sip.shell import Audio, SipThirdParties

CALLER_NUMBER = "+4915112345678"
OUR_NUMBER = "+493012345678"
RECORD_EVERY_S = 0.25
AFTERWARDS_S = 8.0  # how long the gateway may need to close the record
CONTACT_EVENT_MS = 8000
OVER_AGENT_MS = 200


class PhoneCall:
    """Run it once."""

    def __init__(self, options: Options, stage: Stage, clock: Clock, terminal: Terminal) -> None:
        self.events: list[FlowEvent] = []
        self.errors: list[str] = []
        self.said, self.heard = Track(), Track()
        self._options = options
        self._stage = stage
        self._clock = clock
        self._terminal = terminal
        estate, account = stage.estate, stage.account
        stream = stream_for(options.preset, estate.stream_arn, estate.instance.id, clock.now_ms())
        stage.servers.kvs.streams[stream.arn] = stream
        line = Line(Caller(options.words, options.hang_up_ms), clock.now_ms())
        self.exchange = Exchange(line, stream, options.preset, clock, heard=self._frame)
        contact_id = str(uuid.uuid4())
        self.transfers = SipThirdParties(stage.log.sip, contact_id, clock, self._attach)
        self.shell = incoming(
            estate.instance,
            estate.flow_arn(options.form),
            Seams(stage.lambdas, S3Objects(account), self.exchange, self.exchange, stage.voice, clock, self.transfers),
            contact_id=contact_id,
            caller_number=CALLER_NUMBER,
            system_number=OUR_NUMBER,
            preset=options.preset,
            report=self._flow_event,
        )
        stage.servers.contacts.add(self.shell)
        self.record = Record(DynamoStore(account.client("dynamodb"), TABLE, in_thread), self.shell.contact_id)
        terminal.clip = self.record.clip
        self._spoken = 0

    @property
    def contact_id(self) -> str:
        return self.shell.contact_id

    @property
    def now_ms(self) -> int:
        """Ms since the ring."""
        return self._clock.now_ms() - self.exchange.line.started_ms

    def _attach(self, leg: Audio | None) -> None:
        """The call was transferred, or is back."""
        self.exchange.line.other = leg

    def hang_up(self) -> None:
        """The caller has had enough."""
        self.exchange.hung_up_at_ms = self.exchange.line.now_ms
        self.shell.tell(CallerHungUp())

    async def run(self, serving: Callable[[], bool]) -> ContactEnd:
        """Ring, and stay on the line to the end. `serving`: there is a gateway that will close the record."""
        self._terminal.ring(self._clock.now_ms())
        following = asyncio.create_task(self._follow(), name="follow the record")
        try:
            end = await self.exchange.run(self.shell)
            following.cancel()
            # Should it fail: the gateway has two other ways to learn of the hang-up.
            await self._stage.lambdas.invoke(lambda_arn("contact_event"), end.contact_event, CONTACT_EVENT_MS)
            await self._closed(serving)
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following
            self._terminal.screen.show()
        return end

    async def _closed(self, serving: Callable[[], bool]) -> None:
        """Wait until the gateway has closed the record."""
        for _ in range(round(AFTERWARDS_S / RECORD_EVERY_S)):
            await self._look()
            if self.record.closed or not serving():
                return
            await asyncio.sleep(RECORD_EVERY_S)

    async def _follow(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(RECORD_EVERY_S)

    async def _look(self) -> None:
        await self.record.read()
        now, facts = self._clock.now_ms(), self.facts()
        for turn in self.record.turns:
            if turn.role is Role.VOICE_AGENT:
                self._terminal.agent(turn, timing.began_ms(facts, turn, now), now)
            else:
                self._terminal.understood(turn, timing.understood_ms(facts, turn, now))
        for entry in self.record.functions:
            self._terminal.function(entry)
        for found in timing.barge_ins(facts):
            self._terminal.barged_in(found, now)
        for one in timing.answered(facts, now):
            self._terminal.answered(one)
        self._terminal.show(now)

    # -- what happens on line and in flow ----------------------------------------------------------------------

    def failed(self, text: str) -> None:
        """Something that this call must not have happen to it."""
        self.errors.append(f"{text} ({self.now_ms / 1000:.1f} s after the ring)")

    def died(self, child: Child) -> None:
        """One of the processes ended by itself."""
        text = f"{child.name} {child.ending}; all that it said is in {child.log}"
        self.failed(text)
        self._terminal.failure(self._clock.now_ms(), text)

    def _flow_event(self, event: FlowEvent) -> None:
        self.events.append(event)
        self._terminal.flow(event)
        match event.kind:
            case "queued":
                self.exchange.queued_at_ms = self._clock.now_ms()
            case "lambda_returned" if event.detail["error"]:
                self.failed(f"a Lambda that the flow invoked failed: {event.detail['error']}")
            case "prompt_failed":
                self.failed(f"a prompt could not be played: {event.detail['why']}")
            case "streaming_failed":
                self.failed("the caller's audio could not be streamed")
            case _:
                pass

    def _frame(self, begin: int, said: bytes, heard: bytes) -> None:
        """Every 20 ms."""
        line = self.exchange.line
        for track, pcm in ((self.said, said), (self.heard, heard)):
            track.started_ms = line.started_ms
            track.add(pcm)
        if len(line.caller.spoken) > self._spoken:
            self._spoken = len(line.caller.spoken)
            over = begin - line.last_heard_ms < OVER_AGENT_MS
            self._terminal.caller(begin, line.caller.spoken[-1][0], over_agent=over)

    # -- what is known in the end ------------------------------------------------------------------------------

    def facts(self, end: ContactEnd | None = None, figures: Mapping[str, Any] | None = None) -> Facts:
        """Everything that the report is made of, as far as it is known."""
        line = self.exchange.line
        return Facts(
            contact_id=self.contact_id,
            form=self._options.form,
            preset=self._options.preset.name,
            started_ms=line.started_ms,
            head=self.record.head,
            actions=self.record.actions,
            turns=self.record.turns,
            functions=self.record.functions,
            flow=self.events,
            played=self._played(),
            spoken=line.caller.spoken,
            said=self.said,
            heard=self.heard,
            disconnect=end.reason if end else None,
            figures=figures or {},
            lag_ms=self.exchange.lag_ms,
            errors=self.errors,
        )

    def _played(self) -> list[Played]:
        """Prompts by what the flow named, from the events of flow and line."""
        uris = {event.detail["prompt_id"]: event.detail["uri"] for event in self.events if event.kind == "prompt_asked"}
        return [
            Played(str(uris[prompt.prompt_id]), prompt.starts_ms, prompt.ends_ms, prompt.stops_ms is not None)
            for prompt in self.exchange.line.played
        ]
