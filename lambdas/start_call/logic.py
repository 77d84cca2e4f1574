"""Record a call and ask for a gateway; the same request again does the same again, without harm."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from contract import wire
from contract.actions import NONE, Transfer
from contract.announcement import Kind
from contract.call import CODE_DIGITS, EXPECTED_MS, CallState, FlowForm, Opening
from contract.clock import Clock
from contract.errors import CallNotFound, MalformedRecord, StoreUnavailable
from contract.fleet import Fleet
from contract.store import FlowStore, Wakeups
from contract.wire import Expected, Start
from lambdas.log import LOG, contact_of
from lambdas.settings import Settings
from lambdas.telling import NOBODY, Teller, sent

Answer = dict[str, str]
T = TypeVar("T")

# The flow waits 8 s at most; an attempt that gets no answer takes two seconds and a half (lambdas.environment).
PATIENCE_MS = 3500
RETRY_S = 0.2


async def start_call(
    store: FlowStore,
    wakeups: Wakeups,
    clock: Clock,
    event: Mapping[str, Any],
    settings: Settings,
    teller: Teller = NOBODY,
) -> Answer:
    """`agent`, with the opening where one was rendered; or `transfer`, with the reason why there is no agent."""
    try:
        start = wire.parse_start(event)
    except MalformedRecord as error:
        LOG.error("malformed_event", contact=contact_of(event), where=error.where)
        return _to_queue("malformed_event", 1, NONE, settings)
    try:
        reason = await _obstacle(store, start, clock.now_ms(), settings)
        if reason is None:
            return await _begin(store, wakeups, clock, start, settings)
    except StoreUnavailable as error:
        LOG.error("store_unavailable", contact=start.contact_id, cause=error.cause)
        reason = "store_unavailable"
        await _forgo(store, start, reason, clock.now_ms())
    except MalformedRecord as error:
        LOG.error("malformed_record", contact=start.contact_id, where=error.where)
        reason = "malformed_record"
    return _refused(start, reason, clock.now_ms(), settings, teller)


def _refused(start: Start, reason: str, now_ms: int, settings: Settings, teller: Teller) -> Answer:
    """No gateway will ever hear of this call, so that it is told of here: that it was handed over, and that it is
    over as far as the voice agent is concerned."""
    LOG.warning("turned_away", contact=start.contact_id, reason=reason)
    call = start.call(now_ms, None)
    transfer = settings.to_default_queue(reason, start.agent, record=teller.where(call))
    for kind in (Kind.HANDED_OVER, Kind.ENDED):
        teller.tell(kind, sent(call, transfer), now_ms)
    return _answer(transfer, call.attempt)


async def _obstacle(store: FlowStore, start: Start, now_ms: int, settings: Settings) -> str | None:
    """Why this caller gets no voice agent."""
    if start.media is None and start.form is not FlowForm.SIP:
        return "no_media_stream"
    if start.form is FlowForm.SIP and not settings.sip:
        return "sip_not_deployed"
    if await _recorded(store, start):
        return None  # asked again: the same again
    if settings.max_calls and await store.live_calls(now_ms) >= settings.max_calls:
        return "too_many_calls"
    return _nobody(await _fleet(store, start.contact_id), now_ms)


def _nobody(fleet: Fleet, now_ms: int) -> str | None:
    """Why no gateway will take the call. Where it cannot be known, the flow finds out by waiting."""
    if fleet.unknown or fleet.room(now_ms):
        return None
    return "gateways_full" if fleet.there(now_ms) else "no_gateway"


async def _fleet(store: FlowStore, contact_id: str) -> Fleet:
    try:
        return await store.fleet()
    except MalformedRecord as error:
        LOG.error("malformed_fleet", contact=contact_id, where=error.where)
        return Fleet()


async def _recorded(store: FlowStore, start: Start) -> bool:
    try:
        return (await store.head(start.contact_id)).attempt > start.attempts_before
    except CallNotFound:
        return False


async def _begin(store: FlowStore, wakeups: Wakeups, clock: Clock, start: Start, settings: Settings) -> Answer:
    opening = await _opening(store, start)
    now_ms = clock.now_ms()
    call = start.call(now_ms, opening)
    head = await _patiently(clock, lambda: store.create_call(call))
    if head.state is CallState.WAITING:
        await _wake(wakeups, start.contact_id)
    sip = await _expect(store, clock, start, settings) if start.form is FlowForm.SIP else None
    return wire.start_answer("agent", attempt=start.attempts_before + 1, opening=opening, sip=sip)


async def _patiently(clock: Clock, write: Callable[[], Awaitable[T]]) -> T:
    """What the table answers. A write whose answer got lost does no harm when it is made again. Raises
    StoreUnavailable."""
    until_ms = clock.now_ms() + PATIENCE_MS
    while True:
        try:
            return await write()
        except StoreUnavailable:
            if clock.now_ms() >= until_ms:
                raise
        await asyncio.sleep(RETRY_S)


async def _forgo(store: FlowStore, start: Start, reason: str, now_ms: int) -> None:
    """The table may have the call all the same, and a gateway would take it, with nobody on the line."""
    with contextlib.suppress(CallNotFound, StoreUnavailable, MalformedRecord):
        if (await store.head(start.contact_id)).attempt > start.attempts_before:
            await store.fail_over(start.contact_id, reason, now_ms)


async def _expect(store: FlowStore, clock: Clock, start: Start, settings: Settings) -> Expected:
    """A fresh code for this call: it is dialled, so it is digits, and short; single use and the time keep it safe."""
    code = "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))
    until_ms = clock.now_ms() + EXPECTED_MS
    await _patiently(clock, lambda: store.put_code(code, start.contact_id, until_ms))
    return Expected(settings.sip_number, code)


async def _opening(store: FlowStore, start: Start) -> Opening | None:
    """Without a rendered opening the agent greets by itself: never a reason to lose a caller."""
    try:
        opening = await store.opening(start.agent)
    except MalformedRecord as error:
        LOG.error("malformed_opening", contact=start.contact_id, where=error.where)
        return None
    return opening if opening is not None and opening.url else None


async def _wake(wakeups: Wakeups, contact_id: str) -> None:
    try:
        await wakeups.send(contact_id)
    except StoreUnavailable as error:  # gateways look through the table as well
        LOG.warning("not_woken", contact=contact_id, cause=error.cause)


def _to_queue(reason: str, attempt: int, agent: str, settings: Settings) -> Answer:
    return _answer(settings.to_default_queue(reason, agent), attempt)


def _answer(transfer: Transfer, attempt: int) -> Answer:
    return wire.start_answer(
        "transfer", attempt=attempt, queue_arn=transfer.queue_arn, reason=transfer.reason, values=transfer.handover
    )
