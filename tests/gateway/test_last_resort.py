"""A caller whose call cannot be served goes to a human, and nobody else takes the call meanwhile."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from contract.actions import Outcome, Request, Transfer
from contract.call import LEASE_MS, Call, CallState, FlowForm, Head, Lease, Result
from contract.clock import LoopClock
from contract.errors import StoreUnavailable
from contract.memory import MemoryStore
from contract.turns import Turn
from gateway.facilities import Facilities
from gateway.last_resort import MOST_WAIT_S, hand_over
from tests.contract.samples import CONTACT, T0, a_call


class Patchy(MemoryStore):
    """Some operations fail so often."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = {"turns": 0, "renew": 0, "head": 0}
        self.after_the_end = 0

    def _check(self, operation: str) -> None:
        if self.fails[operation]:
            self.fails[operation] -= 1
            raise StoreUnavailable(operation, "Throttled")

    async def turns(self, contact_id: str) -> Sequence[Turn]:
        self._check("turns")
        return await super().turns(contact_id)

    async def head(self, contact_id: str) -> Head:
        self._check("head")
        return await super().head(contact_id)

    async def end(self, lease: Lease, result: Result, reason: str, now_ms: int) -> None:
        await super().end(lease, result, reason, now_ms)
        self.fails["head"] = self.after_the_end

    async def renew(self, lease: Lease, now_ms: int, lease_ms: int, start_delay_ms: int) -> Head:
        self._check("renew")
        return await super().renew(lease, now_ms, lease_ms, start_delay_ms)


class Clips:
    """A leg that is made for no more than to remove what those before have left."""

    def __init__(self, closed: list[int], lease: Lease, head: Head, call: Call) -> None:
        assert (head.owner, head.epoch, head.contact_id) == (lease.owner, lease.epoch, call.contact_id)
        assert head.state is CallState.ENDED
        self._closed = closed
        self._lease = lease

    async def close(self) -> None:
        self._closed.append(self._lease.epoch)


class Bench:
    """A call that broke `left_s` before the end of its lease."""

    def __init__(self) -> None:
        self.store, self.clock = Patchy(), LoopClock(T0)
        self.hung_up = asyncio.Event()
        self.closed: list[int] = []
        nothing: Any = None
        open_leg: Any = functools.partial(Clips, self.closed)
        self.facilities = Facilities(self.store, self.clock, nothing, nothing, open_leg, {}, {}, lambda: 0.5)

    async def breaks(self, left_s: float, form: FlowForm = FlowForm.POLLING) -> asyncio.Task[None]:
        await self.store.create_call(replace(a_call(), form=form))
        lease, _ = await self.store.take(CONTACT, "gateway-1", self.clock.now_ms(), LEASE_MS)
        await asyncio.sleep(LEASE_MS / 1000 - left_s)
        return asyncio.create_task(hand_over(self.facilities, lease, "gateway_error", self.hung_up.set))

    async def offer(self, request_id: str = "r1") -> bool:
        await self.store.asked(Request(CONTACT, 1), request_id, self.clock.now_ms())
        return await self.store.offer(CONTACT, request_id, 1, self.clock.now_ms(), final=True)

    async def free(self) -> bool:
        return bool(await self.store.expired(self.clock.now_ms()))

    async def head(self) -> Head:
        return await self.store.head(CONTACT)


@pytest.mark.parametrize("renewals_fail", [0, 1])
async def test_the_call_stays_ours_until_the_flow_has_the_transfer_and_is_closed_then(renewals_fail: int) -> None:
    bench = Bench()
    bench.store.fails["renew"] = renewals_fail
    going = await bench.breaks(left_s=2)
    for _ in range(6):
        await asyncio.sleep(0.999)
        assert not await bench.free()
        assert (await bench.head()).state is CallState.ACTIVE
    assert await bench.offer()
    await asyncio.sleep(1.1)
    assert going.done()
    head = await bench.head()
    assert (head.state, head.result, head.reason) == (CallState.ENDED, Result.FAILED, "gateway_error")
    [line] = await bench.store.actions_after(CONTACT, 0)
    assert line.outcome is Outcome.COMPLETED


async def test_the_line_ends_as_soon_as_the_transfer_is_there_and_not_before() -> None:
    """A flow that has transferred its caller over SIP asks for nothing until they are back."""
    bench = Bench()
    going = await bench.breaks(left_s=7)
    await bench.hung_up.wait()
    assert len(await bench.store.actions_after(CONTACT, 0)) == 1
    assert bench.clock.now_ms() == T0 + LEASE_MS - 7000
    await bench.offer()
    await going


async def test_a_flow_that_does_not_ask_is_waited_for_so_long_and_no_longer() -> None:
    bench = Bench()
    going = await bench.breaks(left_s=2)
    await asyncio.sleep(MOST_WAIT_S + 0.1)
    assert going.done()
    assert (await bench.head()).state is CallState.ENDED


async def test_a_caller_who_has_hung_up_is_not_waited_for() -> None:
    bench = Bench()
    going = await bench.breaks(left_s=2)
    await bench.store.disconnected(CONTACT, bench.clock.now_ms())
    await asyncio.sleep(1.1)
    assert going.done()
    assert (await bench.head()).state is CallState.ENDED


async def test_without_the_conversation_a_human_gets_the_reason() -> None:
    bench = Bench()
    bench.store.fails["turns"] = 1
    going = await bench.breaks(left_s=7)
    await asyncio.sleep(0.1)
    [line] = await bench.store.actions_after(CONTACT, 0)
    assert isinstance(line.action, Transfer)
    assert line.action.handover["va_reason"] == "gateway_error"
    await bench.offer()
    await going


async def test_who_has_lost_the_call_leaves_it_alone() -> None:
    bench = Bench()
    going = await bench.breaks(left_s=0)
    await bench.store.take(CONTACT, "gateway-2", bench.clock.now_ms(), LEASE_MS)
    await going
    assert (await bench.head()).owner == "gateway-2"
    assert await bench.store.actions_after(CONTACT, 0) == []
    assert bench.closed == []


@pytest.mark.parametrize(
    ("form", "closed"), [(FlowForm.POLLING, [1]), (FlowForm.INTERRUPTIBLE, [1]), (FlowForm.SIP, [])]
)
async def test_what_those_before_have_left_is_removed(form: FlowForm, closed: list[int]) -> None:
    bench = Bench()
    going = await bench.breaks(left_s=7, form=form)
    await asyncio.sleep(0.1)
    await bench.offer()
    await going
    assert bench.closed == closed


async def test_of_a_call_that_cannot_be_read_the_bucket_removes_it() -> None:
    bench = Bench()
    bench.store.after_the_end = 1
    going = await bench.breaks(left_s=7)
    await asyncio.sleep(0.1)
    await bench.offer()
    await going
    assert bench.store.fails["head"] == 0
    assert bench.closed == []
