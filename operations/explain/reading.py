"""The records of one contact out of the store; what is not there is None or empty, not an error."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from contract.errors import CallNotFound
from contract.store import FlowStore
from operations.explain.story import Records

T = TypeVar("T")


async def read(store: FlowStore, contact_id: str) -> Records:
    """Raises StoreUnavailable, MalformedRecord."""
    return Records(
        contact_id,
        await _found(store.head(contact_id), None),
        await _found(store.call(contact_id), None),
        await _found(store.actions_after(contact_id, 0), ()),
        await _found(store.turns(contact_id), ()),
        await _found(store.functions(contact_id), ()),
    )


async def _found(reading: Awaitable[T], otherwise: T) -> T:
    try:
        return await reading
    except CallNotFound:
        return otherwise
