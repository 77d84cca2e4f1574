"""GetDataEndpoint and GetMedia, asked by boto3 over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import aiohttp
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError, ProtocolError

from contract.clock import SystemClock
from simulator.kvs.faults import Corrupted, Cut, InBand, Refusal, Refused
from simulator.kvs.habits import Delivery, Habits
from simulator.kvs.stream import BLOCK_MS, Stream
from tests.simulator.kvs.reading import documents
from tests.simulator.kvs.serving import ARN, NAME, a_stream, serving, until

pytestmark = pytest.mark.wall_clock

EARLIEST = {"StartSelectorType": "EARLIEST"}
CLIENT = Config(connect_timeout=3, read_timeout=3, retries={"total_max_attempts": 1})
ENDS_SOON = Habits(pause_ends_ms=50)
T = TypeVar("T")


@lru_cache
def session() -> boto3.session.Session:
    """One for all, as it reads megabytes of JSON."""
    return boto3.session.Session("access", "secret", region_name="eu-central-1")


def client(service: Any, url: str) -> Any:
    return session().client(service, endpoint_url=url, config=CLIENT)


async def ask(url: str, **arguments: Any) -> dict[str, Any]:
    def call() -> dict[str, Any]:
        found: dict[str, Any] = client("kinesisvideo", url).get_data_endpoint(**arguments)
        return found

    return await asyncio.to_thread(call)


async def get(url: str, use: Callable[[Any], T], selector: dict[str, Any] | None = None, **stream: Any) -> T:
    """GetMedia, and what `use` makes of the body, in a thread."""

    def call() -> T:
        media = client("kinesis-video-media", url)
        answer = media.get_media(StartSelector=selector or EARLIEST, **(stream or {"StreamARN": ARN}))
        assert answer["ContentType"] == "video/webm"
        with answer["Payload"] as body:
            return use(body)

    return await asyncio.to_thread(call)


def filled(habits: Habits = ENDS_SOON, blocks: int = 20, since_ms: int | None = None) -> Stream:
    """What was written just now."""
    stream = a_stream(habits)
    first = SystemClock().now_ms() - blocks * BLOCK_MS if since_ms is None else since_ms
    for index in range(blocks):
        at = first + index * BLOCK_MS
        stream.write("contact-1", at, bytes([index]) * 1024, bytes(1024), at + BLOCK_MS)
    stream.stop(first + blocks * BLOCK_MS)
    return stream


async def test_the_endpoint_is_where_getmedia_is() -> None:
    async with serving(filled()) as (service, url):
        for key, value in (("StreamARN", ARN), ("StreamName", NAME)):
            answer = await ask(url, APIName="GET_MEDIA", **{key: value})
            data = await get(answer["DataEndpoint"], lambda body: bytes(body.read()), None, **{key: value})
            assert [len(doc.blocks) for doc in documents(data)] == [32, 8]
        assert service.opened == 2


async def test_audio_comes_as_it_is_written() -> None:
    stream = a_stream(Habits(pause_ends_ms=None))
    async with serving(stream) as (_, url):
        arrived: list[int] = []

        def listen(body: Any) -> None:
            clock = SystemClock()
            while data := body.read1(65_536):
                arrived.append(clock.now_ms())
                if data.count(b"\x07" * 1024):
                    return

        listening = asyncio.create_task(get(url, listen, {"StartSelectorType": "NOW"}))
        await until(lambda: bool(stream.readers))
        written = SystemClock().now_ms()
        stream.write("contact-1", written - BLOCK_MS, b"\x07" * 1024, bytes(1024), written)
        await listening
        assert arrived[-1] - written < 500


async def test_start_selectors_of_boto3_are_understood() -> None:
    since = SystemClock().now_ms() // 1000 * 1000 - 5_000
    stream = filled(Habits(pause_ends_ms=20, short_end=False, token_repeats=False), 48, since)
    there = [fragment.number for fragment in stream.fragments]
    selectors: list[tuple[dict[str, Any], list[int]]] = [
        ({"StartSelectorType": "NOW"}, there[2:]),
        ({"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": str(there[0])}, there[1:]),
        ({"StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": str(there[1])}, there[2:]),
        ({"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": since / 1000 + 2}, there[1:]),
    ]
    async with serving(stream) as (_, url):
        for selector, expected in selectors:
            data = await get(url, lambda body: bytes(body.read()), selector)
            assert [doc.number for doc in documents(data)] == expected


async def test_a_fourth_client_is_rejected_and_let_in_when_one_has_gone() -> None:
    stream = filled(Habits(pause_ends_ms=None))
    async with serving(stream) as (_, url):
        open_ = await asyncio.to_thread(
            lambda: [
                client("kinesis-video-media", url).get_media(StreamARN=ARN, StartSelector=EARLIEST) for _ in range(3)
            ]
        )
        with pytest.raises(ClientError) as caught:
            await get(url, lambda body: bytes(body.read(1)))
        assert caught.value.response["Error"]["Code"] == "ConnectionLimitExceededException"
        open_.pop()["Payload"].close()
        await until(lambda: len(stream.readers) == 2)
        assert await get(url, lambda body: bytes(body.read(1))) == b"\x1a"
        for answer in open_:
            answer["Payload"].close()
        await until(lambda: not stream.readers)


async def test_a_client_that_goes_while_nothing_comes_leaves_nothing_behind() -> None:
    stream = a_stream(Habits(pause_ends_ms=None))
    tasks = len(asyncio.all_tasks())
    async with serving(stream) as (_, url), aiohttp.ClientSession() as session:
        asked = json.dumps({"StreamARN": ARN, "StartSelector": {"StartSelectorType": "NOW"}})
        response = await session.post(f"{url}/getMedia", data=asked)
        assert len(stream.readers) == 1
        response.close()
        await until(lambda: not stream.readers)
    assert len(asyncio.all_tasks()) == tasks


async def test_a_client_that_goes_while_bytes_are_sent_leaves_nothing_behind() -> None:
    stream = a_stream(Habits(pause_ends_ms=None))
    async with serving(stream) as (_, url), aiohttp.ClientSession() as session:
        asked = json.dumps({"StreamARN": ARN, "StartSelector": {"StartSelectorType": "NOW"}})
        response = await session.post(f"{url}/getMedia", data=asked)
        now = SystemClock().now_ms()
        for index in range(2_000):  # more than the socket takes at once: the server has to wait
            stream.write("contact-1", now + index * BLOCK_MS, bytes(1024), bytes(1024), now)
        await asyncio.sleep(0.1)
        assert len(stream.readers) == 1
        response.close()
        await until(lambda: not stream.readers)


async def test_a_server_that_stops_ends_its_bodies() -> None:
    stream = a_stream(Habits(pause_ends_ms=None))
    async with aiohttp.ClientSession() as session:
        async with serving(stream) as (_, url):
            asked = json.dumps({"StreamARN": ARN, "StartSelector": {"StartSelectorType": "NOW"}})
            response = await session.post(f"{url}/getMedia", data=asked)
            assert len(stream.readers) == 1
        assert await response.read() == b""
        assert not stream.readers


@pytest.mark.parametrize("refusal", list(Refusal))
async def test_refusals_have_the_code_and_status_that_clients_expect(refusal: Refusal) -> None:
    stream = filled()
    async with serving(stream) as (service, url):
        stream.plant(Refused(refusal))
        service.endpoint_refusals.append(refusal)
        for call in (get(url, lambda body: bytes(body.read())), ask(url, StreamARN=ARN, APIName="GET_MEDIA")):
            with pytest.raises(ClientError) as caught:
                await call
            assert caught.value.response["Error"]["Code"] == refusal
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == refusal.status
        assert await get(url, lambda body: bytes(body.read(4))) == bytes.fromhex("1A45DFA3")


async def test_an_unknown_stream_is_not_found() -> None:
    async with serving(filled()) as (_, url):
        for call in (
            ask(url, StreamName="voiceai", APIName="GET_MEDIA"),
            get(url, lambda body: bytes(body.read()), StreamARN=ARN[:-1]),
        ):
            with pytest.raises(ClientError, match="no stream") as caught:
                await call
            assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


async def test_what_is_no_request_is_an_invalid_argument() -> None:
    async with serving(filled()) as (_, url), aiohttp.ClientSession() as session:
        for path, text in (
            ("getMedia", ""),
            ("getMedia", "[]"),
            ("getMedia", "{}"),
            ("getMedia", json.dumps({"StreamARN": ARN})),
            ("getDataEndpoint", "no json"),
            ("getDataEndpoint", json.dumps({"StreamARN": ARN, "APIName": "PUT_MEDIA"})),
        ):
            async with session.post(f"{url}/{path}", data=text) as response:
                assert response.status == 400
                assert response.headers["x-amzn-ErrorType"] == "InvalidArgumentException"
                assert (await response.json())["Message"]


async def test_faults_of_a_body_reach_the_client() -> None:
    stream = filled(ENDS_SOON)
    async with serving(stream) as (_, url):
        good = await get(url, lambda body: bytes(body.read()))
        stream.plant(InBand(4500), Corrupted(7), Cut(777))
        (error,) = documents(await get(url, lambda body: bytes(body.read())))
        assert error.error == 4500
        spoilt = await get(url, lambda body: bytes(body.read()))
        assert spoilt[7] == good[7] ^ 0xFF
        assert await get(url, lambda body: bytes(body.read())) == good[:777]


async def test_a_broken_connection_is_no_end() -> None:
    stream = filled(ENDS_SOON)
    async with serving(stream) as (_, url):
        stream.plant(Cut(777, broken=True))
        with pytest.raises((HTTPError, BotoCoreError, ProtocolError, OSError)):
            await get(url, lambda body: bytes(body.read()))
        await until(lambda: not stream.readers)


async def test_a_stream_delivers_by_fragment_over_the_wire() -> None:
    stream = a_stream(ENDS_SOON, Delivery(per_fragment=True, delay_ms=20))
    now = SystemClock().now_ms()
    for index in range(16):
        stream.write("contact-1", now - 1_024 + index * BLOCK_MS, bytes(1024), bytes(1024), now)
    async with serving(stream) as (_, url):
        data = await get(url, lambda body: bytes(body.read()))
    assert [len(doc.blocks) for doc in documents(data)] == [32]
