"""CloudFormation's protocol for a resource of our own: one request by event, one answer to a URL of S3.

An answer that never comes keeps a stack waiting for an hour, so every error is an answer too (AWS CloudFormation user
guide, custom resources: request and response).
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from contract.errors import VoiceAgentError
from lambdas.log import LOG

ANSWER_S = 10
REASON_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """`physical_id` names what there is now; another one than before makes CloudFormation delete the one before."""

    physical_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def answered(event: Mapping[str, Any], work: Callable[[], Outcome], put: Callable[[str, bytes], None]) -> None:
    """Do the work and tell CloudFormation; `put` sends a body to a URL."""
    try:
        outcome = work()
    except Exception as error:  # noqa: BLE001 - whatever it was, the stack has to hear of it
        LOG.error("custom_resource_failed", error=type(error).__name__)
        known = isinstance(error, VoiceAgentError)
        reason = str(error) if known else f"{type(error).__name__}: {error}"
        # CloudFormation deletes what it failed to create, by an id that it must have got.
        nothing = Outcome(str(event.get("PhysicalResourceId") or "nothing"))
        body = _body(event, "FAILED", nothing, reason[:REASON_CHARACTERS])
    else:
        body = _body(event, "SUCCESS", outcome, "done")
    put(event["ResponseURL"], body)


def put(url: str, body: bytes) -> None:
    """Send the answer; the URL is signed for a request without a content type."""
    request = urllib.request.Request(url, body, {"Content-Type": ""}, method="PUT")  # noqa: S310 - CloudFormation's
    with urllib.request.urlopen(request, timeout=ANSWER_S):  # noqa: S310
        pass


def _body(event: Mapping[str, Any], status: str, outcome: Outcome, reason: str) -> bytes:
    same = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    told = {"Status": status, "Reason": reason, "PhysicalResourceId": outcome.physical_id}
    return json.dumps({**same, **told, "Data": dict(outcome.attributes)}).encode()
