"""Many calls and several gateways on one table, all on the jumping clock."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from contract.call import CallState, Head
from contract.turns import Role, Turn
from gateway.openings import render_openings
from gateway.service import Service
from simulator.caller.line import Line
from simulator.caller.schedule import Caller, Words
from simulator.connect.seams import Seams
from simulator.connect.shell import ContactEnd, ContactShell, FlowEvent, incoming
from simulator.deepgram import tones
from simulator.exchange import Exchange, stream_for
from simulator.kvs.stream import Stream
from tests.scenarios.world import Objects, Presence, StreamSource, World

SESSIONS = 200  # of the pretended Deepgram project


@dataclass(eq=False)
class Ringing:
    """One of many calls."""

    contact_id: str
    form: str
    exchange: Exchange
    said: Sequence[Words]
    events: list[FlowEvent] = field(default_factory=list)
    end: ContactEnd | None = None

    def note(self, event: FlowEvent) -> None:
        self.events.append(event)
        if event.kind == "queued":
            self.exchange.queued_at_ms = event.at_ms

    @property
    def handover(self) -> Mapping[str, str]:
        return next((event.detail["attributes"] for event in self.events if event.kind == "queued"), {})

    @property
    def queued(self) -> str:
        """The name of the queue that the caller came to, "" for none."""
        arns = [str(event.detail["queue_arn"]) for event in self.events if event.kind == "queued"]
        return arns[0].rpartition("/")[2] if arns else ""


@dataclass
class Contacts(Presence):
    """Whether Connect still knows each of them."""

    async def connected(self, contact_id: str) -> bool:
        assert isinstance(self.world, Fleet)
        return self.world.ringing[contact_id].end is None


@dataclass
class Fleet(World):
    """`async with fleet.serving():` first, then `start_gateway` and `ring`. The caller says the same in every call."""

    ringing: dict[str, Ringing] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)
    gateways: dict[str, tuple[Service, asyncio.Task[None]]] = field(default_factory=dict)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """The account; when the block is left every call and every gateway has to be over soon."""
        self._found()
        self.deepgram.access.limit = SESSIONS
        await render_openings(self._facilities(), self.prompts)
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                yield
            finally:
                for service, _ in self.gateways.values():
                    service.stop()

    def start_gateway(self, release: str = "new", limit: int = 100, least: int = 1) -> Service:
        name = f"gateway-{len(self.gateways) + 1}"
        service = Service(self._facilities(), self.wakeups, name, limit, release, least)
        self.gateways[name] = service, self._tasks.create_task(service.run(), name=name)
        return service

    def kill(self, service: Service) -> None:
        """As `kill -9` does: nothing is given away, nothing is written any more; the sockets are closed."""
        self.gateways[service.owner][1].cancel()

    def over(self, service: Service) -> bool:
        return self.gateways[service.owner][1].done()

    def ring(self, form: str = "", said: Sequence[Words] | None = None) -> Ringing:
        """A call comes in."""
        number = len(self.ringing)
        contact_id = str(uuid.UUID(int=number + 1))
        arn = f"{self.estate.stream_arn}{number}"
        stream = stream_for(self.preset, arn, self.estate.instance.id, self.clock.now_ms())
        self.streams[arn] = stream
        words = self.said if said is None else said
        line = Line(Caller(words, hang_up_ms=self.patience_ms), self.clock.now_ms())
        exchange = Exchange(line, stream, self.preset, self.clock)
        call = self.ringing[contact_id] = Ringing(contact_id, form or self.form, exchange, words)
        seams = Seams(
            lambdas=self.lambdas,
            objects=Objects(self.prompts),
            line=exchange,
            streams=exchange,
            voice=lambda text: tones.encode_utterance(text, 320),
            clock=self.clock,
        )
        shell = incoming(
            self.estate.instance,
            self.estate.flow_arn(call.form),
            seams,
            contact_id=contact_id,
            preset=self.preset,
            report=call.note,
        )
        self._tasks.create_task(self._call(call, shell), name=f"call {number}")
        return call

    async def _call(self, call: Ringing, shell: ContactShell) -> None:
        end = await call.exchange.run(shell)
        call.end = end
        await self._deliver(end)

    def _presence(self) -> Presence:
        return Contacts(self)

    def _source(self, stream_arn: str) -> StreamSource:
        return StreamSource(self.streams[stream_arn], self.clock)

    # -- what a test looks at --------------------------------------------------------------------------------

    async def all_over(self, limit_s: float = 600) -> None:
        """Every call is over, and its record closed."""
        await self.until(lambda world: all(call.end for call in self.ringing.values()), limit_s)
        await self.until(lambda world: not any(self.head(call).state is CallState.ACTIVE for call in self.calls), 60)

    @property
    def calls(self) -> list[Ringing]:
        return list(self.ringing.values())

    def head(self, call: Ringing) -> Head:
        """The head without waiting for the table."""
        return self.store._records[call.contact_id].head

    def recorded(self, call: Ringing) -> list[Turn]:
        return list(self.store._records[call.contact_id].turns.values())

    def caller_turns(self, call: Ringing) -> list[str]:
        return [turn.text for turn in self.recorded(call) if turn.role is Role.CALLER]

    def owners(self) -> dict[str, int]:
        """How many live calls each gateway has."""
        owners = [self.head(call).owner for call in self.calls if self.head(call).state is CallState.ACTIVE]
        return {owner: owners.count(owner) for owner in set(owners)}

    def talking(self) -> int:
        """How many sessions of the voice agent are open and configured."""
        return sum(not one.closed and bool(one.session.settings) for one in self.deepgram.connections)
