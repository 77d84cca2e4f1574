"""What a call stands on, as it can break: the table, S3, GetMedia, Deepgram's door, functions and Lambdas."""

from __future__ import annotations

import asyncio
import contextvars
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from contract.actions import Action
from contract.call import Lease
from contract.clock import LoopClock
from contract.errors import StoreUnavailable
from contract.memory import MemoryStore
from contract.turns import Turn
from gateway.functions.invoker import FunctionFailed
from gateway.legs.kvs.errors import Cause, ReadingStopped
from gateway.legs.kvs.prompts import MemoryPrompts, PromptNotStored
from gateway.legs.kvs.reconnect import StartSelector
from gateway.voice_agent.errors import UpgradeRefused
from simulator.connect.events import LambdaFailure
from simulator.connect.lambdas import Answer, LambdaError
from simulator.connect.seams import ObjectMissing
from simulator.deepgram import loopback
from simulator.kvs.faults import KvsRefusal, NoFragment, Refusal
from tests.chaos.processes import current
from tests.scenarios.world import Functions, Lambdas, Objects, StreamSource

if TYPE_CHECKING:
    from tests.chaos.world import ChaosWorld

T = TypeVar("T")
_same_id: contextvars.ContextVar[str] = contextvars.ContextVar("same_id", default="")
BODY_POLL_S = 0.05

_CAUSES = {
    Refusal.CLIENT_LIMIT: Cause.CLIENT_LIMIT,
    Refusal.CONNECTION_LIMIT: Cause.CONNECTION_LIMIT,
    Refusal.NOT_FOUND: Cause.NOT_FOUND,
    Refusal.INVALID_ENDPOINT: Cause.INVALID_ENDPOINT,
    Refusal.INVALID_ARGUMENT: Cause.INVALID_ARGUMENT,
    Refusal.NOT_AUTHORIZED: Cause.NOT_AUTHORIZED,
    Refusal.ACCESS_DENIED: Cause.NOT_AUTHORIZED,
    Refusal.THROTTLING: Cause.UNREACHABLE,
    Refusal.INTERNAL: Cause.UNREACHABLE,
}


@dataclass
class Spell:
    """Bad weather until some time: `until_s` is the event loop's own."""

    until_s: float = 0.0
    takes_s: float = 0.0
    share: float = 1.0  # of what is asked

    @property
    def on(self) -> bool:
        return asyncio.get_running_loop().time() < self.until_s

    def begin(self, for_s: float, takes_s: float = 0.0, share: float = 1.0) -> None:
        self.until_s = asyncio.get_running_loop().time() + for_s
        self.takes_s, self.share = takes_s, share


@dataclass
class Weather:
    """All spells of one call; `chance` decides what a partial one hits."""

    chance: random.Random
    store_down: Spell = field(default_factory=Spell)
    store_slow: Spell = field(default_factory=Spell)
    cut_off: Spell = field(default_factory=Spell)  # the gateways, from the table; the Lambdas reach it
    put_fails: Spell = field(default_factory=Spell)
    put_slow: Spell = field(default_factory=Spell)
    clip_missing: Spell = field(default_factory=Spell)
    media_pause: Spell = field(default_factory=Spell)
    media_hangs: Spell = field(default_factory=Spell)
    door_refuses: Spell = field(default_factory=Spell)
    door_hangs: Spell = field(default_factory=Spell)
    line_stalls: Spell = field(default_factory=Spell)
    functions_slow: Spell = field(default_factory=Spell)
    functions_fail: Spell = field(default_factory=Spell)
    lambdas_fail: Spell = field(default_factory=Spell)
    lambdas_slow: Spell = field(default_factory=Spell)
    lambdas_throttled: Spell = field(default_factory=Spell)
    lambdas_twice: Spell = field(default_factory=Spell)
    lambdas_die: Spell = field(default_factory=Spell)
    event_lost: Spell = field(default_factory=Spell)
    packets_lost: Spell = field(default_factory=Spell)  # of the caller's, on their way to a gateway
    status: int = 503  # of a refused upgrade
    failure: str = "raised"  # of a function
    dies_at: int = 0  # which call of the store a Lambda does not survive, and
    dies_after: bool = False  # whether it was made

    def hits(self, spell: Spell) -> bool:
        return spell.on and self.chance.random() < spell.share


