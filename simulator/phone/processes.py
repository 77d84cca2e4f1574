"""The processes of one call: moto's server, the stand-in for Deepgram, the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract.errors import VoiceAgentError

START_S = 30.0
STOP_S = 10.0


class ProcessFailed(VoiceAgentError):
    def __init__(self, name: str, what: str, log: Path) -> None:
        super().__init__(name, what, log)
        self.name = name
        self.what = what
        self.log = log

    def __str__(self) -> str:
        return f"{self.name} {self.what}; what it said last is in {self.log}"


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Child:
    """A process whose output goes to a file, and line by line to whoever listens."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    lines: Callable[[str], None] | None = None
    last: list[str] = field(default_factory=list)
    _reader: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        name: str,
        arguments: list[str],
        environment: Mapping[str, str],
        folder: Path,
        lines: Callable[[str], None] | None = None,
    ) -> Child:
        log = folder / f"{name}.log"
        log.write_text("")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **environment},
            limit=1 << 20,
        )
        child = cls(name, process, log, lines)
        child._reader = asyncio.create_task(child._read(), name=f"read {name}")
        return child

    async def _read(self) -> None:
        assert self.process.stdout is not None
        with self.log.open("w") as file:
            while line := await self.process.stdout.readline():
                text = line.decode(errors="replace").rstrip()
                file.write(text + "\n")
                file.flush()
                if self.lines is not None:
                    self.lines(text)

    def failed(self, what: str) -> ProcessFailed:
        return ProcessFailed(self.name, what, self.log)

    async def until(self, happened: Callable[[], bool], what: str) -> None:
        """Wait until something has happened. Raises ProcessFailed when the process ends or takes too long."""
        try:
            async with asyncio.timeout(START_S):
                while not happened():
                    if self.process.returncode is not None:
                        raise self.failed(f"ended with code {self.process.returncode} before {what}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise self.failed(f"took more than {START_S:.0f} s for {what}") from None

    def kill(self) -> None:
        """As a machine does that dies."""
        self.process.kill()

    async def stop(self) -> int:
        """SIGTERM, and SIGKILL if that does not help in time; returns the exit code."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                code = await self.process.wait()
        except TimeoutError:
            self.process.kill()
            code = await self.process.wait()
        if self._reader is not None:
            await self._reader
        return code


@asynccontextmanager
async def running(starting: Awaitable[Child]) -> AsyncIterator[Child]:
    """A child that is stopped at the end, whatever happens."""
    child = await starting
    try:
        yield child
    finally:
        await child.stop()


def json_line(text: str) -> dict[str, Any]:
    """A line of structured log as an object; an empty one for anything else."""
    if not text.startswith("{"):
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
