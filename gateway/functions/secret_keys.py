"""Secret key presses that this gateway took itself, on their way to the function that the agent definition names.

The digits are in the function's arguments and nowhere else: not in a log, not in the record, not with the voice agent,
which learns what the function answered. Where the contact flow takes the keys, a Lambda of its does the same.
"""

from __future__ import annotations

import asyncio
import json

import structlog

from contract.call import Call
from contract.errors import StoreUnavailable
from contract.findings import remembered
from contract.store import GatewayStore
from gateway.functions.invoker import FunctionFailed, Invoker
from gateway.legs.leg import Question

log = structlog.get_logger()

LIMIT_S = 5.0  # the caller waits in silence
MOST_CHARACTERS = 2000  # of an answer
ENTERED = "entered"  # all that is told where no function is to get the digits
UNAVAILABLE = {"error": "ledger_unavailable"}  # and the function was not called
UNKNOWN = {"error": "unknown", "note": "what came of it is unknown because of a technical fault; do not repeat it"}


async def pass_on(invoker: Invoker, store: GatewayStore, call: Call, question: Question, digits: str) -> str:
    """Once, since the digits may be a payment; returns what the voice agent may know of it."""
    if not question.function:
        return ENTERED
    context: dict[str, object] = {
        "contact_id": call.contact_id,
        "agent": call.agent,
        "caller_number": call.caller_number,
        "attributes": dict(call.attributes),
    }
    try:
        context["remembered"] = remembered(await store.functions(call.contact_id))
    except StoreUnavailable as error:
        log.error("ledger_unavailable", contact=call.contact_id, function=question.function, cause=error.cause)
        return json.dumps(UNAVAILABLE)
    payload = {"function": question.function, "arguments": {question.parameter: digits}, "context": context}
    try:
        async with asyncio.timeout(LIMIT_S):
            told, outcome = _checked(await invoker.invoke(question.function, payload))
    except TimeoutError:
        told, outcome = json.dumps(UNKNOWN), "timeout"
    except FunctionFailed as failed:
        told, outcome = json.dumps(UNKNOWN), failed.kind
    log.info("secret_function", contact=call.contact_id, function=question.function, outcome=outcome)
    return told


def _checked(answer: str) -> tuple[str, str]:
    try:
        known = isinstance(json.loads(answer), dict)
    except (ValueError, RecursionError):
        known = False
    kind = "malformed" if not known else "too_large" if len(answer) > MOST_CHARACTERS else ""
    return (json.dumps({"error": kind}), kind) if kind else (answer, "finished")
