"""Two ways to make a blocking boto3 call from a coroutine.

A Lambda serves one request at a time, so it calls inline; the gateway has hundreds of calls on one event loop
and moves each boto3 call to a thread. boto3 clients may be shared between threads (boto3 guide, Clients).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

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
