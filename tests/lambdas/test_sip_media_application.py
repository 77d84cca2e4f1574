"""A call of the flow that reaches the gateway by a SIP media application."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.legs.sip.admission import CODE_HEADER
from lambdas.sip_media_application.handler import handler
from lambdas.sip_media_application.logic import HEADER, respond

ARN = "arn:aws:chime:us-east-1:111122223333:vc/abc"
CALLER = {"CallId": "a", "From": "+4915112345678", "To": "+15555550100", "Status": "Connected"}
AGENT = {"CallId": "b", "Status": "Connected"}


def event(kind: str, *participants: dict[str, str], digits: str = "", call_id: str = "") -> dict[str, Any]:
    return {
        "SchemaVersion": "1.0",
        "InvocationEventType": kind,
        "ActionData": {"ReceivedDigits": digits, "Parameters": {"CallId": call_id}},
        "CallDetails": {"Participants": list(participants)},
    }


def types(answer: dict[str, Any]) -> list[str]:
    return [action["Type"] for action in answer["Actions"]]


def test_the_header_is_the_one_that_the_gateway_reads() -> None:
    assert HEADER.lower() == CODE_HEADER


def test_a_new_call_is_answered_and_its_keys_are_waited_for() -> None:
    answer = respond(event("NEW_INBOUND_CALL", CALLER), ARN)
    assert types(answer) == ["ReceiveDigits", "Pause"]
    assert answer["Actions"][0]["Parameters"]["InputDigitsRegex"] == r"^\d{8}$"


def test_the_code_goes_to_the_voice_connector_in_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICE_CONNECTOR_ARN", ARN)
    answer = handler(event("DIGITS_RECEIVED", CALLER, digits="12345678"), None)
    (bridge,) = answer["Actions"]
    assert bridge["Parameters"]["SipHeaders"] == {"X-Voice-Agent-Code": "12345678"}
    assert bridge["Parameters"]["Endpoints"] == [
        {"BridgeEndpointType": "AWS", "Arn": ARN, "Uri": "+15555550100"},
    ]
    assert bridge["Parameters"]["CallerIdNumber"] == "+4915112345678"


@pytest.mark.parametrize("digits", ["", "1234567", "1234567x", "123456789"])
def test_keys_that_are_no_code_end_the_call(digits: str) -> None:
    assert types(respond(event("DIGITS_RECEIVED", CALLER, digits=digits), ARN)) == ["Hangup"]


def test_an_action_that_failed_ends_the_call_and_one_that_did_not_goes_on() -> None:
    assert types(respond(event("ACTION_FAILED", CALLER, AGENT), ARN)) == ["Hangup", "Hangup"]
    assert respond(event("ACTION_SUCCESSFUL", CALLER), ARN)["Actions"] == []


def test_when_one_leg_hangs_up_so_does_the_other() -> None:
    answer = respond(event("HANGUP", CALLER, AGENT, call_id="b"), ARN)
    assert [action["Parameters"]["CallId"] for action in answer["Actions"]] == ["a"]
    gone = {**CALLER, "Status": "Disconnected"}
    assert respond(event("HANGUP", gone, AGENT, call_id="b"), ARN)["Actions"] == []


def test_an_event_about_nobody_does_nothing() -> None:
    assert respond({"InvocationEventType": "NEW_INBOUND_CALL"}, ARN)["Actions"] == []
