"""Heads in the table, each read with its revision and written on condition that it still has it.

Every change of a head reads it consistently, applies a rule of `contract.rules`, and writes the difference on
condition that the item's revision (`rev`) is still the one that was read; a conflict is tried again from the
start. The epoch is part of what is read, so that no owner writes after it lost the call. `written_by` is a random
word of each write: when botocore repeats a write whose answer got lost, the failed condition shows our own word.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from contract import items, rules, table
from contract.actions import Numbered, Outcome
from contract.call import Head, Lease
from contract.clock import Clock
from contract.errors import CallNotFound, StoreUnavailable
from contract.tableio import Conflict, Refused, Table

T = TypeVar("T")

ATTEMPTS = 12  # for conflicts; they last milliseconds
MOST_KEPT = 1000  # calls of one process, the newest: what is written after that expires as the deployment says


@dataclass(frozen=True, slots=True)
class Read:
    """A head as it was read, with the revision that a write depends on."""

    head: Head
    rev: int


class Heads:
    """The heads of calls, and writes that depend on one. `retention_s` is how long after it was written an item may
    be deleted (TTL).

    Every method raises StoreUnavailable when AWS fails for good or others write at the same moment all the time.
    """

    def __init__(self, of_table: Table, retention_s: int, clock: Clock) -> None:
        self._table = of_table
        self._retention_s = retention_s
        self._kept: dict[str, int] = {}  # seconds by contact, of calls whose agents say otherwise
        self._clock = clock

    def keep(self, contact_id: str, seconds: int) -> None:
        """From now on what is written of this call expires after `seconds`."""
        self._kept[contact_id] = seconds
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]

    async def read(self, contact_id: str) -> Read:
        """The head as it is now. Raises CallNotFound."""
        values = await self._table.get(contact_id, table.HEAD)
        if values is None:
            raise CallNotFound(contact_id)
        rev = values.get("rev")
        return Read(items.from_plain(Head, values, "head"), rev if isinstance(rev, int) else 0)

    async def log(self, contact_id: str, first: str = table.ACTIONS, last: str = table.ACTIONS + "~") -> list[Numbered]:
        """The actions of a call between two sort keys, in their order."""
        found = await self._table.between(contact_id, first, last)
        return [items.numbered_from_plain(values, "action") for values in found]

    async def until_settled(self, operation: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """The answer of `attempt`, which is made again as long as others write at the same moment."""
        for number in range(ATTEMPTS):
            try:
                return await attempt()
            except Conflict:
                await asyncio.sleep(random.uniform(0.002, 0.01) * min(2**number, 16))
        raise StoreUnavailable(operation, "Conflict")

    async def change(self, contact_id: str, step: Callable[[Head], Head]) -> Head:
        """Write what `step` makes of the head. Raises CallNotFound, and what `step` raises."""

        async def attempt() -> Head:
            read = await self.read(contact_id)
            return await self.replace(read, step(read.head))

        return await self.until_settled("change of a head", attempt)

    async def replace(self, read: Read, head: Head) -> Head:
        """Write `head` in place of what was read. Raises Conflict."""
        if head != read.head:
            await self._table.update(*self._difference(read, head))
        return head

    async def begin(self, head: Head, facts: dict[str, Any]) -> Head:
        """Write the first head of a contact. Raises Conflict."""
        put = self.put(head.contact_id, table.HEAD, {**items.to_plain(head), **_index(head), "rev": 1})
        put["ConditionExpression"] = "attribute_not_exists(pk)"
        await self.transact([{"Put": put}, facts])
        return head

    async def settle(self, contact_id: str, outcomes: Mapping[int, Outcome]) -> None:
        """Write outcomes of actions, one at a time; an outcome that says more already stays."""
        for seq, outcome in outcomes.items():
            await self._table.update_if(self._outcome_update(contact_id, seq, outcome))

    async def close(
        self, read: Read, head: Head, outcomes: Mapping[int, Outcome] | None = None, *more: dict[str, Any]
    ) -> None:
        """Write a head and the outcomes of everything that has none, in one transaction. Raises Conflict."""
        contact_id = head.contact_id
        if outcomes is None:
            outcomes = rules.closing(head, await self.log(contact_id))
        room = table.TRANSACTION_ITEMS - 1 - len(more)
        first, rest = dict(list(outcomes.items())[:room]), dict(list(outcomes.items())[room:])
        if head != read.head:
            updates = [{"Update": self._outcome_update(contact_id, *outcome)} for outcome in first.items()]
            await self.transact([{"Update": self.update(read, head)}, *more, *updates])
        else:
            await self.settle(contact_id, first)
        await self.settle(contact_id, rest)

    async def transact(self, writes: Sequence[dict[str, Any]]) -> None:
        """A transaction whose conditions hold unless somebody wrote since we read. Raises Conflict."""
        try:
            await self._table.transact(writes)
        except Refused as refused:
            raise Conflict from refused

    async def fenced(self, lease: Lease, write: dict[str, Any]) -> bool:
        """Write as the owner; False when the write's own condition refused. Raises LeaseLost, CallNotFound,
        Conflict."""
        check = table.fence(self._table.name, lease.contact_id, lease.epoch, lease.owner)
        try:
            await self._table.transact([{"ConditionCheck": check}, write])
        except Refused as refused:
            if 0 not in refused.positions:
                return False
            rules.fence((await self.read(lease.contact_id)).head, lease)
            raise Conflict from refused
        return True

    def put(self, pk: str, sk: str, values: Mapping[str, items.Plain]) -> dict[str, Any]:
        """A whole item that expires when its call does: a part of a transaction."""
        expires_at = self._clock.now_ms() // 1000 + self._kept.get(pk, self._retention_s)
        item = {**values, "pk": pk, "sk": sk, table.TTL: expires_at}
        return {"TableName": self._table.name, "Item": items.to_attributes(item)}

    def _outcome_update(self, contact_id: str, seq: int, outcome: Outcome) -> table.Update:
        allowed = tuple(before.value for before in rules.may_overwrite(outcome))
        key = table.key(contact_id, table.action_key(seq))
        return table.update(self._table.name, key, {"outcome": outcome.value}, {"outcome": allowed})

    def update(self, read: Read, head: Head) -> table.Update:
        """What changed in a head, on condition that it is as it was read: a part of a transaction."""
        return self._difference(read, head)[0]

    def _difference(self, read: Read, head: Head) -> tuple[table.Update, str]:
        """The same, and the word that marks this write."""
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
