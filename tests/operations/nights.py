"""Nights on the simulator: what went wrong, and the lines that gateway and Lambdas logged meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from structlog.testing import capture_logs

from contract.errors import StoreUnavailable
from contract.fleet import Gateway
from gateway.functions.invoker import FunctionFailed
from gateway.legs.kvs.prompts import PromptNotStored
from gateway.telemetry.metrics import line as metrics
from gateway.voice_agent.errors import UpgradeRefused
from simulator.connect.presets import BEST
from simulator.kvs.faults import InBand
from tests.scenarios import shop
from tests.scenarios.world import START_MS, World, spoken

DENIED = InBand(4500, "KMS_KEY_ACCESS_DENIED")
Line = Mapping[str, Any]
Night = Callable[[], Awaitable[World]]


def ordinary() -> World:
    said = [spoken("it is 4711"), spoken("a person please")]
    return World("interruptible", said, shop.mind(), BEST, functions=shop.functions(), patience_ms=60_000)


def speaking(world: World) -> bool:
    return bool(world.clips_asked())


async def a_good_call() -> World:
    world = ordinary()
    await world.call()
    return world


async def a_gateway_that_dies_alone() -> World:
    world = ordinary()

    async def kill(world: World) -> None:
        await world.until(speaking)
        world.kill_gateway()

    await world.call(kill)
    return world


async def a_fleet_that_is_gone() -> World:
    world = ordinary()

    async def gone(world: World) -> None:
        world.kill_gateway()
        await world.store.report(Gateway("gateway-1", "development", 4, reported_at_ms=START_MS - 60_000))

    await world.call(gone)
    return world


async def a_gateway_whose_call_another_one_takes() -> World:
    world = ordinary()

    async def kill(world: World) -> None:
        await world.until(speaking)
        world.start_another_gateway()
        world.kill_gateway()

    await world.call(kill)
    return world


async def a_function_that_fails() -> World:
    world = ordinary()

    async def fail(payload: Mapping[str, Any]) -> object:
        raise FunctionFailed("get_order_status", "raised")

    world.functions.bodies["get_order_status"] = fail
    await world.call()
    return world


async def a_session_that_is_lost() -> World:
    world = ordinary()

    async def lose(world: World) -> None:
        await world.until(speaking)
        await world.deepgram.connections[-1].close()

    await world.call(lose)
    return world


async def a_table_that_is_away() -> World:
    world = ordinary()

    async def away(world: World) -> None:
        await world.until(speaking)
        world.break_store(StoreUnavailable("get_item", "ProvisionedThroughputExceededException"), 8)

    await world.call(away)
    return world


async def a_stream_that_cannot_be_read() -> World:
    world = ordinary()

    async def refuse(world: World) -> None:
        await world.until(lambda world: world.exchange.media is not None)
        for reader in world.stream.readers:
            reader.plant(DENIED)
        while True:
            world.stream.plant(DENIED)
            await asyncio.sleep(0.2)

    await world.call(refuse)
    return world


async def clips_that_cannot_be_stored() -> World:
    world = ordinary()
    world.said = [spoken("it is 4711"), spoken("it is 4712"), spoken("a person please")]

    async def break_bucket(world: World) -> None:
        async def put(key: str, wav: bytes) -> str:
            raise PromptNotStored(key, "AccessDenied")

        world.prompts.put = put  # type: ignore[method-assign]

    await world.call(break_bucket)
    return world


async def a_key_that_is_refused() -> World:
    world = ordinary()

    async def refuse(world: World) -> None:
        async def connect(key: str = "") -> Any:
            raise UpgradeRefused(401)

        world.deepgram.connect = connect  # type: ignore[method-assign]

    await world.call(refuse)
    return world


async def logged(night: Night) -> Sequence[Line]:
    """Every line, as a dictionary; those of the Lambdas among them."""
    lambdas = io.StringIO()
    with capture_logs() as lines, contextlib.redirect_stdout(lambdas):
        await night()
    printed = [json.loads(each) for each in lambdas.getvalue().splitlines() if each.startswith("{")]
    return [*lines, *printed]


def measured() -> Line:
    """The gateway's line of metrics."""
    return dict(json.loads(metrics("voice-agent", {"Calls": 12, "LoopLag": 3.1}, START_MS)))
