"""A world for scenario tests: everything between the caller's mouth and ear, in one process."""

from __future__ import annotations

import asyncio
import functools
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

import definition as definitions
from contract import announcement
from contract.actions import Numbered, Outcome, Play
from contract.announcement import Kind, Told
from contract.audio import lin2ulaw, ulaw2lin
from contract.call import Call, FlowForm, Head, Lease
from contract.clock import LoopClock
from contract.errors import StoreUnavailable
from contract.memory import MemoryStore
from contract.store import FlowStore, GatewayStore
from contract.turns import Role, Turn
from contract.wakeups import MemoryWakeups
from contract.wire import parse_request
from definition import AgentDefinition
from definition.reader import by_language
from gateway.facilities import Facilities
from gateway.functions.invoker import FunctionFailed
from gateway.functions.secret_keys import pass_on
from gateway.legs.kvs.errors import Cause, ReadingStopped
from gateway.legs.kvs.leg import KvsLeg, KvsServices
from gateway.legs.kvs.prompts import MemoryPrompts
from gateway.legs.kvs.reconnect import StartSelector
from gateway.legs.kvs.wav import ulaw_of
from gateway.legs.leg import Leg
from gateway.legs.sip.leg import SipLeg
from gateway.legs.sip.services import SipServices
from gateway.legs.tape import Part, stereo_wav
from gateway.openings import render_openings
from gateway.service import Service
from gateway.voice_agent.errors import ConnectionEnded, UpgradeRefused
from lambdas.contact_event.logic import contact_event
from lambdas.next_action.limits import POLL, WAIT
from lambdas.next_action.logic import next_action
from lambdas.queue_hours.logic import Hours, Times, queue_hours
from lambdas.secret_keys.logic import secret_keys
from lambdas.settings import Settings
from lambdas.start_call.logic import start_call
from lambdas.telling import Unserved
from simulator.caller.line import Line
from simulator.caller.schedule import HANG_UP_MS, Caller, Words
from simulator.connect.events import LambdaFailure
from simulator.connect.instance import Instance
from simulator.connect.lambdas import Answer, LambdaError
from simulator.connect.presets import DEFAULT, Preset
from simulator.connect.prompts import parse_s3_url
from simulator.connect.seams import ObjectMissing, Seams
from simulator.connect.shell import ContactEnd, ContactShell, FlowEvent, incoming
from simulator.deepgram import loopback, tones
from simulator.deepgram.brain import Brain
from simulator.deepgram.line import Counters
from simulator.deepgram.manners import PESSIMISTIC, Manners
from simulator.deepgram.scripted import ScriptedMind, scripted_brain
from simulator.estate import Estate, estate
from simulator.exchange import Exchange, stream_for
from simulator.kvs.stream import NoFragment, Reader, Stream
from tests.scenarios.switchboard import Switchboard

START_MS = 1_790_000_000_000
CONTACT = "11111111-2222-4333-8444-555555555555"
SHOP = definitions.load(Path(__file__).resolve().parents[2] / "agents" / "shop.yaml")
POLL_MS = 10
LAMBDA_MS = 20
WAIT_S, OTHERS_S = 35, 8  # after which Lambda itself ends them (infra.flow_functions)
STORE_DELAY_S = 0.004
NEVER_CAUSED = ("too_fast", "empty_frames", "early_audio", "unknown_answers")  # by a good client, at Deepgram


@dataclass
class StreamBody:
    """GetMedia's body out of the stand-in's core."""

    reader: Reader
    clock: LoopClock

    async def read(self) -> bytes:
        while not self.reader.ended:
            if data := self.reader.read(self.clock.now_ms()):
                return data
            await asyncio.sleep(POLL_MS / 1000)
        return b""

    async def close(self) -> None:
        self.reader.ended = True