class LambdaDied(Exception):
    """The execution environment is gone in the middle of an invocation."""


class ChaosStore(MemoryStore):
    """Also keeps what was written by whom and when, in ms."""

    def __init__(self, weather: Weather, clock: LoopClock, delay_s: float) -> None:
        super().__init__(delay_s)
        self._weather = weather
        self._clock = clock
        self.appended: list[tuple[int, Lease, Action]] = []
        self.wrote: dict[int, tuple[int, Lease]] = {}  # turn: last write
        self.stale: list[tuple[int, Lease, str]] = []  # what somebody tried to write when the call was another's

    async def _do(self, operation: Callable[[], T], *, look: bool = False) -> T:
        weather = self._weather
        if weather.store_slow.on:
            await asyncio.sleep(weather.store_slow.takes_s)
        if weather.hits(weather.store_down):
            raise StoreUnavailable("any", "InternalServerError")
        if current() is not None and weather.hits(weather.cut_off):
            raise StoreUnavailable("any", "ConnectTimeoutError")
        return await super()._do(operation, look=look)

    def _append(self, lease: Lease, action: Action, now_ms: int) -> int:
        """When it is written: who waits for the answer may be frozen before it comes."""
        seq = super()._append(lease, action, now_ms)
        self.appended.append((self._clock.now_ms(), lease, action))
        return seq

    def _tried(self, lease: Lease, what: str) -> None:
        """Before the table's own fence, which refuses it."""
        record = self._records.get(lease.contact_id)
        if record is not None and record.head.epoch > lease.epoch:
            self.stale.append((self._clock.now_ms(), lease, what))

    async def append(self, lease: Lease, action: Action, now_ms: int) -> int:
        self._tried(lease, type(action).__name__)
        return await super().append(lease, action, now_ms)

    async def heard(self, lease: Lease, seq: int, at_ms: int) -> None:
        self._tried(lease, f"that sequence {seq} was heard")
        await super().heard(lease, seq, at_ms)

    async def put_turn(self, lease: Lease, turn: Turn) -> None:
        self._tried(lease, f"turn {turn.number}")
        await super().put_turn(lease, turn)
        self.wrote[turn.number] = self._clock.now_ms(), lease


class MortalStore:
    """The store as one invocation of a Lambda sees it, which dies before or after its nth call."""

    def __init__(self, store: MemoryStore, nth: int, after: bool) -> None:
        self._store = store
        self._left = nth
        self._after = after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise LambdaDied
            result = await method(*arguments, **named)
            if self._left == 0:
                raise LambdaDied
            return result

        return call


class ChaosPrompts(MemoryPrompts):
    def __init__(self, weather: Weather, put_ms: int) -> None:
        super().__init__()
        self._weather = weather
        self._put_ms = put_ms

    async def put(self, key: str, wav: bytes) -> str:
        weather = self._weather
        await asyncio.sleep(self._put_ms / 1000 + (weather.put_slow.takes_s if weather.put_slow.on else 0))
        if weather.hits(weather.put_fails):
            raise PromptNotStored(key, "SlowDown")
        return await super().put(key, wav)


@dataclass
class ChaosObjects(Objects):
    weather: Weather

    async def read(self, bucket: str, key: str) -> bytes:
        if key.startswith("clips/") and self.weather.hits(self.weather.clip_missing):
            raise ObjectMissing(bucket, key)
        return await super().read(bucket, key)


@dataclass
class Body:
    """GetMedia's body."""

    reader: Any
    clock: LoopClock
    weather: Weather

    async def read(self) -> bytes:
        while not self.reader.ended:
            if not self.weather.media_pause.on and (data := self.reader.read(self.clock.now_ms())):
                return bytes(data)
            await asyncio.sleep(BODY_POLL_S)
        if self.reader.broken:
            raise ReadingStopped(Cause.UNREACHABLE, "broken")
        return b""

    async def close(self) -> None:
        self.reader.close()


