"""Stand-ins that are HTTP servers of this process, on a port of the loopback that the system chooses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

CLOSE_S = 1.0  # for requests that are under way


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """The URL where it is reached, without a slash at its end."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
