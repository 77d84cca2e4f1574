"""What a Lambda keeps between invocations: clients, made once when the runtime starts.

The waits are shorter and the attempts fewer than the gateway's: the flow gives a synchronous Lambda 8 s in all
(Amazon Connect administrator guide, Invoke Lambda).
"""

from __future__ import annotations

import json
import os
from typing import Protocol

import boto3

from contract.aws import config, dynamodb_client, sqs_client
from contract.clock import Clock
from contract.dynamodb import DynamoStore
from contract.running import inline
from contract.wakeups import SqsWakeups
from lambdas.settings import Settings
from lambdas.telling import NOBODY, AwsTeller, Teller

READ_S = 1.0
ATTEMPTS = 2

SETTINGS = Settings.of(os.environ)
WAKEUPS = SqsWakeups(sqs_client(READ_S, ATTEMPTS), os.environ["WAKEUP_QUEUE_URL"], inline)

_DYNAMODB = dynamodb_client(READ_S, ATTEMPTS)
_TABLE = os.environ["TABLE_NAME"]
_RETENTION_S = int(os.environ.get("RECORDS_HOURS", "24")) * 3600


TELLER: Teller = NOBODY
if os.environ.get("RECORD_BUCKET"):
    _LIMITS = config(READ_S, attempts=1)  # a caller waits while it is told
    TELLER = AwsTeller(
        boto3.client("s3", config=_LIMITS),
        boto3.client("events", config=_LIMITS),
        os.environ["RECORD_BUCKET"],
        os.environ["CLIP_BUCKET"],
        json.loads(os.environ["KEEP_DAYS"]),
    )


def store(clock: Clock) -> DynamoStore:
    """The store of one invocation. Its clock is new each time: a frozen runtime's monotonic clock may stand still."""
    return DynamoStore(_DYNAMODB, _TABLE, inline, retention_s=_RETENTION_S, clock=clock)


class Context(Protocol):
    """What we use of the Lambda runtime's context object."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...
