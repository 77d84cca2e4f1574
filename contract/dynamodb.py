"""The store in one DynamoDB table: see `contract.table` for its layout and `contract.rules` for what happens.

Every change of a head reads it consistently, applies the rule, and writes the difference on condition that the
item's revision (`rev`) is still the one that was read; a conflict is tried again from the start. The epoch is
part of what is read, so that no owner writes after it lost the call. `written_by` is a random word of each
write: when botocore repeats a write whose answer got lost, the failed condition shows our own word.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from contract import items, rules, table
from contract.actions import Action, Numbered, Outcome, Request
from contract.call import Call, Head, Lease, Opening, Result
from contract.clock import Clock, SystemClock
from contract.errors import CallNotFound, MalformedRecord, StoreUnavailable
from contract.fleet import Fleet, Gateway
from contract.injections import Injection, Kind
from contract.running import Run, in_thread
from contract.table import create_table
from contract.tableio import Conflict, Refused, Table
from contract.turns import FunctionEntry, FunctionState, Turn

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

__all__ = ["DynamoStore", "create_table"]

T = TypeVar("T")

ATTEMPTS = 12  # for conflicts; they last milliseconds
DAY_S = 24 * 3600
MOST_KEPT = 1000  # calls of one process, the newest: what is written after that expires as the deployment says


@dataclass(frozen=True, slots=True)
class _Read:
    """A head as it was read, with the revision that a write depends on."""

    head: Head
    rev: int


class DynamoStore:
    """A GatewayStore.

    `run` makes the blocking calls: `contract.running.inline` or `in_thread`. `retention_s` is how long after it
    was written each item may be deleted (TTL); the default is a day, which no call outlasts.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table_name: str,
        run: Run = in_thread,
        *,
        retention_s: int = DAY_S,
        clock: Clock | None = None,
    ) -> None:
        self._table = Table(client, table_name, run)
        self._retention_s = retention_s
        self._kept: dict[str, int] = {}  # seconds by contact, of calls whose agents say otherwise
        self._clock = clock or SystemClock()

    # --- what the flow's Lambdas do

    async def create_call(self, call: Call) -> Head:
        return await self._until_settled("create_call", lambda: self._create(call))

    async def head(self, contact_id: str) -> Head:
        return (await self._read(contact_id)).head

    async def asked(self, request: Request, request_id: str, now_ms: int) -> Head:
        return await self._until_settled("asked", lambda: self._asked(request, request_id, now_ms))

    async def actions_after(self, contact_id: str, seq: int) -> Sequence[Numbered]:
        return await self._log(contact_id, table.action_key(seq + 1))

    async def offer(self, contact_id: str, request_id: str, seq: int, now_ms: int, final: bool = False) -> bool:
        def step(head: Head) -> Head:
            return rules.offered(head, request_id, seq, now_ms, final) or head

        head = await self._change(contact_id, step)
        return rules.offered(head, request_id, seq, now_ms, final) is not None

    async def fail_over(self, contact_id: str, reason: str, now_ms: int, seen: Head | None = None) -> bool:
        async def attempt() -> bool:
            read = await self._read(contact_id)
            head = rules.failed_over(read.head, reason, now_ms, seen)
            if head is not None:
                await self._close(read, head)
            return head is not None

        return await self._until_settled("fail_over", attempt)

    async def disconnected(self, contact_id: str, now_ms: int) -> None:
        try:
            await self._change(contact_id, lambda head: rules.disconnected(head, now_ms))
        except CallNotFound:
            return

    async def opening(self, agent: str) -> Opening | None:
        values = await self._table.get(f"{table.OPENING}#{agent}", table.OPENING)
        return items.from_plain(Opening, values, "opening") if values else None

    async def call(self, contact_id: str) -> Call:
        found = await self._all(contact_id, table.CALLS)
        if not found:
            raise CallNotFound(contact_id)
        return items.from_plain(Call, found[-1], "call")

    async def turns(self, contact_id: str) -> Sequence[Turn]:
        return [items.from_plain(Turn, values, "turn") for values in await self._all(contact_id, table.TURNS)]

    async def functions(self, contact_id: str) -> Sequence[FunctionEntry]:
        found = await self._all(contact_id, table.FUNCTIONS)
        return rules.in_order(items.function_from_plain(values, "function") for values in found)

    async def put_code(self, code: str, contact_id: str, expires_at_ms: int) -> None:
        values: dict[str, items.Plain] = {"contact_id": contact_id, "expires_at_ms": expires_at_ms}
        item = {"pk": table.code_key(code), "sk": table.CODE, table.TTL: expires_at_ms // 1000 + DAY_S, **values}
        await self._table.put(item)

    async def inject(self, contact_id: str, kind: Kind, text: str, now_ms: int) -> int:
        async def attempt() -> int:
            read = await self._read(contact_id)
            head = rules.brought_in(read.head, text)
            line = items.to_plain(Injection(head.injections, kind, text, now_ms))
            put = self._put(contact_id, table.injection_key(head.injections), line)
            await self._transact([{"Update": self._head_update(read, head)[0]}, {"Put": put}])
            return head.injections

        return await self._until_settled("inject", attempt)

    async def live_calls(self, now_ms: int) -> int:
        since = now_ms - rules.DEAD_AFTER_MS
        return sum([len(await self._table.live(shard, table.ANY_TIME, since)) for shard in table.shards()])

    async def fleet(self) -> Fleet:
        found = await self._table.between(table.FLEET, table.GATEWAYS, table.RELEASE)
        release = next((str(item.get("release", "")) for item in found if item["sk"] == table.RELEASE), "")
        gateways = [items.from_plain(Gateway, item, "gateway") for item in found if item["sk"] != table.RELEASE]
        return Fleet(release, tuple(gateways))

    # --- what a gateway does

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
        rules.check_action(action)

        async def attempt() -> int:
            read = await self._read(lease.contact_id)
            head = rules.appended(read.head, lease)
            line = items.numbered_to_plain(Numbered(head.last_seq, action, now_ms))
            put = self._put(lease.contact_id, table.action_key(head.last_seq), line)
            await self._transact([{"Update": self._head_update(read, head)[0]}, {"Put": put}])
            return head.last_seq

        return await self._until_settled("append", attempt)

    async def cancel(self, lease: Lease, up_to: int) -> None:
        await self._change(lease.contact_id, lambda head: rules.cancelled(head, lease, up_to))

    async def cancel_opening(self, lease: Lease) -> None:
        await self._change(lease.contact_id, lambda head: rules.opening_cancelled(head, lease))

    async def heard(self, lease: Lease, seq: int, at_ms: int) -> None:
        await self._change(lease.contact_id, lambda head: rules.heard(head, lease, seq, at_ms))

    async def note_dialog(self, lease: Lease, dialog: str) -> None:
        await self._change(lease.contact_id, lambda head: rules.dialog_noted(head, lease, dialog))

    async def keep(self, lease: Lease, attempt: int, seconds: int) -> None:
        self._kept[lease.contact_id] = seconds
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        expires: dict[str, Any] = {table.TTL: self._clock.now_ms() // 1000 + seconds}
        owned: dict[str, tuple[items.Plain, ...]] = {"epoch": (lease.epoch,), "owner": (lease.owner,)}
        head = table.update(self._table.name, table.key(lease.contact_id, table.HEAD), expires, owned)
        facts = table.update(self._table.name, table.key(lease.contact_id, table.call_key(attempt)), expires, {})

        async def attempt_() -> None:
            try:
                await self._table.transact([{"Update": head}, {"Update": facts}])
            except Refused as refused:
                rules.fence(await self.head(lease.contact_id), lease)
                raise Conflict from refused

        await self._until_settled("keep", attempt_)

    async def injections(self, contact_id: str, after: int) -> Sequence[Injection]:
        first, last = table.injection_key(after + 1), table.INJECTIONS + "~"
        found = await self._table.between(contact_id, first, last)
        return [items.from_plain(Injection, values, "injection") for values in found]

    async def injected(self, lease: Lease, number: int) -> None:
        await self._change(lease.contact_id, lambda head: rules.injected(head, lease, number))

    async def claim_code(self, code: str, now_ms: int) -> str | None:
        values = await self._table.take(table.code_key(code), table.CODE)
        return rules.claimed(values or {}, now_ms)

    async def put_turn(self, lease: Lease, turn: Turn) -> None:
        values = items.to_plain(rules.within_limits(turn))
        put = self._put(lease.contact_id, table.turn_key(turn.number), values)
        await self._until_settled("put_turn", lambda: self._fenced(lease, {"Put": put}))

    async def enter_function(self, lease: Lease, entry: FunctionEntry) -> FunctionEntry | None:
        values = items.function_to_plain(entry)
        rules.check_size("arguments of a function", str(values["arguments"]))
        sk = table.function_key(entry.key)
        put = self._put(lease.contact_id, sk, values)
        put["ConditionExpression"] = "attribute_not_exists(pk)"

        async def attempt() -> FunctionEntry | None:
            if await self._fenced(lease, {"Put": put}):
                return None
            older = await self._table.get(lease.contact_id, sk)
            return items.function_from_plain(older or values, "function")

        return await self._until_settled("enter_function", attempt)

    async def finish_function(
        self, lease: Lease, key: str, state: FunctionState, result: str, error: str, now_ms: int
    ) -> None:
        rules.check_size("result of a function", result + error)
        values: dict[str, Any] = {"state": state.value, "result": result, "error": error, "finished_at_ms": now_ms}
        update = table.update(self._table.name, table.key(lease.contact_id, table.function_key(key)), values, {})

        async def attempt() -> None:
            if not await self._fenced(lease, {"Update": update}):
                raise MalformedRecord("ledger", "a function that was entered", key)

        await self._until_settled("finish_function", attempt)

    async def end(self, lease: Lease, result: Result, reason: str, now_ms: int) -> None:
        async def attempt() -> None:
            read = await self._read(lease.contact_id)
            await self._close(read, rules.ended(read.head, lease, result, reason))

        await self._until_settled("end", attempt)

    async def expired(self, now_ms: int) -> Sequence[str]:
        found = [await self._table.live(shard, now_ms) for shard in table.shards()]
        return [contact for contacts in found for contact in contacts]

    async def put_opening(self, agent: str, opening: Opening) -> None:
        item = {"pk": f"{table.OPENING}#{agent}", "sk": table.OPENING, **items.to_plain(opening)}
        await self._table.put(item)

    async def report(self, gateway: Gateway) -> None:
        expires_at = self._clock.now_ms() // 1000 + DAY_S
        key: dict[str, items.Plain] = {"pk": table.FLEET, "sk": table.GATEWAYS + gateway.owner}
        await self._table.put({**items.to_plain(gateway), **key, table.TTL: expires_at})

    async def announce(self, release: str) -> None:
        await self._table.put({"pk": table.FLEET, "sk": table.RELEASE, "release": release})

    # --- reading

    async def _read(self, contact_id: str) -> _Read:
        values = await self._table.get(contact_id, table.HEAD)
        if values is None:
            raise CallNotFound(contact_id)
        rev = values.get("rev")
        return _Read(items.from_plain(Head, values, "head"), rev if isinstance(rev, int) else 0)

    async def _log(self, contact_id: str, first: str, last: str = table.ACTIONS + "~") -> list[Numbered]:
        found = await self._table.between(contact_id, first, last)
        return [items.numbered_from_plain(values, "action") for values in found]

    async def _all(self, contact_id: str, prefix: str) -> list[dict[str, items.Plain]]:
        return await self._table.between(contact_id, prefix, prefix + "~")

    # --- writing

    async def _until_settled(self, operation: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try again as long as others write at the same moment. Raises StoreUnavailable."""
        for number in range(ATTEMPTS):
            try:
                return await attempt()
            except Conflict:
                await asyncio.sleep(random.uniform(0.002, 0.01) * min(2**number, 16))
        raise StoreUnavailable(operation, "Conflict")

    async def _change(self, contact_id: str, step: Callable[[Head], Head]) -> Head:
        async def attempt() -> Head:
            read = await self._read(contact_id)
            return await self._replace(read, step(read.head))

        return await self._until_settled("change of a head", attempt)

    async def _replace(self, read: _Read, head: Head) -> Head:
        if head != read.head:
            update, word = self._head_update(read, head)
            await self._table.update(update, word)
        return head

    async def _create(self, call: Call) -> Head:
        facts = {"Put": self._put(call.contact_id, table.call_key(call.attempt), items.to_plain(call))}
        try:
            read = await self._read(call.contact_id)
        except CallNotFound:
            return await self._begin(rules.first_attempt(call), facts)
        if call.attempt <= read.head.attempt:
            return read.head
        head = rules.next_attempt(read.head, call)
        await self._close(read, head, rules.closing(read.head, await self._log(call.contact_id, table.ACTIONS)), facts)
        return head

    async def _begin(self, head: Head, facts: dict[str, Any]) -> Head:
        put = self._put(head.contact_id, table.HEAD, {**items.to_plain(head), **_index(head), "rev": 1})
        put["ConditionExpression"] = "attribute_not_exists(pk)"
        await self._transact([{"Put": put}, facts])
        return head

    async def _asked(self, request: Request, request_id: str, now_ms: int) -> Head:
        read = await self._read(request.contact_id)
        loaded = rules.loaded_by(read.head, request)
        log: Sequence[Numbered] = ()
        if loaded > read.head.loaded or read.head.ended is Outcome.NONE:
            first, last = table.action_key(read.head.loaded), table.action_key(loaded)
            log = await self._log(request.contact_id, first, last) if first <= last else ()
        asked = rules.asked(read.head, request, request_id, now_ms, log)
        # Outcomes first: when this execution is killed in between, the next request says the same again.
        await self._settle(request.contact_id, asked.outcomes)
        return await self._replace(read, asked.head)

    async def _settle(self, contact_id: str, outcomes: Mapping[int, Outcome]) -> None:
        for seq, outcome in outcomes.items():
            await self._table.update_if(self._outcome_update(contact_id, seq, outcome))

    async def _close(
        self, read: _Read, head: Head, outcomes: Mapping[int, Outcome] | None = None, *more: dict[str, Any]
    ) -> None:
        """Write a head and the outcomes of everything that has none, in one transaction."""
        contact_id = head.contact_id
        if outcomes is None:
            outcomes = rules.closing(head, await self._log(contact_id, table.ACTIONS))
        room = table.TRANSACTION_ITEMS - 1 - len(more)
        first, rest = dict(list(outcomes.items())[:room]), dict(list(outcomes.items())[room:])
        if head != read.head:
            updates = [{"Update": self._outcome_update(contact_id, *outcome)} for outcome in first.items()]
            await self._transact([{"Update": self._head_update(read, head)[0]}, *more, *updates])
        else:
            await self._settle(contact_id, first)
        await self._settle(contact_id, rest)

    async def _transact(self, writes: Sequence[dict[str, Any]]) -> None:
        """A transaction whose conditions hold unless somebody wrote since we read."""
        try:
            await self._table.transact(writes)
        except Refused as refused:
            raise Conflict from refused

    async def _fenced(self, lease: Lease, write: dict[str, Any]) -> bool:
        """Write as the owner; False when the write's own condition refused. Raises LeaseLost, CallNotFound."""
        check = table.fence(self._table.name, lease.contact_id, lease.epoch, lease.owner)
        try:
            await self._table.transact([{"ConditionCheck": check}, write])
        except Refused as refused:
            if 0 not in refused.positions:
                return False
            rules.fence(await self.head(lease.contact_id), lease)
            raise Conflict from refused
        return True

    def _put(self, pk: str, sk: str, values: Mapping[str, items.Plain]) -> dict[str, Any]:
        expires_at = self._clock.now_ms() // 1000 + self._kept.get(pk, self._retention_s)
        item = {**values, "pk": pk, "sk": sk, table.TTL: expires_at}
        return {"TableName": self._table.name, "Item": items.to_attributes(item)}

    def _outcome_update(self, contact_id: str, seq: int, outcome: Outcome) -> table.Update:
        allowed = tuple(before.value for before in rules.may_overwrite(outcome))
        key = table.key(contact_id, table.action_key(seq))
        return table.update(self._table.name, key, {"outcome": outcome.value}, {"outcome": allowed})

    def _head_update(self, read: _Read, head: Head) -> tuple[table.Update, str]:
        """What changed in a head, on condition that it is as it was read; and the word that marks this write."""
        word = uuid.uuid4().hex
        before, after = items.to_plain(read.head), items.to_plain(head)
        changed: dict[str, items.Plain | None] = {name: value for name, value in after.items() if value != before[name]}
        changed |= _index(head) if rules.is_live(head) else {table.PARTITION: None, table.SORT: None}
        changed |= {"rev": read.rev + 1, "written_by": word}
        key = table.key(head.contact_id, table.HEAD)
        return table.update(self._table.name, key, changed, {"rev": (read.rev,)}), word


def _index(head: Head) -> dict[str, items.Plain]:
    """Where the index of live calls has this head."""
    return {table.PARTITION: table.shard(head.contact_id), table.SORT: rules.served_until_ms(head)}
