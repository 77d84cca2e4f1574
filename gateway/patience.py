"""Again, while the store is away: what a call cannot do without is tried until it is done, or the call is not ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from contract.errors import StoreUnavailable

T = TypeVar("T")

log = structlog.get_logger()

RETRY_S = 0.5


def no_limit() -> None:
    """For what runs beside the renewal of the lease, which ends it."""


async def at_last(
    attempt: Callable[[], Awaitable[T]], said: str, contact_id: str, still_ours: Callable[[], None] = no_limit
) -> T:
    """The answer of `attempt`, made again while the store is away. `said` is the event in the log each time.

    `still_ours` raises LeaseLost once the call is not, by our own clock.
    """
    while True:
        try:
            return await attempt()
        except StoreUnavailable as error:
            log.error(said, contact=contact_id, cause=error.cause)
        still_ours()
        await asyncio.sleep(RETRY_S)
