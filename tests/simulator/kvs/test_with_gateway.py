"""The stand-in and the gateway's reader, who know nothing of each other, agree on a caller's audio."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

import boto3
import pytest
from botocore.exceptions import ClientError

from contract.call import MediaStream
from contract.clock import Clock, LoopClock, SystemClock
from gateway.legs.kvs.blocks import CallerBlock, ContactEnded, Direction
from gateway.legs.kvs.errors import Cause, ReadingGivenUp, ReadingStopped
from gateway.legs.kvs.fragments import FragmentReader
from gateway.legs.kvs.getmedia import GetMediaSource, MediaClients, cause_of
from gateway.legs.kvs.reconnect import StartSelector
from gateway.legs.kvs.source import MediaSource, caller_blocks
from simulator.kvs.faults import Corrupted, Cut, Fault, InBand, KvsRefusal, Refusal, Refused
from simulator.kvs.habits import Delivery, Habits, LastTags, TrackOrder
from simulator.kvs.stream import BLOCK_MS, Reader, Stream
from tests.simulator.kvs.serving import a_stream, serving, until

OURS, FOREIGN = "contact-1", "contact-0"
START_MS = 1_790_000_000_500


@dataclass
class CoreBody:
    reader: Reader
    clock: Clock

    async def read(self) -> bytes:
        while not self.reader.ended:
            if data := self.reader.read(self.clock.now_ms()):
                return data
            await asyncio.sleep(0.01)
        if self.reader.broken:
            raise ReadingStopped(Cause.UNREACHABLE, "broken")
        return b""

    async def close(self) -> None:
        self.reader.close()


@dataclass
class CoreSource:
    """GetMedia without a socket."""

    stream: Stream
    clock: Clock
    asked: list[StartSelector] = field(default_factory=list)

    async def open(self, selector: StartSelector) -> CoreBody:
        self.asked.append(selector)
        whole_seconds = int(selector.value) // 1000 if selector.kind == "PRODUCER_TIMESTAMP" else 0
        asked = {
            "StartSelectorType": str(selector.kind),
            "AfterFragmentNumber": selector.value,
            "ContinuationToken": selector.value,
            "StartTimestamp": whole_seconds,
        }
        try:
            return CoreBody(self.stream.reader(asked, self.clock.now_ms()), self.clock)
        except KvsRefusal as refused:
            error = ClientError({"Error": {"Code": refused.refusal.value}}, "GetMedia")
            raise ReadingStopped(cause_of(error)) from None


def said(index: int) -> bytes:
    return (index + 1).to_bytes(2, "little") * 512


def heard(index: int) -> bytes:
    return (index | 0x4000).to_bytes(2, "little") * 512


def earlier_caller(stream: Stream, now_ms: int) -> None:
    for index in range(24):
        at = now_ms - 500 - (24 - index) * BLOCK_MS
        stream.write(FOREIGN, at, b"\x11\x22" * 512, b"\x11\x22" * 512, at + BLOCK_MS)
    stream.stop(now_ms - 500)


async def our_caller(stream: Stream, clock: Clock, blocks: int, plans: dict[int, Fault]) -> None:
    """Speaks in real time; before a block, faults are planted in the open bodies, or for the next opening."""
    start = clock.now_ms()
    for index in range(blocks):
        await asyncio.sleep(BLOCK_MS / 1000)
        plant(stream, plans.get(index))
        stream.write(OURS, start + index * BLOCK_MS, said(index), heard(index), clock.now_ms())
    stream.stop(clock.now_ms())


def plant(stream: Stream, fault: Fault | None) -> None:
    if isinstance(fault, Refused):
        stream.plant(fault, fault)
        fault = Cut(0, broken=True)
    for reader in stream.readers if fault is not None else []:
        reader.plant(fault)  # type: ignore[arg-type]


async def listen(
    source: MediaSource, stream: Stream, clock: Clock, contact_id: str, seconds: float
) -> tuple[list[CallerBlock], FragmentReader]:
    fragments = FragmentReader(contact_id)
    blocks: list[CallerBlock] = []
    media = MediaStream(stream.arn, clock.now_ms(), str(stream.next_number))
    try:
        async with asyncio.timeout(seconds):
            found = caller_blocks(source, media, contact_id, clock, fragments=fragments, random=lambda: 0.5)
            async with aclosing(found) as iterator:
                async for block in iterator:
                    assert not isinstance(block, ContactEnded)
                    blocks.append(block)
    except TimeoutError:
        pass
    return blocks, fragments


async def a_call(
    habits: Habits, delivery: Delivery, blocks: int = 60, plans: dict[int, Fault] | None = None
) -> tuple[list[CallerBlock], CoreSource, FragmentReader]:
    clock = LoopClock(START_MS)
    stream = a_stream(habits, delivery)
    earlier_caller(stream, clock.now_ms())
    source = CoreSource(stream, clock)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(our_caller(stream, clock, blocks, plans or {}))
        heard_by_us, fragments = await listen(source, stream, clock, OURS, blocks * BLOCK_MS / 1000 + 3)
    assert not stream.readers
    return heard_by_us, source, fragments


def of(blocks: list[CallerBlock], direction: Direction) -> bytes:
    return b"".join(block.pcm for block in blocks if block.direction is direction)


def assert_whole(blocks: list[CallerBlock], count: int = 60) -> None:
    """Every sample of both sides, once, in order, at its time, and nobody else's."""
    assert of(blocks, Direction.FROM_CUSTOMER) == b"".join(map(said, range(count)))
    assert of(blocks, Direction.TO_CUSTOMER) == b"".join(map(heard, range(count)))
    times = [block.media_ms for block in blocks if block.direction is Direction.FROM_CUSTOMER]
    assert times == [START_MS + index * BLOCK_MS for index in range(count)]


