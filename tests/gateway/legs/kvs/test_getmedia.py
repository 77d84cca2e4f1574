"""GetMedia over a real socket, with boto3 and a server of our own in a thread."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import aclosing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectTimeoutError, NoCredentialsError
from urllib3 import HTTPResponse

from contract.call import MediaStream
from contract.clock import SystemClock
from gateway.legs.kvs import getmedia
from gateway.legs.kvs.errors import Cause, ReadingStopped
from gateway.legs.kvs.getmedia import GetMediaBody, GetMediaSource, MediaClients, as_request, cause_of, region_of
from gateway.legs.kvs.reconnect import StartAt, StartSelector
from gateway.legs.kvs.source import caller_blocks
from gateway.telemetry import bounds
from gateway.telemetry.bounds import Bound
from tests.gateway.legs.kvs import mkv
from tests.gateway.legs.kvs.test_fragments import from_customer, samples

ARN = "arn:aws:kinesisvideo:eu-west-2:123456789012:stream/prefix-connect-x-contact-y/1654194145007"
START = StartSelector.at_time(1_700_000_000_500)


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that closes while it is answered is what these tests are about."""


class Service:
    """GetDataEndpoint and GetMedia of Kinesis Video Streams, from a script.

    A script is a list of bytes to send as one chunk each, then what happens: "end", "hang" until the server is
    released, "break" of the connection; or a (status, error code) instead of media.
    """

    def __init__(self) -> None:
        self.scripts: list[list[bytes | str] | tuple[int, str]] = []
        self.requests: list[tuple[str, dict[str, Any], str]] = []
        self.endpoint_error: tuple[int, str] | None = None
        self.released = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service.requests.append((self.path, body, self.headers["Authorization"]))
                if self.path == "/getDataEndpoint":
                    self.answer_endpoint()
                else:
                    self.answer_media(service.scripts.pop(0))

            def answer_endpoint(self) -> None:
                if service.endpoint_error:
                    self.refuse(*service.endpoint_error)
                else:
                    self.reply(200, {"DataEndpoint": service.url})

            def answer_media(self, script: list[bytes | str] | tuple[int, str]) -> None:
                if isinstance(script, tuple):
                    self.refuse(*script)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "video/webm")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for step in script:
                    if isinstance(step, bytes):
                        self.wfile.write(b"%x\r\n%b\r\n" % (len(step), step))
                    elif step == "end":
                        self.wfile.write(b"0\r\n\r\n")
                    elif step == "hang":
                        service.released.wait(10)
                self.close_connection = True

            def refuse(self, status: int, code: str) -> None:
                self.reply(status, {"message": "no"}, {"x-amzn-ErrorType": code})

            def reply(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def count(self, path: str) -> int:
        return sum(request[0] == path for request in self.requests)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    one = Service()
    monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS_VIDEO", one.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield one
    one.stop()


@pytest.fixture
def clients() -> MediaClients:
    return MediaClients(boto3.session.Session(aws_access_key_id="a", aws_secret_access_key="s"))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getmedia, "CLIENT_CONFIG", getmedia.CLIENT_CONFIG.merge(Config(read_timeout=0.05)))


async def read_all(body: GetMediaBody) -> bytes:
    data = b""
    while chunk := await body.read():
        data += chunk
    return data


def join_readers() -> None:
    """Wait until no thread of ours is left."""
    for thread in threading.enumerate():
        if thread.name == "getmedia":
            thread.join(2)
            assert not thread.is_alive()


async def stopped_by(source: GetMediaSource) -> ReadingStopped:
    with pytest.raises(ReadingStopped) as caught:
        await source.open(START)
    return caught.value


@pytest.mark.wall_clock
async def test_a_body_is_read_to_its_end_from_the_data_endpoint(service: Service, clients: MediaClients) -> None:
    """The control call goes to the stream's region, with clients that are made once."""
    service.scripts = [[b"abc", b"def", "end"]]
    body = await GetMediaSource(ARN, clients).open(START)
    assert await read_all(body) == b"abcdef"
    assert await body.read() == b""
    await body.close()
    (endpoint, asked_endpoint, _), (media, asked_media, signed) = service.requests
    assert (endpoint, media) == ("/getDataEndpoint", "/getMedia")
    assert asked_endpoint == {"StreamARN": ARN, "APIName": "GET_MEDIA"}
    assert asked_media == {
        "StreamARN": ARN,
        "StartSelector": {"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": 1_700_000_000.5},
    }
    assert "/eu-west-2/kinesisvideo/aws4_request" in signed


