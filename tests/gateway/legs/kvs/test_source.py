"""The loop over GetMedia sessions, with a stream in memory and a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from contract.call import MediaStream
from contract.clock import LoopClock
from gateway.legs.kvs.blocks import CallerBlock, ContactEnded
from gateway.legs.kvs.errors import Cause, ReadingGivenUp, ReadingStopped
from gateway.legs.kvs.fragments import FragmentReader
from gateway.legs.kvs.reconnect import StartAt, StartSelector
from gateway.legs.kvs.source import MediaBody, caller_blocks
from tests.gateway.legs.kvs import mkv
from tests.gateway.legs.kvs.mkv import FOREIGN, OURS, Fragment
from tests.gateway.legs.kvs.test_fragments import from_customer, samples

T0 = 1_700_000_000_000
MEDIA = MediaStream("arn:aws:kinesisvideo:eu-west-2:1:stream/s/1", T0, "100")
FRAGMENTS = mkv.stream(4)
NEXT_CALLER = FRAGMENTS[-1].at(3, contact=FOREIGN, blocks=mkv.both_tracks(first=500))
ALL = [*FRAGMENTS, NEXT_CALLER]

Step = bytes | Exception | float


class MemoryBody:
    """Gives its steps one by one: bytes, a wait in seconds, or an error; then nothing, for ever or as an end."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = list(steps)
        self.closed = 0

    async def read(self) -> bytes:
        while self._steps:
            step = self._steps.pop(0)
            if isinstance(step, bytes):
                return step
            if isinstance(step, Exception):
                raise step
            await asyncio.sleep(step)
        return b""

    async def close(self) -> None:
        self.closed += 1


class StubbornBody(MemoryBody):
    async def close(self) -> None:
        await asyncio.sleep(3600)


class MemorySource:
    """Answers each open with the next script; strict about what it is asked for."""

    def __init__(self, *scripts: MemoryBody | Exception | float) -> None:
        self._scripts = list(scripts)
        self.bodies: list[MemoryBody] = []
        self.asked: list[StartSelector] = []
        self.asked_at: list[float] = []

    async def open(self, selector: StartSelector) -> MediaBody:
        self.asked.append(selector)
        self.asked_at.append(asyncio.get_running_loop().time())
        script = self._scripts.pop(0)
        if isinstance(script, float):
            await asyncio.sleep(script)
            raise AssertionError("nobody waits so long")
        if isinstance(script, Exception):
            raise script
        self.bodies.append(script)
        return script


def body(*steps: Step | Fragment | Sequence[Fragment]) -> MemoryBody:
    plain: list[Step] = []
    for step in steps:
        if isinstance(step, Fragment):
            plain.append(step.encoded())
        elif isinstance(step, Sequence) and not isinstance(step, bytes):
            plain.extend(one.encoded() for one in step)
        else:
            plain.append(step)
    return MemoryBody(plain)


async def read_all(source: MemorySource, fragments: FragmentReader | None = None) -> list[CallerBlock | ContactEnded]:
    clock = LoopClock(T0)
    blocks = caller_blocks(source, MEDIA, OURS, clock, fragments=fragments, random=lambda: 0.5)
    async with aclosing(blocks):
        return [event async for event in blocks]


def assert_all_of_ours(events: list[CallerBlock | ContactEnded]) -> None:
    assert from_customer(events) == samples(FRAGMENTS)
    assert isinstance(events[-1], ContactEnded)


async def test_a_call_is_read_from_a_second_before_its_start_to_the_next_caller() -> None:
    source = MemorySource(body(ALL))
    assert_all_of_ours(await read_all(source))
    assert source.asked == [StartSelector(StartAt.PRODUCER_TIMESTAMP, str(T0 - 1000))]
    assert [one.closed for one in source.bodies] == [1]


async def test_an_ended_body_is_reopened_after_the_last_whole_fragment() -> None:
    cut = FRAGMENTS[2].encoded()[:5000]
    source = MemorySource(body(FRAGMENTS[:1], 3.0, FRAGMENTS[1:2], cut), body(ALL[2:]))
    assert_all_of_ours(await read_all(source))
    assert source.asked[1] == StartSelector.after("101")
    assert source.asked_at == pytest.approx([0.0, 3.0], abs=1e-3)


