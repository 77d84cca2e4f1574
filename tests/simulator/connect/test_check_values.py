from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.connect.check import problems_of
from tests.simulator.connect import small
from tests.simulator.connect.small import INVOCATION, LAMBDA, SILENCE, block, document

HOOK = {"LambdaReturned": {"AsyncLambdaCompletionEvent": {"Identifier": INVOCATION}}}
TO_PHONE = {
    "ThirdPartyPhoneNumber": "$.Attributes.number",
    "ThirdPartyConnectionTimeLimitSeconds": "30",
    "ContinueFlowExecution": "True",
}
STORE = {
    "Text": "number?",
    "StoreInput": "True",
    "InputTimeLimitSeconds": "5",
    "InputValidation": {"CustomValidation": {"MaximumLength": "4"}},
}
PHONE_ERRORS = {"errors": {"InvalidPhoneNumber": "bye"}}


def phone(**validation: str) -> dict[str, Any]:
    return {**STORE, "InputValidation": {"PhoneNumberValidation": validation}}


PHONE = phone(NumberFormat="Local", CountryCode="DE")
MENU = {"Text": "press", "StoreInput": "False", "InputTimeLimitSeconds": "5"}
MENU_ERRORS = {"InputTimeLimitExceeded": "bye", "NoMatchingCondition": "bye"}
CONNECTOR = {"VoiceConnectorType": "CallTransferConnector", "VoiceConnectorArn": "arn:aws:chime:vc/1"}


def problems(kind: str, parameters: dict[str, Any], **more: Any) -> str:
    queue = kind == "MessageParticipantIteratively"
    content = json.dumps(document(block("a", kind, parameters, **more)))
    return "; ".join(problems_of(content, "CUSTOMER_QUEUE" if queue else "CONTACT_FLOW", small.an_instance()))


GOOD: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("UpdateFlowLoggingBehavior", {"FlowLoggingBehavior": "Enabled"}, {}),
    ("MessageParticipant", {"Text": "a", "SkipWhenDTMFBufferEnabled": "false"}, {}),
    ("MessageParticipant", {"Media": {"Uri": "$.External.u", "SourceType": "S3", "MediaType": "Audio"}}, {}),
    ("MessageParticipantIteratively", {"Messages": [{"Text": "a"}, {"PromptId": SILENCE}]}, {}),
    (
        "MessageParticipantIteratively",
        {"Messages": [{"Text": "a"}], "InterruptFrequencySeconds": "30"},
        {"when": {"MessagesInterrupted": "bye"}},
    ),
    ("GetParticipantInput", MENU, {"when": {"1": "bye", "#": "bye"}, "errors": MENU_ERRORS}),
    ("GetParticipantInput", STORE, {}),
    (
        "GetParticipantInput",
        {**STORE, "DTMFConfiguration": {"InputTerminationSequence": "##", "DisableCancelKey": "True"}},
        {},
    ),
    ("GetParticipantInput", PHONE, PHONE_ERRORS),
    ("GetParticipantInput", phone(NumberFormat="E164"), PHONE_ERRORS),
    ("InvokeLambdaFunction", {"LambdaFunctionARN": LAMBDA, "InvocationTimeLimitSeconds": "8"}, {}),
    (
        "InvokeLambdaFunction",
        {"LambdaFunctionARN": LAMBDA, "InvocationTimeLimitSeconds": "60", "InvocationType": "ASYNCHRONOUS"},
        {},
    ),
    ("UpdateFlowAttributes", {"FlowAttributes": {"a": {"Value": "1", "Type": "String"}}}, {}),
    ("Loop", {"LoopCount": "$.Attributes.n"}, {"when": {"ContinueLooping": "bye", "DoneLooping": "bye"}}),
    ("Wait", {"TimeLimitSeconds": "5"}, {"when": {"WaitCompleted": "bye"}}),
    (
        "Wait",
        {"TimeLimitSeconds": "5", "Events": ["CustomerReturned"]},
        {"when": {"WaitCompleted": "bye", "CustomerReturned": "bye"}},
    ),
    (
        "CheckMetricData",
        {"MetricType": "NumberOfContactsInQueue"},
        {"when": {"5": "bye"}, "operator": "NumberLessThan"},
    ),
    (
        "CheckMetricData",
        {"MetricType": "NumberOfAgentsStaffed"},
        {"when": {"0": "bye"}, "operator": "NumberGreaterThan"},
    ),
    ("UpdateContactRoutingBehavior", {"QueuePriority": "1"}, {}),
    ("UpdateContactCallbackNumber", {"CallbackNumber": "$.CustomerEndpoint.Address"}, {}),
    (
        "TransferParticipantToThirdParty",
        TO_PHONE,
        {"errors": {"CallFailed": "bye", "ConnectionTimeLimitExceeded": "bye"}},
    ),
    (
        "TransferParticipantToThirdParty",
        {
            "VoiceConnector": CONNECTOR,
            "ThirdPartyConnectionTimeLimitSeconds": "$.Attributes.s",
            "ContinueFlowExecution": "False",
        },
        {},
    ),
    ("UpdateContactData", {"LanguageCode": "de-DE"}, {}),
]