@pytest.mark.wall_clock
async def test_bytes_are_given_as_they_arrive(service: Service, clients: MediaClients) -> None:
    """`read(n)` would wait for n bytes, which on a silent line is for ever."""
    service.scripts = [[b"abc", "hang"]]
    body = await GetMediaSource(ARN, clients).open(START)
    async with asyncio.timeout(2):
        assert await body.read() == b"abc"
    await body.close()


@pytest.mark.wall_clock
async def test_closing_interrupts_a_read_that_waits(service: Service, clients: MediaClients) -> None:
    """A flag is seen only when the next byte comes; the socket is shut down instead."""
    service.scripts = [[b"abc", "hang"]]
    body = await GetMediaSource(ARN, clients).open(START)
    await body.read()
    await asyncio.sleep(0.05)  # until the thread waits for more
    async with asyncio.timeout(1):
        await body.close()
        await body.close()
    await asyncio.to_thread(join_readers)


@pytest.mark.wall_clock
async def test_a_silent_body_stops_with_the_read_timeout(
    service: Service, clients: MediaClients, impatient: None
) -> None:
    """GetMedia itself never ends a silent body."""
    service.scripts = [[b"abc", "hang"]]
    body = await GetMediaSource(ARN, clients).open(START)
    assert await body.read() == b"abc"
    for _ in range(2):
        with pytest.raises(ReadingStopped) as caught:
            await body.read()
        assert caught.value.cause is Cause.IDLE
    await body.close()


@pytest.mark.wall_clock
async def test_a_service_that_does_not_answer_is_a_silent_stream(
    service: Service, clients: MediaClients, impatient: None
) -> None:
    silent = threading.Event()

    class Waiting(list[Any]):
        def pop(self, _: Any = 0) -> Any:
            silent.wait(5)
            return (500, "late")

    service.scripts = Waiting()
    error = await stopped_by(GetMediaSource(ARN, clients))
    silent.set()
    assert error.cause is Cause.IDLE
    assert str(error) == "GetMedia cannot be read: idle (no answer for 3 s)"


@pytest.mark.wall_clock
async def test_a_broken_connection_is_told_from_an_end(service: Service, clients: MediaClients) -> None:
    service.scripts = [[b"abc", "break"]]
    body = await GetMediaSource(ARN, clients).open(START)
    with pytest.raises(ReadingStopped) as caught:
        await read_all(body)
    assert caught.value.cause is Cause.UNREACHABLE
    await body.close()


@pytest.mark.wall_clock
@pytest.mark.parametrize(
    ("status", "code", "cause", "endpoint_kept"),
    [
        (400, "ClientLimitExceededException", Cause.CLIENT_LIMIT, True),
        (400, "ConnectionLimitExceededException", Cause.CONNECTION_LIMIT, True),
        (404, "ResourceNotFoundException", Cause.NOT_FOUND, False),
        (400, "InvalidEndpointException", Cause.INVALID_ENDPOINT, False),
        (401, "NotAuthorizedException", Cause.NOT_AUTHORIZED, False),
        (400, "InvalidArgumentException", Cause.INVALID_ARGUMENT, False),
        (503, "ServiceUnavailable", Cause.UNREACHABLE, False),
    ],
)
async def test_a_refusal_has_a_cause_and_a_doubtful_endpoint_is_asked_for_again(
    service: Service, clients: MediaClients, status: int, code: str, cause: Cause, endpoint_kept: bool
) -> None:
    service.scripts = [(status, code), [b"abc", "end"]]
    source = GetMediaSource(ARN, clients)
    error = await stopped_by(source)
    assert (error.cause, error.detail) == (cause, code)
    body = await source.open(START)
    assert await read_all(body) == b"abc"
    await body.close()
    assert service.count("/getDataEndpoint") == (1 if endpoint_kept else 2)


@pytest.mark.wall_clock
async def test_no_data_endpoint_no_media(service: Service, clients: MediaClients) -> None:
    service.endpoint_error = (404, "ResourceNotFoundException")
    assert (await stopped_by(GetMediaSource(ARN, clients))).cause is Cause.NOT_FOUND


@pytest.mark.wall_clock
async def test_an_arn_that_is_none_is_refused_without_a_request(service: Service, clients: MediaClients) -> None:
    assert (await stopped_by(GetMediaSource("stream/x", clients))).cause is Cause.INVALID_ARGUMENT
    assert service.requests == []


@pytest.mark.wall_clock
@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (NoCredentialsError(), Cause.NOT_AUTHORIZED),
        (ConnectTimeoutError(endpoint_url="x"), Cause.UNREACHABLE),
        (OSError(), Cause.UNREACHABLE),
    ],
)
async def test_failures_before_the_request_have_a_cause(error: Exception, cause: Cause) -> None:
    class Failing(MediaClients):
        def media(self, stream_arn: str) -> Any:
            raise error

    found = await stopped_by(GetMediaSource(ARN, Failing()))
    assert (found.cause, found.detail) == (cause, type(error).__name__)


