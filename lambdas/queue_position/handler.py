"""The entry point of `queue_position`, which the queue flow invokes synchronously between the music."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3

from contract.aws import config
from lambdas.queue_position.logic import queue_position

READ_S = 1.5  # the flow gives 3 s
CONNECT = boto3.client("connect", config=config(READ_S, attempts=1))


def handler(event: Mapping[str, Any], _context: object) -> dict[str, str]:
    """A ContactFlowEvent in, a flat map of strings out."""
    return queue_position(CONNECT, event)
