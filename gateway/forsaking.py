"""A call that this gateway has lost, or given away: what nobody else knows of is removed."""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from contract.errors import LeaseLost

log = structlog.get_logger()

LONGEST_S = 60.0  # a table that is away for longer leaves it to the bucket's own rule


class Side(Protocol):
    """As a leg is."""

    async def forsake(self) -> None: ...


class Served(Protocol):
    """As `gateway.call.LiveCall` is."""

    contact_id: str
    given_away: bool

    @property
    def leg(self) -> Side: ...

    async def run(self) -> object: ...


async def served(live: Served, beside: asyncio.TaskGroup) -> None:
    """Serve the call to its end, or until it is another gateway's. What is left then is removed `beside`: the same
    gateway may take the call again at once.

    Raises:
        LeaseLost: another gateway owns the call now.
    """
    try:
        await live.run()
    except LeaseLost:
        beside.create_task(_forsake(live), name="forsake")
        raise
    if live.given_away:
        beside.create_task(_forsake(live), name="forsake")


async def _forsake(live: Served) -> None:
    try:
        async with asyncio.timeout(LONGEST_S):
            await live.leg.forsake()
    except TimeoutError:
        log.warning("clips_not_deleted", contact=live.contact_id, error="TimeoutError")
    except Exception:  # whatever it is: it is no reason to end the calls
        log.exception("side_task_broke", task="forsake")
