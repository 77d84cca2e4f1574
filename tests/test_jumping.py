"""The jumping clock."""

import asyncio

import pytest

from contract.clock import LoopClock, SystemClock
from simulator import jumping


async def test_an_hour_passes_at_once() -> None:
    clock = LoopClock(1_000_000)
    await asyncio.sleep(3600)
    assert clock.now_ms() == 1_000_000 + 3_600_000


def test_a_task_left_behind_fails_the_run() -> None:
    async def main() -> None:
        main.task = asyncio.create_task(asyncio.sleep(1))  # type: ignore[attr-defined]

    with pytest.raises(jumping.LeakedTasks, match="1 tasks were left behind"):
        jumping.run(main())


def test_waiting_for_what_never_comes_is_reported() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(jumping.Stalled):
        jumping.run(main())


@pytest.mark.wall_clock
async def test_the_system_clock_never_goes_back() -> None:
    clock = SystemClock()
    first = clock.now_ms()
    await asyncio.sleep(0.002)
    assert clock.now_ms() > first
