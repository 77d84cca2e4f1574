"""The processes of one call: moto's server, the stand-in for Deepgram, the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from contract.errors import VoiceAgentError

START_S = 60.0  # models load in 2 s; with a cold disk and busy cores it takes much more
STOP_S = 10.0
READ_BYTES = 1 << 16
KEPT_LINES = 20

Lines = Callable[[str], None]


class ProcessFailed(VoiceAgentError):
    """`said` is the last line that it wrote, "" when there was none."""

    def __init__(self, name: str, what: str, log: Path, said: str = "") -> None:
        super().__init__(name, what, log, said)
        self.name = name
        self.what = what
        self.log = log
        self.said = said

    def __str__(self) -> str:
        said = f": {self.said}" if self.said else ""
        return f"{self.name} {self.what}{said} (all that it said is in {self.log})"


@dataclass
class Child:
    """A process whose output goes to a file, and line by line to whoever listens.

    `died` is called when it ends by itself; it has a session of its own, so that Ctrl-C in the terminal is for the
    phone alone, and a leash, so that it ends with the phone in any case.
    """

    name: str
    process: asyncio.subprocess.Process
    log: Path
    lines: Lines | None = None
    died: Callable[[Child], None] | None = None
    stopping: bool = False
    last: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    async def start(
        cls,
        name: str,
        arguments: list[str],
        environment: Mapping[str, str],
        folder: Path,
        lines: Lines | None = None,
        died: Callable[[Child], None] | None = None,
    ) -> Child:
        """`arguments`: a module and what it is called with."""
        log = folder / f"{name}.log"
        file = await asyncio.to_thread(log.open, "w")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "simulator.phone.leash",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            start_new_session=True,
        )
        child = cls(name, process, log, lines, died)
        child._tasks = [
            asyncio.create_task(child._read(file), name=f"read {name}"),
            asyncio.create_task(child._wait(), name=f"wait for {name}"),
        ]
        return child

    async def _read(self, file: IO[str]) -> None:
        """To the log in a thread: disks may be slow, and the line of the call ticks every 20 ms."""
        assert self.process.stdout is not None
        rest = b""
        try:
            while data := await self.process.stdout.read(READ_BYTES):
                *whole, rest = (rest + data).split(b"\n")
                texts = [line.decode(errors="replace").rstrip() for line in whole]
                for text in texts:
                    self._take(text)
                await asyncio.to_thread(_write, file, texts)
        finally:
            await asyncio.to_thread(file.close)

    def _take(self, text: str) -> None:
        if text:
            self.last.append(text)
        if self.lines is not None:
            self.lines(text)

    async def _wait(self) -> None:
        await self.process.wait()
        if not self.stopping and self.died is not None:
            self.died(self)

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        code = self.process.returncode or 0
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def failed(self, what: str) -> ProcessFailed:
        return ProcessFailed(self.name, what, self.log, self.last[-1] if self.last else "")

    async def until(self, happened: Callable[[], bool], what: str, limit_s: float = START_S) -> None:
        """Wait until something has happened. Raises ProcessFailed when the process ends or takes too long."""
        try:
            async with asyncio.timeout(limit_s):
                while not happened():
                    if not self.alive:
                        await self._tasks[0]  # its last words are still on the way
                        raise self.failed(f"{self.ending} before {what}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise self.failed(f"took more than {limit_s:g} s until {what}") from None

    def send(self, number: signal.Signals) -> None:
        """A signal that it is meant to die of, or not: what comes of it counts as its own doing."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def stop(self, grace_s: float = STOP_S) -> None:
        """SIGTERM, and SIGKILL if that does not help in time."""
        self.stopping = True
        self.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_s):
                await self.process.wait()
        except TimeoutError:
            self.send(signal.SIGKILL)
        await asyncio.gather(*self._tasks)


def _write(file: IO[str], texts: list[str]) -> None:
    file.writelines(f"{text}\n" for text in texts)
    file.flush()


@asynccontextmanager
async def running(starting: Awaitable[Child]) -> AsyncIterator[Child]:
    """A child that is stopped at the end; without grace when the end is an error, or Ctrl-C."""
    child = await starting
    try:
        yield child
    except BaseException:
        await child.stop(grace_s=0)
        raise
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


@contextmanager
def stderr_to(path: Path) -> Iterator[None]:
    """Meanwhile this process and those that it starts write their errors there.

    The Lambdas inherit ours: what their handlers print, what they say when Ctrl-C reaches them, and what our own
    libraries log is no part of what a person wants to see of a call.
    """
    kept = os.dup(2)
    try:
        with path.open("wb") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
