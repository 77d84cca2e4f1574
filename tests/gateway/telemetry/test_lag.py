from __future__ import annotations

import asyncio

from gateway.telemetry.lag import KEPT, LoopLag


def test_nothing_measured_is_no_lag() -> None:
    assert LoopLag().p99_ms == 0.0


async def test_a_loop_that_keeps_up_has_no_lag() -> None:
    lag = LoopLag()
    task = asyncio.create_task(lag.run())
    await asyncio.sleep(120)
    task.cancel()
    assert abs(lag.p99_ms) < 0.01


def test_one_in_a_hundred_may_be_later() -> None:
    lag = LoopLag()
    for late in range(KEPT + 100):
        lag._late_ms.append(float(late))
    assert lag.p99_ms == 100 + KEPT * 0.99
