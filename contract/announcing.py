"""The record of a call to S3, and the event that points to it to EventBridge: for whoever serves the call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from contract import announcement
from contract.announcement import Told
from contract.call import Call
from contract.turns import FunctionEntry, Turn

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class EventsClient(Protocol):
    """What we use of boto3's EventBridge client."""

    def put_events(self, *, Entries: Sequence[Mapping[str, str]]) -> Mapping[str, Any]: ...  # noqa: N803


def put_record(
    s3: S3Client,
    bucket: str,
    call: Call,
    told: Told,
    turns: Sequence[Turn],
    functions: Sequence[FunctionEntry],
    keep_days: int,
) -> None:
    """Write the record; its tag chooses the lifecycle rule by which it expires. Raises ClientError, BotoCoreError."""
    s3.put_object(
        Bucket=bucket,
        Key=announcement.record_key(call),
        Body=json.dumps(announcement.record(call, told, turns, functions), ensure_ascii=False).encode(),
        ContentType="application/json",
        Tagging=f"keep-days={keep_days}",
    )


def put_event(events: EventsClient, bus: str, call: Call, told: Told, bucket: str) -> None:
    """Announce what the record is about. Raises ClientError, BotoCoreError."""
    detail = json.dumps(announcement.event(call, told, bucket))
    entry = {"Source": announcement.SOURCE, "DetailType": told.kind.value, "Detail": detail, "EventBusName": bus}
    answer = events.put_events(Entries=[entry])
    if answer.get("FailedEntryCount"):
        code = answer["Entries"][0].get("ErrorCode", "")
        raise ClientError({"Error": {"Code": code}}, "PutEvents")
