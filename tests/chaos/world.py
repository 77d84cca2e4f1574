"""One call in bad weather: the world of the scenarios, with gateways that can be frozen and killed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from contract.audio import lin2ulaw, quieter
from contract.call import CallState, Opening
from contract.clock import LoopClock
from contract.errors import CallNotFound
from contract.turns import FunctionState, Turn
from contract.wakeups import MemoryWakeups
from gateway.legs.sip.codes import Codes
from gateway.openings import render_openings
from gateway.service import Service
from gateway.voice_agent.errors import ConnectionEnded, UpgradeRefused
from simulator.caller.schedule import AGENT_DONE_MS, BYTES_A_MS, FRAME_BYTES, FRAME_MS, SILENCE, Caller
from simulator.connect.shell import ContactEnd, ContactShell
from simulator.deepgram import loopback, tones
from simulator.deepgram.manners import TEXTBOOK
from simulator.deepgram.scripted import scripted_brain
from simulator.deepgram.wire import Close
from simulator.exchange import stream_for
from tests.chaos.lambdas import ChaosLambdas, LambdaDied
from tests.chaos.lines import ChaosSwitchboard, GatewayLines
from tests.chaos.processes import Process, current
from tests.chaos.shop import SHOP
from tests.chaos.sockets import cut_after
from tests.chaos.tables import ChaosStore, TableClient
from tests.chaos.weather import (
    ChaosFunctions,
    ChaosObjects,
    ChaosPrompts,
    Connector,
    Met,
    Source,
    Weather,
)
from tests.scenarios import world as scenarios
from tests.scenarios.world import CONTACT, START_MS, STORE_DELAY_S

if TYPE_CHECKING:
    from tests.chaos.faults import Fault, Plan

LONGEST_S = 15 * 60.0  # of the call's own time
SETTLING_S = 120.0  # after the caller has gone
STOPPING_S = 100.0
EVENT_LATE_S = 5.0
ECHO_MS = 200
LONGEST_TURN_MS = 20_000  # the longest reply of the shop, with the pauses of a flow that asks in turn
MOMENT_S = 0.0005  # how finely a moment is looked for
ONCE = "cancel_order"  # the function that must not run twice
AGAIN = SHOP.sentences.not_understood.split()[-1]  # the caller is asked to say it again
LISTENED_MS = 8_000  # as far back as a caller remembers that
ECHO = 0.1  # 20 dB down: loud enough for the agent's ears to take it for speech
LIVE_SESSIONS_EVERY_S = 1.0
FOUND_OUT_MS = 30_000  # the Wait's limit, and a prompt


_BAD_LAMBDAS = ("lambdas_fail", "lambdas_slow", "lambdas_throttled", "lambdas_die")
_BAD_FOR_THE_RECORD = ("store_down", "gateways_cut_off", "clips_not_played", *_BAD_LAMBDAS)
_RENDERED: list[tuple[Opening, bytes]] = []


def prepared() -> bool:
    """Whether the opening is there; else `ChaosWorld.prepare` comes first, and a replay begins as any call does."""
    return bool(_RENDERED)


@dataclass
class Gateway:
    """One process of the gateway."""

    process: Process
    service: Service
    task: asyncio.Task[None]
    lines: GatewayLines
    codes: Codes
    sessions: list[loopback.Loopback] = field(default_factory=list)
    readers: list[Any] = field(default_factory=list)
    stopped: bool = False

    @property
    def alive(self) -> bool:
        return not self.process.killed and not self.task.done()

    @property
    def takes_calls(self) -> bool:
        return self.alive and not self.stopped and not self.process.frozen


class ChaosWorld(scenarios.World):
    """Runs one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.weather = Weather(random.Random(plan.seed))
        super().__init__(
            plan.form, plan.words(), plan.mind(), plan.preset(), plan.manners, plan.functions(self.weather), agent=SHOP
        )
        self.patience_ms = plan.patience_ms
        self.lambdas = ChaosLambdas(self)
        self.switchboard: ChaosSwitchboard = ChaosSwitchboard(self)
        self.functions: ChaosFunctions
        self.gateways: list[Gateway] = []
        self.injected: Counter[str] = Counter()
        self.struck: list[tuple[int, int]] = []  # since when, and until when, something was bad for the record
        self.crowded: list[int] = []  # when more than one session was open for long
        self.logs: list[dict[str, Any]] = []
        self.deaths = 0
        self._gone_ms: list[int] = []
        self.late: list[str] = []  # what did not come to its end in time
        self.shell: ContactShell
        self.caller: ChaosCaller
        self.store: ChaosStore
        self.prompts: ChaosPrompts  # type: ignore[assignment]
        self.settled_after_ms = 0
        self.somebody_is_left = False  # to close the record, when everything has come to rest

    # -- the call --------------------------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Render the opening, once in the life of this process, so that it costs no call any of its time."""
        async with self._gateway():
            assert _RENDERED

    async def play(self) -> None:
        """The whole call, until everything that still works has come to rest."""
        async with self._gateway():
            for _ in range(self.plan.gateways):
                self.start_gateway()
            await asyncio.sleep(0.5)
            self.shell = self._ring()
            async with asyncio.TaskGroup() as tasks:
                beside = [tasks.create_task(self._trouble()), tasks.create_task(self._count_sessions())]
                try:
                    async with asyncio.timeout(LONGEST_S):
                        self.end = await self.exchange.run(self.shell)
                except TimeoutError:
                    self.late.append(f"the call lasted more than {LONGEST_S:.0f} s")
                else:
                    await self._tell_the_end(self.end)
                    await self._settle()
                    await self._lambdas_over()
                for task in beside:
                    task.cancel()

    async def _trouble(self) -> None:
        """Every fault of the plan at its time."""
        loop = asyncio.get_running_loop()
        since = loop.time()
        async with asyncio.TaskGroup() as tasks:
            for fault in sorted(self.plan.faults, key=lambda fault: fault.at_ms):
                await asyncio.sleep(max(0.0, since + fault.at_ms / 1000 - loop.time()))
                if self.end is None:
                    tasks.create_task(self._inject(fault))

    async def _inject(self, fault: Fault) -> None:
        self.note(f"FAULT {fault}")
        met = self.met(fault)
        if await fault.strike(self):
            met()

    def met(self, fault: Fault) -> Met:
        """What counts a fault that begins now, when it has struck."""
        now_ms = self.clock.now_ms()

        def struck() -> None:
            self.injected[fault.kind] += 1
            if fault.kind in _BAD_FOR_THE_RECORD:
                self.struck.append((now_ms, now_ms + int(fault.for_s * 1000)))
            self.note(f"STRUCK {fault.kind} of {now_ms - START_MS}")

        return struck

    def bad_for_the_record(self, for_s: float) -> None:
        now_ms = self.clock.now_ms()
        self.struck.append((now_ms, now_ms + int(for_s * 1000)))

    async def _tell_the_end(self, end: ContactEnd) -> None:
        """Some time later, as events of EventBridge come. Until then a gateway may go by what it thinks is heard."""
        if self.weather.event_lost.strikes():
            return
        late_s = random.Random(f"event of {self.plan.seed}").uniform(0, EVENT_LATE_S)
        self.bad_for_the_record(late_s)
        await asyncio.sleep(late_s)
        told = False
        while not told:
            try:
                await self._deliver(end)
                told = True
            except LambdaDied:
                await asyncio.sleep(1)

    async def _lambdas_over(self) -> None:
        """What Connect had invoked when the caller left goes on to its end, and writes."""
        try:
            async with asyncio.timeout(SETTLING_S):
                await self.lambdas.over()
        except TimeoutError:
            self.late.append("a Lambda does not come to its end")

    async def _settle(self) -> None:
        """Until the gateways that still work have let go of the call."""
        since = self.clock.now_ms()
        for gateway in self.gateways:
            while gateway.process.frozen and not gateway.process.killed:
                await asyncio.sleep(0.5)
        while not await self._at_rest():
            if self.clock.now_ms() - since > SETTLING_S * 1000:
                self.late.append(f"not at rest {SETTLING_S:.0f} s after the end: {self._unrest()}")
                break
            await asyncio.sleep(0.5)
        self.settled_after_ms = self.clock.now_ms() - since
        self.somebody_is_left = any(gateway.takes_calls for gateway in self.gateways)
        await asyncio.sleep(3)

    async def _at_rest(self) -> bool:
        working = [gateway for gateway in self.gateways if gateway.takes_calls]
        if any(gateway.service.calls for gateway in self.gateways if gateway.alive):
            return False
        record = self.store._records.get(CONTACT)
        return not working or record is None or record.head.state is CallState.ENDED

    def _unrest(self) -> str:
        record = self.store._records.get(CONTACT)
        calls = [gateway.process.name for gateway in self.gateways if gateway.alive and gateway.service.calls]
        return f"{record.head.state if record else None}, calls in {calls}"

    async def _count_sessions(self) -> None:
        """A session too many hears the caller too, and costs money."""
        two = 0
        while True:
            await asyncio.sleep(LIVE_SESSIONS_EVERY_S)
            live = sum(not connection.closed for gateway in self.gateways for connection in gateway.sessions)
            frozen = any(gateway.process.frozen and not gateway.process.killed for gateway in self.gateways)
            two = two + 1 if live > 1 and not frozen else 0
            if two == 5:
                self.crowded.append(self.clock.now_ms())

    # -- the gateways ----------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _gateway(self) -> AsyncIterator[None]:
        self.clock = LoopClock(START_MS)
        self.store = ChaosStore(self.weather, self.clock, STORE_DELAY_S)
        self.wakeups = MemoryWakeups()
        self.prompts = ChaosPrompts(self.weather, self.preset.s3_put_ms)
        self.deepgram = loopback.Service(
            lambda: scripted_brain(self.mind),
            self.clock,
            ended=lambda code, reason: ConnectionEnded(code, reason),
            refused=lambda status, body: UpgradeRefused(status),
            manners=self.manners,
        )
        self.stream = stream_for(
            self.preset, self.estate.stream_arn, self.estate.instance.id, self.clock.now_ms(), self.plan.habits
        )
        if self.plan.opening:
            await self._opening()
        try:
            yield
        finally:
            await self._stop_all()

    async def _opening(self) -> None:
        """Rendered once for all calls, by a service that behaves."""
        if not _RENDERED:
            self.deepgram.manners, plan = TEXTBOOK, self.deepgram.manners
            await render_openings(self._facilities(GatewayLines(self.switchboard)), self.prompts)
            self.deepgram.manners = plan
            opening = await self.store.opening("shop")
            assert opening is not None
            _RENDERED.append((opening, self.prompts.objects[opening.url]))
        opening, wav = _RENDERED[0]
        self.deepgram.connections.clear()
        self.prompts.objects[opening.url] = wav
        await self.store.put_opening("shop", opening)

    async def _stop_all(self) -> None:
        for gateway in self.gateways:
            if gateway.alive:
                gateway.process.thaw()
                gateway.process.context.run(gateway.service.stop)
        alive = [gateway.task for gateway in self.gateways if gateway.alive]
        if alive:
            _, pending = await asyncio.wait(alive, timeout=STOPPING_S)
            if pending:
                self.late.append("a service does not stop")
        self.left_sessions = sum(not connection.closed for connection in self.deepgram.connections)
        self.left_readers = len(self.stream.readers)
        for gateway in self.gateways:  # the dead are buried: nothing of this counts any more
            gateway.task.cancel()
            gateway.process.thaw()
        results = await asyncio.gather(*(gateway.task for gateway in self.gateways), return_exceptions=True)
        self.broken = [result for result in results if isinstance(result, Exception)]

    def start_gateway(self) -> Gateway:
        process = Process(f"gateway-{len(self.gateways) + 1}")
        lines = GatewayLines(self.switchboard)
        service = Service(self._facilities(lines), self.wakeups, process.name, self.limit)
        codes = Codes(service.facilities.store, self.clock)
        gateway = Gateway(process, service, process.start(service.run()), lines, codes)
        self.gateways.append(gateway)
        return gateway

    def kill(self, gateway: Gateway) -> None:
        """As `kill -9` does: it takes no step more, and the system closes its sockets."""
        self.deaths += 1
        self._gone_ms.append(self.clock.now_ms())
        gateway.process.kill()
        gateway.lines.cut()
        for connection in gateway.sessions:
            connection.session.closed(self.clock.now_ms())
            connection._close = connection._close or Close(1006)
        for reader in gateway.readers:
            reader.close()

    def frozen(self) -> None:
        self._gone_ms.append(self.clock.now_ms())

    def thawed(self, gateway: Gateway) -> None:
        """It goes on; what it writes from now on is looked at."""
        self._gone_ms.append(self.clock.now_ms())
        self.note(f"{gateway.process.name} goes on")

    @property
    def owner(self) -> Gateway | None:
        """Who serves the call, or would take it."""
        record = self.store._records.get(CONTACT)
        name = record.head.owner if record else ""
        working = [gateway for gateway in self.gateways if gateway.takes_calls]
        named = [gateway for gateway in working if gateway.process.name == name]
        return (named or working or [None])[0]  # type: ignore[list-item]

    def in_process(self) -> Gateway | None:
        process = current()
        return next((gateway for gateway in self.gateways if gateway.process is process), None)

    async def open_session(self) -> loopback.Loopback:
        number = len(self.deepgram.connections) + 1
        incidents = tuple(incident for at, incident in self.plan.incidents if at == number)
        if _RENDERED or not self.plan.opening:
            self.deepgram.manners = replace(self.plan.manners, incidents=incidents)
        connection = await self.deepgram.connect()
        if number == 1 and self.plan.cut_after and self.gateways:  # no gateway runs while the opening is rendered
            cut_after(connection, self.plan.cut_after, self.clock)
        gateway = self.in_process()
        if gateway is not None:
            gateway.sessions.append(connection)
        return connection

    def _client(self) -> Any:
        return TableClient(self.store, self.weather)

    def _connector(self) -> Connector:
        return Connector(self)

    def _random(self) -> Callable[[], float]:
        return random.Random(self.plan.seed + len(self.gateways)).random

    def _source(self, stream_arn: str) -> Source:
        return Source(self.stream, self.clock, self.weather, self._opened)

    def _opened(self, reader: Any) -> None:
        gateway = self.in_process()
        if gateway is not None:
            gateway.readers.append(reader)

    # -- the caller ------------------------------------------------------------------------------------------

    def _caller(self) -> ChaosCaller:
        self.caller = ChaosCaller(self.said, hang_up_ms=self.patience_ms, world=self)
        return self.caller

    def _objects(self) -> ChaosObjects:
        return ChaosObjects(self.prompts, self.weather)

    # -- what the invariants ask -----------------------------------------------------------------------------

    @property
    def gone_ms(self) -> list[int]:
        """When a gateway was killed, frozen, or went on, or had lost the call to a table that does not answer."""
        lost = [line["at"] + START_MS for line in self.logs if line["event"] == "lease_lost"]
        return [*self._gone_ms, *lost]

    @property
    def lapses(self) -> int:
        """How often a gateway could not renew its lease, or not write what it had to in the time of it, so that another
        may have taken the call."""
        return sum(line["event"] in ("lease_lost", "record_not_closed") for line in self.logs)

    def suffered(self, turn: Turn) -> bool:
        """Whether the table was away in the time of this turn, so that what was said may not have been written, or S3
        or the flow's Lambdas failed, so that the flow could not tell what became of a clip: which it may find out as
        late as at the limit of its Wait. The end of a turn may be what was not written."""
        since = min(turn.started_at_ms, turn.marks.get("agent_audio_received", turn.started_at_ms))
        return self.suffered_between(since, turn.ended_at_ms or since + LONGEST_TURN_MS)

    def suffered_between(self, since_ms: int, until_ms: int) -> bool:
        return any(begun <= until_ms and since_ms <= over + FOUND_OUT_MS for begun, over in self.struck)

    async def function_is(self, moment: str) -> bool:
        """Wait for a moment in the life of a function that must not run twice; False when the call is over before."""
        while self.end is None:
            if self._function_is(moment):
                return True
            await asyncio.sleep(MOMENT_S)
        return False

    def _function_is(self, moment: str) -> bool:
        record = self.store._records.get(CONTACT)
        entries = [entry for entry in record.functions.values() if entry.name == ONCE] if record else []
        invoked = any(name == ONCE for name, _ in self.functions.invoked)
        happened = {
            "entered": bool(entries),
            "invoked": invoked,
            "answered": self.functions.answered > 0,
            "finished": any(entry.state is not FunctionState.ENTERED for entry in entries),
        }
        return happened[moment]

    @property
    def clicks_ms(self) -> list[int]:
        """When GetMedia's bytes were about to be spoilt, epoch ms."""
        return [line["at"] + START_MS for line in self.logs if "media_corrupt" in line["event"]]

    @property
    def lambdas_failed(self) -> bool:
        return any(self.injected[kind] for kind in _BAD_LAMBDAS)

    def saw_the_end_of(self, turn: Turn) -> bool:
        """Whether the owner that wrote this turn last lived on until the turn was heard, and beyond."""
        written = self.store.wrote.get(turn.number)
        if written is None:
            return False
        gateway = next(gateway for gateway in self.gateways if gateway.process.name == written[1].owner)
        return not gateway.process.frozen_at

    @property
    def gave_up(self) -> bool:
        """Whether somebody cut what the agent was saying: a new owner, a handover for a failure, the caller."""
        record = self.store._records.get(CONTACT)
        cut = self.injected["caller_hangs_up"] or self.injected["gateway_stopped"]
        if record is None or record.head.epoch > 1 or cut:
            return True
        return bool(self.deaths) or self._handed_over

    @property
    def _handed_over(self) -> bool:
        return self.queued is not None and self.handover.get("va_reason") not in ("transfer_to_human", "delivery")

    def tore(self, turn: Turn) -> bool:
        """Whether the session was lost in the middle of this turn: its text may be whole, its audio is not."""
        lost = (line["at"] + START_MS for line in self.logs if line["event"] == "voice_agent_lost")
        since = min(turn.started_at_ms, turn.marks.get("agent_audio_received", turn.started_at_ms))
        return any(since - 5000 <= at <= turn.ended_at_ms + 5000 for at in lost)

    def note(self, what: str) -> None:
        self.logs.append({"at": self.clock.now_ms() - START_MS, "event": what})

    async def head(self) -> Any:
        try:
            return await self.store.head(CONTACT)
        except CallNotFound:
            return None


