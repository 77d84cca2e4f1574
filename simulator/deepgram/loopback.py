"""The stand-in within the same process, for the jumping clock: no socket, no thread, no task of its own."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from contract.clock import Clock
from simulator.deepgram.access import LOCAL_KEY, PATH, Access
from simulator.deepgram.brain import Brain
from simulator.deepgram.core import NOTHING, Session
from simulator.deepgram.manners import PESSIMISTIC, Manners
from simulator.deepgram.wire import Close

Ended = Callable[[int, str], Exception]
"""What `recv` and `send` raise once the connection is over: close code (1006 where there was none) and reason."""
Refused = Callable[[int, str], Exception]
"""What `connect` raises instead of the upgrade: HTTP status and body."""


class Loopback:
    """One connection, as a client sees it.

    Time passes in `recv`, which waits for the session's timers; a client that never receives is told later what
    fell due meanwhile, with everything in order.
    """

    def __init__(self, session: Session, clock: Clock, ended: Ended) -> None:
        self.session = session
        self._clock = clock
        self._ended = ended
        self._inbox: deque[str | bytes] = deque()
        self._close: Close | None = None
        self._changed = asyncio.Event()

    @property
    def closed(self) -> bool:
        """Whether the connection is over, from whichever side."""
        return self._close is not None

    async def send(self, frame: str | bytes) -> None:
        """One frame to the service.

        Raises what `ended` makes when the connection is over.
        """
        self._collect()
        if self._close is not None:
            raise self._end(self._close)
        self.session.receive(frame, self._clock.now_ms())
        self._changed.set()
        await asyncio.sleep(0)

    async def recv(self) -> str | bytes:
        """The next frame of the service; waits for it.

        Raises what `ended` makes when the connection is over and all frames before its end were taken.
        """
        while True:
            self._collect()
            if self._inbox:
                return self._inbox.popleft()
            if self._close is not None:
                raise self._end(self._close)
            await self._wait()

    async def close(self) -> None:
        """Close from this side; frames that are under way are lost."""
        if self._close is None:
            self.session.closed(self._clock.now_ms())
            self._inbox.clear()
            self._close = Close(1000)
            self._changed.set()

    def _collect(self) -> None:
        if self._close is not None:
            return
        self.session.poll(self._clock.now_ms())
        for item in self.session.outgoing():
            if isinstance(item, Close):
                self._close = item
            else:
                self._inbox.append(item)

    async def _wait(self) -> None:
        due_ms = self.session.next_due_ms()
        self._changed.clear()
        try:
            async with asyncio.timeout(None if due_ms is None else max(0, due_ms - self._clock.now_ms()) / 1000):
                await self._changed.wait()
        except TimeoutError:
            return

    def _end(self, close: Close) -> Exception:
        return self._ended(1006 if close.code is None else close.code, close.reason)


class Service:
    """Something to connect to: makes a session with a brain of its own for each connection, and keeps them all."""

    def __init__(
        self,
        brain: Callable[[], Brain],
        clock: Clock,
        *,
        ended: Ended,
        refused: Refused,
        manners: Manners = PESSIMISTIC,
        access: Access | None = None,
        agents: Mapping[str, Mapping[str, Any]] = NOTHING,
        hosted: Mapping[str, str] = NOTHING,
    ) -> None:
        self._brain = brain
        self._clock = clock
        self._ended = ended
        self._refused = refused
        self.manners = manners
        """For the next connection; a test may change it between two."""
        self.access = access or Access()
        self._agents = agents
        self._hosted = hosted
        self.connections: list[Loopback] = []

    async def connect(self, key: str = LOCAL_KEY) -> Loopback:
        """Open a session with an API key.

        Raises what `refused` makes where the upgrade would have failed.
        """
        await asyncio.sleep(0)
        live = sum(not connection.closed for connection in self.connections)
        request_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"loopback/{len(self.connections)}"))
        refusal = self.access.decide(PATH, f"Token {key}", (), live, self._clock.now_ms())
        if refusal is not None:
            raise self._refused(refusal.status, refusal.body(request_id))
        session = Session(
            self._brain(),
            self.manners,
            now_ms=self._clock.now_ms(),
            request_id=request_id,
            agents=self._agents,
            hosted=self._hosted,
        )
        connection = Loopback(session, self._clock, self._ended)
        self.connections.append(connection)
        return connection
