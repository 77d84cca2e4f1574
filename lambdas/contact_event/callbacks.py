"""A callback that was made: Connect calls whoever has asked for it, as a contact of its own.

Its `initialContactId` is the call in which it was asked for, and `agentInfo` is there once a human has taken it
(Connect administrator guide, contact events). Connect has no metric of callbacks that were made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.errors import CallNotFound
from contract.store import FlowStore
from lambdas.log import LOG


async def note_callback(store: FlowStore, event: Mapping[str, Any]) -> None:
    """One line for each callback out of one of our calls; those of others, and of calls whose record is gone, have
    none. Takes an event that `parse_disconnect` has understood. Raises StoreUnavailable."""
    detail = event["detail"]
    if detail.get("initiationMethod") != "CALLBACK":
        return
    asked_in = str(detail.get("initialContactId") or "")
    try:
        await store.head(asked_in)
    except CallNotFound:
        return
    answered = "yes" if (detail.get("agentInfo") or {}).get("connectedToAgentTimestamp") else "no"
    LOG.info("callback_over", contact=asked_in, callback=str(detail["contactId"]), answered=answered)
