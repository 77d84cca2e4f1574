"""Loop lag: how late the event loop runs what is due. The measure of a gateway's saturation."""

from __future__ import annotations

import asyncio
from collections import deque

EVERY_S = 0.1
KEPT = 600  # one minute


class LoopLag:
    """Runs as a task; `p99_ms` is that of the last minute."""

    def __init__(self) -> None:
        self._late_ms: deque[float] = deque(maxlen=KEPT)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY_S
            await asyncio.sleep(EVERY_S)
            self._late_ms.append((loop.time() - due) * 1000)

    @property
    def p99_ms(self) -> float:
        if not self._late_ms:
            return 0.0
        ordered = sorted(self._late_ms)
        return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
