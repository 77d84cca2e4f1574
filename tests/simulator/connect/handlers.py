"""Handlers for the tests of the Lambda runtime."""

from __future__ import annotations

import os
import time
from typing import Any

CALLS = 0


def echo(event: dict[str, Any], context: Any) -> dict[str, Any]:
    global CALLS
    CALLS += 1
    print("what a handler prints does not disturb the protocol")
    return {
        "event": event,
        "calls": CALLS,
        "name": context.function_name,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "left_ms": context.get_remaining_time_in_millis(),
        "stage": os.environ.get("STAGE"),
        "leaked": os.environ.get("NOT_FOR_LAMBDAS"),
    }


def fails(event: object, context: object) -> None:
    raise ValueError("bad order number")


def unserialisable(event: object, context: object) -> object:
    return {1, 2}


def sleeps(event: dict[str, float], context: object) -> str:
    time.sleep(event["s"])
    return "slept"


def dies(event: object, context: object) -> None:
    os._exit(3)
