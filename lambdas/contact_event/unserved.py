"""The end of a call that the dead man's switch sent to a human: no gateway is left that could tell of it."""

from __future__ import annotations

from contract.announcement import Kind
from contract.errors import CallNotFound, MalformedRecord
from contract.store import FlowStore
from lambdas.log import LOG
from lambdas.settings import Settings
from lambdas.telling import Teller


async def close_unserved(store: FlowStore, contact_id: str, settings: Settings, teller: Teller) -> None:
    """Tell that it is over, and delete the clips that it left; nothing for any other call.

    Raises:
        StoreUnavailable: the event is delivered again, and tells the same.
    """
    try:
        head = await store.head(contact_id)
        if not head.failed_over_at_ms:
            return
        call = await store.call(contact_id)
        turns, functions = tuple(await store.turns(contact_id)), tuple(await store.functions(contact_id))
        transfer = settings.to_default_queue(head.reason, call.agent, turns, functions, teller.where(call))
        teller.tell(Kind.ENDED, call, transfer, head.disconnected_at_ms, turns, functions)
        teller.clear(contact_id, await store.actions_after(contact_id, 0))
    except CallNotFound:  # every contact of the instance comes by
        return
    except MalformedRecord as error:
        LOG.error("malformed_record", contact=contact_id, where=error.where)
