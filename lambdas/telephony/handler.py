"""The entry point of `telephony`, which CloudFormation invokes for resources of Amazon Chime SDK Voice."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import boto3

from contract.aws import config
from lambdas.custom_resource import answered, put
from lambdas.telephony.chime import Request
from lambdas.telephony.kinds import KINDS

CHIME = boto3.client("chime-sdk-voice", config=config(read_s=20, attempts=6))


def handler(event: Mapping[str, Any], _context: object) -> None:
    """A request of CloudFormation; the answer goes to its URL. Throttling is botocore's to wait for."""
    answered(event, lambda: KINDS[event["ResourceType"]](CHIME, Request.of(event), time.sleep), put)
