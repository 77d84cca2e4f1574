"""Secret key presses on their way from the flow to the function that the agent definition names for them.

The digits are in this Lambda's event and in the function's arguments, and nowhere else: not in a log, not in the
table, not at the gateway, which reads only what the function answered. A question is passed on once, however often
Connect delivers it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from contract.actions import Collect
from contract.call import Call
from contract.clock import Clock
from contract.findings import remembered
from contract.store import GatewayStore
from contract.wire import parse_request
from lambdas.log import LOG

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

Invoke = Callable[[str, bytes], Awaitable[tuple[str, str]]]  # ARN and event to a failure's name, and the answer

ENTERED = "entered"  # all that is told where no function is to get the digits
MOST_CHARACTERS = 2000  # of an answer: it goes through attributes of the flow, which share 32 KB
UNKNOWN = {"error": "unknown", "note": "what came of it is unknown because of a technical fault; do not repeat it"}


async def secret_keys(
    store: GatewayStore, invoke: Invoke, arns: Mapping[str, str], clock: Clock, event: Mapping[str, Any]
) -> dict[str, str]:
    """`told`: what the agent may know, JSON in a text.

    Raises:
        StoreUnavailable, MalformedRecord: the flow says that the outcome is not known.
    """
    request = parse_request(event)
    log_of_call = await store.actions_after(request.contact_id, request.loaded - 1)
    asked = next((line.action for line in log_of_call if line.seq == request.loaded), None)
    if not isinstance(asked, Collect) or not asked.secret or not asked.function:
        return {"told": ENTERED}
    if await store.claim_code(asked.once, clock.now_ms()) != request.contact_id:
        return {"told": json.dumps(UNKNOWN)}
    began_ms = clock.now_ms()
    call = await store.call(request.contact_id)
    kept = remembered(await store.functions(request.contact_id))
    payload = _payload(asked, call, request.digits, kept)
    told, outcome = await _invoked(invoke, arns.get(asked.function, ""), payload)
    LOG.info(
        "secret_function",
        contact=request.contact_id,
        agent=call.agent,
        function=asked.function,
        outcome=outcome,
        ms=clock.now_ms() - began_ms,
    )
    return {"told": told}


def _payload(asked: Collect, call: Call, digits: str, kept: Mapping[str, str]) -> bytes:
    """The same event that the gateway invokes functions with."""
    context = {
        "contact_id": call.contact_id,
        "agent": call.agent,
        "caller_number": call.caller_number,
        "attributes": dict(call.attributes),
        "remembered": dict(kept),
    }
    event = {"function": asked.function, "arguments": {asked.parameter: digits}, "context": context}
    return json.dumps(event).encode()


class LambdaInvoke:
    """Invokes by ARN; a failure is its name and no answer."""

    def __init__(self, client: LambdaClient) -> None:
        self._client = client

    async def __call__(self, arn: str, payload: bytes) -> tuple[str, str]:
        try:
            response = self._client.invoke(FunctionName=arn, Payload=payload)
            answer = response["Payload"].read().decode(errors="replace")
        except (ClientError, BotoCoreError) as error:
            return type(error).__name__, ""
        return ("raised", "") if response.get("FunctionError") else ("", answer)


async def _invoked(invoke: Invoke, arn: str, payload: bytes) -> tuple[str, str]:
    """What the agent is told, and how it went."""
    if not arn:
        return _failed("unknown_function"), "unknown_function"
    error, answer = await invoke(arn, payload)
    if error:
        return json.dumps(UNKNOWN), error
    try:
        known = isinstance(json.loads(answer), dict)
    except ValueError:
        known = False
    if not known:
        return _failed("malformed"), "malformed"
    return (answer, "finished") if len(answer) <= MOST_CHARACTERS else (_failed("too_large"), "too_large")


def _failed(kind: str) -> str:
    return json.dumps({"error": kind})
