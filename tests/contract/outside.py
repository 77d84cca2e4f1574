"""Blocking calls to an AWS that lives in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def outside(blocking: Callable[[], T], /) -> T:
    """Call at once, out of sight of the guard against blocking calls: moto and botocore read files of their own."""
    loop = asyncio.get_running_loop()
    asyncio._set_running_loop(None)
    try:
        return blocking()
    finally:
        asyncio._set_running_loop(loop)