@dataclass
class ChaosCaller(Caller):
    """Speaks its words, says the last of them again when asked to, coughs, and has a loudspeaker in front of the
    microphone. Times are epoch ms."""

    world: ChaosWorld = field(kw_only=True)
    coughs: list[tuple[int, bytes]] = field(default_factory=list)  # when, and 16-bit PCM
    spoke_ms: list[int] = field(default_factory=list)  # frames of words
    coughed_ms: list[int] = field(default_factory=list)
    answered_ms: int = 0  # the end of what the agent said last that was listened to

    def frame(self, now_ms: int, *, agent_speaks: bool) -> bytes:
        if self._is_asked_again(now_ms):
            self._next -= 1
        # `super` without arguments does not work in a class that `slots=True` makes anew.
        own = Caller.frame(self, now_ms, agent_speaks=agent_speaks)
        if own != SILENCE:
            self.spoke_ms.append(now_ms)
            return own
        if self.coughs and self.coughs[0][0] <= now_ms:
            return self._cough(*self.coughs[0], now_ms)
        return self._echo() if self.world.plan.echo else own

    def _is_asked_again(self, now_ms: int) -> bool:
        """All was said, and not understood."""
        done_ms = self._agent_until_ms or 0
        said_all = self._next == len(self.words) > 0 and self._at is None and self._answer_since_ms is not None
        if not said_all or done_ms <= self.answered_ms or now_ms - done_ms < AGENT_DONE_MS:
            return False
        self.answered_ms = done_ms
        heard = tones.decode(lin2ulaw(bytes(self.world.exchange.line.heard[-LISTENED_MS * BYTES_A_MS :])))
        return bool(heard) and heard[-1].text.split()[-1] == AGAIN

    def _cough(self, since_ms: int, pcm: bytes, now_ms: int) -> bytes:
        part = pcm[(now_ms - since_ms) * BYTES_A_MS :][:FRAME_BYTES]
        if len(part) < FRAME_BYTES:
            self.coughs.pop(0)
        self.coughed_ms.append(now_ms)
        self.world.weather.happened(pcm)
        return part.ljust(FRAME_BYTES, b"\0")

    def _echo(self) -> bytes:
        """The agent's voice 200 ms ago, much quieter."""
        heard = self.world.exchange.line.heard
        end = len(heard) - (ECHO_MS - FRAME_MS) * BYTES_A_MS
        frame = bytes(heard[max(0, end - FRAME_BYTES) : max(0, end)])
        if not any(frame):
            return SILENCE
        return quieter(frame, ECHO).ljust(FRAME_BYTES, b"\0")
