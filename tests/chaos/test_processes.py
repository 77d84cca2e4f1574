"""Processes on one event loop that can be frozen."""

from __future__ import annotations

import asyncio

from simulator import jumping
from tests.chaos.processes import ChaosEventLoop, Process, current


def test_a_frozen_process_takes_no_step_and_makes_up_for_it() -> None:
    async def main() -> None:
        process, steps = Process("one"), list[float]()
        loop = asyncio.get_running_loop()

        async def work() -> None:
            assert current() is process
            for _ in range(3):
                await asyncio.sleep(1)
                steps.append(loop.time())

        task = process.start(work())
        await asyncio.sleep(1.5)
        process.freeze()
        await asyncio.sleep(10)
        assert len(steps) == 1
        process.thaw()
        await task
        assert [round(at, 3) for at in steps] == [1.0, 11.5, 12.5]
        assert current() is None

    jumping.run(main(), ChaosEventLoop)


def test_a_cancellation_waits_for_the_thaw() -> None:
    async def main() -> None:
        process, cancelled = Process("one"), list[bool]()

        async def work() -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(True)
                raise

        task = process.start(work())
        await asyncio.sleep(1)
        process.kill()
        task.cancel()
        await asyncio.sleep(1)
        assert not cancelled
        process.thaw()
        await asyncio.gather(task, return_exceptions=True)
        assert cancelled

    jumping.run(main(), ChaosEventLoop)


def test_a_timer_that_was_cancelled_while_it_was_due_does_not_ring() -> None:
    async def main() -> None:
        process, rung = Process("one"), list[str]()

        async def work() -> None:
            loop = asyncio.get_running_loop()
            loop.call_later(1, rung.append, "kept")
            handles.append(loop.call_later(1, rung.append, "cancelled"))

        handles: list[asyncio.TimerHandle] = []
        await process.start(work())
        process.freeze()
        await asyncio.sleep(2)
        handles[0].cancel()
        process.thaw()
        await asyncio.sleep(0)
        assert rung == ["kept"]

    jumping.run(main(), ChaosEventLoop)


def test_a_deadline_a_hair_away_does_not_stop_time() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 1e-10
        while (left := deadline - loop.time()) > 0:
            await asyncio.sleep(left)

    jumping.run(main())
