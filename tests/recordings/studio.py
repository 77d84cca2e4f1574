"""A world whose gateway records its calls, and whose wire from Deepgram can be tampered with."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from contract.running import inline
from gateway.facilities import Facilities
from gateway.legs.kvs.leg import KvsServices
from gateway.recording.folder import Recorder
from gateway.voice_agent.connection import Connection
from simulator.deepgram import loopback
from simulator.kvs.stream import Stream
from tests.scenarios.world import Presence, StreamSource, World

Tamper = Callable[[str | bytes], Sequence[str | bytes]]
"""From a frame of the service to the frames that arrive instead, now."""


@dataclass
class Studio(World):
    """`folder` is where the recording goes; `tamper` makes one for each connection."""

    folder: Path = field(default_factory=Path)
    tamper: Callable[[], Tamper] | None = None
    spoil: Callable[[Stream, int], None] | None = None

    def _ring(self) -> Any:
        if self.spoil is not None:
            self.spoil(self.stream, self.clock.now_ms())
        self.shell = super()._ring()
        return self.shell

    def _facilities(self, lines: Any = None) -> Facilities:
        facilities = super()._facilities(lines)
        loop = asyncio.get_running_loop()
        services = KvsServices(
            store=self.store,
            prompts=self.prompts,
            presence=Presence(self),
            clock=self.clock,
            source=lambda arn: StreamSource(self.stream, self.clock),
            random=lambda: 0.5,
        )
        recorder = Recorder(
            self.folder, "test", services, lambda: round(loop.time() * 1e9), exact=True, run=inline, sip=self.sip
        )
        connector = facilities.connector if self.tamper is None else Tampering(self.deepgram, self.tamper)
        return replace(facilities, record=recorder, connector=connector)


@dataclass
class Tampering:
    service: loopback.Service
    tamper: Callable[[], Tamper]

    async def connect(self) -> Connection:
        return Tampered(await self.service.connect(), self.tamper())


@dataclass
class Tampered:
    inner: loopback.Loopback
    tamper: Tamper
    waiting: deque[str | bytes] = field(default_factory=deque)

    async def send(self, frame: str | bytes) -> None:
        await self.inner.send(frame)

    async def recv(self) -> str | bytes:
        while not self.waiting:
            self.waiting.extend(self.tamper(await self.inner.recv()))
        return self.waiting.popleft()

    async def close(self) -> None:
        await self.inner.close()
