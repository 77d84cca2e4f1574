"""Where a call's fragments come from: the seam between reading and GetMedia, and the loop over it.

`GetMediaSource` is the real thing; tests and the simulator give bytes from memory, on a clock that jumps.
"""

from __future__ import annotations

import asyncio
import random as chance
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

import structlog

from contract.call import MediaStream
from contract.clock import Clock
from gateway.legs.kvs.blocks import CallerBlock, ContactEnded
from gateway.legs.kvs.errors import (
    Cause,
    ElementTooLarge,
    MatroskaError,
    ReadingGivenUp,
    ReadingStopped,
    StreamFailed,
)
from gateway.legs.kvs.fragments import FragmentReader
from gateway.legs.kvs.reconnect import GiveUp, ReconnectPolicy, StartSelector, Stopped
from gateway.telemetry.bounds import Bound, reached

log = structlog.get_logger(__name__)

OPEN_TIMEOUT_S = 10.0
"""GetDataEndpoint and GetMedia, each with its own time-outs of 3 s to connect and 3 s to answer."""
IDLE_TIMEOUT_S = 3.5
"""A source ends by itself after 3 s without a byte; this is for one that does not."""
CLOSE_TIMEOUT_S = 1.0


class MediaBody(Protocol):
    """The answer to one GetMedia."""

    async def read(self) -> bytes:
        """The next bytes as soon as there are any; b"" when the body has ended.

        Raises:
            ReadingStopped: it cannot be read any more.
        """
        ...

    async def close(self) -> None:
        """Stop reading; may be called at any time, and again."""
        ...


class MediaSource(Protocol):
    """One Kinesis video stream."""

    async def open(self, selector: StartSelector) -> MediaBody:
        """Ask for media from `selector` on.

        Raises:
            ReadingStopped: the request failed.
        """
        ...


async def caller_blocks(
    source: MediaSource,
    media: MediaStream,
    contact_id: str,
    clock: Clock,
    *,
    fragments: FragmentReader | None = None,
    random: Callable[[], float] = chance.random,
) -> AsyncGenerator[CallerBlock | ContactEnded, None]:
    """Both directions of our contact, in the order of the stream, over as many GetMedia sessions as it takes.

    Ends after ContactEnded. Iterate within `contextlib.aclosing`, so that the open body is closed at once.
    Pass `fragments` to see its counters and to tell it `contact_may_have_ended()`.

    Raises:
        ReadingGivenUp: the policy's patience is over.
    """
    reader = fragments or FragmentReader(contact_id)
    policy = ReconnectPolicy(media.start_timestamp_ms, random)
    selector = policy.first()
    while True:
        opened_at_ms = clock.now_ms()
        stopped = Stopped(Cause.BODY_ENDED, opened_at_ms)
        try:
            body = await _open(source, selector)
            try:
                while data := await _read(body):
                    for block in reader.feed(data):
                        yield block
                    if reader.ended:
                        return
            finally:
                await _close(body, contact_id)
        except ReadingStopped as error:
            stopped = Stopped(error.cause, opened_at_ms)
        except StreamFailed as error:
            stopped = Stopped(Cause.IN_BAND, opened_at_ms, error.error_id)
            log.warning("getmedia_error_in_band", contact=contact_id, error_id=error.error_id, code=error.code)
        except MatroskaError as error:
            stopped = Stopped(Cause.CORRUPT, opened_at_ms)
            if isinstance(error, ElementTooLarge):
                reached(Bound.MATROSKA)
            log.warning("getmedia_corrupt", contact=contact_id, error=str(error))
        decision = policy.next(stopped, reader.position, clock.now_ms())
        if isinstance(decision, GiveUp):
            log.error("getmedia_given_up", contact=contact_id, reason=decision.reason, attempts=decision.attempts)
            raise ReadingGivenUp(decision.reason, decision.attempts)
        selector = decision.selector
        log.info("getmedia_reopen", contact=contact_id, cause=stopped.cause, start=selector.kind)
        reader.restart()
        await asyncio.sleep(decision.delay_ms / 1000)


async def _open(source: MediaSource, selector: StartSelector) -> MediaBody:
    try:
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            return await source.open(selector)
    except TimeoutError:
        raise ReadingStopped(Cause.UNREACHABLE, "no answer in time") from None


async def _read(body: MediaBody) -> bytes:
    try:
        async with asyncio.timeout(IDLE_TIMEOUT_S):
            return await body.read()
    except TimeoutError:
        raise ReadingStopped(Cause.IDLE, "no byte in time") from None


async def _close(body: MediaBody, contact_id: str) -> None:
    """A body that does not close in time is left to its own end: its thread is bounded by time-outs."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await body.close()
    except TimeoutError:
        log.warning("getmedia_close_timeout", contact=contact_id)
