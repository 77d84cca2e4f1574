"""The entry point of `streaming_storage`, which CloudFormation invokes while a deployment is made or removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3

from contract.aws import config
from lambdas.custom_resource import answered, put
from lambdas.streaming_storage.logic import streaming_storage

CONNECT = boto3.client("connect", config=config(10))


def handler(event: Mapping[str, Any], _context: object) -> None:
    """A request of CloudFormation; the answer goes to its URL."""
    answered(event, lambda: streaming_storage(CONNECT, event), put)
