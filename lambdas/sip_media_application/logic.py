"""What a SIP media application does with a call from the flow: takes the code as key presses, and bridges the call to
the voice connector with the code in a header. A core without I/O.

Amazon Chime SDK developer guide, PSTN audio service: NEW_INBOUND_CALL, ReceiveDigits and its DIGITS_RECEIVED,
CallAndBridge with SipHeaders. What is returned upon the first event answers the call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contract.call import CODE_DIGITS

HEADER = "X-Voice-Agent-Code"
BETWEEN_KEYS_MS = 2000
KEYS_MS = 12_000
RING_S = 15
WAIT_MS = "20000"  # silence until the keys have come; the flow types for four seconds
Action = dict[str, Any]


def respond(event: Mapping[str, Any], connector_arn: str) -> dict[str, Any]:
    """The actions upon one event. Whatever is not expected ends the call: the flow then goes to a human."""
    participants: Sequence[Mapping[str, Any]] = event.get("CallDetails", {}).get("Participants", [])
    kind = event.get("InvocationEventType")
    if kind in ("HANGUP", "ACTION_SUCCESSFUL"):
        return _actions(*_after(event, participants) if kind == "HANGUP" else ())
    if not participants:
        return _actions()
    caller = participants[0]
    if kind == "NEW_INBOUND_CALL":
        return _actions(_receive_digits(caller), _pause(caller))
    code = str(event.get("ActionData", {}).get("ReceivedDigits", ""))
    if kind == "DIGITS_RECEIVED" and code.isascii() and code.isdigit() and len(code) == CODE_DIGITS:
        return _actions(_bridge(caller, connector_arn, code))
    return _actions(*(_hang_up(each) for each in participants))


def _actions(*actions: Action) -> dict[str, Any]:
    return {"SchemaVersion": "1.0", "Actions": list(actions)}


def _after(event: Mapping[str, Any], participants: Sequence[Mapping[str, Any]]) -> list[Action]:
    """One leg has hung up: so does the other, and the flow has its caller back."""
    gone = event.get("ActionData", {}).get("Parameters", {}).get("CallId")
    return [_hang_up(each) for each in participants if each.get("CallId") != gone and each.get("Status") == "Connected"]


def _receive_digits(caller: Mapping[str, Any]) -> Action:
    return {
        "Type": "ReceiveDigits",
        "Parameters": {
            "CallId": caller.get("CallId"),
            "InputDigitsRegex": rf"^\d{{{CODE_DIGITS}}}$",
            "InBetweenDigitsDurationInMilliseconds": BETWEEN_KEYS_MS,
            "FlushDigitsDurationInMilliseconds": KEYS_MS,
        },
    }


def _pause(caller: Mapping[str, Any]) -> Action:
    return {"Type": "Pause", "Parameters": {"CallId": caller.get("CallId"), "DurationInMilliseconds": WAIT_MS}}


def _bridge(caller: Mapping[str, Any], connector_arn: str, code: str) -> Action:
    to = {"BridgeEndpointType": "AWS", "Arn": connector_arn, "Uri": caller.get("To")}
    return {
        "Type": "CallAndBridge",
        "Parameters": {
            "CallTimeoutSeconds": RING_S,
            "CallerIdNumber": caller.get("From"),
            "Endpoints": [to],
            "SipHeaders": {HEADER: code},
        },
    }


def _hang_up(leg: Mapping[str, Any]) -> Action:
    return {"Type": "Hangup", "Parameters": {"CallId": leg.get("CallId"), "SipResponseCode": "0"}}
