"""`python -m gateway.health`: 0 as long as the event loop and the lease loop are alive.

Each of them touches a file of its own every few seconds; the container's health check looks how old the files are.
Nothing outside is asked: an outage of Deepgram or of AWS must not end live calls by having their task replaced.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LOOP = "loop"
LEASES = "leases"
EVERY_S = 2.0
OLDEST_S = 30.0
"""Longer than the slowest round of the lease loop: three attempts of 3 s at a table that does not answer, twice."""


class Heartbeat:
    """Touches files in HEALTH_DIR; without that variable it does nothing.

    The files are written by a thread of its own: the threads that call AWS may all be busy.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="heartbeat") if folder else None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Heartbeat:
        folder = environment.get("HEALTH_DIR")
        return cls(Path(folder) if folder else None)

    async def beat(self, name: str) -> None:
        """`name` is LOOP or LEASES; a file that cannot be written is for the check to find."""
        if self._folder is None:
            return
        await asyncio.get_running_loop().run_in_executor(self._thread, _touch, self._folder / name)

    async def run(self) -> None:
        """Beat for the event loop until cancelled."""
        while True:
            await self.beat(LOOP)
            await asyncio.sleep(EVERY_S)

    def close(self) -> None:
        """Let the thread end."""
        if self._thread is not None:
            self._thread.shutdown(wait=False)


def _touch(path: Path) -> bool:
    try:
        path.touch()
    except OSError:
        return False
    return True


def still(folder: Path, now_s: float) -> list[str]:
    """The loops that have not beaten for OLDEST_S seconds; `now_s` is epoch seconds."""
    return [name for name in (LOOP, LEASES) if now_s - _beaten_s(folder / name) > OLDEST_S]


def _beaten_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def main(environment: Mapping[str, str]) -> int:
    """0 when healthy, 1 with the names of what stands still."""
    found = still(Path(environment.get("HEALTH_DIR", "/run/gateway")), time.time())
    if found:
        print("no heartbeat:", ", ".join(found), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
