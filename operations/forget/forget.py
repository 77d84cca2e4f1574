"""Delete what we keep of a contact: the call's items in the table, and its records in the bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from contract.announcement import record_prefix
from contract.aws import code_of
from contract.table import key
from operations.streaming import configured

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many were there, and are gone."""

    items: int
    records: int

    @property
    def nothing(self) -> bool:
        return not self.items and not self.records


def forget(dynamodb: DynamoDBClient, s3: S3Client, table: str, bucket: str, contact_id: str) -> Forgotten:
    """Delete all of it; a second time finds nothing. boto3's errors go through: then not everything is gone."""
    return Forgotten(_items(dynamodb, table, contact_id), _records(s3, bucket, contact_id) if bucket else 0)


def _items(dynamodb: DynamoDBClient, table: str, contact_id: str) -> int:
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="#pk = :pk",
        ProjectionExpression="#pk, #sk",
        ExpressionAttributeNames={"#pk": "pk", "#sk": "sk"},
        ExpressionAttributeValues={":pk": key(contact_id, "")["pk"]},
        ConsistentRead=True,
    )
    keys = [item for page in pages for item in page["Items"]]
    for each in keys:
        dynamodb.delete_item(TableName=table, Key=each)
    return len(keys)


def _records(s3: S3Client, bucket: str, contact_id: str) -> int:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=record_prefix(contact_id))
    keys = [each["Key"] for page in pages for each in page.get("Contents", ())]
    for name in keys:
        s3.delete_object(Bucket=bucket, Key=name)
    return len(keys)


def out_of_reach(audio: str) -> list[str]:
    """What this cannot delete, each with what can be done about it; `audio` says how long the streams keep theirs."""
    return [
        "Amazon Connect's contact record: kept by Connect; attributes that begin with va_ can be overwritten "
        "(UpdateContactAttributes)",
        f"the call's audio in Kinesis Video Streams: {audio}",
        "recordings and transcripts of Amazon Connect and Contact Lens, if they are switched on: in your own bucket",
        "what Deepgram keeps: see your agreement; mip_opt_out keeps calls out of its models",
        "what subscribers made of it: tasks, tickets, entries of your CRM",
        "log lines: they name the contact, and hold nothing that was said",
    ]


def kept_audio(connect: ConnectClient, instance_arn: str) -> str:
    """How long the instance's streams keep what was said: by its own configuration, which may be older than the
    deployment and not be that of the settings."""
    try:
        found = configured(connect, instance_arn)
    except ClientError as error:
        return f"nobody could tell for how long ({error.operation_name}: {code_of(error)}); make doctor says it"
    except BotoCoreError as error:
        return f"nobody could tell for how long ({type(error).__name__}); make doctor says it"
    if found is None:
        return "the instance streams no more; older streams keep it as long as each was made for"
    return f"gone after {found['KinesisVideoStreamConfig']['RetentionPeriodHours']} h, as the instance is configured"
