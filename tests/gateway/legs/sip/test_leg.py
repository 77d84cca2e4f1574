"""The leg on a line without sockets: what the scenarios do not time so finely."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from contract.actions import Action, End, Say, Transfer
from contract.call import LEASE_MS, Call, FlowForm, Lease
from contract.clock import LoopClock
from contract.memory import MemoryStore
from gateway.legs.leg import FlowTook, Handover, LegEvent, Question
from gateway.legs.sip.leg import SipLeg
from gateway.legs.sip.playout import Playout
from gateway.legs.sip.rtp import Outgoing
from gateway.legs.sip.sdp import Agreed, Direction
from gateway.legs.sip.services import SipServices
from gateway.legs.sip.stream import Stream
from tests.contract.samples import CONTACT, T0, a_call

AGREED = Agreed("192.0.2.10", 6000, 0, False, 101, Direction.BOTH, 0)
APPEND_S = 3.0
ORDERS = Handover("orders", "arn:orders", "transfer_to_human", {})
SUPPORT = Handover("support", "arn:support", "transfer_to_human", {})


class SlowStore(MemoryStore):
    """A table that writes at once and answers late."""

    async def append(self, lease: Lease, action: Action, now_ms: int) -> int:
        seq = await super().append(lease, action, now_ms)
        await asyncio.sleep(APPEND_S)
        return seq


@dataclass
class Line:
    """As the leg has it; nobody is at its other end."""

    stream: Stream
    record: str = "{}"
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def start(self, beat: Callable[[int], None]) -> None:
        """It never beats: no test here listens."""

    def send(self, packet: bytes) -> None:
        raise AssertionError(packet)

    async def ended(self) -> str:
        await self.over.wait()
        return "hung_up"

    def hang_up(self) -> None:
        self.over.set()

    def close(self) -> None:
        assert self.over.is_set()


@dataclass
class Played:
    leg: SipLeg
    line: Line
    store: MemoryStore

    async def actions(self) -> tuple[list[str], int]:
        """The queues of all transfers in the log, and up to which sequence they are cancelled."""
        log = await self.store.actions_after(CONTACT, 0)
        head = await self.store.head(CONTACT)
        return [each.action.queue for each in log if isinstance(each.action, Transfer)], head.cancelled_up_to

    async def event(self, kind: type[LegEvent]) -> LegEvent:
        while not isinstance(event := await self.leg.next_event(), kind):
            continue
        return event


@asynccontextmanager
async def playing(agreed: Agreed = AGREED) -> AsyncIterator[Played]:
    """A leg that runs, until the end of the test."""
    clock, store = LoopClock(T0), SlowStore()
    await store.create_call(replace(a_call(), form=FlowForm.SIP))
    lease, head = await store.take(CONTACT, "gateway", T0, LEASE_MS)
    line = Line(Stream(agreed, Playout(), Outgoing(9, 0, 0, 0), T0))

    async def opening(url: str) -> bytes:
        return b""

    async def pass_on(call: Call, question: Question, digits: str) -> str:
        raise AssertionError(question)

    services = SipServices(store, clock, lambda contact_id: line, opening, pass_on)
    leg = SipLeg(services, lease, head, await store.call(CONTACT))
    running = asyncio.create_task(leg.run())
    try:
        yield Played(leg, line, store)
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_a_transfer_that_is_taken_back_while_it_is_written_is_cancelled_and_the_call_goes_on() -> None:
    async with playing() as it:
        it.leg.transfer(ORDERS)
        await asyncio.sleep(APPEND_S / 2)
        it.leg.withdraw()
        await asyncio.sleep(2 * APPEND_S)
        assert not it.line.over.is_set()
        assert await it.actions() == (["orders"], 1)
        it.leg.transfer(SUPPORT)
        await it.event(FlowTook)
        assert it.line.over.is_set()
        assert await it.actions() == (["orders", "support"], 1)


async def test_what_is_decided_instead_while_it_is_written_is_what_happens() -> None:
    async with playing() as it:
        it.leg.transfer(ORDERS)
        await asyncio.sleep(APPEND_S / 2)
        it.leg.withdraw()
        it.leg.transfer(SUPPORT)
        await it.event(FlowTook)
        assert await it.actions() == (["orders", "support"], 1)


@pytest.mark.parametrize("goodbye", ["Goodbye.", ""])
async def test_the_flow_says_goodbye_when_it_has_the_caller_back(goodbye: str) -> None:
    """Its own voice, which the line here does not have."""
    async with playing() as it:
        it.leg.hang_up("goodbye", goodbye)
        it.leg.hang_up("too late", "Too late.")
        await it.event(FlowTook)
        log = [each.action for each in await it.store.actions_after(CONTACT, 0)]
        assert log == [*([Say(goodbye)] if goodbye else []), End("goodbye")]


async def test_what_is_decided_instead_of_an_end_has_no_goodbye() -> None:
    async with playing() as it:
        it.leg.hang_up("goodbye", "Goodbye.")
        it.leg.withdraw()
        it.leg.transfer(ORDERS)
        await it.event(FlowTook)
        assert [type(each.action) for each in await it.store.actions_after(CONTACT, 0)] == [Transfer]


async def test_a_transfer_that_the_flow_may_have_is_not_taken_back() -> None:
    async with playing() as it:
        it.leg.transfer(ORDERS)
        await it.event(FlowTook)
        it.leg.withdraw()
        await asyncio.sleep(APPEND_S)
        assert await it.actions() == (["orders"], 0)
