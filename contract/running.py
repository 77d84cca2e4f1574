"""Ways to make a blocking boto3 call from a coroutine.

A Lambda serves one request at a time, so it calls inline; the gateway has hundreds of calls on one event loop
and moves each boto3 call to a thread. boto3 clients may be shared between threads (boto3 guide, Clients).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from contract.errors import AllThreadsBusy

T = TypeVar("T")


class Run(Protocol):
    """Runs a blocking function and returns its result."""

    def __call__(self, blocking: Callable[[], T], /) -> Awaitable[T]: ...


async def inline(blocking: Callable[[], T], /) -> T:
    """In the event loop's own thread: for a Lambda."""
    return blocking()


async def in_thread(blocking: Callable[[], T], /) -> T:
    """In a thread of the loop's default executor: for the gateway."""
    return await asyncio.to_thread(blocking)


class Threads:
    """A Run with threads of its own: what is slow there keeps nobody else waiting.

    A thread is in use until its call returns, also when nobody waits for it any more. With `refuses`, a call that no
    thread is free for is refused instead of waiting for one.
    """

    def __init__(self, name: str, most: int, *, refuses: bool = False) -> None:
        self._name = name
        self._most = most
        self._refuses = refuses
        self._pool = ThreadPoolExecutor(most, thread_name_prefix=name)
        self._running: set[Future[Any]] = set()

    async def __call__(self, blocking: Callable[[], T], /) -> T:
        """Raises AllThreadsBusy."""
        if self._refuses:
            self._running = {future for future in self._running if not future.done()}
            if len(self._running) >= self._most:
                raise AllThreadsBusy(self._name, self._most)
        future = self._pool.submit(blocking)
        if self._refuses:
            self._running.add(future)
        return await asyncio.wrap_future(future)
