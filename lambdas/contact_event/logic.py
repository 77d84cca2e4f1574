"""Record that Connect reported the end of a contact: one of three signs that the caller has gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.clock import Clock
from contract.store import FlowStore
from contract.wire import parse_disconnect
from lambdas.contact_event.callbacks import note_callback
from lambdas.contact_event.unserved import close_unserved
from lambdas.log import LOG
from lambdas.settings import Settings
from lambdas.telling import NOBODY, Teller


async def contact_event(
    store: FlowStore,
    clock: Clock,
    event: Mapping[str, Any],
    settings: Settings | None = None,
    teller: Teller = NOBODY,
) -> bool:
    """Whether the event was the end of a voice contact.

    Every contact of the instance comes by, so most are not ours; the store ignores those.

    Raises:
        StoreUnavailable: EventBridge delivers the event again.
    """
    contact_id = parse_disconnect(event)
    if contact_id is None:
        return False
    await store.disconnected(contact_id, clock.now_ms())
    LOG.info("disconnected", contact=contact_id)
    await note_callback(store, event)
    if settings is not None:
        # Amazon Connect administrator guide, contact events: of a contact that was in a queue, which and when.
        queued = bool(event["detail"].get("queueInfo"))
        await close_unserved(store, contact_id, clock.now_ms(), settings, teller, queued=queued)
    return True
