"""The shell around one connection: a reader, one writer, and an alarm for the protocol's deadlines.

    session = VoiceAgentSession(connector, settings, clock)
    async with asyncio.TaskGroup() as call:
        call.create_task(session.run())
        async for event in session.events():
            ...

`run` owns the socket: when it returns or is cancelled, the socket is closed. Whatever happens to the session, the
last event is one SessionEnded.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from contract.audio import BYTES_PER_MS
from contract.clock import Clock
from gateway.telemetry.bounds import Bound, reached
from gateway.voice_agent.connection import Connection, Connector
from gateway.voice_agent.counts import Counts
from gateway.voice_agent.errors import ConnectionEnded, ConnectionFailed, Unreachable
from gateway.voice_agent.messages import ClientMessage, ServerMessage
from gateway.voice_agent.protocol import Protocol, State
from gateway.voice_agent.treatment import Kind, SessionEnded

OPEN_MS: Final = 25_000  # above what a connector allows itself: the key twice, the upgrade twice
CLOSE_MS: Final = 2_000
# Events that may wait for the call; when it does not keep up, the socket is not read and TCP holds the service back.
MOST_EVENTS: Final = 2_048

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AgentAudio:
    """Agent audio as it came: frames of any length, much faster than real time."""

    audio: bytes = field(repr=False)


SessionEvent = ServerMessage | AgentAudio | SessionEnded


class _Events:
    """Not a generator: one that is left half-way needs a task to be closed, and nobody would own it."""

    def __init__(self, queue: asyncio.Queue[SessionEvent], room: asyncio.Event) -> None:
        self._queue = queue
        self._room = room
        self._over = False

    def __aiter__(self) -> _Events:
        return self

    async def __anext__(self) -> SessionEvent:
        if self._over:
            raise StopAsyncIteration
        event = await self._queue.get()
        if self._queue.qsize() < MOST_EVENTS // 2:
            self._room.set()
        self._over = isinstance(event, SessionEnded)
        return event


class VoiceAgentSession:
    """One session over one connection. Its methods belong to the event loop that `run` runs in."""

    def __init__(
        self,
        connector: Connector,
        settings: Mapping[str, object],
        clock: Clock,
        audio_bytes_per_ms: int = BYTES_PER_MS,
    ) -> None:
        """`settings`: the Settings message, its type or not. `audio_bytes_per_ms`: of caller audio, 16 for linear16.

        Raises:
            ValueError, TypeError: `settings` cannot be written as JSON.
        """
        self._connector = connector
        self._clock = clock
        self._protocol = Protocol(settings, audio_bytes_per_ms)
        self._events: asyncio.Queue[SessionEvent] = asyncio.Queue()
        self._work = asyncio.Event()
        self._over = asyncio.Event()
        self._room = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at_ms = 0
        self._opening: asyncio.Timeout | None = None
        self._ended = False

    # ---- what the call uses ----

    @property
    def state(self) -> State:
        return self._protocol.state

    @property
    def request_id(self) -> str:
        """Deepgram's id of this session, "" before Welcome."""
        return self._protocol.request_id

    @property
    def ends_at_ms(self) -> int | None:
        """When the service will end the session, once it has warned of that."""
        return self._protocol.ends_at_ms

    @property
    def counts(self) -> Counts:
        return self._protocol.counts

    @property
    def dropped_bytes(self) -> int:
        """Caller audio that was dropped because the socket stalled."""
        return self._protocol.dropped_bytes

    def events(self) -> AsyncIterator[SessionEvent]:
        """Everything that happens, in order, up to and including SessionEnded. For one reader."""
        return _Events(self._events, self._room)

    def send(self, message: ClientMessage) -> bool:
        """Queue a message; before SettingsApplied it waits for it. False: it will not be sent."""
        queued = self._protocol.send(message)
        self._work.set()
        return queued

    def send_audio(self, audio: bytes) -> bool:
        """Queue caller audio, at the pace of speech. False: dropped, as the session is not there yet or no more."""
        queued = self._protocol.send_audio(audio)
        if queued:
            self._work.set()
        return queued

    def close(self) -> None:
        """End the session; SessionEnded follows and `run` returns within two seconds."""
        self._protocol.close(self._clock.now_ms())
        self._over.set()
        if self._opening is not None:
            self._opening.reschedule(asyncio.get_running_loop().time())

    # ---- the session itself ----

    async def run(self) -> None:
        """Open, converse, close. Raises nothing but what is a bug of ours."""
        try:
            connection = await self._open()
            if connection is not None:
                await self._converse(connection)
        finally:
            self._end()

    async def _open(self) -> Connection | None:
        """A connection, or None when there is none or nobody wants it any more."""
        if self._protocol.ended is not None:
            return None
        try:
            async with asyncio.timeout(OPEN_MS / 1000) as self._opening:
                return await self._connector.connect()
        except ConnectionFailed as failure:
            self._protocol.open_failed(failure, self._clock.now_ms())
        except TimeoutError:  # our own, or `close` has brought it forward
            self._protocol.open_failed(Unreachable(f"not open within {OPEN_MS} ms"), self._clock.now_ms())
        finally:
            self._opening = None
        return None

    async def _converse(self, connection: Connection) -> None:
        self._protocol.opened(self._clock.now_ms())
        self._arm()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._read(connection)), group.create_task(self._write(connection))]
                await self._over.wait()
                for task in tasks:
                    task.cancel()
        finally:
            self._disarm()
            self._end()  # before the socket closes: the next session need not wait for that
            await self._close(connection)

    async def _read(self, connection: Connection) -> None:
        protocol, clock, events = self._protocol, self._clock, self._events
        try:
            while True:
                frame = await connection.recv()
                if isinstance(frame, str):
                    state = protocol.state
                    message = protocol.receive_text(frame, clock.now_ms())
                    if message is not None:
                        events.put_nowait(message)
                    if protocol.state is not state:  # there may be something to send, and an earlier deadline
                        self._work.set()
                        self._arm()
                elif (audio := protocol.receive_audio(frame)) is not None:
                    events.put_nowait(AgentAudio(audio))
                if events.qsize() >= MOST_EVENTS:
                    reached(Bound.SESSION_EVENTS)
                    self._room.clear()
                    await self._room.wait()
        except ConnectionEnded as gone:
            protocol.connection_ended(gone.code, clock.now_ms())
            self._over.set()

    async def _write(self, connection: Connection) -> None:
        protocol, clock, work = self._protocol, self._clock, self._work
        try:
            while True:
                frame = protocol.next_frame(clock.now_ms())
                if frame is None:
                    work.clear()
                    await work.wait()
                else:
                    await connection.send(frame)
                    protocol.frame_sent()
        except ConnectionEnded:
            # The reader learns the same, after the frames that are still to be read: an Error may be among them.
            return

    async def _close(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(CLOSE_MS / 1000):
                await connection.close()
        except TimeoutError:
            log.warning("session_close_timeout", request_id=self.request_id)

    def _end(self) -> None:
        """Hand out the one SessionEnded; a second time does nothing."""
        if self._ended:
            return
        self._ended = True
        now_ms = self._clock.now_ms()
        self._protocol.close(now_ms)  # where nothing else has ended it: cancelled, or a bug
        ended = self._protocol.connection_ended(0, now_ms)
        self._events.put_nowait(ended)
        facts = self._facts(ended)
        if ended.treatment.kind is Kind.CLOSED:
            log.info("session_ended", **facts)
        else:
            log.warning("session_ended", **facts)

    def _facts(self, ended: SessionEnded) -> dict[str, object]:
        """What the log may know: codes and counts, no text of the service's; and of these what there is."""
        counts = self._protocol.counts
        facts: dict[str, object] = {
            "request_id": ended.request_id,
            "code": ended.code,
            "detail": ended.detail,
            "kind": ended.treatment.kind.value,
            "retry": ended.treatment.retry.value,
            "lived_ms": ended.lived_ms,
            "unknown": dict(counts.unknown),
            "malformed": dict(counts.malformed),
            "warnings": dict(counts.warnings),
        }
        return {name: value for name, value in facts.items() if value}

    # ---- deadlines ----

    def _arm(self) -> None:
        """Set the alarm to the next deadline; one that rings too early sets itself again."""
        deadline = self._protocol.next_deadline_ms()
        if deadline is None:
            self._disarm()
        elif self._alarm is None or deadline < self._alarm_at_ms:
            self._disarm()
            delay_ms = max(0, deadline - self._clock.now_ms())
            self._alarm_at_ms = deadline
            self._alarm = asyncio.get_running_loop().call_later(delay_ms / 1000, self._ring)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _ring(self) -> None:
        self._alarm = None
        self._protocol.timeout(self._clock.now_ms())
        if self._protocol.ended is not None:
            self._over.set()
        self._work.set()
        self._arm()