@pytest.mark.parametrize(("kind", "parameters", "more"), GOOD)
def test_what_the_service_accepts_is_accepted(kind: str, parameters: dict[str, Any], more: dict[str, Any]) -> None:
    assert problems(kind, parameters, **more) == ""


def wait(**parameters: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
    return "Wait", {"TimeLimitSeconds": "5", **parameters}, {"when": {"WaitCompleted": "bye"}}


def streaming(*participants: object) -> tuple[str, dict[str, Any], dict[str, Any]]:
    given = {"MediaStreamingState": "Enabled", "MediaStreamType": "Audio", "Participants": list(participants)}
    return "UpdateContactMediaStreamingBehavior", given, {}


BAD: list[tuple[tuple[str, dict[str, Any], dict[str, Any]], str]] = [
    (("UpdateFlowLoggingBehavior", {"FlowLoggingBehavior": "On"}, {}), "found 'On'"),
    (streaming(), "expected one participant"),
    (streaming("Customer"), "expected one participant"),
    (streaming({"ParticipantType": "Agent", "MediaDirections": ["From"]}), "Participants[0]"),
    (streaming({"ParticipantType": "Customer", "MediaDirections": []}), "Participants[0]"),
    (streaming({"ParticipantType": "Customer", "MediaDirections": "From"}), "Participants[0]"),
    (("MessageParticipant", {"Media": {"Uri": "$.External.u"}}, {}), "expected Uri, SourceType"),
    (
        ("MessageParticipant", {"Media": {"Uri": "u", "SourceType": "HTTP", "MediaType": "Audio"}}, {}),
        "expected SourceType S3",
    ),
    (("MessageParticipantIteratively", {"Messages": []}, {}), "at least one message"),
    (("MessageParticipantIteratively", {"Messages": "a"}, {}), "at least one message"),
    (("MessageParticipantIteratively", {"Messages": [{"Media": {"Uri": "u"}}]}, {}), "expected one of Text"),
    (
        ("MessageParticipantIteratively", {"Messages": [{"Text": "a"}], "InterruptFrequencySeconds": "20"}, {}),
        "expected ['MessagesInterrupted']",
    ),
    (("GetParticipantInput", {**MENU, "StoreInput": "false"}, {"errors": MENU_ERRORS}), "found 'false'"),
    (("GetParticipantInput", MENU, {}), "expected InputTimeLimitExceeded"),
    (("GetParticipantInput", MENU, {"errors": MENU_ERRORS, "when": {"yes": "bye"}}), "expected one key each"),
    (
        ("GetParticipantInput", {**MENU, "InputValidation": {"a": "b"}}, {"errors": MENU_ERRORS}),
        "not supported without StoreInput",
    ),
    (("GetParticipantInput", {**STORE, "InputTimeLimitSeconds": "181"}, {}), "found '181'"),
    (("GetParticipantInput", STORE, {"when": {"1": "bye"}}), "no conditions"),
    (("GetParticipantInput", PHONE, {}), "expected InvalidPhoneNumber and NoMatchingError"),
    (("GetParticipantInput", phone(CountryCode="DE"), PHONE_ERRORS), "expected Local or E164"),
    (("GetParticipantInput", phone(NumberFormat="Local"), PHONE_ERRORS), "expected a country"),
    (("GetParticipantInput", phone(NumberFormat="Local", CountryCode="XX"), PHONE_ERRORS), "expected a country"),
    (("GetParticipantInput", phone(Digits="3"), PHONE_ERRORS), "expected NumberFormat and CountryCode"),
    (
        ("GetParticipantInput", {**STORE, "InputValidation": {"CustomValidation": "4"}}, {}),
        "expected CustomValidation with MaximumLength",
    ),
    (("GetParticipantInput", {**STORE, "InputValidation": "4"}, {}), "expected CustomValidation"),
    (
        ("GetParticipantInput", {**STORE, "InputValidation": {"CustomValidation": {"MaximumLength": "x"}}}, {}),
        "InputValidation.CustomValidation.MaximumLength",
    ),
    (("GetParticipantInput", {**STORE, "DTMFConfiguration": "x"}, {}), "DTMFConfiguration"),
    (
        ("GetParticipantInput", {**STORE, "DTMFConfiguration": {"InputTerminationSequence": "abc"}}, {}),
        "one to five keys",
    ),
    (("InvokeLambdaFunction", {"LambdaFunctionARN": LAMBDA, "InvocationTimeLimitSeconds": "9"}, {}), "from 1 to 8"),
    (
        (
            "InvokeLambdaFunction",
            {"LambdaFunctionARN": LAMBDA, "InvocationTimeLimitSeconds": "61", "InvocationType": "ASYNCHRONOUS"},
            {},
        ),
        "from 1 to 60",
    ),
    (
        (
            "InvokeLambdaFunction",
            {"LambdaFunctionARN": LAMBDA, "InvocationTimeLimitSeconds": "8", "LambdaInvocationAttributes": "x"},
            {},
        ),
        "an object of strings",
    ),
    (
        (
            "InvokeLambdaFunction",
            {
                "LambdaFunctionARN": LAMBDA,
                "InvocationTimeLimitSeconds": "8",
                "ResponseValidation": {"ResponseType": "JSON_OBJECT"},
            },
            {},
        ),
        "STRING_MAP or JSON",
    ),
    (("LoadLambdaFunctionResult", {"LambdaInvocationId": "abc"}, {}), "exactly one JSONPath"),
    (("UpdateContactAttributes", {"Attributes": {"a": {"Value": "1"}}}, {}), "an object of strings"),
    (("UpdateContactAttributes", {"Attributes": {"a": "1"}, "TargetContact": "Other"}, {}), "found 'Other'"),
    (("UpdateFlowAttributes", {"FlowAttributes": {"a": "1"}}, {}), 'expected {"Value": "..."}'),
    (("UpdateFlowAttributes", {"FlowAttributes": "x"}, {}), 'expected {"Value": "..."}'),
    (("Compare", {"ComparisonValue": "x"}, {}), "expected at least one"),
    (wait(TimeLimitSeconds="0"), "from 1 to 604800"),
    (wait(Events=["LambdaReturned"]), "expected CustomerReturned"),
    (wait(ContinueExecution="True"), "found 'True'"),
    (wait(ContinueExecution="TRUE"), "required with ContinueExecution"),
    (wait(ContinueExecution="TRUE", MinimumWaitTimeSeconds="1"), "expected ['Continue', 'WaitCompleted']"),
    (wait(InterruptibleEvents="x"), "expected AsyncLambdaCompletionEvent"),
    (wait(InterruptibleEvents={"L": "x"}), "expected AsyncLambdaCompletionEvent"),
    (wait(InterruptibleEvents={"L": {"AsyncLambdaCompletionEvent": {}}}), "expected AsyncLambdaCompletionEvent"),
    (wait(InterruptibleEvents=HOOK), "expected ['LambdaReturned', 'WaitCompleted']"),
    (("CheckMetricData", {"MetricType": "Mood"}, {}), "found 'Mood'"),
    (("CheckMetricData", {"MetricType": "NumberOfAgentsStaffed"}, {}), "expected at least one"),
    (
        ("CheckMetricData", {"MetricType": "NumberOfAgentsStaffed"}, {"when": {"0": "bye"}}),
        "a comparison of numbers",
    ),
    (
        (
            "CheckMetricData",
            {"MetricType": "NumberOfAgentsStaffed"},
            {"when": {"1": "bye"}, "operator": "NumberGreaterThan"},
        ),
        "only NumberGreaterThan 0",
    ),
    (("UpdateContactEventHooks", {"EventHooks": {"A": "$.Attributes.a"}}, {}), "exactly one of"),
    (("UpdateContactEventHooks", {"EventHooks": "x"}, {}), "exactly one of"),
    (("UpdateContactRoutingBehavior", {"QueuePriority": "first"}, {}), "a string of digits"),
    (("UpdateContactData", {"TargetContact": "Current"}, {}), "expected at least one field"),
    (("UpdateContactCallbackNumber", {"CallbackNumber": "+4930"}, {}), "exactly one JSONPath"),
    (("TransferParticipantToThirdParty", TO_PHONE, {}), "expected ['CallFailed'"),
    (
        (
            "TransferParticipantToThirdParty",
            {**TO_PHONE, "ContinueFlowExecution": "False"},
            {"errors": {"CallFailed": "bye"}},
        ),
        "expected ['NoMatchingError']",
    ),
    (
        (
            "TransferParticipantToThirdParty",
            {
                "VoiceConnector": {"ToUser": "+1"},
                "ThirdPartyConnectionTimeLimitSeconds": "601",
                "ContinueFlowExecution": "False",
            },
            {},
        ),
        "expected VoiceConnectorType and",
    ),
    (
        (
            "TransferParticipantToThirdParty",
            {
                "VoiceConnector": {**CONNECTOR, "VoiceConnectorType": "ChimeConnector"},
                "ThirdPartyConnectionTimeLimitSeconds": "60",
                "ContinueFlowExecution": "False",
            },
            {},
        ),
        "expected CallTransferConnector",
    ),
]


@pytest.mark.parametrize(("given", "why"), BAD)
def test_what_the_service_refuses_is_refused(given: tuple[str, dict[str, Any], dict[str, Any]], why: str) -> None:
    kind, parameters, more = given
    assert why in problems(kind, parameters, **more)
