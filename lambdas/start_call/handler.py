"""The entry point of `start_call`, which the flow invokes synchronously before the opening."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from contract.clock import SystemClock
from lambdas import environment
from lambdas.environment import Context
from lambdas.log import LOG, contact_of
from lambdas.start_call.logic import start_call


def handler(event: Mapping[str, Any], context: Context) -> dict[str, str]:
    """A ContactFlowEvent in, a flat map of strings out."""
    began = time.monotonic()
    clock = SystemClock()
    answer = asyncio.run(
        start_call(
            environment.store(clock), environment.WAKEUPS, clock, event, environment.SETTINGS, environment.TELLER
        )
    )
    took_ms = int((time.monotonic() - began) * 1000)
    LOG.info(
        "started",
        contact=contact_of(event),
        request=context.aws_request_id,
        action=answer["action"],
        reason=answer["reason"],
        ms=took_ms,
    )
    return answer
