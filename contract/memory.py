"""The store in memory: for tests and for whole calls in one process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from contract import rules, sizes, table
from contract.actions import Action, Numbered, Outcome, Request
from contract.call import Call, Head, Lease, Opening, Result
from contract.errors import CallNotFound, MalformedRecord
from contract.fleet import Fleet, Gateway
from contract.injections import Injection, Kind
from contract.turns import FunctionEntry, FunctionState, Turn

T = TypeVar("T")


@dataclass(slots=True)
class _Record:
    """Everything about one contact."""

    head: Head
    calls: list[Call]
    log: list[Numbered] = field(default_factory=list)
    turns: dict[int, Turn] = field(default_factory=dict)
    functions: dict[str, FunctionEntry] = field(default_factory=dict)
    injections: list[Injection] = field(default_factory=list)

    def settle(self, outcomes: Mapping[int, Outcome]) -> None:
        for index, numbered in enumerate(self.log):
            outcome = outcomes.get(numbered.seq)
            if outcome is not None and numbered.outcome in rules.may_overwrite(outcome):
                self.log[index] = replace(numbered, outcome=outcome)


class MemoryStore:
    """A GatewayStore. Every operation is atomic; `delay_s` lets it take time, before and after, as a table does."""

    def __init__(self, delay_s: float = 0.0) -> None:
        self._records: dict[str, _Record] = {}
        self._openings: dict[str, Opening] = {}
        self._codes: dict[str, dict[str, object]] = {}
        self._gateways: dict[str, Gateway] = {}
        self._release = ""
        self._delay_s = delay_s

    async def create_call(self, call: Call) -> Head:
        return await self._do(lambda: self._create(call))

    async def head(self, contact_id: str) -> Head:
        return await self._do(lambda: self._record(contact_id).head, look=True)

    async def asked(self, request: Request, request_id: str, now_ms: int) -> Head:
        return await self._do(lambda: self._asked(request, request_id, now_ms))

    async def actions_after(self, contact_id: str, seq: int) -> Sequence[Numbered]:
        return await self._do(lambda: [n for n in self._log(contact_id) if n.seq > seq])

    async def offer(self, contact_id: str, request_id: str, seq: int, now_ms: int, final: bool = False) -> bool:
        return await self._do(lambda: self._offer(contact_id, request_id, seq, now_ms, final))

    async def fail_over(self, contact_id: str, reason: str, now_ms: int, seen: Head | None = None) -> bool:
        return await self._do(lambda: self._fail_over(contact_id, reason, now_ms, seen))

    async def leave(self, contact_id: str, result: Result, reason: str, now_ms: int) -> bool:
        def left() -> bool:
            return self._close(contact_id, rules.left(self._record(contact_id).head, result, reason, now_ms))

        return await self._do(left)

    async def disconnected(self, contact_id: str, now_ms: int) -> None:
        def report() -> None:
            if contact_id in self._records:
                self._amend(contact_id, lambda head: rules.disconnected(head, now_ms))

        await self._do(report)

    async def opening(self, agent: str) -> Opening | None:
        return await self._do(lambda: self._openings.get(agent))

    async def call(self, contact_id: str) -> Call:
        return await self._do(lambda: self._record(contact_id).calls[-1])

    async def turns(self, contact_id: str) -> Sequence[Turn]:
        return await self._do(lambda: self._turns(contact_id))

    async def functions(self, contact_id: str) -> Sequence[FunctionEntry]:
        return await self._do(lambda: self._functions(contact_id))

    async def put_code(self, code: str, contact_id: str, expires_at_ms: int) -> None:
        values: dict[str, object] = {"contact_id": contact_id, "expires_at_ms": expires_at_ms}
        await self._do(lambda: self._codes.__setitem__(table.code_key(code), values))

    async def inject(self, contact_id: str, kind: Kind, text: str, now_ms: int) -> int:
        def put() -> int:
            record = self._record(contact_id)
            record.head = rules.brought_in(record.head, text)
            record.injections.append(Injection(record.head.injections, kind, text, now_ms))
            return record.head.injections

        return await self._do(put)

    async def live_calls(self, now_ms: int) -> int:
        return await self._do(lambda: sum(rules.counts(record.head, now_ms) for record in self._records.values()))

    async def fleet(self) -> Fleet:
        return await self._do(lambda: Fleet(self._release, tuple(self._gateways.values())))

    async def take(self, contact_id: str, owner: str, now_ms: int, lease_ms: int) -> tuple[Lease, Head]:
        head = await self._change(contact_id, lambda head: rules.taken(head, owner, now_ms, lease_ms))
        return Lease(contact_id, owner, head.epoch), head

    async def renew(self, lease: Lease, now_ms: int, lease_ms: int, start_delay_ms: int) -> Head:
        return await self._change(
            lease.contact_id, lambda head: rules.renewed(head, lease, now_ms, lease_ms, start_delay_ms)
        )

    async def give_away(self, lease: Lease) -> None:
        await self._change(lease.contact_id, lambda head: rules.given_away(head, lease))

    async def append(self, lease: Lease, action: Action, now_ms: int) -> int:
        return await self._do(lambda: self._append(lease, action, now_ms))

    async def cancel(self, lease: Lease, up_to: int) -> None:
        await self._change(lease.contact_id, lambda head: rules.cancelled(head, lease, up_to))

    async def cancel_opening(self, lease: Lease) -> None:
        await self._change(lease.contact_id, lambda head: rules.opening_cancelled(head, lease))

    async def heard(self, lease: Lease, seq: int, at_ms: int) -> None:
        await self._change(lease.contact_id, lambda head: rules.heard(head, lease, seq, at_ms))

    async def note_dialog(self, lease: Lease, dialog: str) -> None:
        await self._change(lease.contact_id, lambda head: rules.dialog_noted(head, lease, dialog))

    async def note_language(self, lease: Lease, language: str) -> None:
        await self._change(lease.contact_id, lambda head: rules.language_noted(head, lease, language))

    async def keep(self, lease: Lease, attempt: int, seconds: int) -> None:
        """Nothing expires in memory."""
        await self._do(lambda: self._fenced(lease))

    async def injections(self, contact_id: str, after: int) -> Sequence[Injection]:
        return await self._do(lambda: [each for each in self._record(contact_id).injections if each.number > after])

    async def injected(self, lease: Lease, number: int) -> None:
        await self._change(lease.contact_id, lambda head: rules.injected(head, lease, number))

    async def claim_code(self, code: str, now_ms: int) -> str | None:
        return await self._do(lambda: rules.claimed(self._codes.pop(table.code_key(code), {}), now_ms))

    async def put_turn(self, lease: Lease, turn: Turn) -> None:
        def put() -> None:
            self._fenced(lease).turns[turn.number] = sizes.within_limits(turn)

        await self._do(put)

    async def enter_function(self, lease: Lease, entry: FunctionEntry) -> FunctionEntry | None:
        return await self._do(lambda: self._enter(lease, entry))

    async def finish_function(
        self, lease: Lease, key: str, state: FunctionState, result: str, error: str, now_ms: int
    ) -> None:
        await self._do(lambda: self._finish(lease, key, state, result, error, now_ms))

    async def end(self, lease: Lease, result: Result, reason: str, now_ms: int) -> None:
        def close() -> None:
            record = self._record(lease.contact_id)
            record.head = rules.ended(record.head, lease, result, reason)
            record.settle(rules.closing(record.head, record.log))

        await self._do(close)

    async def expired(self, now_ms: int) -> Sequence[str]:
        return await self._do(
            lambda: [
                contact
                for contact, r in self._records.items()
                if rules.is_live(r.head) and rules.served_until_ms(r.head) <= now_ms
            ]
        )

    async def put_opening(self, agent: str, opening: Opening) -> None:
        await self._do(lambda: self._openings.__setitem__(agent, opening))

    async def report(self, gateway: Gateway) -> None:
        await self._do(lambda: self._gateways.__setitem__(gateway.owner, gateway))

    async def announce(self, release: str) -> None:
        def put() -> None:
            self._release = release

        await self._do(put)

    async def _do(self, operation: Callable[[], T], *, look: bool = False) -> T:
        """`look`: it only reads, so that all of its time is that in which the answer grows old."""
        if self._delay_s and not look:
            await asyncio.sleep(self._delay_s / 2)
        result = operation()
        if self._delay_s:
            await asyncio.sleep(self._delay_s if look else self._delay_s / 2)
        return result

    async def _change(self, contact_id: str, step: Callable[[Head], Head]) -> Head:
        return await self._do(lambda: self._amend(contact_id, step))

    def _amend(self, contact_id: str, step: Callable[[Head], Head]) -> Head:
        record = self._record(contact_id)
        record.head = step(record.head)
        return record.head

    def _record(self, contact_id: str) -> _Record:
        if contact_id not in self._records:
            raise CallNotFound(contact_id)
        return self._records[contact_id]

    def _fenced(self, lease: Lease) -> _Record:
        record = self._record(lease.contact_id)
        rules.fence(record.head, lease)
        return record

    def _create(self, call: Call) -> Head:
        record = self._records.get(call.contact_id)
        if record is None:
            record = self._records[call.contact_id] = _Record(rules.first_attempt(call), [call])
        elif call.attempt > record.head.attempt:
            record.settle(rules.closing(record.head, record.log))
            record.head = rules.next_attempt(record.head, call)
            record.calls.append(call)
        return record.head

    def _asked(self, request: Request, request_id: str, now_ms: int) -> Head:
        record = self._record(request.contact_id)
        asked = rules.asked(record.head, request, request_id, now_ms, record.log)
        record.settle(asked.outcomes)
        record.head = asked.head
        return record.head

    def _offer(self, contact_id: str, request_id: str, seq: int, now_ms: int, final: bool) -> bool:
        record = self._record(contact_id)
        head = rules.offered(record.head, request_id, seq, now_ms, final)
        record.head = head or record.head
        return head is not None

    def _fail_over(self, contact_id: str, reason: str, now_ms: int, seen: Head | None) -> bool:
        return self._close(contact_id, rules.failed_over(self._record(contact_id).head, reason, now_ms, seen))

    def _close(self, contact_id: str, head: Head | None) -> bool:
        if head is None:
            return False
        record = self._record(contact_id)
        record.head = head
        record.settle(rules.closing(head, record.log))
        return True

    def _append(self, lease: Lease, action: Action, now_ms: int) -> int:
        sizes.check_action(action)
        record = self._record(lease.contact_id)
        record.head = rules.appended(record.head, lease)
        record.log.append(Numbered(record.head.last_seq, action, now_ms))
        return record.head.last_seq

    def _enter(self, lease: Lease, entry: FunctionEntry) -> FunctionEntry | None:
        entry = sizes.entered(entry)
        functions = self._fenced(lease).functions
        older = functions.get(entry.key)
        functions.setdefault(entry.key, entry)
        return older

    def _finish(self, lease: Lease, key: str, state: FunctionState, result: str, error: str, now_ms: int) -> None:
        result = sizes.finished(result, error)
        functions = self._fenced(lease).functions
        if key not in functions:
            raise MalformedRecord("ledger", "a function that was entered", key)
        functions[key] = replace(functions[key], state=state, result=result, error=error, finished_at_ms=now_ms)

    def _log(self, contact_id: str) -> list[Numbered]:
        return self._records[contact_id].log if contact_id in self._records else []

    def _turns(self, contact_id: str) -> list[Turn]:
        turns = self._records[contact_id].turns if contact_id in self._records else {}
        return [turns[number] for number in sorted(turns)]

    def _functions(self, contact_id: str) -> list[FunctionEntry]:
        entries = self._records[contact_id].functions if contact_id in self._records else {}
        return rules.in_order(entries.values())