HABITS = [
    Habits(),
    *(Habits(track_order=order) for order in TrackOrder),
    *(Habits(last_tags=which) for which in LastTags),
    Habits(tags_first=True),
    Habits(uid_per_session=False),
    Habits(uid_per_session=False, last_tags=LastTags.NONE),
    Habits(token_repeats=False),
    Habits(literal_token=True),
    Habits(missing_in_band=False),
    Habits(session_ms=1_700),
]


@pytest.mark.parametrize("per_fragment", [False, True])
@pytest.mark.parametrize("habits", HABITS, ids=str)
async def test_a_caller_is_heard_whole_whatever_the_habits(habits: Habits, per_fragment: bool) -> None:
    blocks, _, fragments = await a_call(habits, Delivery(per_fragment, 340 if per_fragment else 40))
    assert_whole(blocks)
    assert fragments.counters.unknown_track == 0


@pytest.mark.parametrize("per_fragment", [False, True])
@pytest.mark.parametrize(
    "fault",
    [
        InBand(5000),
        InBand(4000),
        Cut(0),
        Cut(1, broken=True),
        Cut(5_000),
        Cut(40_000, broken=True),
        *(Refused(refusal) for refusal in Refusal),
    ],
    ids=str,
)
async def test_a_caller_is_heard_whole_after_a_fault(fault: Fault, per_fragment: bool) -> None:
    blocks, source, _ = await a_call(Habits(), Delivery(per_fragment, 340), 120, {40: fault})
    assert_whole(blocks, 120)
    assert len(source.asked) > 1


@pytest.mark.parametrize("at", [0, 4, 5, 41, 45, 53, 57, 180, 188, 200, 500, 880, 900, 1_000, 20_000, 33_000])
async def test_a_wrong_byte_costs_little(at: int) -> None:
    blocks, _, _ = await a_call(Habits(), Delivery(True, 340), plans={20: Corrupted(at)})
    expected = {said(index) for index in range(60)}
    whole = [block.pcm for block in blocks if block.direction is Direction.FROM_CUSTOMER and block.pcm in expected]
    assert len(whole) >= 40
    assert len(set(whole)) == len(whole)
    assert b"\x11\x22" not in of(blocks, Direction.FROM_CUSTOMER)


