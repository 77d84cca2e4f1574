"""The store in one DynamoDB table: see `contract.table` for its layout and `contract.rules` for what happens.

How a head is read and written, and how a late owner is kept from it, is in `contract.heads`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from contract import items, rules, sizes, table, unclear
from contract.actions import Action, Numbered, Outcome, Request
from contract.call import Call, Head, Lease, Opening, Result
from contract.clock import Clock, SystemClock
from contract.errors import CallNotFound, MalformedRecord, StoreUnavailable
from contract.fleet import Fleet, Gateway
from contract.heads import Heads
from contract.injections import Injection, Kind
from contract.running import Run, in_thread
from contract.table import create_table
from contract.tableio import Conflict, Refused, Table
from contract.turns import FunctionEntry, FunctionState, Turn

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

__all__ = ["DynamoStore", "create_table"]

DAY_S = 24 * 3600


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
        self._clock = clock or SystemClock()
        self._heads = Heads(self._table, retention_s, self._clock)
        self._unclear = unclear.Unclear()

    # --- what the flow's Lambdas do

    async def create_call(self, call: Call) -> Head:
        return await self._heads.until_settled("create_call", lambda: self._create(call))

    async def head(self, contact_id: str) -> Head:
        return (await self._heads.read(contact_id)).head

    async def asked(self, request: Request, request_id: str, now_ms: int) -> Head:
        return await self._heads.until_settled("asked", lambda: self._asked(request, request_id, now_ms))

    async def actions_after(self, contact_id: str, seq: int) -> Sequence[Numbered]:
        return await self._heads.log(contact_id, table.action_key(seq + 1))

    async def offer(self, contact_id: str, request_id: str, seq: int, now_ms: int, final: bool = False) -> bool:
        def step(head: Head) -> Head:
            return rules.offered(head, request_id, seq, now_ms, final) or head

        head = await self._heads.change(contact_id, step)
        return rules.offered(head, request_id, seq, now_ms, final) is not None

    async def fail_over(self, contact_id: str, reason: str, now_ms: int, seen: Head | None = None) -> bool:
        return await self._close("fail_over", contact_id, lambda head: rules.failed_over(head, reason, now_ms, seen))

    async def leave(self, contact_id: str, result: Result, reason: str, now_ms: int) -> bool:
        return await self._close("leave", contact_id, lambda head: rules.left(head, result, reason, now_ms))

    async def _close(self, what: str, contact_id: str, change: Callable[[Head], Head | None]) -> bool:
        async def attempt() -> bool:
            read = await self._heads.read(contact_id)
            head = change(read.head)
            if head is not None:
                await self._heads.close(read, head)
            return head is not None

        return await self._heads.until_settled(what, attempt)

    async def disconnected(self, contact_id: str, now_ms: int) -> None:
        try:
            await self._heads.change(contact_id, lambda head: rules.disconnected(head, now_ms))
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
            read = await self._heads.read(contact_id)
            head = rules.brought_in(read.head, text)
            line = items.to_plain(Injection(head.injections, kind, text, now_ms))
            put = self._heads.put(contact_id, table.injection_key(head.injections), line)
            await self._heads.transact([{"Update": self._heads.update(read, head)}, {"Put": put}])
            return head.injections

        return await self._heads.until_settled("inject", attempt)

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
        head = await self._heads.change(contact_id, lambda head: rules.taken(head, owner, now_ms, lease_ms))
        return Lease(contact_id, owner, head.epoch), head

    async def renew(self, lease: Lease, now_ms: int, lease_ms: int, start_delay_ms: int) -> Head:
        return await self._heads.change(
            lease.contact_id, lambda head: rules.renewed(head, lease, now_ms, lease_ms, start_delay_ms)
        )

    async def give_away(self, lease: Lease) -> None:
        await self._heads.change(lease.contact_id, lambda head: rules.given_away(head, lease))

    async def append(self, lease: Lease, action: Action, now_ms: int) -> int:
        sizes.check_action(action)

        async def attempt() -> int:
            read = await self._heads.read(lease.contact_id)
            head = rules.appended(read.head, lease)
            if seq := await self._landed(read.head, lease, action):
                return seq
            line = items.numbered_to_plain(Numbered(head.last_seq, action, now_ms))
            put = self._heads.put(lease.contact_id, table.action_key(head.last_seq), line)
            try:
                await self._heads.transact([{"Update": self._heads.update(read, head)}, {"Put": put}])
            except StoreUnavailable:
                self._unclear.note(lease, action, head.last_seq)
                raise
            return head.last_seq

        seq = await self._heads.until_settled("append", attempt)
        self._unclear.settled(lease, action)
        return seq

    async def cancel(self, lease: Lease, up_to: int) -> None:
        await self._heads.change(lease.contact_id, lambda head: rules.cancelled(head, lease, up_to))

    async def cancel_opening(self, lease: Lease) -> None:
        await self._heads.change(lease.contact_id, lambda head: rules.opening_cancelled(head, lease))

    async def heard(self, lease: Lease, seq: int, at_ms: int) -> None:
        await self._heads.change(lease.contact_id, lambda head: rules.heard(head, lease, seq, at_ms))

    async def note_dialog(self, lease: Lease, dialog: str) -> None:
        await self._heads.change(lease.contact_id, lambda head: rules.dialog_noted(head, lease, dialog))

    async def note_language(self, lease: Lease, language: str) -> None:
        await self._heads.change(lease.contact_id, lambda head: rules.language_noted(head, lease, language))

    async def keep(self, lease: Lease, attempt: int, seconds: int) -> None:
        self._heads.keep(lease.contact_id, seconds)
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

        await self._heads.until_settled("keep", attempt_)

    async def injections(self, contact_id: str, after: int) -> Sequence[Injection]:
        first, last = table.injection_key(after + 1), table.INJECTIONS + "~"
        found = await self._table.between(contact_id, first, last)
        return [items.from_plain(Injection, values, "injection") for values in found]

    async def injected(self, lease: Lease, number: int) -> None:
        await self._heads.change(lease.contact_id, lambda head: rules.injected(head, lease, number))

    async def claim_code(self, code: str, now_ms: int) -> str | None:
        values = await self._table.take(table.code_key(code), table.CODE)
        return rules.claimed(values or {}, now_ms)

    async def put_turn(self, lease: Lease, turn: Turn) -> None:
        values = items.to_plain(sizes.within_limits(turn))
        put = self._heads.put(lease.contact_id, table.turn_key(turn.number), values)
        await self._heads.until_settled("put_turn", lambda: self._heads.fenced(lease, {"Put": put}))

    async def enter_function(self, lease: Lease, entry: FunctionEntry) -> FunctionEntry | None:
        values = items.function_to_plain(sizes.entered(entry))
        sk = table.function_key(entry.key)
        put = self._heads.put(lease.contact_id, sk, values)
        put["ConditionExpression"] = "attribute_not_exists(pk)"

        async def attempt() -> FunctionEntry | None:
            if await self._heads.fenced(lease, {"Put": put}):
                return None
            older = await self._table.get(lease.contact_id, sk)
            return items.function_from_plain(older or values, "function")

        return await self._heads.until_settled("enter_function", attempt)

    async def finish_function(
        self, lease: Lease, key: str, state: FunctionState, result: str, error: str, now_ms: int
    ) -> None:
        kept = sizes.finished(result, error)
        values: dict[str, Any] = {"state": state.value, "result": kept, "error": error, "finished_at_ms": now_ms}
        update = table.update(self._table.name, table.key(lease.contact_id, table.function_key(key)), values, {})

        async def attempt() -> None:
            if not await self._heads.fenced(lease, {"Update": update}):
                raise MalformedRecord("ledger", "a function that was entered", key)

        await self._heads.until_settled("finish_function", attempt)

    async def end(self, lease: Lease, result: Result, reason: str, now_ms: int) -> None:
        async def attempt() -> None:
            read = await self._heads.read(lease.contact_id)
            await self._heads.close(read, rules.ended(read.head, lease, result, reason))

        await self._heads.until_settled("end", attempt)

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

    # --- steps

    async def _landed(self, head: Head, lease: Lease, action: Action) -> int:
        """The sequence that this action got when it was appended before and the answer got lost, else 0."""
        first = self._unclear.since(lease, action)
        if not first:
            return 0
        log = await self._heads.log(lease.contact_id, table.action_key(first))
        return unclear.landed(head, action, log)

    async def _all(self, contact_id: str, prefix: str) -> list[dict[str, items.Plain]]:
        return await self._table.between(contact_id, prefix, prefix + "~")

    async def _create(self, call: Call) -> Head:
        facts = {"Put": self._heads.put(call.contact_id, table.call_key(call.attempt), items.to_plain(call))}
        try:
            read = await self._heads.read(call.contact_id)
        except CallNotFound:
            return await self._heads.begin(rules.first_attempt(call), facts)
        if call.attempt <= read.head.attempt:
            return read.head
        head = rules.next_attempt(read.head, call)
        await self._heads.close(read, head, rules.closing(read.head, await self._heads.log(call.contact_id)), facts)
        return head

    async def _asked(self, request: Request, request_id: str, now_ms: int) -> Head:
        read = await self._heads.read(request.contact_id)
        loaded = rules.loaded_by(read.head, request)
        log: Sequence[Numbered] = ()
        if loaded > read.head.loaded or read.head.ended is Outcome.NONE:
            first, last = table.action_key(read.head.loaded), table.action_key(loaded)
            log = await self._heads.log(request.contact_id, first, last) if first <= last else ()
        asked = rules.asked(read.head, request, request_id, now_ms, log)
        # Outcomes first: when this execution is killed in between, the next request says the same again.
        await self._heads.settle(request.contact_id, asked.outcomes)
        return await self._heads.replace(read, asked.head)
