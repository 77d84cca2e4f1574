"""What a call leaves behind is removed where it is lost or given away; whatever comes of that, the service goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

from contract.errors import LeaseLost
from gateway.forsaking import LONGEST_S, served

CONTACT = "contact"


async def at_once() -> None:
    pass


async def never() -> None:
    await asyncio.Event().wait()


async def broken() -> None:
    raise ValueError("planted")


@dataclass
class Side:
    work: Callable[[], Awaitable[None]]
    forsaken: int = 0

    async def forsake(self) -> None:
        self.forsaken += 1
        await self.work()


@dataclass
class Call:
    leg: Side
    lost: bool = False
    given_away: bool = False
    contact_id: str = CONTACT

    async def run(self) -> None:
        if self.lost:
            raise LeaseLost(CONTACT, 1)


async def play(call: Call) -> list[str]:
    """Serve it; returns what was logged once all work beside it is done."""
    with capture_logs() as logs:
        async with asyncio.TaskGroup() as beside:
            try:
                await served(call, beside)
            except LeaseLost:
                assert call.lost
            else:
                assert not call.lost
            assert call.leg.forsaken == 0  # nobody has waited for it
    return [line["event"] for line in logs]


@pytest.mark.parametrize(("lost", "given_away"), [(True, False), (False, True)])
async def test_a_call_that_is_another_gateways_is_forsaken_once(lost: bool, given_away: bool) -> None:
    call = Call(Side(at_once), lost, given_away)
    assert await play(call) == []
    assert call.leg.forsaken == 1


async def test_a_call_that_is_over_is_not() -> None:
    call = Call(Side(at_once))
    await play(call)
    assert call.leg.forsaken == 0


@pytest.mark.parametrize(("work", "event"), [(broken, "side_task_broke"), (never, "clips_not_deleted")])
async def test_what_fails_in_it_is_told_and_ends_nothing(work: Callable[[], Awaitable[None]], event: str) -> None:
    began = asyncio.get_running_loop().time()
    assert await play(Call(Side(work), lost=True)) == [event]
    assert asyncio.get_running_loop().time() - began <= LONGEST_S + 1