@dataclass
class Source(StreamSource):
    weather: Weather
    opened: Callable[[Any], None]

    async def open(self, selector: StartSelector) -> Any:
        if self.weather.media_hangs.on:
            await asyncio.sleep(self.weather.media_hangs.takes_s)
        try:
            body = await super().open(selector)
        except NoFragment:
            raise ReadingStopped(Cause.NOT_FOUND, "no such fragment") from None
        except KvsRefusal as refused:
            raise ReadingStopped(_CAUSES[refused.refusal], str(refused)) from None
        self.opened(body.reader)
        return Body(body.reader, self.clock, self.weather)


class Connector:
    """The gateway's way to the stand-in for Deepgram; knows which process opened what."""

    def __init__(self, world: ChaosWorld) -> None:
        self._world = world

    async def connect(self) -> loopback.Loopback:
        weather = self._world.weather
        if weather.door_hangs.on:
            await asyncio.sleep(weather.door_hangs.takes_s)
        if weather.hits(weather.door_refuses):
            raise UpgradeRefused(weather.status)
        return await self._world.open_session()


@dataclass
class ChaosFunctions(Functions):
    weather: Weather = field(kw_only=True)
    answered: int = 0  # of the function that must not run twice

    async def invoke(self, name: str, payload: Mapping[str, object]) -> str:
        weather = self.weather
        fails = weather.hits(weather.functions_fail)
        if fails and weather.failure == "throttled":  # it has not run
            raise FunctionFailed(name, "throttled")
        self.invoked.append((name, payload))
        if weather.functions_slow.on:
            await asyncio.sleep(weather.functions_slow.takes_s)
        if fails:
            raise FunctionFailed(name, weather.failure)
        answer = json.dumps(await self.bodies[name](payload))
        self.answered += name == "cancel_order"
        return answer


@dataclass
class ChaosLambdas(Lambdas):
    async def invoke(self, arn: str, event: Mapping[str, Any], timeout_ms: int) -> Answer:
        world: ChaosWorld = self.world  # type: ignore[assignment]
        weather = world.weather
        if weather.hits(weather.lambdas_throttled):
            return LambdaError(LambdaFailure.THROTTLED)
        if weather.hits(weather.lambdas_fail):
            return LambdaError(LambdaFailure.FUNCTION, {"errorMessage": "planted"})
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                if weather.hits(weather.lambdas_slow):
                    await asyncio.sleep(weather.lambdas_slow.takes_s)
                if weather.hits(weather.lambdas_twice):
                    return await self._twice(arn, event, timeout_ms)
                return await self._once(arn, event, timeout_ms)
        except TimeoutError:
            return LambdaError(LambdaFailure.TIMEOUT)

    async def _once(self, arn: str, event: Mapping[str, Any], timeout_ms: int) -> Answer:
        try:
            return await super().invoke(arn, event, timeout_ms)
        except LambdaDied:
            return LambdaError(LambdaFailure.CRASHED)

    async def _twice(self, arn: str, event: Mapping[str, Any], timeout_ms: int) -> Answer:
        """Two at once. An event that is delivered twice keeps its request id, and the first answer counts; a request
        that Connect repeats has a new one, and the older one's answer is lost."""
        if self.world.weather.chance.random() < 0.5:  # type: ignore[attr-defined]
            token = _same_id.set(super()._request_id())
            try:
                return await self._race(arn, event, timeout_ms, asyncio.FIRST_COMPLETED)
            finally:
                _same_id.reset(token)
        return await self._race(arn, event, timeout_ms, asyncio.ALL_COMPLETED)

    async def _race(self, arn: str, event: Mapping[str, Any], timeout_ms: int, until: str) -> Answer:
        older = asyncio.create_task(self._once(arn, event, timeout_ms))
        await asyncio.sleep(0.003)
        newer = asyncio.create_task(self._once(arn, event, timeout_ms))
        try:
            done, _ = await asyncio.wait(
                {older, newer} if until == asyncio.FIRST_COMPLETED else {newer}, return_when=until
            )
            return done.pop().result()
        finally:
            older.cancel()
            newer.cancel()
            await asyncio.gather(older, newer, return_exceptions=True)

    def _request_id(self) -> str:
        return _same_id.get() or super()._request_id()

    def _store(self) -> Any:
        world: ChaosWorld = self.world  # type: ignore[assignment]
        weather = world.weather
        if weather.hits(weather.lambdas_die):
            return MortalStore(world.store, weather.dies_at, weather.dies_after)
        return world.store
