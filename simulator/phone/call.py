"""One call on the phone: rings, follows the record, collects the facts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from contract.actions import Numbered
from contract.call import Head
from contract.clock import Clock
from contract.dynamodb import DynamoStore
from contract.errors import CallNotFound, StoreUnavailable
from contract.running import in_thread
from contract.turns import FunctionEntry, Role, Turn
from simulator.caller.line import Line
from simulator.caller.schedule import Caller
from simulator.connect.http import ConnectApi, Contacts, LambdaApi
from simulator.connect.lambdas import LambdaRuntime
from simulator.connect.seams import Seams, TextVoice
from simulator.connect.shell import ContactEnd, FlowEvent, incoming
from simulator.estate import Estate, lambda_arn
from simulator.exchange import Exchange, stream_for
from simulator.kvs.server import KvsService
from simulator.phone import listening
from simulator.phone.cloud import TABLE, Account, S3Objects
from simulator.phone.options import Options
from simulator.phone.report import Facts, Played
from simulator.phone.terminal import Terminal

CALLER_NUMBER = "+4915112345678"
OUR_NUMBER = "+493012345678"
RECORD_EVERY_S = 0.2
AFTERWARDS_S = 8.0  # how long the gateway may need to close the record


@dataclass
class Servers:
    """What this process serves to the others over HTTP."""

    kvs: KvsService
    contacts: Contacts
    runner: web.AppRunner

    @classmethod
    async def start(cls, port: int, clock: Clock, lambdas: LambdaRuntime) -> Servers:
        url = f"http://127.0.0.1:{port}"
        kvs, contacts = KvsService(clock), Contacts()
        app = web.Application()
        app.add_routes([*kvs.routes(url), *ConnectApi(contacts, clock).routes(), *LambdaApi(lambdas).routes()])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return cls(kvs, contacts, runner)


@dataclass
class Record:
    """The record of the call, read as it grows."""

    store: DynamoStore
    contact_id: str
    head: Head | None = None
    turns: list[Turn] = field(default_factory=list)
    functions: list[FunctionEntry] = field(default_factory=list)
    actions: list[Numbered] = field(default_factory=list)

    async def read(self) -> None:
        """Read everything anew; what cannot be read stays as it was."""
        with contextlib.suppress(CallNotFound, StoreUnavailable):
            self.head = await self.store.head(self.contact_id)
            self.turns = list(await self.store.turns(self.contact_id))
            self.functions = list(await self.store.functions(self.contact_id))
            self.actions = list(await self.store.actions_after(self.contact_id, 0))


class PhoneCall:
    """Run it once."""

    def __init__(
        self,
        options: Options,
        estate: Estate,
        account: Account,
        servers: Servers,
        lambdas: LambdaRuntime,
        voice: TextVoice,
        clock: Clock,
        terminal: Terminal,
    ) -> None:
        self.events: list[FlowEvent] = []
        self._options = options
        self._estate = estate
        self._servers = servers
        self._lambdas = lambdas
        self._clock = clock
        self._terminal = terminal
        stream = stream_for(options.preset, estate.stream_arn, estate.instance.id, clock.now_ms())
        servers.kvs.streams[stream.arn] = stream
        caller = Caller(options.words)
        self.exchange = Exchange(Line(caller, clock.now_ms()), stream, options.preset, clock, heard=self._watch_caller)
        seams = Seams(lambdas, S3Objects(account), self.exchange, self.exchange, voice, clock)
        self._shell = incoming(
            estate.instance,
            estate.flow_arn(options.form),
            seams,
            caller_number=CALLER_NUMBER,
            system_number=OUR_NUMBER,
            preset=options.preset,
            report=self._flow_event,
        )
        servers.contacts.add(self._shell)
        self.record = Record(DynamoStore(account.client("dynamodb"), TABLE, in_thread), self._shell.contact_id)
        self._announced = 0
        self._spoken = 0

    @property
    def contact_id(self) -> str:
        return self._shell.contact_id

    async def run(self) -> ContactEnd:
        """Ring, and stay on the line to the end; the record is complete when it returns."""
        self._terminal.ring(self.exchange.line.started_ms)
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(self._follow())
            end = await self.exchange.run(self._shell)
            await self._lambdas.invoke(lambda_arn("contact_event"), end.contact_event, 8000)
            await self._closed()
            following.cancel()
        return end

    async def _closed(self) -> None:
        """Wait until the gateway has closed the record."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AFTERWARDS_S):
                while self.record.head is None or self.record.head.state != "ended":
                    await asyncio.sleep(RECORD_EVERY_S)
        await self.record.read()
        self._show()

    async def _follow(self) -> None:
        while True:
            await self.record.read()
            self._show()
            await asyncio.sleep(RECORD_EVERY_S)

    def _show(self) -> None:
        for turn in self.record.turns:
            self._terminal.turn(turn)
        for entry in self.record.functions:
            self._terminal.function(entry)
        self._show_latency()

    def _show_latency(self) -> None:
        caller: Turn | None = None
        for turn in self.record.turns:
            if turn.role is Role.CALLER:
                caller = turn
            elif caller is not None and turn.marks.get("heard_by_caller"):
                if turn.number > self._announced:
                    self._announced = turn.number
                    heard = turn.marks["heard_by_caller"]
                    self._terminal.latency(heard, heard - caller.ended_at_ms)
                caller = None

    def _flow_event(self, event: FlowEvent) -> None:
        self.events.append(event)
        self._terminal.flow(event)
        if event.kind == "queued":
            self.exchange.queued_at_ms = self._clock.now_ms()

    def _watch_caller(self, begin: int, said: bytes, heard: bytes) -> None:
        spoken = self.exchange.line.caller.spoken
        if len(spoken) > self._spoken:
            self._spoken = len(spoken)
            over = begin - self.exchange.line.last_heard_ms < 200
            self._terminal.caller(begin, spoken[-1][0], over_agent=over)

    def facts(self, end: ContactEnd, figures: Mapping[str, Any], errors: list[str]) -> Facts:
        """Everything that the report is made of."""
        line = self.exchange.line
        first = listening.first_sound_ms(bytes(line.heard))
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
            first_heard_ms=line.started_ms + first if first is not None else 0,
            spoken=line.caller.spoken,
            silent_at=lambda at_ms: line.started_ms + listening.silent_ms(bytes(line.heard), at_ms - line.started_ms),
            disconnect=end.reason,
            figures=figures,
            lag_ms=self.exchange.lag_ms,
            errors=errors,
        )

    def _played(self) -> list[Played]:
        """Prompts by what the flow named, from the events of flow and line."""
        uris = {e.detail["prompt_id"]: e.detail["uri"] for e in self.events if e.kind == "prompt_asked"}
        played = []
        for prompt in self.exchange.line.played:
            played.append(
                Played(str(uris[prompt.prompt_id]), prompt.starts_ms, prompt.ends_ms, prompt.stops_ms is not None)
            )
        return played
