"""The last thing that can be done for a caller whose call cannot be served: a human, with the conversation so far."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from contract.actions import NONE, Transfer
from contract.announcement import Kind, Told
from contract.call import LEASE_MS, Call, FlowForm, Lease, Result
from contract.errors import ContractError, StoreUnavailable
from contract.transcript import handover_values
from contract.turns import FunctionEntry, Turn
from definition import AgentDefinition
from definition.languages import chosen
from gateway.facilities import Facilities

log = structlog.get_logger()

MOST_WAIT_S = 8  # the flow asks when the clip that it plays is over; an ended record sends the caller to a human, too


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a call that cannot be served."""

    contact_id: str
    call: Call | None
    turns: Sequence[Turn] = ()
    functions: Sequence[FunctionEntry] = ()


async def hand_over(
    facilities: Facilities, lease: Lease, reason: str, hang_up: Callable[[], None], call: Call | None = None
) -> None:
    """Ask the flow for a transfer, close the record, tell of it; should it fail, the flow's own watch does the same.

    `hang_up` gives a caller over SIP back to the flow, which asks for nothing before that.
    """
    store, clock = facilities.store, facilities.clock
    known = await _known(facilities, lease.contact_id, call)
    transfer = _transfer(facilities, reason, known)
    try:
        seq = await store.append(lease, transfer, clock.now_ms())
        hang_up()
        there = await _until_offered(facilities, lease, seq)
        await store.end(lease, Result.FAILED, reason, clock.now_ms())
    except ContractError as error:
        log.error("not_handed_over", contact=lease.contact_id, why=type(error).__name__)
    else:
        await _tell(facilities, known, transfer, (Kind.HANDED_OVER, Kind.ENDED) if there else (Kind.ENDED,))
        await _leave_nothing(facilities, lease, known.call)


async def _leave_nothing(facilities: Facilities, lease: Lease, call: Call | None) -> None:
    """The clips of those who served the call before: nobody else removes them."""
    if call is None or call.form is FlowForm.SIP:
        return
    try:
        head = await facilities.store.head(lease.contact_id)
    except ContractError as error:  # the bucket lets them expire
        log.warning("clips_not_deleted", contact=lease.contact_id, error=type(error).__name__)
        return
    await facilities.open_leg(lease, head, call).close()


async def _until_offered(facilities: Facilities, lease: Lease, seq: int) -> bool:
    """Whether the caller is still there.

    Keeps the call until the flow has the transfer, which it asks for within `MOST_WAIT_S`: another gateway would open
    a session for a caller who is in the queue by then. Raises LeaseLost.
    """
    store, clock = facilities.store, facilities.clock
    for _ in range(MOST_WAIT_S):
        try:
            head = await store.head(lease.contact_id)
            if head.leaving >= seq or head.disconnected_at_ms:
                return not head.disconnected_at_ms
            await store.renew(lease, clock.now_ms(), LEASE_MS, head.start_delay_ms)
        except StoreUnavailable as error:
            log.error("lease_not_renewed", contact=lease.contact_id, cause=error.cause)
        await asyncio.sleep(1)
    return True


async def _known(facilities: Facilities, contact_id: str, call: Call | None) -> _Known:
    """The call as the table has it; as much of it as can be read."""
    store = facilities.store
    try:
        call = call or await store.call(contact_id)
        return _Known(contact_id, call, tuple(await store.turns(contact_id)), tuple(await store.functions(contact_id)))
    except ContractError as error:
        log.error("handover_without_conversation", contact=contact_id, cause=type(error).__name__)
        return _Known(contact_id, call)


def _transfer(facilities: Facilities, reason: str, known: _Known) -> Transfer:
    call = known.call
    queue = _queue(facilities, call)
    shown = functools.partial(
        handover_values,
        agent=call.agent if call else NONE,
        reason=reason,
        queue=queue,
        result="failed",
        record=facilities.announcer.where(call) if call else "",
    )
    try:
        values = shown(turns=known.turns, functions=known.functions)
    except Exception:  # it may be what broke the call; a human with the reason alone is better than none
        log.exception("handover_without_conversation", contact=known.contact_id)
        values = shown()
    definition = _definition(facilities, call)
    priority = definition.priority(queue) if definition else 0
    return Transfer(facilities.queue_arns.get(queue, NONE), queue, reason, values, priority)


async def _tell(facilities: Facilities, known: _Known, transfer: Transfer, kinds: Sequence[Kind]) -> None:
    """As of any other call. What an announcer cannot do it logs; what breaks in it ends nothing."""
    call = known.call
    if call is None:
        return
    definition = _definition(facilities, call)
    summary = transfer.handover.get("va_summary", "")
    for kind in kinds:
        now = facilities.clock.now_ms()
        told = Told(kind, now, Result.FAILED.value, transfer.reason, transfer.queue, summary, transfer.handover)
        try:
            await facilities.announcer.tell(
                call, told, known.turns, known.functions, definition.keep_days if definition else 1
            )
        except Exception:
            log.exception("call_not_announced", contact=call.contact_id, kind=kind.value)


def _queue(facilities: Facilities, call: Call | None) -> str:
    """The default queue of the call's agent; of any, where that is not known here."""
    definition = _definition(facilities, call)
    return definition.default_queue if definition else NONE


def _definition(facilities: Facilities, call: Call | None) -> AgentDefinition | None:
    definitions = facilities.definitions
    if call is not None and call.agent.partition(".")[0] in definitions:
        return chosen(definitions, call.agent)
    return next(iter(definitions.values()), None)
