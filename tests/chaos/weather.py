"""What a call stands on, as it can break: the table, S3, GetMedia, Deepgram's door, functions and Lambdas."""

from __future__ import annotations

import asyncio
import contextvars
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from contract.clock import LoopClock
from contract.errors import StoreUnavailable
from gateway.functions.invoker import FunctionFailed
from gateway.legs.kvs.errors import Cause, ReadingStopped
from gateway.legs.kvs.getmedia import ANSWER_S
from gateway.legs.kvs.prompts import MemoryPrompts, PromptNotStored
from gateway.legs.kvs.reconnect import StartSelector
from gateway.voice_agent.errors import UpgradeRefused
from simulator.connect.seams import ObjectMissing
from simulator.deepgram import loopback
from simulator.kvs.faults import KvsRefusal, NoFragment, Refusal
from tests.scenarios.world import Functions, Objects, StreamSource

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


Met = Callable[[], None]


def counted() -> None:
    """What has struck before, or counts otherwise, counts no more."""


@dataclass
class Spell:
    """Bad weather until some time: `until_s` is the event loop's own."""

    until_s: float = 0.0
    takes_s: float = 0.0
    share: float = 1.0  # of what is asked
    _met: Met | None = None

    @property
    def on(self) -> bool:
        return asyncio.get_running_loop().time() < self.until_s

    def begin(self, met: Met, for_s: float, takes_s: float = 0.0, share: float = 1.0) -> None:
        """`met` is called once, when something is met by it for the first time."""
        self.until_s = asyncio.get_running_loop().time() + for_s
        self.takes_s, self.share, self._met = takes_s, share, met

    def strikes(self) -> bool:
        """Whether it is on, for somebody who is met by it then."""
        if not self.on:
            return False
        met, self._met = self._met, None
        if met is not None:
            met()
        return True


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
    unanswered: list[Unanswered] = field(default_factory=list)
    _planted: list[tuple[object, Met]] = field(default_factory=list)

    def hits(self, spell: Spell) -> bool:
        return spell.on and self.chance.random() < spell.share and spell.strikes()

    def plant(self, what: object, met: Met) -> None:
        """`met` is called when `happened` tells of the same thing."""
        self._planted.append((what, met))

    def happened(self, what: object) -> None:
        for each in [each for each in self._planted if each[0] is what]:
            self._planted.remove(each)
            each[1]()

    async def answer(self, write: str, patience_s: float) -> None:
        """Of the table to a write that is made: it may get lost. Raises StoreUnavailable."""
        lost = next((each for each in self.unanswered if each.left and each.write in (write, ANY)), None)
        if lost is not None:
            lost.left -= 1
            lost.met(write)
            await asyncio.sleep(min(lost.takes_s, patience_s))
            raise StoreUnavailable(write, "ReadTimeoutError")


ANY = "any"


@dataclass
class Unanswered:
    """Answers of the table to its next writes of this name, which get lost: it has written. The client knows
    `takes_s` later, or when it has no more patience."""

    write: str
    left: int
    takes_s: float
    met: Callable[[str], None]  # with the name of the write


class ChaosPrompts(MemoryPrompts):
    def __init__(self, weather: Weather, put_ms: int) -> None:
        super().__init__()
        self._weather = weather
        self._put_ms = put_ms

    async def put(self, key: str, wav: bytes) -> str:
        weather = self._weather
        await asyncio.sleep(self._put_ms / 1000 + (weather.put_slow.takes_s if weather.put_slow.strikes() else 0))
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
            if not self.weather.media_pause.strikes() and (data := self._read()):
                return data
            await asyncio.sleep(BODY_POLL_S)
        if self.reader.broken:
            raise ReadingStopped(Cause.UNREACHABLE, "broken")
        return b""

    def _read(self) -> bytes:
        data = self.reader.read(self.clock.now_ms())
        for fault in self.reader.struck:
            self.weather.happened(fault)
        return bytes(data)

    async def close(self) -> None:
        self.reader.close()


@dataclass
class Source(StreamSource):
    weather: Weather
    opened: Callable[[Any], None]

    async def open(self, selector: StartSelector) -> Any:
        if self.weather.media_hangs.strikes():
            await asyncio.sleep(min(self.weather.media_hangs.takes_s, ANSWER_S))
            if self.weather.media_hangs.takes_s > ANSWER_S:
                raise ReadingStopped(Cause.IDLE, "no answer, as long as the client waits for one")
        try:
            body = await super().open(selector)
        except NoFragment:
            raise ReadingStopped(Cause.NOT_FOUND, "no such fragment") from None
        except KvsRefusal as refused:
            self.weather.happened(refused.refusal)
            raise ReadingStopped(_CAUSES[refused.refusal], str(refused)) from None
        self.opened(body.reader)
        return Body(body.reader, self.clock, self.weather)


class Connector:
    """The gateway's way to the stand-in for Deepgram; knows which process opened what."""

    def __init__(self, world: ChaosWorld) -> None:
        self._world = world

    async def connect(self) -> loopback.Loopback:
        weather = self._world.weather
        if weather.door_hangs.strikes():
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
        if weather.functions_slow.strikes():
            await asyncio.sleep(weather.functions_slow.takes_s)
        if fails:
            raise FunctionFailed(name, weather.failure)
        answer = json.dumps(await self.bodies[name](payload))
        self.answered += name == "cancel_order"
        return answer