@dataclass
class StreamSource:
    stream: Stream
    clock: LoopClock

    async def open(self, selector: StartSelector) -> StreamBody:
        keys = {
            "PRODUCER_TIMESTAMP": "StartTimestamp",
            "FRAGMENT_NUMBER": "AfterFragmentNumber",
            "CONTINUATION_TOKEN": "ContinuationToken",
        }
        value: object = selector.value
        if selector.kind == "PRODUCER_TIMESTAMP":
            value = int(selector.value) / 1000
        asked = {"StartSelectorType": str(selector.kind), keys[str(selector.kind)]: value}
        try:
            return StreamBody(self.stream.reader(asked, self.clock.now_ms()), self.clock)
        except NoFragment:
            raise ReadingStopped(Cause.NOT_FOUND, "no such fragment") from None


class Connector:
    """The gateway's way to the stand-in for Deepgram."""

    def __init__(self, service: loopback.Service) -> None:
        self._service = service

    async def connect(self) -> loopback.Loopback:
        return await self._service.connect()


@dataclass
class Objects:
    """Connect reads what the gateway put."""

    prompts: MemoryPrompts

    async def read(self, bucket: str, key: str) -> bytes:
        for url, wav in self.prompts.objects.items():
            if parse_s3_url(url) == (bucket, key):
                return wav
        raise ObjectMissing(bucket, key)


class SlowPrompts(MemoryPrompts):
    """A PutObject takes its time."""

    def __init__(self, put_ms: int) -> None:
        super().__init__()
        self._put_ms = put_ms

    async def put(self, key: str, wav: bytes) -> str:
        await asyncio.sleep(self._put_ms / 1000)
        return await super().put(key, wav)


FunctionBody = Callable[[Mapping[str, Any]], Awaitable[object]]


@dataclass
class Functions:
    """The customer's functions, called in this process; every invocation is kept."""

    bodies: dict[str, FunctionBody]
    invoked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    async def invoke(self, name: str, payload: Mapping[str, object]) -> str:
        self.invoked.append((name, payload))
        if name not in self.bodies:
            raise FunctionFailed(name, "unknown_function")
        return json.dumps(await self.bodies[name](payload))


class Shelf:
    """Recordings for customers."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, key: str, part: Part, keep_days: int) -> None:
        self.kept[key] = stereo_wav(part)


class Announced:
    """What subscribers were told."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.kept: list[Told] = []

    def where(self, call: Call) -> str:
        return announcement.record_uri(call, "records")

    async def keep(self, call: Call, told: Told, turns: Sequence[Turn], functions: object, keep_days: int) -> None:
        self.kept.append(told)

    async def tell(self, call: Call, told: Told, turns: Sequence[Turn], functions: object, keep_days: int) -> None:
        self.told.append(told)


@dataclass
class ToldByLambdas:
    """What the Lambdas tell of calls that nobody serves, beside what the gateway announces."""

    world: World
    told: list[Told] = field(default_factory=list)

    def where(self, call: Call) -> str:
        return announcement.record_uri(call, "records")

    def tell(self, kind: Kind, of: Unserved, at_ms: int) -> None:
        self.told.append(Told(kind, at_ms, of.result.value, of.reason, of.queue, handover=of.handover))

    def clear(self, contact_id: str, log: Iterable[Numbered]) -> None:
        gone = {each.action.prompt_url for each in log if isinstance(each.action, Play)}
        for url in gone & set(self.world.prompts.objects):
            del self.world.prompts.objects[url]


@dataclass
class Presence:
    world: World

    async def connected(self, contact_id: str) -> bool:
        return self.world.end is None


