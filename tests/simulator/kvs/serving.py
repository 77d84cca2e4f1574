"""The stand-in behind a real socket, for real clients."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from contract.clock import Clock, SystemClock
from simulator.kvs.habits import Delivery, Habits
from simulator.kvs.server import KvsService
from simulator.kvs.stream import Stream

NAME = "voiceai-connect-x-contact-1"
ARN = f"arn:aws:kinesisvideo:eu-central-1:111122223333:stream/{NAME}/1790000000000"


@asynccontextmanager
async def serving(*streams: Stream, clock: Clock | None = None) -> AsyncIterator[tuple[KvsService, str]]:
    """The service and its address."""
    service = KvsService(clock or SystemClock())
    service.streams = {stream.arn: stream for stream in streams}
    app = web.Application()
    runner = web.AppRunner(app, shutdown_timeout=1)
    listening = socket.create_server(("127.0.0.1", 0))
    base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    app.add_routes(service.routes(base_url))
    await runner.setup()
    await web.SockSite(runner, listening).start()
    try:
        yield service, base_url
    finally:
        service.stop()
        await runner.cleanup()


def a_stream(habits: Habits | None = None, delivery: Delivery | None = None) -> Stream:
    return Stream(ARN, "instance-1", delivery or Delivery(delay_ms=0), habits)


async def until(there: Callable[[], bool]) -> None:
    """Wait for something that a server does in its own time, at most 2 s."""
    async with asyncio.timeout(2):
        while not there():
            await asyncio.sleep(0.005)
