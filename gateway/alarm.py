"""One timer for deadlines that move all the time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from contract.clock import Clock


class Alarm:
    """Calls `ring` when a deadline has come. One that rings too early is simply set again, so that what puts
    deadlines off, as every frame of agent audio does, costs no timer."""

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self._at_ms = 0

    def set(self, due_ms: int | None) -> None:
        """The next deadline, in epoch ms; None: there is none."""
        if due_ms is None or (self._timer is not None and self._at_ms <= due_ms):
            return
        self.cancel()
        delay = max(0, due_ms - self._clock.now_ms()) / 1000
        self._at_ms = due_ms
        self._timer = asyncio.get_running_loop().call_later(delay, self._rings)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _rings(self) -> None:
        self._timer = None
        self._ring()
