"""The flow's Lambdas in bad weather: they fail, die, are slow, or come twice."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.connect.events import LambdaFailure
from simulator.connect.lambdas import Answer, LambdaError
from tests.chaos.tables import TableClient
from tests.chaos.weather import Weather
from tests.scenarios.world import Lambdas

if TYPE_CHECKING:
    from tests.chaos.world import ChaosWorld

READ_S, ATTEMPTS = 1.0, 2  # as in lambdas.environment, which reads its environment
_same_id: contextvars.ContextVar[str] = contextvars.ContextVar("same_id", default="")


class LambdaDied(Exception):
    """The execution environment is gone in the middle of an invocation."""


class MortalStore:
    """The store as one invocation of a Lambda sees it, which dies before or after its nth call."""

    def __init__(self, store: TableClient, weather: Weather) -> None:
        self._store = store
        self._weather = weather
        self._left = weather.dies_at
        self._after = weather.dies_after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise self._died()
            result = await method(*arguments, **named)
            if self._left == 0:
                raise self._died()
            return result

        return call

    def _died(self) -> LambdaDied:
        self._weather.happened(self._weather.lambdas_die)
        return LambdaDied()


@dataclass
class ChaosLambdas(Lambdas):
    async def invoke(self, arn: str, event: Mapping[str, Any], timeout_ms: int) -> Answer:
        world: ChaosWorld = self.world  # type: ignore[assignment]
        weather = world.weather
        if weather.hits(weather.lambdas_throttled):
            return LambdaError(LambdaFailure.THROTTLED)
        if weather.hits(weather.lambdas_fail):
            return LambdaError(LambdaFailure.FUNCTION, {"errorMessage": "planted"})
        return await self.within(timeout_ms, self._comes(arn.rpartition(":")[2], event))

    async def _comes(self, name: str, event: Mapping[str, Any]) -> Answer:
        weather = self.world.weather  # type: ignore[attr-defined]
        if weather.hits(weather.lambdas_slow):
            await asyncio.sleep(weather.lambdas_slow.takes_s)
        return await (self._twice(name, event) if weather.hits(weather.lambdas_twice) else self._once(name, event))

    async def _once(self, name: str, event: Mapping[str, Any]) -> Answer:
        try:
            return await self._runs(name, event)
        except LambdaDied:
            return LambdaError(LambdaFailure.CRASHED)

    async def _twice(self, name: str, event: Mapping[str, Any]) -> Answer:
        """Two at once. An event that is delivered twice keeps its request id, and the first answer counts; a request
        that Connect repeats has a new one, and the older one's answer is lost."""
        same = self.world.weather.chance.random() < 0.5  # type: ignore[attr-defined]
        token = _same_id.set(super()._request_id() if same else "")
        older = asyncio.create_task(self._once(name, event), name="Lambda")
        await asyncio.sleep(0.003)
        newer = asyncio.create_task(self._once(name, event), name="Lambda")
        _same_id.reset(token)
        self.running += [older, newer]
        done, _ = await asyncio.wait({older, newer} if same else {newer}, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()

    def _request_id(self) -> str:
        return _same_id.get() or super()._request_id()

    def _store(self) -> Any:
        world: ChaosWorld = self.world  # type: ignore[assignment]
        weather = world.weather
        client = TableClient(world.store, weather, READ_S * ATTEMPTS + 0.5)
        return MortalStore(client, weather) if weather.lambdas_die.on else client
