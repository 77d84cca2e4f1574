"""A Connect task for a call that was handed over: the human finds it again after the call, with what was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lambdas.subscribers.event import CallEvent

if TYPE_CHECKING:
    from mypy_boto3_connect import ConnectClient

NAME_CHARACTERS, TEXT_CHARACTERS = 512, 4096  # StartTaskContact (Amazon Connect API reference)


def start_task(connect: ConnectClient, event: CallEvent, record: Mapping[str, Any], flow_id: str) -> str:
    """Start the task; the same event again starts none, since the client token is the same. Returns its contact."""
    answer = connect.start_task_contact(
        InstanceId=event.instance_arn.rpartition("/")[2],
        ContactFlowId=flow_id,
        RelatedContactId=event.contact_id,
        Name=f"{event.agent}: {event.reason}"[:NAME_CHARACTERS],
        Description=str(record.get("summary") or "No summary.")[:TEXT_CHARACTERS],
        ClientToken=event.id,
        Attributes={"va_agent": event.agent, "va_reason": event.reason, "va_queue": event.queue or "none"},
    )
    return str(answer["ContactId"])
