from __future__ import annotations

import json

from simulator.connect.envelope import contact_event, iso, lambda_event
from simulator.connect.events import DisconnectReason
from simulator.connect.state import ContactState
from tests.simulator.connect.small import MEDIA, NOW, QUEUE, an_instance


def a_state() -> ContactState:
    return ContactState("c-1", an_instance(), "+491", "+492", attributes={"k": "v"}, initiated_at_ms=NOW)


def test_the_event_of_a_flow_lambda_has_the_shape_that_handlers_expect() -> None:
    state = a_state()
    state.media = MEDIA
    state.queue = state.instance.queue(QUEUE)
    event = lambda_event(state, {"p": "1"})
    data = event["Details"]["ContactData"]
    assert event["Name"] == "ContactFlowEvent"
    assert event["Details"]["Parameters"] == {"p": "1"}
    assert data["Attributes"] == {"k": "v"}
    assert data["CustomerEndpoint"] == {"Address": "+491", "Type": "TELEPHONE_NUMBER"}
    assert data["MediaStreams"]["Customer"]["Audio"]["StartTimestamp"] == str(NOW)
    assert data["Queue"]["ARN"] == QUEUE
    assert json.loads(json.dumps(event)) == event


def test_what_is_not_known_is_null() -> None:
    data = lambda_event(ContactState("c-1", an_instance()), {})["Details"]["ContactData"]
    assert [data[key] for key in ("CustomerEndpoint", "SystemEndpoint", "Queue", "CustomerId")] == [None] * 4
    assert data["MediaStreams"] == {"Customer": {"Audio": None}}


def test_times_have_milliseconds_and_are_utc() -> None:
    assert iso(1_628_099_317_005) == "2021-08-04T17:48:37.005Z"


def test_the_event_of_a_disconnect_says_when_and_why() -> None:
    state = a_state()
    state.disconnect_reason, state.disconnected_at_ms = DisconnectReason.CUSTOMER, NOW + 5
    event = contact_event(state, "DISCONNECTED", NOW + 5)
    assert (event["source"], event["detail-type"]) == ("aws.connect", "Amazon Connect Contact Event")
    assert event["time"] == f"{iso(NOW)[:-5]}Z"
    detail = event["detail"]
    assert (detail["eventType"], detail["contactId"]) == ("DISCONNECTED", "c-1")
    assert (detail["disconnectReason"], detail["disconnectTimestamp"]) == ("CUSTOMER_DISCONNECT", iso(NOW + 5))
    assert "queueInfo" not in detail
    assert "agentInfo" not in detail


def test_the_event_of_a_contact_that_a_human_took_names_queue_and_human() -> None:
    state = a_state()
    state.queue = state.instance.queue(QUEUE)
    state.queued_at_ms, state.answered_at_ms = NOW + 1, NOW + 2
    detail = contact_event(state, "CONNECTED_TO_AGENT", NOW + 2)["detail"]
    assert detail["queueInfo"]["queueArn"] == QUEUE
    assert detail["agentInfo"]["connectedToAgentTimestamp"] == iso(NOW + 2)
    assert "disconnectReason" not in detail