@dataclass
class World:
    """One call. `said` are the caller's turns; see `spoken`."""

    form: str
    said: Sequence[Words]
    mind: ScriptedMind
    preset: Preset = DEFAULT
    manners: Manners = PESSIMISTIC
    functions: Functions = field(default_factory=lambda: Functions({}))
    limit: int = 4
    max_calls: int = 0
    agent: AgentDefinition = SHOP
    caller_number: str = "+4915112345678"
    attributes: Mapping[str, str] = field(default_factory=dict)
    returning: bool = False  # our flow gives callers back to the flow that it was entered from
    hosted: Mapping[str, str] = field(default_factory=dict)  # what functions answer that Deepgram calls by itself
    patience_ms: int = HANG_UP_MS  # the caller hangs up so long after the last word of both sides
    end: ContactEnd | None = None
    dead: bool = False
    closed_after_ms: int = 0
    events: list[FlowEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lambdas = Lambdas(self)
        self.requests = itertools.count(1)
        self.announcer = Announced()
        self.teller = ToldByLambdas(self)
        self.shelf = Shelf()
        self.switchboard = Switchboard(self)
        self.estate: Estate = estate(returning=self.returning, agents=(self.agent,))
        self.clock: LoopClock
        self.store: MemoryStore
        self.service: Service
        self.exchange: Exchange
        self.shell: ContactShell
        self.deepgram: loopback.Service

    async def call(
        self, during: Callable[[World], Coroutine[Any, Any, None]] | None = None, limit_s: float = 300
    ) -> ContactEnd:
        """Run the whole call; `during` runs beside it and may break things."""
        async with asyncio.timeout(limit_s), self._gateway():
            self.shell = shell = self._ring()
            async with asyncio.TaskGroup() as tasks:
                beside = tasks.create_task(during(self)) if during else None
                self.end = await self.exchange.run(shell)
                await self._deliver(self.end)
                self.closed_after_ms = await self._closing()
                await self.lambdas.over()
                if beside is not None:
                    beside.cancel()
            await asyncio.sleep(6)
        return self.end

    async def _deliver(self, end: ContactEnd) -> None:
        """EventBridge delivers an event again when its function failed."""
        while True:
            try:
                store = self.lambdas._store()
                await contact_event(store, self.clock, dict(end.contact_event), self.lambdas.settings, self.teller)
                return
            except StoreUnavailable:
                await asyncio.sleep(1)

    async def _closing(self) -> int:
        """How long the agent's socket stays open after the hang-up, in ms."""
        since = self.clock.now_ms()
        while any(not connection.closed for connection in self.deepgram.connections):
            if self.dead or self.clock.now_ms() - since > 60_000:
                break
            await asyncio.sleep(0.05)
        return self.clock.now_ms() - since

    def _found(self) -> None:
        """The account, and what is in it."""
        self.clock = LoopClock(START_MS)
        self.store = MemoryStore(STORE_DELAY_S)
        self.wakeups = MemoryWakeups()
        self.prompts = SlowPrompts(self.preset.s3_put_ms)
        self.deepgram = loopback.Service(
            self._brain,
            self.clock,
            ended=lambda code, reason: ConnectionEnded(code, reason),
            refused=lambda status, body: UpgradeRefused(status),
            manners=self.manners,
            hosted=self.hosted,
        )
        self.stream = stream_for(self.preset, self.estate.stream_arn, self.estate.instance.id, self.clock.now_ms())

    @asynccontextmanager
    async def _gateway(self) -> AsyncIterator[None]:
        self._found()
        facilities = self._facilities()
        await render_openings(facilities, self.prompts)
        self.service = Service(facilities, self.wakeups, "gateway-1", self.limit)
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            self._serving = [tasks.create_task(self.service.run())]
            self._services = self.alive = [self.service]
            try:
                yield
            finally:
                for service in self._services:
                    service.stop()
                await asyncio.wait(self._serving)

    def start_another_gateway(self) -> Service:
        """A second task of the same service, on the same table."""
        number = len(self._services) + 1
        service = Service(self._facilities(), self.wakeups, f"gateway-{number}", self.limit)
        self._services.append(service)
        self._serving.append(self._tasks.create_task(service.run()))
        return service

    def kill_gateway(self) -> None:
        """As `kill -9` does: nothing is handed over, nothing is written any more."""
        self.dead = len(self._services) == 1
        self.switchboard.cut()
        self.alive = self._services[1:]
        self._serving[0].cancel()

    def _facilities(self, lines: Switchboard | Any = None) -> Facilities:
        """Of one gateway; `lines`: those that end there, instead of all."""
        lines, store = lines or self.switchboard, self._client()
        services = KvsServices(
            store=store,
            prompts=self.prompts,
            presence=self._presence(),
            clock=self.clock,
            source=self._source,
        )

        async def opening(url: str) -> bytes:
            return ulaw_of(await self.prompts.get(url))

        secret = functools.partial(pass_on, self.functions, store)
        self.sip = sip = SipServices(store, self.clock, lines.waiting.__getitem__, opening, secret)

        def open_leg(lease: Lease, head: Head, call: Call) -> Leg:
            if call.form is FlowForm.SIP:
                return SipLeg(sip, lease, head, call)
            return KvsLeg(services, lease, head, call)

        return Facilities(
            store=store,
            clock=self.clock,
            connector=self._connector(),
            invoker=self.functions,
            open_leg=open_leg,
            definitions=by_language(self.agent),
            queue_arns=self.estate.queue_arns,
            random=self._random(),
            announcer=self.announcer,
            shelf=self.shelf,
            lines=lines,
        )

    def _client(self) -> GatewayStore:
        """The table, as one gateway sees it."""
        return self.store

    def _connector(self) -> Any:
        return Connector(self.deepgram)

    def _random(self) -> Callable[[], float]:
        return lambda: 0.5

    def _brain(self) -> Brain:
        return scripted_brain(self.mind)

    def _presence(self) -> Presence:
        return Presence(self)

    def _source(self, stream_arn: str) -> StreamSource:
        return StreamSource(self.stream, self.clock)

    def _ring(self) -> Any:
        self.exchange = Exchange(Line(self._caller(), self.clock.now_ms()), self.stream, self.preset, self.clock)
        seams = Seams(
            lambdas=self.lambdas,
            objects=self._objects(),
            line=self.exchange,
            streams=self.exchange,
            voice=lambda text: tones.encode_utterance(text, 320),
            clock=self.clock,
            third_parties=self.switchboard,
        )
        return incoming(
            self.estate.instance,
            self.estate.flow_arn(self.form),
            seams,
            contact_id=CONTACT,
            caller_number=self.caller_number,
            system_number="+49301234567",
            attributes=self.attributes,
            preset=self.preset,
            report=self._note,
        )

    def _caller(self) -> Caller:
        return Caller(self.said, hang_up_ms=self.patience_ms)

    def _objects(self) -> Objects:
        return Objects(self.prompts)

    def _note(self, event: FlowEvent) -> None:
        self.events.append(event)
        if event.kind == "queued":
            self.exchange.queued_at_ms = self.clock.now_ms()

    # -- what a test looks at --------------------------------------------------------------------------------

    @property
    def queued(self) -> str | None:
        """The name of the queue that the caller is in."""
        detail = next((event.detail for event in self.events if event.kind == "queued"), None)
        return str(detail["queue_arn"]).rpartition("/")[2] if detail else None

    @property
    def handover(self) -> Mapping[str, str]:
        return next((event.detail["attributes"] for event in self.events if event.kind == "queued"), {})

    @property
    def heard(self) -> list[tones.Utterance]:
        """What the caller heard, word by word."""
        return tones.decode(lin2ulaw(bytes(self.exchange.line.heard)))

    @property
    def heard_words(self) -> str:
        return " ".join(utterance.text for utterance in self.heard)

    @property
    def queued_at_ms(self) -> int:
        return next((event.at_ms for event in self.events if event.kind == "queued"), 0)

    def turns_now(self) -> Sequence[Turn]:
        """The transcript without waiting for the table."""
        record = self.store._records.get(CONTACT)
        return list(record.turns.values()) if record else []

    def break_store(self, error: Exception, for_s: float) -> None:
        """Let every operation of the gateway and the Lambdas fail for a while."""
        until_ms = self.clock.now_ms() + for_s * 1000
        do = self.store._do

        async def broken(operation: Callable[[], Any], *, look: bool = False) -> Any:
            if self.clock.now_ms() < until_ms:
                raise error
            return await do(operation, look=look)

        self.store._do = broken  # type: ignore[method-assign]

    async def turns(self) -> Sequence[Turn]:
        return await self.store.turns(CONTACT)

    async def said_by_agent(self) -> list[Turn]:
        return [turn for turn in await self.turns() if turn.role is Role.VOICE_AGENT]

    async def until(self, happened: Callable[[World], bool], limit_s: float = 120) -> None:
        """Wait, beside a call, for something to happen in it."""
        async with asyncio.timeout(limit_s):
            while not happened(self):
                await asyncio.sleep(0.01)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC)

    def entered(self, identifier: str) -> bool:
        return any(event.kind == "enter" and event.identifier == identifier for event in self.events)

    def clips_asked(self) -> list[str]:
        """URLs of the clips that the flow asked for, in order."""
        urls = [str(event.detail["uri"]) for event in self.events if event.kind == "prompt_asked"]
        return [url for url in urls if "/clips/" in url]

    @property
    def speaking(self) -> bool:
        """The agent speaks, or has spoken, by itself: the opening does not count."""
        return bool(self.clips_asked()) or any(line.stream.playout._stretch for line in self.switchboard.lines)

    async def check(self) -> None:
        """What holds for every call, whatever happens in it.

        Each sequence starts at most once; each has an outcome; the agent's words in the record are those that the
        caller heard; no caller audio went faster than the service takes it; nothing is left open.
        """
        asked = self.clips_asked()
        assert len(asked) == len(set(asked)), "a clip started twice"
        if not self.dead:
            log = await self.store.actions_after(CONTACT, 0)
            assert all(numbered.outcome is not Outcome.NONE for numbered in log), log
            assert all(connection.closed for connection in self.deepgram.connections)
            assert not self.prompts.objects or all("/openings/" in url for url in self.prompts.objects)
            await self._record_agrees()
        for connection in self.deepgram.connections:
            assert never_caused(connection.session.counters) == []

    async def _record_agrees(self) -> None:
        heard = [word for utterance in _to_their_end(self.heard) for word in utterance.text.split()]
        for turn in await self.said_by_agent():
            recorded = turn.heard_text.split()
            # A word at the edge of a cut may be heard in part.
            assert contains(heard, recorded) or contains(heard, recorded[:-1]), (recorded, heard)


