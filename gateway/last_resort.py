"""The last thing that can be done for a caller whose call cannot be served: a human, with the conversation so far."""

from __future__ import annotations

import asyncio
import functools

import structlog

from contract.actions import NONE, Transfer
from contract.call import LEASE_MS, Call, Lease, Result
from contract.errors import ContractError, StoreUnavailable
from contract.transcript import handover_values
from definition import AgentDefinition
from definition.languages import chosen
from gateway.facilities import Facilities

log = structlog.get_logger()

MOST_WAIT_S = 8  # the flow asks when the clip that it plays is over; an ended record sends the caller to a human, too


async def hand_over(facilities: Facilities, lease: Lease, reason: str, call: Call | None = None) -> None:
    """Ask the flow for a transfer and close the record; should it fail, the flow's own watch does the same."""
    store, clock = facilities.store, facilities.clock
    try:
        transfer = await _transfer(facilities, lease.contact_id, reason, call)
        seq = await store.append(lease, transfer, clock.now_ms())
        await _until_offered(facilities, lease, seq)
        await store.end(lease, Result.FAILED, reason, clock.now_ms())
    except ContractError as error:
        log.error("not_handed_over", contact=lease.contact_id, why=type(error).__name__)


async def _until_offered(facilities: Facilities, lease: Lease, seq: int) -> None:
    """Keep the call until the flow has the transfer, which it asks for within `MOST_WAIT_S`: another gateway would open
    a session for a caller who is in the queue by then. Raises LeaseLost."""
    store, clock = facilities.store, facilities.clock
    for _ in range(MOST_WAIT_S):
        try:
            head = await store.head(lease.contact_id)
            if head.leaving >= seq or head.disconnected_at_ms:
                return
            await store.renew(lease, clock.now_ms(), LEASE_MS, head.start_delay_ms)
        except StoreUnavailable as error:
            log.error("lease_not_renewed", contact=lease.contact_id, cause=error.cause)
        await asyncio.sleep(1)


async def _transfer(facilities: Facilities, contact_id: str, reason: str, call: Call | None) -> Transfer:
    queue = _queue(facilities, call)
    shown = functools.partial(
        handover_values, agent=call.agent if call else NONE, reason=reason, queue=queue, result="failed"
    )
    try:
        values = shown(
            turns=await facilities.store.turns(contact_id),
            functions=await facilities.store.functions(contact_id),
            record=facilities.announcer.where(call) if call else "",
        )
    except StoreUnavailable as error:
        log.error("handover_without_conversation", contact=contact_id, cause=error.cause)
        values = shown()
    except Exception:  # it may be what broke the call; a human with the reason alone is better than none
        log.exception("handover_without_conversation", contact=contact_id)
        values = shown()
    definition = _definition(facilities, call)
    priority = definition.priority(queue) if definition else 0
    return Transfer(facilities.queue_arns.get(queue, NONE), queue, reason, values, priority)


def _queue(facilities: Facilities, call: Call | None) -> str:
    """The default queue of the call's agent; of any, where that is not known here."""
    definition = _definition(facilities, call)
    return definition.default_queue if definition else NONE


def _definition(facilities: Facilities, call: Call | None) -> AgentDefinition | None:
    definitions = facilities.definitions
    if call is not None and call.agent.partition(".")[0] in definitions:
        return chosen(definitions, call.agent)
    return next(iter(definitions.values()), None)
