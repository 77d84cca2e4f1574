"""The entry points of `next_action`: one function for each form of the flow, each with its own concurrency."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from contract.actions import Request
from contract.call import FlowForm
from contract.clock import SystemClock
from contract.errors import MalformedRecord
from contract.wire import parse_request
from lambdas import environment
from lambdas.environment import Context
from lambdas.log import LOG, contact_of
from lambdas.next_action.limits import POLL, WAIT, Limits
from lambdas.next_action.logic import failed, next_action


def wait(event: Mapping[str, Any], context: Context) -> dict[str, str]:
    """For the interruptible flow, which invokes it asynchronously and plays a clip meanwhile."""
    return _handle(event, context, FlowForm.INTERRUPTIBLE, WAIT)


def poll(event: Mapping[str, Any], context: Context) -> dict[str, str]:
    """For the polling flow, where the caller hears silence until it answers."""
    return _handle(event, context, FlowForm.POLLING, POLL)


def _handle(event: Mapping[str, Any], context: Context, form: FlowForm, limits: Limits) -> dict[str, str]:
    began = time.monotonic()
    try:
        request = parse_request(event)
    except MalformedRecord as error:
        LOG.error("malformed_event", contact=contact_of(event), where=error.where)
        return failed("malformed_event", Request("", 0), environment.SETTINGS)
    clock = SystemClock()
    answer = asyncio.run(
        next_action(
            environment.store(clock),
            environment.WAKEUPS,
            clock,
            request,
            context.aws_request_id,
            form,
            limits.within(context.get_remaining_time_in_millis()),
            environment.SETTINGS,
            environment.TELLER,
        )
    )
    took_ms = int((time.monotonic() - began) * 1000)
    LOG.info("answered", contact=request.contact_id, action=answer["action"], seq=answer["seq"], ms=took_ms)
    return answer