def _to_their_end(heard: Sequence[tones.Utterance]) -> list[tones.Utterance]:
    """Without what was heard again from its beginning, as a clip that the flow left because its Lambda failed."""
    return [
        utterance
        for utterance, after in itertools.zip_longest(heard, heard[1:])
        if after is None or after.mark != utterance.mark or not after.text.startswith(utterance.text)
    ]


def never_caused(counters: Counters) -> list[str]:
    """Which of the things that a good client never causes at Deepgram this one has caused."""
    return [name for name in NEVER_CAUSED if getattr(counters, name)]


def contains(words: Sequence[str], part: Sequence[str]) -> bool:
    """Whether these words stand there one after the other."""
    return any(words[at : at + len(part)] == part for at in range(len(words) - len(part) + 1))


@dataclass(frozen=True, slots=True)
class Connect:
    """What the Lambdas ask of the Connect API, as boto3's client has it."""

    instance: Instance

    def describe_queue(self, *, InstanceId: str, QueueId: str) -> dict[str, Any]:  # noqa: N803
        queue = self.instance.queue(QueueId)
        if queue is None or InstanceId != self.instance.arn:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "DescribeQueue")
        return {"Queue": {"HoursOfOperationId": queue.hours_arn.rpartition("/")[2]}}

    def get_effective_hours_of_operations(self, **asked: str) -> dict[str, Any]:
        hours = self.instance.hours_of(asked["HoursOfOperationId"])
        assert hours is not None
        return hours.effective(date.fromisoformat(asked["FromDate"]), date.fromisoformat(asked["ToDate"]))