async def test_a_short_end_is_heard_too() -> None:
    clock = LoopClock(START_MS)
    stream = a_stream(Habits(), Delivery(delay_ms=40))
    source = CoreSource(stream, clock)

    async def caller() -> None:
        await our_caller_without_stop(stream, clock, 20)
        stream.stop(clock.now_ms(), b"\x07\x00" * 96, b"\x08\x00" * 96)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(caller())
        blocks, _ = await listen(source, stream, clock, OURS, 4)
    expected = b"".join(map(said, range(20))) + b"\x07\x00" * 96 + bytes(5 * 1024)
    assert of(blocks, Direction.FROM_CUSTOMER) == expected


async def our_caller_without_stop(stream: Stream, clock: Clock, blocks: int) -> None:
    start = clock.now_ms()
    for index in range(blocks):
        await asyncio.sleep(BLOCK_MS / 1000)
        stream.write(OURS, start + index * BLOCK_MS, said(index), heard(index), clock.now_ms())


@pytest.mark.parametrize("which", list(LastTags))
@pytest.mark.parametrize("uid_per_session", [True, False])
async def test_the_next_caller_is_not_heard(which: LastTags, uid_per_session: bool) -> None:
    clock = LoopClock(START_MS)
    stream = a_stream(Habits(last_tags=which, uid_per_session=uid_per_session), Delivery(delay_ms=40))
    source = CoreSource(stream, clock)
    found: list[CallerBlock | ContactEnded] = []

    async def callers() -> None:
        await our_caller(stream, clock, 20, {})
        await asyncio.sleep(2)
        for _ in range(40):
            await asyncio.sleep(BLOCK_MS / 1000)
            now = clock.now_ms()
            stream.write("contact-2", now - BLOCK_MS, b"\x11\x22" * 512, b"\x11\x22" * 512, now)

    media = MediaStream(stream.arn, clock.now_ms(), str(stream.next_number))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(callers())
        async with aclosing(caller_blocks(source, media, OURS, clock)) as iterator:
            found += [block async for block in iterator]
    assert isinstance(found[-1], ContactEnded)
    blocks = [block for block in found if isinstance(block, CallerBlock)]
    assert b"\x11\x22" not in of(blocks, Direction.FROM_CUSTOMER) + of(blocks, Direction.TO_CUSTOMER)
    assert of(blocks, Direction.FROM_CUSTOMER) == b"".join(map(said, range(20)))


async def test_reading_that_is_not_authorized_is_given_up() -> None:
    clock = LoopClock(START_MS)
    stream = a_stream(Habits())
    stream.plant(*[Refused(Refusal.NOT_AUTHORIZED)] * 10)
    media = MediaStream(stream.arn, clock.now_ms(), str(stream.next_number))
    with pytest.raises(ReadingGivenUp, match="not_authorized"):
        async with aclosing(caller_blocks(CoreSource(stream, clock), media, OURS, clock)) as iterator:
            await anext(iterator)


@pytest.mark.wall_clock
async def test_a_call_is_heard_over_a_real_connection_that_breaks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    stream = a_stream(Habits(), Delivery(delay_ms=5))
    earlier_caller(stream, clock.now_ms())
    async with serving(stream) as (service, url):
        monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS_VIDEO", url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "access")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        clients = await asyncio.to_thread(lambda: MediaClients(boto3.session.Session()))
        source = GetMediaSource(stream.arn, clients)
        service.endpoint_refusals.append(Refusal.CLIENT_LIMIT)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(our_caller(stream, clock, 24, {18: Cut(3_000, broken=True)}))
            blocks, fragments = await listen(source, stream, clock, OURS, 2.6)
        assert of(blocks, Direction.FROM_CUSTOMER) == b"".join(map(said, range(24)))
        assert of(blocks, Direction.TO_CUSTOMER) == b"".join(map(heard, range(24)))
        assert fragments.counters.foreign + fragments.counters.unidentified > 0
        assert service.opened == 2
        await until(lambda: not stream.readers)
