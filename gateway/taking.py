"""Owning a call, also where the table has written that and its answer got lost."""

from __future__ import annotations

import asyncio

import structlog

from contract.call import LEASE_MS, Head, Lease
from contract.errors import StoreUnavailable
from gateway.facilities import Facilities

log = structlog.get_logger()

LOOK_S = 3.0  # less than a lease; meanwhile nobody else can have the call
LOOK_EVERY_S = 0.5


async def take(facilities: Facilities, owner: str, contact_id: str) -> tuple[Lease, Head]:
    """`owner` must not serve the call already.

    Raises:
        CallTaken, CallEnded, CallNotFound, MalformedRecord: it is not to be had.
        StoreUnavailable: the table cannot be reached, and it is not known whether the call is ours now: then nobody
            has it until the lease is over.
    """
    now_ms = facilities.clock.now_ms()
    try:
        return await facilities.store.take(contact_id, owner, now_ms, LEASE_MS)
    except StoreUnavailable as error:
        head = await _written(facilities, owner, contact_id, now_ms)
        if head is None:
            raise
        log.warning("taken_without_answer", contact=contact_id, epoch=head.epoch, cause=error.cause)
        return Lease(contact_id, owner, head.epoch), head


async def _written(facilities: Facilities, owner: str, contact_id: str, now_ms: int) -> Head | None:
    """The head where it says what was asked for at `now_ms`: this owner, and a lease from then on. None where it does
    not, or cannot be read in time."""
    try:
        async with asyncio.timeout(LOOK_S):
            head = await _head(facilities, contact_id)
    except TimeoutError:
        return None
    ours = (head.owner, head.lease_until_ms) == (owner, now_ms + LEASE_MS)
    return head if ours else None


async def _head(facilities: Facilities, contact_id: str) -> Head:
    while True:
        try:
            return await facilities.store.head(contact_id)
        except StoreUnavailable:
            await asyncio.sleep(LOOK_EVERY_S)
