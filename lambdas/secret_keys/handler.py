"""The entry point of `secret_keys`, which the flows invoke synchronously with what was typed in secret."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from typing import Any

import boto3

from contract.aws import config
from contract.clock import SystemClock
from lambdas import environment
from lambdas.secret_keys.logic import LambdaInvoke, secret_keys

READ_S = 5.0  # the flow gives 8 s
# Never twice: the digits may be a payment.
INVOKE = LambdaInvoke(boto3.client("lambda", config=config(READ_S, attempts=1)))
ARNS = json.loads(os.environ.get("FUNCTION_ARNS", "{}"))


def handler(event: Mapping[str, Any], _context: object) -> dict[str, str]:
    """A ContactFlowEvent in, a flat map of strings out."""
    clock = SystemClock()
    return asyncio.run(secret_keys(environment.store(clock), INVOKE, ARNS, clock, event))