@dataclass
class Lambdas:
    """The flow's functions, as coroutines of the handlers' own logic."""

    world: World
    down: set[str] = field(default_factory=set)  # names of functions that fail
    sip: bool = True  # the deployment has a way in over SIP
    running: list[asyncio.Task[Answer]] = field(default_factory=list)  # all that were invoked, and perhaps are over

    async def invoke(self, arn: str, event: Mapping[str, Any], timeout_ms: int) -> Answer:
        name = arn.rpartition(":")[2]
        if name in self.down:
            return LambdaError(LambdaFailure.FUNCTION, {"errorMessage": "planted"})
        return await self.within(timeout_ms, self._runs(name, event))

    async def within(self, timeout_ms: int, work: Coroutine[Any, Any, Answer]) -> Answer:
        """What comes of it in Connect's time. It goes on to its own end, and writes, also when that is over, or the
        caller has left."""
        running = asyncio.create_task(work, name="Lambda")
        self.running.append(running)
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                return await asyncio.shield(running)
        except TimeoutError:
            return LambdaError(LambdaFailure.TIMEOUT)

    async def over(self) -> None:
        """The end of all that was invoked. Raises what nobody was there to get."""
        while self.running:
            await self.running.pop(0)

    async def _runs(self, name: str, event: Mapping[str, Any]) -> Answer:
        try:
            async with asyncio.timeout(WAIT_S if name == "next_action_wait" else OTHERS_S):
                await asyncio.sleep(LAMBDA_MS / 1000)
                return await self._answer(name, event)
        except TimeoutError:
            return LambdaError(LambdaFailure.TIMEOUT)

    async def _answer(self, name: str, event: Mapping[str, Any]) -> dict[str, str]:
        world, store = self.world, self._store()
        settings = self.settings
        if name == "queue_hours":
            return queue_hours(Hours(Connect(world.estate.instance)), event, world.now, self._times)  # type: ignore[arg-type]
        if name == "start_call":
            return await start_call(store, world.wakeups, world.clock, event, settings, world.teller)
        if name == "secret_keys":
            arns = {function.name: function.name for function in world.agent.lambdas}
            return await secret_keys(world.store, self._invoke, arns, world.clock, event)
        form, limits = (FlowForm.INTERRUPTIBLE, WAIT) if name == "next_action_wait" else (FlowForm.POLLING, POLL)
        request = parse_request(event)
        teller = world.teller
        return await next_action(
            store, world.wakeups, world.clock, request, self._request_id(), form, limits, settings, teller
        )

    async def _invoke(self, arn: str, payload: bytes) -> tuple[str, str]:
        """A function's Lambda, as a Lambda of the flow invokes it."""
        try:
            return "", await self.world.functions.invoke(arn, json.loads(payload))
        except FunctionFailed as failed:
            return failed.kind, ""

    @property
    def _times(self) -> Mapping[str, Times]:
        return Times.of(json.dumps(dict(self.world.estate.spoken.times)))

    @property
    def settings(self) -> Settings:
        parameters = self.world.estate.parameters
        queue, languages = parameters.default_queue_name, self.world.estate.spoken.by_tag
        return Settings(parameters.default_queue_arn, queue, self.world.max_calls, sip=self.sip, languages=languages)

    def _request_id(self) -> str:
        return f"request-{next(self.world.requests)}"

    def _store(self) -> FlowStore:
        """The table, as the next invocation sees it."""
        return self.world.store


def spoken(text: str, after_s: float | None = None) -> Words:
    """A turn of the caller: `after_s` seconds after the agent starts to speak, else when it has finished."""
    pcm = ulaw2lin(tones.encode_utterance(text))
    return Words(text, pcm, None if after_s is None else int(after_s * 1000))


def pressed(keys: str, after_s: float | None = None) -> Words:
    """Keys of the telephone; when as in `spoken`."""
    return Words(keys, b"", None if after_s is None else int(after_s * 1000), keys)
