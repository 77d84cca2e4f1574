"""A call is ours as soon as the table has written so, whatever became of the answer."""

from __future__ import annotations

from typing import Any

import pytest

from contract.call import LEASE_MS, Lease
from contract.clock import LoopClock
from contract.errors import CallTaken, StoreUnavailable
from contract.memory import MemoryStore
from contract.store import GatewayStore
from gateway.facilities import Facilities
from gateway.taking import LOOK_S, take
from tests.contract.faults import Failing, Unanswered
from tests.contract.samples import CONTACT, T0, a_call


def facilities(store: GatewayStore, clock: LoopClock) -> Facilities:
    nothing: Any = None
    return Facilities(store, clock, nothing, nothing, nothing, {}, {}, lambda: 0.5)


async def recorded() -> MemoryStore:
    store = MemoryStore()
    await store.create_call(a_call())
    return store


@pytest.mark.parametrize("reads_fail", [0, 2])
async def test_what_was_written_without_an_answer_is_ours(reads_fail: int) -> None:
    store = await recorded()
    lossy = Failing(Unanswered(store, {"take": 1}).store(), {"head": reads_fail}).store()
    lease, head = await take(facilities(lossy, LoopClock(T0)), "g1", CONTACT)
    assert (lease, head) == (Lease(CONTACT, "g1", 1), await store.head(CONTACT))
    await store.renew(lease, T0, LEASE_MS, 400)


async def test_what_was_not_written_is_left_to_others() -> None:
    store = await recorded()
    with pytest.raises(StoreUnavailable):
        await take(facilities(Failing(store, {"take": 1}).store(), LoopClock(T0)), "g1", CONTACT)
    await store.take(CONTACT, "g2", T0, LEASE_MS)


async def test_what_another_one_has_got_meanwhile_is_theirs() -> None:
    store = await recorded()
    await store.take(CONTACT, "g2", T0, LEASE_MS)
    with pytest.raises(StoreUnavailable):
        await take(facilities(Failing(store, {"take": 1}).store(), LoopClock(T0)), "g1", CONTACT)
    with pytest.raises(CallTaken):
        await take(facilities(store, LoopClock(T0)), "g1", CONTACT)


async def test_a_call_of_ours_that_is_no_longer_served_is_not_taken_for_a_new_one() -> None:
    """Its lease is another one: an earlier gateway of the same name left it behind a moment ago."""
    store, clock = await recorded(), LoopClock(T0)
    await store.take(CONTACT, "g1", T0 - 1, LEASE_MS)
    with pytest.raises(StoreUnavailable):
        await take(facilities(Failing(store, {"take": 1}).store(), clock), "g1", CONTACT)


async def test_a_table_that_stays_away_is_not_waited_for_as_long_as_a_lease() -> None:
    store, clock = await recorded(), LoopClock(T0)
    away = Failing(Unanswered(store, {"take": 1}).store(), {"head": 1000}).store()
    with pytest.raises(StoreUnavailable):
        await take(facilities(away, clock), "g1", CONTACT)
    assert clock.now_ms() == T0 + LOOK_S * 1000
