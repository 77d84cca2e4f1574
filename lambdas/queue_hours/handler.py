"""The entry point of `queue_hours`, which the flow invokes synchronously when a queue is closed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3

from contract.aws import config
from lambdas.queue_hours.logic import Hours, Times, queue_hours

READ_S = 1.0  # two calls, and the flow gives 3 s
CONNECT = boto3.client("connect", config=config(READ_S, attempts=1))
HOURS = Hours(CONNECT)
TIMES = Times.of(os.environ.get("TIMES", "{}"))


def handler(event: Mapping[str, Any], _context: object) -> dict[str, str]:
    """A ContactFlowEvent in, a flat map of strings out."""
    return queue_hours(HOURS, event, datetime.now(UTC), TIMES)
