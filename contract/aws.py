"""boto3 clients with bounded waits, and AWS's errors as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from contract.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

RECEIVE_READ_S = 25  # a long poll lasts 20 s at most; the answer needs a moment more


def config(read_s: float = 2, attempts: int = 3, connections: int = 50) -> Config:
    """Connect within 1 s, read within `read_s`; `attempts` in all, with botocore's own jittered back-off."""
    return Config(
        connect_timeout=1,
        read_timeout=read_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=connections,
        tcp_keepalive=True,
    )


def dynamodb_client(read_s: float = 2, attempts: int = 3) -> DynamoDBClient:
    """For the table. A Lambda that has 8 s in all gives less time and fewer attempts."""
    return boto3.client("dynamodb", config=config(read_s, attempts))


def sqs_client(read_s: float = RECEIVE_READ_S, attempts: int = 3) -> SQSClient:
    """For the queue of wake-ups; who only sends gives less time."""
    return boto3.client("sqs", config=config(read_s, attempts))


@contextmanager
def unavailable(operation: str, passed: frozenset[str] = frozenset()) -> Iterator[None]:
    """Turns what is left of an AWS error after all retries into StoreUnavailable; codes in `passed` go through."""
    try:
        yield
    except ClientError as error:
        if code_of(error) in passed:
            raise
        raise StoreUnavailable(operation, code_of(error)) from error
    except BotoCoreError as error:
        raise StoreUnavailable(operation, type(error).__name__) from error


def code_of(error: ClientError) -> str:
    """The error code that the service gave, such as `ConditionalCheckFailedException`."""
    return error.response.get("Error", {}).get("Code", "Unknown")
