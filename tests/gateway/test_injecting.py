"""What is brought in from outside is delivered in order, once, and marked."""

from __future__ import annotations

import asyncio

from contract.call import LEASE_MS, Lease
from contract.errors import StoreUnavailable
from contract.injections import Injection, Kind
from contract.memory import MemoryStore
from gateway.injecting import Injections
from tests.contract.samples import CONTACT, T0, a_call


class Flaky(MemoryStore):
    """Fails once at each of the two operations."""

    def __init__(self) -> None:
        super().__init__()
        self.failing = {"injections", "injected"}

    def _check(self, operation: str) -> None:
        if operation in self.failing:
            self.failing.discard(operation)
            raise StoreUnavailable(operation, "Throttled")

    async def injections(self, contact_id: str, after: int) -> list[Injection]:
        self._check("injections")
        return list(await super().injections(contact_id, after))

    async def injected(self, lease: Lease, number: int) -> None:
        self._check("injected")
        await super().injected(lease, number)


async def test_each_is_delivered_in_order_and_marked_though_the_store_fails() -> None:
    store, delivered = Flaky(), list[str]()
    await store.create_call(a_call())
    await store.inject(CONTACT, Kind.NOTE, "one", T0)
    lease, head = await store.take(CONTACT, "g1", T0, LEASE_MS)
    injections = Injections(store, lease, head, lambda each: delivered.append(each.text))
    running = asyncio.create_task(injections.run())
    await asyncio.sleep(3)
    await store.inject(CONTACT, Kind.SAY, "two", T0)
    injections.saw(await store.head(CONTACT))
    injections.saw(head)
    await asyncio.sleep(3)
    running.cancel()
    assert delivered == ["one", "two"]
    after = await store.head(CONTACT)
    assert (after.injections, after.injected) == (2, 2)
    later = Injections(store, lease, after, lambda each: None)
    assert await later.earlier_notes() == ["one"]
    assert await injections.earlier_notes() == ["one"]


async def test_a_call_without_any_reads_nothing() -> None:
    store = Flaky()
    await store.create_call(a_call())
    lease, head = await store.take(CONTACT, "g1", T0, LEASE_MS)
    assert await Injections(store, lease, head, lambda each: None).earlier_notes() == []
    assert "injections" in store.failing
