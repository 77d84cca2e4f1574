"""Blocking calls in threads: what is slow keeps only its own kind waiting."""

from __future__ import annotations

import asyncio
import threading

import pytest

from contract.errors import AllThreadsBusy
from contract.running import Threads

pytestmark = pytest.mark.wall_clock


async def test_who_waits_for_something_slow_keeps_nobody_else_waiting() -> None:
    slow, other = Threads("slow", 1), Threads("other", 1)
    released = threading.Event()
    waiting = [asyncio.create_task(slow(released.wait)) for _ in range(3)]
    assert await other(lambda: 7) == 7
    assert not any(task.done() for task in waiting)
    released.set()
    assert await asyncio.gather(*waiting) == [True] * 3


async def test_a_thread_is_in_use_until_its_call_returns_whoever_waits() -> None:
    threads = Threads("functions", 2, refuses=True)
    released = threading.Event()
    waiting = [asyncio.create_task(threads(released.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    with pytest.raises(AllThreadsBusy) as busy:
        await threads(lambda: 7)
    assert str(busy.value) == "all 2 threads for functions are waiting for an answer"
    released.set()
    assert await waiting[1]
    assert await threads(lambda: 7) == 7


async def test_what_is_raised_in_a_thread_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        await Threads("any", 1)(lambda: 1 // 0)
