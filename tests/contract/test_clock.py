from __future__ import annotations

import asyncio
import time

from contract.clock import LoopClock, SystemClock


def test_the_system_clock_tells_the_time_and_never_goes_back() -> None:
    clock = SystemClock()
    assert abs(clock.now_ms() - time.time() * 1000) < 1000
    times = [clock.now_ms() for _ in range(100)]
    assert times == sorted(times)


async def test_the_loops_clock_follows_a_loop_that_jumps() -> None:
    clock = LoopClock(1_800_000_000_000)
    await asyncio.sleep(3600)
    assert clock.now_ms() == 1_800_003_600_000


async def test_milliseconds_add_up_without_float_errors() -> None:
    clock = LoopClock(0)
    for number in range(1, 1001):
        await asyncio.sleep(0.001)
        assert clock.now_ms() == number
