"""What stands between a gateway and the services in the way of a network: connections that break, calls that are
throttled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from simulator.serving import served

CHUNK_BYTES = 1 << 16
HOP_BY_HOP = ("transfer-encoding", "content-length", "content-encoding", "connection", "host")


@dataclass
class Wire:
    """Bytes to a server of this machine and back; `cut` breaks every connection that there is."""

    target: int
    port: int = 0
    cuts: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Wire]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()
            await server.wait_closed()

    def cut(self) -> int:
        """Reset every connection, in both directions; returns how many there were."""
        for writer in list(self._open):
            writer.transport.abort()
        self.cuts += len(self._open) // 2
        return len(self._open) // 2

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_copy(reader, far_writer))
                tasks.create_task(_copy(far_reader, writer))
        finally:
            self._open -= {writer, far_writer}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@dataclass
class Throttle:
    """The account's services, which may be asked too much: while `on`, DynamoDB throttles every request.

    Shape of the error: Amazon DynamoDB developer guide, error handling; botocore repeats it by itself at first.
    """

    target: str
    url: str = ""
    on: bool = False
    throttled: int = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Throttle]:
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            self._session = session
            app = web.Application(client_max_size=1 << 24)
            app.router.add_route("*", "/{path:.*}", self._pass_on)
            async with served(app) as self.url:
                yield self

    async def _pass_on(self, request: web.Request) -> web.Response:
        if self.on and request.headers.get("X-Amz-Target", "").startswith("DynamoDB"):
            self.throttled += 1
            error = {"__type": "com.amazon.coral.availability#ThrottlingException", "message": "Too many requests"}
            return web.json_response(error, status=400, content_type="application/x-amz-json-1.0")
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        url = self.target + request.raw_path
        async with self._session.request(request.method, url, headers=headers, data=await request.read()) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
            return web.Response(status=answer.status, headers=kept, body=await answer.read())