async def test_a_silent_body_is_left_after_three_and_a_half_seconds() -> None:
    """An idle check that compares with nothing never fires."""
    source = MemorySource(body(FRAGMENTS[:2], 3600.0), body(ALL[2:]))
    assert_all_of_ours(await read_all(source))
    assert source.asked_at == pytest.approx([0.0, 3.5], abs=1e-3)
    assert [one.closed for one in source.bodies] == [1, 1]


async def test_a_source_that_says_idle_is_reopened_at_once() -> None:
    source = MemorySource(body(FRAGMENTS[:2], 3.0, ReadingStopped(Cause.IDLE)), body(ALL[2:]))
    assert_all_of_ours(await read_all(source))
    assert source.asked_at == pytest.approx([0.0, 3.0], abs=1e-3)


async def test_a_refused_open_is_tried_again_later() -> None:
    """A retry asks again, and waits before."""
    limit = ReadingStopped(Cause.CONNECTION_LIMIT, "ConnectionLimitExceededException")
    source = MemorySource(limit, limit, body(ALL))
    assert_all_of_ours(await read_all(source))
    assert source.asked_at == pytest.approx([0.0, 0.15, 0.45], abs=1e-3)


async def test_an_open_that_nobody_answers_is_given_up_after_ten_seconds() -> None:
    source = MemorySource(3600.0, body(ALL))
    assert_all_of_ours(await read_all(source))
    assert source.asked_at == pytest.approx([0.0, 10.15], abs=1e-3)


async def test_an_error_inside_the_body_is_survived() -> None:
    failed = FRAGMENTS[2].at(0, before={"AWS_KINESISVIDEO_ERROR_ID": "5000"}, blocks=())
    source = MemorySource(body(FRAGMENTS[:2], failed), body(ALL[2:]))
    assert_all_of_ours(await read_all(source))


async def test_corrupt_bytes_are_read_again() -> None:
    source = MemorySource(body(FRAGMENTS[:2], b"\0\0\0"), body(ALL[2:]))
    assert_all_of_ours(await read_all(source))


async def test_a_body_that_does_not_close_is_left_behind() -> None:
    stubborn = StubbornBody([FRAGMENTS[0].encoded()])
    source = MemorySource(stubborn, body(ALL[1:]))
    with capture_logs() as logged:
        assert_all_of_ours(await read_all(source))
    assert [(line["event"], line["contact"]) for line in logged if line["log_level"] == "warning"] == [
        ("getmedia_close_timeout", OURS)
    ]
    assert source.asked_at == pytest.approx([0.0, 1.0], abs=1e-3)


async def test_reading_is_given_up_with_a_reason() -> None:
    denied = ReadingStopped(Cause.NOT_AUTHORIZED, "AccessDeniedException")
    with pytest.raises(ReadingGivenUp, match=r"\(not_authorized\) after 3 attempts") as caught:
        await read_all(MemorySource(denied, denied, denied))
    assert caught.value.reason == "not_authorized"


async def test_leaving_early_closes_the_body() -> None:
    """Who stops reading leaves nothing behind."""
    source = MemorySource(body(FRAGMENTS, 3600.0))
    blocks = caller_blocks(source, MEDIA, OURS, LoopClock(T0))
    async with aclosing(blocks):
        async for _ in blocks:
            break
    assert source.bodies[0].closed == 1


async def test_cancelling_a_waiting_reader_closes_the_body() -> None:
    source = MemorySource(body(3600.0))
    task = asyncio.create_task(read_all(source))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert source.bodies[0].closed == 1


async def test_the_owner_can_look_into_the_reader_and_warn_it() -> None:
    reader = FragmentReader(OURS)
    reader.contact_may_have_ended()
    events = await read_all(MemorySource(body(ALL)), reader)
    assert_all_of_ours(events)
    assert reader.counters.delivered == 128


async def test_a_call_of_one_hour_survives_its_sessions_ends() -> None:
    """Nothing breaks at 12, 15 or 45 minutes."""
    hour = [replace(one, blocks=one.blocks[:2]) for one in mkv.stream(3600)]
    steps = [[step for one in hour[at : at + 1200] for step in (one.encoded(), 1.024)] for at in (0, 1200, 2400)]
    source = MemorySource(
        *(MemoryBody(part) for part in steps[:2]), MemoryBody([*steps[2], NEXT_CALLER.at(3600).encoded()])
    )
    events = await read_all(source)
    assert len(events) == 3600 * 2 + 1
    assert [selector.kind for selector in source.asked] == [
        StartAt.PRODUCER_TIMESTAMP,
        StartAt.FRAGMENT_NUMBER,
        StartAt.FRAGMENT_NUMBER,
    ]
