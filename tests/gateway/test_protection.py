"""ECS task protection, against a small server in the place of the ECS agent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from gateway import protection
from gateway.protection import Protection
from simulator.fleet.ecs import EcsAgent


@asynccontextmanager
async def agent(status: int = 200) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    asked: list[dict[str, Any]] = []

    async def put(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response({"protection": {}}, status=status)

    app = web.Application()
    app.add_routes([web.put("/api/task-protection/v1/state", put)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}/api", asked
    finally:
        await runner.cleanup()


@pytest.mark.wall_clock
async def test_a_task_is_protected_as_long_as_it_has_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "LOOK_S", 0.01)
    calls = 0
    async with agent() as (uri, asked):
        following = Protection(uri, lambda: calls)
        task = asyncio.create_task(following.run())
        await asyncio.sleep(0.05)
        assert asked == []
        calls = 1
        while len(asked) < 1:
            await asyncio.sleep(0.01)
        calls = 0
        while len(asked) < 2:
            await asyncio.sleep(0.01)
        task.cancel()
    assert asked == [{"ProtectionEnabled": True, "ExpiresInMinutes": 10}, {"ProtectionEnabled": False}]


@pytest.mark.wall_clock
async def test_protection_is_renewed_before_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "LOOK_S", 0.01)
    monkeypatch.setattr(protection, "RENEW_S", 0.03)
    async with agent() as (uri, asked):
        task = asyncio.create_task(Protection(uri, lambda: 1).run())
        while len(asked) < 2:
            await asyncio.sleep(0.01)
        task.cancel()
    assert asked[0] == asked[1]


@pytest.mark.wall_clock
async def test_a_refusal_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "LOOK_S", 0.01)
    async with agent(status=400) as (uri, asked):
        following = Protection(uri, lambda: 1)
        task = asyncio.create_task(following.run())
        while len(asked) < 2:
            await asyncio.sleep(0.01)
        task.cancel()
    assert not following.protected


async def test_outside_ecs_it_does_nothing() -> None:
    await Protection("", lambda: 1).run()


@pytest.mark.wall_clock
async def test_a_failure_that_ecs_answers_with_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "LOOK_S", 0.01)
    async with EcsAgent(refuses=True).serving() as ecs:
        following = Protection(ecs.uri("task-1"), lambda: 1)
        task = asyncio.create_task(following.run())
        await asyncio.sleep(0.1)
        refused = not following.protected
        ecs.refuses = False
        while not ecs.protected("task-1"):
            await asyncio.sleep(0.01)
        task.cancel()
    assert refused
