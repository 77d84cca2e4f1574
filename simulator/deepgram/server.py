"""The stand-in as a WebSocket server: HTTP upgrade, pings, and a session for each connection."""

from __future__ import annotations

import asyncio
import contextlib
import http
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from contract.clock import Clock, SystemClock
from simulator.deepgram.access import Access, chosen_subprotocol
from simulator.deepgram.brain import Brain, Voice
from simulator.deepgram.core import NOTHING, Session
from simulator.deepgram.manners import PESSIMISTIC, Manners
from simulator.deepgram.wire import Close

POLL_MS: Final = 20
"""How often the ears are asked for what became ready, at least."""
PING_S: Final = 20.0


@dataclass(slots=True)
class Options:
    """`brain` makes the agent of one session; it and its voice are called in worker threads."""

    brain: Callable[[], Brain]
    manners: Manners = PESSIMISTIC
    access: Access = field(default_factory=Access)
    agents: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: NOTHING)
    hosted: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    clock: Clock = field(default_factory=SystemClock)
    tells_request_id: bool = True
    """Whether the upgrade carries `dg-request-id`; on the live service it can be missing."""
    workers: int = 2


class DeepgramServer:
    """`async with DeepgramServer(options) as server:` serves on `server.port` until the block is left."""

    def __init__(self, options: Options, host: str = "127.0.0.1", port: int = 0) -> None:
        self.options = options
        self.sessions: list[Session] = []
        """Every session since the start, for tests to look at."""
        self._host = host
        self._port = port
        self._live: set[ServerConnection] = set()
        self._server: Server | None = None
        self._executor: Executor | None = None

    async def __aenter__(self) -> DeepgramServer:
        self._executor = ThreadPoolExecutor(self.options.workers, thread_name_prefix="deepgram")
        self._server = await serve(
            self._handle,
            self._host,
            self._port,
            process_request=self._decide,
            process_response=self._decorate,
            select_subprotocol=_select,
            ping_interval=PING_S,
            max_size=None,
            compression=None,
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server is not None
        assert self._executor is not None
        self._server.close()
        await self._server.wait_closed()
        executor = self._executor
        await asyncio.get_running_loop().run_in_executor(None, executor.shutdown)

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"ws://{self._host}:{self.port}"

    # --- the upgrade

    def _decide(self, connection: ServerConnection, request: Request) -> Response | None:
        authorization = request.headers.get("Authorization")
        refusal = self.options.access.decide(
            request.path, authorization, _offered(request.headers), len(self._live), self.options.clock.now_ms()
        )
        if refusal is None:
            return None
        body = refusal.body(str(uuid.uuid4())).encode()
        headers = Headers([("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        headers["Connection"] = "close"
        return Response(refusal.status, http.HTTPStatus(refusal.status).phrase, headers, body)

    def _decorate(self, connection: ServerConnection, request: Request, response: Response) -> Response | None:
        if self.options.tells_request_id and response.status_code == http.HTTPStatus.SWITCHING_PROTOCOLS:
            response.headers["dg-request-id"] = str(connection.id)
        return None

    # --- one session

    async def _handle(self, connection: ServerConnection) -> None:
        self._live.add(connection)
        try:
            await self._serve(connection)
        finally:
            self._live.discard(connection)

    async def _serve(self, connection: ServerConnection) -> None:
        options = self.options
        brain = await asyncio.get_running_loop().run_in_executor(self._executor, options.brain)
        session = Session(
            brain,
            options.manners,
            now_ms=options.clock.now_ms(),
            request_id=str(connection.id),
            agents=options.agents,
            hosted=options.hosted,
            worker=True,
        )
        self.sessions.append(session)
        pump = _Pump(connection, session, brain.voice, options.clock, self._executor)
        try:
            await pump.run()
        finally:
            session.closed(options.clock.now_ms())


class _Pump:
    """Frames in, frames out, one text at a time to the voice."""

    def __init__(
        self, connection: ServerConnection, session: Session, voice: Voice, clock: Clock, executor: Executor | None
    ) -> None:
        self._connection = connection
        self._session = session
        self._voice = voice
        self._clock = clock
        self._executor = executor
        self._changed = asyncio.Event()
        self._job = 0

    async def run(self) -> None:
        """Until either side closes."""
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(self._read())
            try:
                while not reader.done() and await self._flush():
                    self._speak(group)
                    await self._wait()
            finally:
                reader.cancel()

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in self._connection:
                self._session.receive(frame, self._clock.now_ms())
                self._changed.set()
        self._changed.set()

    async def _flush(self) -> bool:
        """Send what there is; False when the session is over."""
        self._session.poll(self._clock.now_ms())
        for item in self._session.outgoing():
            if isinstance(item, Close):
                await _close(self._connection, item)
                return False
            # The reader ends as well when the connection is gone, and then `run` does.
            with contextlib.suppress(ConnectionClosed):
                await self._connection.send(item)
        return True

    def _speak(self, group: asyncio.TaskGroup) -> None:
        job = self._session.job()
        if job is not None and job.number != self._job:
            self._job = job.number
            group.create_task(self._synthesise(job.number, job.text))

    async def _synthesise(self, number: int, text: str) -> None:
        ulaw = await asyncio.get_running_loop().run_in_executor(self._executor, self._voice.speak, text)
        self._session.spoken(number, ulaw, self._clock.now_ms())
        self._changed.set()

    async def _wait(self) -> None:
        due_ms = self._session.next_due_ms()
        wait_ms = POLL_MS if due_ms is None else min(POLL_MS, max(0, due_ms - self._clock.now_ms()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_ms / 1000):
                await self._changed.wait()
        self._changed.clear()


async def _close(connection: ServerConnection, close: Close) -> None:
    if close.code is None:
        connection.transport.abort()
    elif close.code == 1005:
        # The public method insists on a status.
        with contextlib.suppress(ConnectionClosed):
            async with connection.send_context():
                connection.protocol.send_close()
    else:
        await connection.close(close.code, close.reason)


def _offered(headers: Headers) -> list[str]:
    return [part.strip() for value in headers.get_all("Sec-WebSocket-Protocol") for part in value.split(",")]


def _select(connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    chosen = chosen_subprotocol(offered)
    return None if chosen is None else Subprotocol(chosen)
