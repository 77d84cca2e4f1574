"""Work beside the calls, which must not end with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()

AGAIN_S = 5.0


async def supervised(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """`work` until it is done; what breaks in it is logged, and it begins anew after 5 s."""
    while True:
        try:
            await work()
            return
        except Exception:  # whatever it is: it is no reason to end the calls
            log.exception("side_task_broke", task=name)
            await asyncio.sleep(AGAIN_S)
