"""An in-memory connection that is strict about how it is used."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any

from gateway.voice_agent.connection import Connection
from gateway.voice_agent.errors import ConnectionEnded, ConnectionFailed


class FakeConnection:
    """Frames that a test delivers come out of `recv`, frames that were sent stand in `sent`.

    `applies` makes it answer Settings with SettingsApplied. It refuses two tasks in `send` or in `recv` at once,
    frames of other types, empty ones, and any use after `close`.
    """

    def __init__(self, close_s: float = 0, applies: bool = False) -> None:
        self.sent: list[str | bytes] = []
        self.closed = False
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._close_s = close_s
        self._applies = applies
        self._inbox: deque[str | bytes] = deque()
        self._end: ConnectionEnded | None = None
        self._news = asyncio.Event()
        self._broken = False
        self._sending = False
        self._receiving = False

    # ---- for the test ----

    def deliver(self, *frames: str | bytes | dict[str, Any]) -> None:
        self._inbox.extend(json.dumps(frame) if isinstance(frame, dict) else frame for frame in frames)
        self._news.set()

    def end(self, code: int = 1006) -> None:
        """The server or the network ends it, after the frames delivered so far."""
        self._end = ConnectionEnded(code)
        self._news.set()
        self._flowing.set()

    def break_sending(self) -> None:
        """From now on `send` fails, while `recv` still waits."""
        self._broken = True

    def stall(self) -> None:
        """From now on `send` waits, until `flow`."""
        self._flowing.clear()

    def flow(self) -> None:
        self._flowing.set()

    @property
    def types(self) -> list[str]:
        """The types of the messages sent, `audio` for binary frames."""
        return [json.loads(frame)["type"] if isinstance(frame, str) else "audio" for frame in self.sent]

    # ---- Connection ----

    async def send(self, frame: str | bytes) -> None:
        assert not self.closed, "sent after close"
        assert not self._sending, "two tasks send at once"
        assert type(frame) in (str, bytes)
        assert frame, "an empty frame"
        self._sending = True
        try:
            await self._flowing.wait()
            await asyncio.sleep(0)
        finally:
            self._sending = False
        if self._end is not None or self._broken:
            raise self._end or ConnectionEnded()
        self.sent.append(frame)
        if self._applies and len(self.sent) == 1:
            self.deliver({"type": "SettingsApplied"})

    async def recv(self) -> str | bytes:
        assert not self.closed, "received after close"
        assert not self._receiving, "two tasks receive at once"
        self._receiving = True
        try:
            while not self._inbox:
                if self._end is not None:
                    raise self._end
                self._news.clear()
                await self._news.wait()
        finally:
            self._receiving = False
        return self._inbox.popleft()

    async def close(self) -> None:
        self.closed = True
        await asyncio.sleep(self._close_s)


class FakeConnector:
    """Hands out one connection, or fails; `delay_s` is how long that takes."""

    def __init__(self, outcome: Connection | ConnectionFailed, delay_s: float = 0) -> None:
        self.asked = 0
        self._outcome = outcome
        self._delay_s = delay_s

    async def connect(self) -> Connection:
        self.asked += 1
        await asyncio.sleep(self._delay_s)
        if isinstance(self._outcome, ConnectionFailed):
            raise self._outcome
        return self._outcome
