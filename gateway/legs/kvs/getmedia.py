"""GetMedia with boto3: one thread per call reads, the event loop gets bytes.

Why a thread and not asyncio: botocore signs, finds credentials and renews them, honours the
AWS_ENDPOINT_URL_* variables and the data endpoint, and is what every other part of this project uses; an
asynchronous client means either a second AWS library (which pins an older botocore) or a signer of our own.
Measured on one core with 32 kB/s a stream: a blocked thread costs 0.06 % of a core per call against 0.03 % with
aiohttp, and 1,000 of them took 97 MB against 68 MB. What decides about latency is how one reads: `read(n)` and
iteration wait until n bytes are there (100 ms to 1 s on such a stream), `read1(n)` gives what has arrived
(0.3 ms at the 95th percentile). botocore's StreamingBody has no `read1`, so its `_raw_stream` (urllib3's
HTTPResponse) is used; a test guards this private name.

A silent stream is ended by the client's `read_timeout`, a stop by shutting the socket down: a flag alone would be
seen only when the next byte comes.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from datetime import UTC, datetime
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from urllib3.exceptions import HTTPError
from urllib3.exceptions import ReadTimeoutError as BodyReadTimeoutError

from gateway.legs.kvs.errors import Cause, ReadingStopped
from gateway.legs.kvs.reconnect import StartAt, StartSelector
from gateway.telemetry.bounds import Bound, reached

if TYPE_CHECKING:
    from mypy_boto3_kinesis_video_media import KinesisVideoMediaClient
    from mypy_boto3_kinesis_video_media.type_defs import StartSelectorTypeDef
    from mypy_boto3_kinesisvideo import KinesisVideoClient

log = structlog.get_logger(__name__)

CHUNK_BYTES = 65_536
QUEUED_CHUNKS = 64
STALLED_LOOP_S = 30.0
"""How long a full queue is endured before the thread gives up."""
ANSWER_S = 3  # no answer, or no byte, for so long: ask again
CLIENT_CONFIG = Config(
    connect_timeout=3,
    read_timeout=ANSWER_S,  # also the end of a silent body: GetMedia itself goes on waiting
    retries={"total_max_attempts": 1},  # the reconnect policy decides
    max_pool_connections=256,
    tcp_keepalive=True,
)
ENDPOINTS = 1024
MOST_CLIENTS = 32  # data endpoints of a region; the service hands out few
_CAUSES = {
    "ClientLimitExceededException": Cause.CLIENT_LIMIT,
    "ThrottlingException": Cause.CLIENT_LIMIT,
    "ConnectionLimitExceededException": Cause.CONNECTION_LIMIT,
    "ResourceNotFoundException": Cause.NOT_FOUND,
    "InvalidEndpointException": Cause.INVALID_ENDPOINT,
    "NotAuthorizedException": Cause.NOT_AUTHORIZED,
    "AccessDeniedException": Cause.NOT_AUTHORIZED,
    "InvalidArgumentException": Cause.INVALID_ARGUMENT,
}
_KEEP_ENDPOINT = frozenset({Cause.IDLE, Cause.CLIENT_LIMIT, Cause.CONNECTION_LIMIT})


class _Endpoint(NamedTuple):
    region: str
    url: str


class MediaClients:
    """The clients of one process: one for each data endpoint, made once; safe to use from many threads.

    Data endpoints are kept until a request fails: the service hands out few and allows five look-ups a second.
    """

    def __init__(self, session: boto3.session.Session | None = None) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._endpoints: OrderedDict[str, _Endpoint] = OrderedDict()
        self._control: dict[str, KinesisVideoClient] = {}
        self._media: dict[_Endpoint, KinesisVideoMediaClient] = {}

    def media(self, stream_arn: str) -> KinesisVideoMediaClient:
        """A client for GetMedia of this stream; blocks.

        Raises:
            ClientError, BotoCoreError: GetDataEndpoint failed.
        """
        with self._lock:
            endpoint = self._endpoints.get(stream_arn)
        if endpoint is None:
            endpoint = self._look_up(stream_arn)
        with self._lock:
            if endpoint not in self._media:
                if len(self._media) >= MOST_CLIENTS:  # who uses one keeps it alive
                    del self._media[next(iter(self._media))]
                self._media[endpoint] = self._make(
                    "kinesis-video-media", region_name=endpoint.region, endpoint_url=endpoint.url
                )
            return self._media[endpoint]

    def forget(self, stream_arn: str) -> None:
        """Ask for the data endpoint again next time."""
        with self._lock:
            self._endpoints.pop(stream_arn, None)

    def _look_up(self, stream_arn: str) -> _Endpoint:
        region = region_of(stream_arn)
        with self._lock:
            if region not in self._control:
                self._control[region] = self._make("kinesisvideo", region_name=region)
            control = self._control[region]
        answer = control.get_data_endpoint(StreamARN=stream_arn, APIName="GET_MEDIA")
        endpoint = _Endpoint(region, answer["DataEndpoint"])
        with self._lock:
            self._endpoints[stream_arn] = endpoint
            if len(self._endpoints) > ENDPOINTS:
                self._endpoints.popitem(last=False)
        return endpoint

    def _make(self, service: Any, **arguments: Any) -> Any:
        # Making a client is not thread-safe and costs tens of ms: it happens under the lock, once.
        self._session = self._session or boto3.session.Session()
        return self._session.client(service, config=CLIENT_CONFIG, **arguments)


class GetMediaSource:
    """One stream; `open` may be called again after a body was closed."""

    def __init__(self, stream_arn: str, clients: MediaClients) -> None:
        self._stream_arn = stream_arn
        self._clients = clients

    async def open(self, selector: StartSelector) -> GetMediaBody:
        """Ask for media and give back the open body.

        Raises:
            ReadingStopped: GetDataEndpoint or GetMedia was refused, or nobody answered.
        """
        body = GetMediaBody(self._clients, self._stream_arn, selector)
        try:
            await body.opened()
        except BaseException:  # cancelled or refused: either way the thread has to end
            body.stop()
            raise
        return body


class GetMediaBody:
    """One GetMedia request and the thread that makes and reads it, from construction on."""

    def __init__(self, clients: MediaClients, stream_arn: str, selector: StartSelector) -> None:
        self._clients = clients
        self._stream_arn = stream_arn
        self._selector = selector
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._gone = asyncio.Event()
        self._queue: asyncio.Queue[bytes | ReadingStopped] = asyncio.Queue()
        self._room = threading.Semaphore(QUEUED_CHUNKS)
        self._stopping = threading.Event()
        self._raw: Any = None
        self._end: bytes | ReadingStopped | None = None
        threading.Thread(target=self._run, name="getmedia", daemon=True).start()

    async def opened(self) -> None:
        await self._opened

    async def read(self) -> bytes:
        """What has arrived, at most 64 KiB; b"" when the service has ended the body.

        Raises:
            ReadingStopped: no byte for 3 s, or the connection broke.
        """
        if self._end is None:
            item = await self._queue.get()
            if item and isinstance(item, bytes):
                self._room.release()
                return item
            self._end = item
        if isinstance(self._end, ReadingStopped):
            raise self._end
        return self._end

    def stop(self) -> None:
        """Make the thread end; it does at once if it reads, else with its connection's time-outs."""
        self._stopping.set()
        self._room.release()
        raw = self._raw
        if raw is not None:
            try:
                raw.shutdown()
            except (ValueError, RuntimeError, OSError) as error:
                log.debug("getmedia_already_closed", error=type(error).__name__)

    async def close(self) -> None:
        """Stop, and wait until the thread has closed its connection."""
        self.stop()
        await self._gone.wait()

    def _run(self) -> None:
        try:
            self._get_media()
        finally:
            self._tell(self._gone.set)

    def _get_media(self) -> None:
        try:
            payload = self._request()
        except ReadingStopped as error:
            if error.cause not in _KEEP_ENDPOINT:
                self._clients.forget(self._stream_arn)
            self._tell(self._fail_opening, error)
            return
        self._raw = payload._raw_stream
        try:
            self._tell(self._open_now)
            self._put(self._read_all())
        finally:
            payload.close()

    def _request(self) -> Any:
        try:
            client = self._clients.media(self._stream_arn)
            return client.get_media(StreamARN=self._stream_arn, StartSelector=as_request(self._selector))["Payload"]
        except ClientError as error:
            raise ReadingStopped(cause_of(error), error.response.get("Error", {}).get("Code", "")) from None
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise ReadingStopped(Cause.NOT_AUTHORIZED, type(error).__name__) from None
        except ReadTimeoutError:
            raise ReadingStopped(Cause.IDLE, f"no answer for {ANSWER_S} s") from None
        except (BotoCoreError, OSError) as error:
            raise ReadingStopped(Cause.UNREACHABLE, type(error).__name__) from None

    def _read_all(self) -> bytes | ReadingStopped:
        """Hand chunk after chunk to the loop; gives back how it ended."""
        try:
            while not self._stopping.is_set():
                data: bytes = self._raw.read1(CHUNK_BYTES)
                if not data:
                    break
                if not self._room.acquire(timeout=STALLED_LOOP_S):
                    reached(Bound.MEDIA_CHUNKS)
                    return ReadingStopped(Cause.UNREACHABLE, "nobody took the bytes")
                self._put(data)
        except BodyReadTimeoutError:
            return ReadingStopped(Cause.IDLE, f"no byte for {ANSWER_S} s")
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            return ReadingStopped(Cause.UNREACHABLE, type(error).__name__)
        return b""

    def _put(self, item: bytes | ReadingStopped) -> None:
        self._tell(self._queue.put_nowait, item)

    def _open_now(self) -> None:
        if not self._opened.done():
            self._opened.set_result(None)

    def _fail_opening(self, error: ReadingStopped) -> None:
        if not self._opened.done():
            self._opened.set_exception(error)

    def _tell(self, call: Any, *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:  # the loop is closed: nobody waits any more
            self._stopping.set()


def region_of(stream_arn: str) -> str:
    """arn:aws:kinesisvideo:REGION:account:stream/name/created: the stream's region, not the task's."""
    parts = stream_arn.split(":")
    if len(parts) < 6 or not parts[3]:
        raise ReadingStopped(Cause.INVALID_ARGUMENT, "not the ARN of a stream")
    return parts[3]


def as_request(selector: StartSelector) -> StartSelectorTypeDef:
    """The StartSelector of the API."""
    if selector.kind is StartAt.PRODUCER_TIMESTAMP:
        at = datetime.fromtimestamp(int(selector.value) / 1000, UTC)
        return {"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": at}
    if selector.kind is StartAt.FRAGMENT_NUMBER:
        return {"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": selector.value}
    return {"StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": selector.value}


def cause_of(error: ClientError) -> Cause:
    """What a refusal means for the reconnect policy; what nobody told us is tried again."""
    return _CAUSES.get(error.response.get("Error", {}).get("Code", ""), Cause.UNREACHABLE)
