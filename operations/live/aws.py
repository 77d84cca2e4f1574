"""The test call's services on AWS: Kinesis Video Streams to listen, S3 to be heard."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from contract.aws import config
from operations.clients import Clients
from operations.errors import MediaUnreadable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READ_BYTES = 65536
SILENT_S = 10.0  # GetMedia of a live call never pauses for so long


class S3Clips:
    """Clips in the deployment's own bucket, under the address by which the flows name them.

    `clock_ahead_ms` is how far this machine's clock was ahead of the service's, to half a second; None before the
    first clip.
    """

    def __init__(self, client: S3Client, bucket: str, region: str) -> None:
        self._client = client
        self._bucket = bucket
        self._region = region
        self.clock_ahead_ms: int | None = None

    async def put(self, key: str, wav: bytes) -> str:
        """Store a WAV; its URL. Raises ClientError, BotoCoreError."""
        answer = await asyncio.to_thread(
            lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=wav, ContentType="audio/wav")
        )
        told = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        if told and self.clock_ahead_ms is None:
            self.clock_ahead_ms = _ahead_ms(told, datetime.now(UTC))
        return f"https://{self._bucket}.s3.{self._region}.amazonaws.com/{key}"


def _ahead_ms(told: str, now: datetime) -> int:
    """A `Date` header has whole seconds: half of one is its error on average."""
    return round((now - parsedate_to_datetime(told)).total_seconds() * 1000) - 500


@dataclass(slots=True)
class KvsBody:
    """The answer to one GetMedia, read as it comes: `StreamingBody.read(n)` would wait for n bytes."""

    payload: Any

    async def read(self) -> bytes:
        try:
            async with asyncio.timeout(SILENT_S):
                data: bytes = await asyncio.to_thread(self.payload._raw_stream.read1, READ_BYTES)
        except (TimeoutError, OSError, ValueError) as error:
            raise MediaUnreadable(f"GetMedia broke off ({type(error).__name__})") from None
        return data

    async def close(self) -> None:
        await asyncio.to_thread(self.payload.close)


class KvsMedia:
    """GetDataEndpoint, then GetMedia there (Kinesis Video Streams developer guide)."""

    def __init__(self, aws: Clients) -> None:
        self._aws = aws

    async def open(self, stream_arn: str, start_ms: int) -> KvsBody:
        try:
            return KvsBody(await asyncio.to_thread(self._open, stream_arn, start_ms))
        except (ClientError, BotoCoreError) as error:
            raise MediaUnreadable(f"{type(error).__name__}: {error}") from None

    def _open(self, stream_arn: str, start_ms: int) -> Any:
        endpoint = self._aws.kinesisvideo.get_data_endpoint(StreamARN=stream_arn, APIName="GET_MEDIA")["DataEndpoint"]
        client = self._aws.session.client(
            "kinesis-video-media", region_name=self._aws.region, endpoint_url=endpoint, config=config(SILENT_S, 1)
        )
        start = datetime.fromtimestamp(start_ms // 1000, UTC)
        selector = {"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": start}
        return client.get_media(StreamARN=stream_arn, StartSelector=selector)["Payload"]  # type: ignore[arg-type]
