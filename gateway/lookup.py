"""The lookup before the opening: one function, no arguments, a short time. It never keeps a caller waiting longer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.call import Lease
from contract.findings import taken_apart
from contract.text import json_object
from contract.turns import FunctionState
from definition.model import LookupDefinition
from gateway.conversation.commands import StartFunction
from gateway.functions.runner import FunctionRunner

CALL_ID = "lookup"
TURN = 0  # before the caller's first


async def look_up(runner: FunctionRunner, lease: Lease, lookup: LookupDefinition) -> Mapping[str, Any]:
    """What the function says of the caller, nothing when it fails or is late; after a takeover out of the ledger.

    Raises:
        LeaseLost: another gateway owns the call.
    """
    request = StartFunction(CALL_ID, lookup.function.name, {}, round(lookup.timeout_s * 1000))
    result = await runner.run(lease, TURN, request)
    if result.state is not FunctionState.FINISHED:
        return {}
    return json_object(taken_apart(result.content).told)
