"""What of Amazon Chime SDK Voice's client these resources use, their names, and how they wait.

The service has no client token: a create whose answer was lost would make a second one. So every name ends in the
stack's own id, a create looks for its name first, and a delete of which nobody knows the id finds it by its name:
CloudFormation asks for that one after a create that has failed halfway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from contract.aws import code_of

ATTEMPTS = 6
PAUSE_S = 5.0  # numbers and rules are let go of a moment after the service has said so
STACK_ID_CHARACTERS = 8
NOTHING = "nothing"  # the id that `custom_resource` answers with where a create has failed


class Client(Protocol):
    """boto3's `chime-sdk-voice`; operations by their names there."""

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class Request:
    """One event of CloudFormation. `known` is the id of what there is, "" where there is none or nobody knows."""

    kind: str
    known: str
    properties: Mapping[str, str]
    before: Mapping[str, str]
    name: str

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Request:
        properties = event["ResourceProperties"]
        stack = str(event["StackId"]).rpartition("/")[2][:STACK_ID_CHARACTERS]
        known = str(event.get("PhysicalResourceId", ""))
        before = event.get("OldResourceProperties", {})
        return cls(
            event["RequestType"], "" if known == NOTHING else known, properties, before, f"{properties['Name']}-{stack}"
        )


def listed(operation: Callable[..., dict[str, Any]], key: str) -> Iterator[dict[str, Any]]:
    """Every entry of a List operation, page by page."""
    more: dict[str, str] = {}
    while True:
        page = operation(**more)
        yield from page.get(key, [])
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def gone(call: Callable[[], object]) -> None:
    """Do it; that there is nothing any more is as good."""
    try:
        call()
    except ClientError as error:
        if code_of(error) != "NotFoundException":
            raise


def patiently(call: Callable[[], object], sleep: Callable[[float], None]) -> None:
    """Again while the service says that something still holds on to it. Raises the last ClientError."""
    for _ in range(ATTEMPTS - 1):
        try:
            gone(call)
        except ClientError as error:
            if code_of(error) != "ConflictException":
                raise
            sleep(PAUSE_S)
        else:
            return
    gone(call)