@pytest.mark.wall_clock
async def test_a_cancelled_open_leaves_no_thread(service: Service, clients: MediaClients) -> None:
    service.scripts = [[b"abc", "hang"]]
    opening = asyncio.create_task(GetMediaSource(ARN, clients).open(START))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await asyncio.to_thread(join_readers)


@pytest.mark.wall_clock
async def test_a_cancelled_open_that_would_have_failed_leaves_no_thread(
    service: Service, clients: MediaClients
) -> None:
    service.scripts = [(404, "ResourceNotFoundException")]
    opening = asyncio.create_task(GetMediaSource(ARN, clients).open(START))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await asyncio.to_thread(join_readers)


@pytest.mark.wall_clock
async def test_what_nobody_takes_is_bounded(
    service: Service, clients: MediaClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(getmedia, "QUEUED_CHUNKS", 2)
    monkeypatch.setattr(getmedia, "STALLED_LOOP_S", 0.02)
    monkeypatch.setattr(getmedia, "CHUNK_BYTES", 1)
    service.scripts = [[b"abcdef", "hang"]]
    body = await GetMediaSource(ARN, clients).open(START)
    async with asyncio.timeout(2):
        await body._gone.wait()
    assert [await body.read(), await body.read()] == [b"a", b"b"]
    with pytest.raises(ReadingStopped, match="nobody took the bytes"):
        await body.read()
    assert bounds.take()[Bound.MEDIA_CHUNKS.value] >= 1
    await body.close()


def test_a_thread_whose_loop_is_closed_ends(service: Service, clients: MediaClients) -> None:
    service.scripts = [[b"abc", "end"]]

    async def abandon() -> GetMediaBody:
        return GetMediaBody(clients, ARN, START)

    body = asyncio.run(abandon())
    join_readers()
    assert body._stopping.is_set()


@pytest.mark.wall_clock
async def test_a_whole_call_is_read_over_sockets(service: Service, clients: MediaClients) -> None:
    fragments = mkv.stream(4)
    stranger = fragments[-1].at(4, contact=mkv.FOREIGN, blocks=mkv.both_tracks())
    cut = fragments[2].encoded()[:5000]
    first = [one.encoded() for one in fragments[:2]]
    rest = [one.encoded() for one in (*fragments[2:], stranger)]
    service.scripts = [[*first, cut, "break"], [*rest, "hang"]]
    media = MediaStream(ARN, 1_700_000_000_000, "100")
    blocks = caller_blocks(GetMediaSource(ARN, clients), media, mkv.OURS, SystemClock(), random=lambda: 0.0)
    async with aclosing(blocks):
        events = [event async for event in blocks]
    assert from_customer(events) == samples(fragments)
    assert service.requests[-1][1]["StartSelector"] == {
        "StartSelectorType": "FRAGMENT_NUMBER",
        "AfterFragmentNumber": "101",
    }


def test_clients_are_made_once_and_old_endpoints_forgotten(
    service: Service, clients: MediaClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(getmedia, "ENDPOINTS", 1)
    other = ARN.replace("contact-y", "contact-z")
    first = clients.media(ARN)
    assert clients.media(ARN) is first
    assert clients.media(other) is first
    assert service.count("/getDataEndpoint") == 2
    clients.media(ARN)
    assert service.count("/getDataEndpoint") == 3


def test_a_session_of_its_own_is_made_where_none_is_given(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    assert MediaClients().media(ARN).meta.endpoint_url == service.url


def test_selectors_become_those_of_the_api() -> None:
    assert as_request(StartSelector.after("12")) == {
        "StartSelectorType": "FRAGMENT_NUMBER",
        "AfterFragmentNumber": "12",
    }
    assert as_request(StartSelector.at_token("t")) == {
        "StartSelectorType": "CONTINUATION_TOKEN",
        "ContinuationToken": "t",
    }
    assert as_request(START)["StartSelectorType"] == StartAt.PRODUCER_TIMESTAMP


def test_an_unknown_refusal_is_tried_again() -> None:
    assert cause_of(ClientError({}, "GetMedia")) is Cause.UNREACHABLE


def test_the_region_is_the_streams() -> None:
    assert region_of(ARN) == "eu-west-2"


def test_the_private_name_that_reading_depends_on_is_there() -> None:
    from botocore.response import StreamingBody

    raw: Any = HTTPResponse(body=b"")
    body: Any = StreamingBody(raw, 0)
    assert body._raw_stream is raw
    assert callable(raw.read1)
    assert callable(raw.shutdown)
