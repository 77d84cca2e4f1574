"""How a session's connection can break, beside being closed."""

from __future__ import annotations

import asyncio

from contract.clock import LoopClock
from gateway.voice_agent.connection import PING_S
from simulator.deepgram.loopback import Loopback
from simulator.deepgram.wire import Close

PASSING, STUCK = "passing", "stuck"  # the system takes what is sent, and loses it; or takes nothing


def cut_after(connection: Loopback, messages: int, clock: LoopClock) -> None:
    """Let the line break after so many messages of the service, the one after a message being no better than any."""
    left = messages
    receive = connection.recv

    async def recv() -> str | bytes:
        nonlocal left
        frame = await receive()
        left -= 1
        if left == 0:
            connection.session.closed(clock.now_ms())
            connection._inbox.clear()
            connection._close = Close(None)
        return frame

    connection.recv = recv  # type: ignore[method-assign]


async def half_open(connection: Loopback, clock: LoopClock, found_s: float, stuck: bool) -> None:
    """The connection stands, and nothing passes it any more in either direction. Returns when it is closed: by who
    has enough of it, or by the WebSocket's own ping, `found_s` after it broke: one is sent every `PING_S`, and waited
    for as long."""
    assert PING_S <= found_s <= 2 * PING_S
    over = asyncio.get_running_loop().time() + found_s
    connection._inbox.clear()

    async def wait() -> None:
        connection._changed.clear()
        await connection._changed.wait()

    async def send(frame: str | bytes) -> None:
        if stuck:
            await asyncio.sleep(over - asyncio.get_running_loop().time())
        if connection._close is not None:
            raise connection._end(connection._close)

    connection._collect = lambda: None  # type: ignore[method-assign]
    connection._wait = wait  # type: ignore[method-assign]
    connection.send = send  # type: ignore[method-assign]
    while not connection.closed and asyncio.get_running_loop().time() < over:
        await asyncio.sleep(0.1)
    if not connection.closed:
        connection.session.closed(clock.now_ms())
        connection._close = Close(1011, "keepalive ping timeout")
        connection._changed.set()
