"""Corners of the jumping clock; its plain use is in tests/test_jumping.py."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from contract.clock import LoopClock
from simulator import jumping


def test_a_task_that_goes_on_without_time_passing_is_reported_and_cleaned_up() -> None:
    cleaned: list[str] = []

    async def spin() -> None:
        try:
            while True:
                await asyncio.sleep(0)
        finally:
            await asyncio.sleep(0)
            cleaned.append("spin")

    with pytest.raises(jumping.Spinning, match=r"20000 rounds of the event loop at 0\.000 s"):
        jumping.run(spin())
    assert cleaned == ["spin"]


def test_who_waits_for_ever_is_cleaned_up() -> None:
    cleaned: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await asyncio.sleep(5)
            cleaned.append("wait")

    with pytest.raises(jumping.Stalled):
        jumping.run(wait())
    assert cleaned == ["wait"]


def test_a_result_and_an_error_come_through() -> None:
    async def fail() -> None:
        await asyncio.sleep(1)
        raise ValueError("planted")

    async def give() -> int:
        await asyncio.sleep(1)
        return 7

    assert jumping.run(give()) == 7
    with pytest.raises(ValueError, match="planted"):
        jumping.run(fail())


async def test_timers_fire_in_order_and_on_their_millisecond() -> None:
    clock = LoopClock(0)
    fired: list[tuple[int, int]] = []

    async def at(ms: int) -> None:
        await asyncio.sleep(ms / 1000)
        fired.append((ms, clock.now_ms()))

    async with asyncio.TaskGroup() as tasks:
        for ms in (300, 100, 7, 3_600_000, 200, 1):
            tasks.create_task(at(ms))
    assert fired == [(ms, ms) for ms in (1, 7, 100, 200, 300, 3_600_000)]


async def test_many_small_steps_stay_on_their_milliseconds() -> None:
    clock = LoopClock(0)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for step in range(1, 10_001):
        await asyncio.sleep(max(0.0, begun + step * 0.02 - loop.time()))
        assert clock.now_ms() == step * 20


async def test_a_wait_until_a_deadline_does_not_come_back_too_early() -> None:
    loop = asyncio.get_running_loop()
    for step in range(1, 2_000):
        deadline = step * 0.1
        await asyncio.sleep(deadline - loop.time())
        assert loop.time() >= deadline


async def _fails() -> None:
    raise ValueError("planted")


async def _a_callback() -> None:
    asyncio.get_running_loop().call_soon(_raises)
    await asyncio.sleep(0.01)


def _raises() -> None:
    raise ValueError("planted")


async def _a_done_callback() -> None:
    task = asyncio.create_task(asyncio.sleep(0))
    task.add_done_callback(lambda _: _raises())
    await asyncio.sleep(0.01)


async def _a_task_that_is_gone() -> None:
    asyncio.create_task(_fails())  # noqa: RUF006  that nobody keeps it is the case
    await asyncio.sleep(0.01)


async def _a_task_that_is_kept() -> None:
    """By somebody who outlives the loop: asyncio never tells of it."""
    _KEPT.append(asyncio.create_task(_fails()))
    await asyncio.sleep(0.01)


async def _a_future() -> None:
    asyncio.get_running_loop().create_future().set_exception(ValueError("planted"))


_KEPT: list[asyncio.Task[None]] = []
_LOOPS = (jumping.JumpingEventLoop, asyncio.new_event_loop, uvloop.new_event_loop)


@pytest.mark.parametrize("loop", _LOOPS)
@pytest.mark.parametrize(
    "untaken", [_a_callback, _a_done_callback, _a_task_that_is_gone, _a_task_that_is_kept, _a_future]
)
def test_an_exception_that_nobody_took_fails_what_ran(
    untaken: Callable[[], Coroutine[Any, Any, None]], loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def also_fails() -> None:
        await untaken()
        raise OSError("its own")

    with pytest.raises(jumping.NobodyTook, match="1 exceptions reached nobody") as caught:
        jumping.run(untaken(), loop)
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(OSError, match="its own") as other:
        jumping.run(also_fails(), loop)
    assert "1 exceptions reached nobody" in other.value.__notes__[0]


def test_an_exception_that_is_asked_for_late_was_taken() -> None:
    async def ask() -> str:
        task = asyncio.create_task(_fails())
        await asyncio.sleep(10)
        (error,) = await asyncio.gather(task, return_exceptions=True)
        return str(error)

    assert jumping.run(ask()) == "planted"
