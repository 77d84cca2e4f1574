"""The end of a call that no gateway tells of: the dead man's switch sent it to a human, or the caller hung up while
nobody served it."""

from __future__ import annotations

from contract.announcement import Kind
from contract.call import CALLER_GONE, Head, Result
from contract.errors import CallNotFound, MalformedRecord
from contract.store import FlowStore
from lambdas.log import LOG
from lambdas.settings import Settings
from lambdas.telling import Teller, Unserved, sent


async def close_unserved(
    store: FlowStore, contact_id: str, now_ms: int, settings: Settings, teller: Teller, *, queued: bool
) -> None:
    """Tell that it is over, and delete the clips that it left; nothing for any other call.

    `queued`: the contact was in a queue. The flow has led it there by itself if nobody had served it.

    Raises:
        StoreUnavailable: the event is delivered again, and tells the same.
    """
    try:
        became = (Result.FAILED, "flow_failure") if queued else (Result.CALLER_HUNG_UP, CALLER_GONE)
        await store.leave(contact_id, *became, now_ms)
        head = await store.head(contact_id)
        if not head.failed_over_at_ms:
            return
        unserved = await _story(store, head, settings, teller)
        teller.tell(Kind.ENDED, unserved, head.disconnected_at_ms)
        teller.clear(contact_id, await store.actions_after(contact_id, 0))
    except CallNotFound:  # every contact of the instance comes by
        return
    except MalformedRecord as error:
        LOG.error("malformed_record", contact=contact_id, where=error.where)


async def _story(store: FlowStore, head: Head, settings: Settings, teller: Teller) -> Unserved:
    call = await store.call(head.contact_id)
    turns, functions = tuple(await store.turns(head.contact_id)), tuple(await store.functions(head.contact_id))
    if not head.handed_over_unserved:
        return Unserved(call, head.result, head.reason, turns=turns, functions=functions)
    transfer = settings.to_default_queue(head.reason, call.agent, turns, functions, teller.where(call))
    return sent(call, transfer, turns, functions)
