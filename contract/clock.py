"""Time, passed in. Every time in the contract is an integer: milliseconds since the Unix epoch."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time. Waiting is asyncio's own, so that a test's event loop can jump."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch; never goes back within one process."""
        ...


class SystemClock:
    """The wall clock at start, carried on by the monotonic clock: no step of NTP moves a timer."""

    def __init__(self) -> None:
        self._offset_ms = time.time() * 1000 - time.monotonic() * 1000

    def now_ms(self) -> int:
        return int(self._offset_ms + time.monotonic() * 1000)


class LoopClock:
    """The running event loop's own time, counted from `epoch_ms`: follows a loop whose clock jumps."""

    def __init__(self, epoch_ms: int) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._offset_ms = epoch_ms - loop.time() * 1000

    def now_ms(self) -> int:
        # Half a millisecond is added against float error: 0.1 + 0.2 must not become 299 ms.
        return int(self._offset_ms + self._loop.time() * 1000 + 0.5)
