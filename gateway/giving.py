"""A call that was given away: another gateway takes it within seconds, else it is ours again."""

from __future__ import annotations

import asyncio

import structlog

from contract.call import CallState, Head, Lease
from contract.errors import CallEnded, CallNotFound, CallTaken, StoreUnavailable
from gateway.facilities import Facilities
from gateway.taking import take

log = structlog.get_logger()

NOBODY_S = 6  # the flow asks for a gateway at once, and each of the others looks every 2 s


async def unless_taken(facilities: Facilities, owner: str, lease: Lease) -> tuple[Lease, Head] | None:
    """Wait for somebody to take the call of this former lease; nobody: take it back."""
    try:
        for _ in range(NOBODY_S):
            await asyncio.sleep(1)
            if await _is_taken(facilities, lease):
                return None
        log.warning("nobody_took", contact=lease.contact_id)
        return await take(facilities, owner, lease.contact_id)
    except (CallTaken, CallEnded, CallNotFound):
        return None
    except StoreUnavailable as error:  # who reaches the table first takes it
        log.error("not_taken_back", contact=lease.contact_id, cause=error.cause)
        return None


async def _is_taken(facilities: Facilities, lease: Lease) -> bool:
    try:
        head = await facilities.store.head(lease.contact_id)
    except StoreUnavailable:
        return False
    return head.state is not CallState.WAITING or head.epoch != lease.epoch
