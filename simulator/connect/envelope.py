"""What Connect sends out about a contact: the event of a flow Lambda, and contact events on EventBridge."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from simulator.connect.instance import Queue
from simulator.connect.state import ContactState, endpoint


def lambda_event(state: ContactState, parameters: Mapping[str, str]) -> Mapping[str, Any]:
    """The event of InvokeLambdaFunction (admin guide, Connect Lambda functions). Endpoints, customer and queue
    are null where they are not known."""
    return {
        "Name": "ContactFlowEvent",
        "Details": {
            "ContactData": {
                "Attributes": dict(state.attributes),
                "AwsRegion": state.instance.region,
                "Channel": "VOICE",
                "ContactId": state.contact_id,
                "CustomerEndpoint": endpoint(state.caller_number),
                "CustomerId": state.customer_id or None,
                "Description": state.description or None,
                "InitialContactId": state.contact_id,
                "InitiationMethod": "INBOUND",
                "InstanceARN": state.instance.arn,
                "LanguageCode": state.language,
                "MediaStreams": {"Customer": {"Audio": state.audio_stream()}},
                "Name": state.name or None,
                "PreviousContactId": state.contact_id,
                "Queue": _queue(state.queue),
                "References": {},
                "RelatedContactId": None,
                "SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:Telephony"}},
                "SystemEndpoint": endpoint(state.system_number),
                "Tags": {"aws:connect:instanceId": state.instance.id},
            },
            "Parameters": dict(parameters),
        },
    }


def _queue(queue: Queue | None) -> Mapping[str, Any] | None:
    return None if queue is None else {"ARN": queue.arn, "Name": queue.name, "OutboundCallerId": None}


def iso(at_ms: int) -> str:
    """`2026-11-22T10:00:00.123Z`."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def contact_event(state: ContactState, event_type: str, at_ms: int) -> Mapping[str, Any]:
    """An "Amazon Connect Contact Event" of EventBridge (admin guide, contact events): keys in lower camel case,
    the channel is spelt VOICE, `time` has no milliseconds."""
    instance = state.instance
    return {
        "version": "0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{state.contact_id}/{event_type}/{at_ms}")),
        "detail-type": "Amazon Connect Contact Event",
        "source": "aws.connect",
        "account": instance.account,
        "time": f"{iso(at_ms)[:-5]}Z",
        "region": instance.region,
        "resources": [instance.arn, f"{instance.arn}/contact/{state.contact_id}"],
        "detail": _detail(state, event_type),
    }


def _detail(state: ContactState, event_type: str) -> Mapping[str, Any]:
    detail: dict[str, Any] = {
        "eventType": event_type,
        "contactId": state.contact_id,
        "initialContactId": state.contact_id,
        "channel": "VOICE",
        "instanceArn": state.instance.arn,
        "initiationMethod": "INBOUND",
        "initiationTimestamp": iso(state.initiated_at_ms),
        "connectedToSystemTimestamp": iso(state.initiated_at_ms),
        "tags": {"aws:connect:instanceId": state.instance.id, "aws:connect:systemEndpoint": state.system_number},
    }
    if state.queue is not None and state.queued_at_ms:
        detail["queueInfo"] = {
            "queueType": "STANDARD",
            "queueArn": state.queue.arn,
            "enqueueTimestamp": iso(state.queued_at_ms),
        }
    if state.answered_at_ms:
        detail["agentInfo"] = {
            "agentArn": f"{state.instance.arn}/agent/00000000-0000-4000-8000-00000000000a",
            "connectedToAgentTimestamp": iso(state.answered_at_ms),
        }
    if state.disconnect_reason is not None:
        detail["disconnectTimestamp"] = iso(state.disconnected_at_ms)
        detail["disconnectReason"] = state.disconnect_reason.value
    return detail
