"""Answer the flow: look at the call until there is something to do, or until the time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar, assert_never

from contract import wire
from contract.actions import NONE, End, Numbered, Outcome, Request
from contract.announcement import Kind
from contract.call import FlowForm, Head
from contract.clock import Clock
from contract.errors import CallNotFound, ContractError, MalformedRecord, StoreUnavailable
from contract.rules import is_final
from contract.store import FlowStore, Wakeups
from lambdas.log import LOG
from lambdas.next_action.decision import FailOver, Give, Leave, Listen, View, Wait, decide, unowned
from lambdas.next_action.limits import Limits
from lambdas.settings import Settings
from lambdas.telling import NOBODY, Teller, sent

OFFER_ATTEMPTS = 5

T = TypeVar("T")

Answer = dict[str, str]


async def next_action(
    store: FlowStore,
    wakeups: Wakeups,
    clock: Clock,
    request: Request,
    request_id: str,
    form: FlowForm,
    limits: Limits,
    settings: Settings,
    teller: Teller = NOBODY,
) -> Answer:
    """What the flow must do next, with every field of `contract.wire.NEXT_ACTION_FIELDS`.

    Marks nothing as taken: the flow's next request says what it took. Whatever fails here, the caller goes to
    the default queue.
    """
    request = replace(request, ahead=form is FlowForm.INTERRUPTIBLE)
    try:
        return await _Execution(store, wakeups, clock, request, request_id, limits, settings, teller).run()
    except CallNotFound:
        return failed("no_call", request, settings)
    except StoreUnavailable as error:
        LOG.error("store_unavailable", contact=request.contact_id, cause=error.cause)
        return failed("store_unavailable", request, settings)
    except MalformedRecord as error:
        LOG.error("malformed_record", contact=request.contact_id, where=error.where)
        return failed("malformed_record", request, settings)


def failed(reason: str, request: Request, settings: Settings) -> Answer:
    """To the default queue, without a word to the store."""
    return wire.unlogged(settings.to_default_queue(reason), request.loaded, Outcome.NONE)


class _Execution:
    """One request of the flow, from its arrival to its answer."""

    def __init__(
        self,
        store: FlowStore,
        wakeups: Wakeups,
        clock: Clock,
        request: Request,
        request_id: str,
        limits: Limits,
        settings: Settings,
        teller: Teller,
    ) -> None:
        self._store = store
        self._wakeups = wakeups
        self._clock = clock
        self._request = request
        self._id = request_id
        self._limits = limits
        self._settings = settings
        self._teller = teller
        self._asked_at_ms = clock.now_ms()
        self._log: Sequence[Numbered] = ()
        self._log_up_to = 0
        self._moved_at_ms = 0
        self._woken_at_ms = 0
        self._refused = 0

    async def run(self) -> Answer:
        """Raises CallNotFound, StoreUnavailable, MalformedRecord."""
        head = await self._patiently(lambda: self._store.asked(self._request, self._id, self._asked_at_ms))
        self._moved_at_ms = head.loaded_at_ms
        self._woken_at_ms = head.started_at_ms  # by start_call
        while True:
            await self._wake(head)
            if head.last_seq > self._log_up_to and head.waiter == self._id:
                await self._read_log(head)
                head = await self._look(head)  # never decide on a head that is older than the log
                continue
            answer = await self._act(head)
            if answer is not None:
                return wire.speaking(answer, self._settings.changed(self._request.language, head.language))
            head = await self._look(head)

    async def _act(self, head: Head) -> Answer | None:
        """Do as decided; None when the call has to be looked at again."""
        decision = decide(self._view(head), self._limits)
        match decision:
            case Wait(ms):
                await asyncio.sleep(ms / 1000)
                return None
            case Listen(previous):
                return wire.listen(previous)
            case Give(numbered, previous):
                return await self._give(numbered, previous)
            case Leave(reason, previous):
                return wire.unlogged(End(reason or NONE), self._request.loaded, previous)
            case FailOver(reason, previous):
                return await self._fail_over(head, reason, previous)
            case _ as never:
                assert_never(never)

    def _view(self, head: Head) -> View:
        return View(
            head=head,
            log=self._log,
            request_id=self._id,
            ahead=self._request.ahead,
            returned=self._request.returned,
            asked_at_ms=self._asked_at_ms,
            moved_at_ms=self._moved_at_ms,
            now_ms=self._clock.now_ms(),
        )

    async def _give(self, numbered: Numbered, previous: Outcome) -> Answer | None:
        final = is_final(numbered.action)
        contact_id, now_ms = self._request.contact_id, self._clock.now_ms()
        try:
            ours = await self._patiently(lambda: self._store.offer(contact_id, self._id, numbered.seq, now_ms, final))
        except StoreUnavailable as error:  # it may be offered; the flow asks again, and gets it then
            LOG.warning("offer_unanswered", contact=contact_id, cause=error.cause)
            return wire.listen(previous)
        if ours:
            return wire.answer(numbered, previous)
        # Cancelled, or overtaken, since the head was read. A second look shows it; should it ever not, the flow
        # asks again rather than that we go round in a circle.
        self._refused += 1
        if self._refused == OFFER_ATTEMPTS:
            return wire.listen(previous)
        await asyncio.sleep(self._limits.fast_ms / 1000)
        return None

    async def _fail_over(self, head: Head, reason: str, previous: Outcome) -> Answer | None:
        contact_id = self._request.contact_id
        if not await self._store.fail_over(contact_id, reason, self._clock.now_ms(), head):
            return None  # a gateway is there after all
        LOG.error("failed_over", contact=contact_id, reason=reason)
        try:
            # At once: a slow table would use up the Lambda's time one by one, and the caller hears nothing meanwhile.
            call, said, ran, now = await asyncio.gather(
                self._store.call(contact_id),
                self._store.turns(contact_id),
                self._store.functions(contact_id),
                self._store.head(contact_id),
            )
        except ContractError:
            transfer = self._settings.to_default_queue(reason)
        else:
            turns, functions = tuple(said), tuple(ran)
            transfer = self._settings.to_default_queue(reason, call.agent, turns, functions, self._teller.where(call))
            told = sent(call, transfer, turns, functions)
            self._teller.tell(Kind.HANDED_OVER, told, now.failed_over_at_ms)  # the same, should we be asked once more
        return wire.unlogged(transfer, self._request.loaded, previous)

    async def _look(self, before: Head) -> Head:
        """Read the head, and notice whether the gateway moved it."""
        head = await self._patiently(lambda: self._store.head(self._request.contact_id))
        if _moves(head) != _moves(before):
            self._moved_at_ms = self._clock.now_ms()
        return head

    async def _read_log(self, head: Head) -> None:
        contact_id, after = self._request.contact_id, max(head.loaded - 1, 0)
        self._log = await self._patiently(lambda: self._store.actions_after(contact_id, after))
        self._log_up_to = head.last_seq

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What the table answers, be it away for a moment: what is asked here may be asked again.

        Raises StoreUnavailable after `patience_ms`, or at the end of the request's time.
        """
        began_ms = self._clock.now_ms()
        until_ms = min(began_ms + self._limits.patience_ms, self._asked_at_ms + self._limits.block_ms)
        while True:
            try:
                return await ask()
            except StoreUnavailable:
                if self._clock.now_ms() >= until_ms:
                    raise
            await asyncio.sleep(self._limits.slow_ms / 1000)

    async def _wake(self, head: Head) -> None:
        """Ask for a gateway again while nobody serves the call."""
        now_ms = self._clock.now_ms()
        if not unowned(head, now_ms) or now_ms - self._woken_at_ms < self._limits.wake_every_ms:
            return
        self._woken_at_ms = now_ms
        try:
            await self._wakeups.send(self._request.contact_id)
        except StoreUnavailable as error:  # gateways look through the table as well
            LOG.warning("not_woken", contact=self._request.contact_id, cause=error.cause)


def _moves(head: Head) -> tuple[int, int, int, str]:
    return head.last_seq, head.cancelled_up_to, head.epoch, head.state
