"""The exact JSON of every action, compared with the shapes that console exports have."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flows import actions, routing
from flows.errors import DuplicateIdentifier
from flows.language import Action, Flow, When
from flows.layout import Block, positions
from flows.parameters import FlowLogging
from flows.prompts import LibraryPrompt, S3Prompt, Ssml, Text, silence
from flows.validator import validate
from tests.flows.deployment import parameters

END = "end"
ERROR = {"NextAction": END, "ErrorType": "NoMatchingError"}
CONNECTOR = routing.ToConnector("arn:vc", "+15555550100", user_to_user="abc")


def condition(operand: str, operator: str = "Equals") -> dict[str, Any]:
    return {"NextAction": END, "Condition": {"Operator": operator, "Operands": [operand]}}


def errors(*types: str) -> list[dict[str, str]]:
    return [{"NextAction": END, "ErrorType": each} for each in types]


CASES: list[tuple[Action, str, dict[str, Any], dict[str, Any]]] = [
    (
        actions.Loop(100, END, END),
        "Loop",
        {"LoopCount": "100"},
        {"Conditions": [condition("ContinueLooping"), condition("DoneLooping")]},
    ),
    (
        actions.Menu(Text("Press 1"), 5, (("1", END),), END, END, END),
        "GetParticipantInput",
        {"Text": "Press 1", "InputTimeLimitSeconds": "5", "StoreInput": "False"},
        {
            "Conditions": [condition("1")],
            "Errors": errors("InputTimeLimitExceeded", "NoMatchingCondition", "NoMatchingError"),
        },
    ),
    (
        actions.MessageParticipant(S3Prompt("$.Attributes.url"), END, END),
        "MessageParticipant",
        {"Media": {"Uri": "$.Attributes.url", "SourceType": "S3", "MediaType": "Audio"}},
        {"Errors": [ERROR]},
    ),
    (
        actions.MessageParticipant(LibraryPrompt("arn:prompt"), END, END),
        "MessageParticipant",
        {"PromptId": "arn:prompt"},
        {"Errors": [ERROR]},
    ),
    (
        actions.WaitForLambda(40, END, END, END, END),
        "Wait",
        {
            "TimeLimitSeconds": "40",
            "MinimumWaitTimeSeconds": "1",
            "ContinueExecution": "TRUE",
            "InterruptibleEvents": {
                "LambdaReturned": {
                    "AsyncLambdaCompletionEvent": {"Identifier": "$.LambdaInvocation.InvocationId"},
                }
            },
        },
        {
            "Conditions": [condition("Continue"), condition("LambdaReturned"), condition("WaitCompleted")],
            "Errors": [ERROR],
        },
    ),
    (
        actions.InvokeLambdaFunction("arn:fn", 35, {"a": "$.ContactId"}, END, END, asynchronous=True),
        "InvokeLambdaFunction",
        {
            "LambdaFunctionARN": "arn:fn",
            "InvocationTimeLimitSeconds": "35",
            "InvocationType": "ASYNCHRONOUS",
            "LambdaInvocationAttributes": {"a": "$.ContactId"},
            "ResponseValidation": {"ResponseType": "JSON"},
        },
        {"Errors": [ERROR]},
    ),
    (
        actions.UpdateFlowAttributes({"loaded": "0"}, END, END),
        "UpdateFlowAttributes",
        {"FlowAttributes": {"loaded": {"Value": "0"}}},
        {"Errors": [ERROR]},
    ),
    (
        actions.UpdateContactMediaStreamingBehavior(True, END, END),
        "UpdateContactMediaStreamingBehavior",
        {
            "MediaStreamingState": "Enabled",
            "MediaStreamType": "Audio",
            "Participants": [{"ParticipantType": "Customer", "MediaDirections": ["From", "To"]}],
        },
        {"Errors": [ERROR]},
    ),
    (
        routing.CheckStaffing(END, END, END),
        "CheckMetricData",
        {"MetricType": "NumberOfAgentsStaffed"},
        {
            "Conditions": [condition("0", "NumberGreaterThan")],
            "Errors": errors("NoMatchingCondition", "NoMatchingError"),
        },
    ),
    (
        routing.TransferContactToQueue(END, END),
        "TransferContactToQueue",
        {},
        {"Errors": errors("QueueAtCapacity", "NoMatchingError")},
    ),
    (routing.TransferToFlow("arn:flow", END), "TransferToFlow", {"ContactFlowId": "arn:flow"}, {"Errors": [ERROR]}),
    (
        routing.GetMetricData("arn:queue", END, END),
        "GetMetricData",
        {"QueueId": "arn:queue", "QueueChannel": "Voice"},
        {"Errors": [ERROR]},
    ),
    (
        routing.CheckQueue("NumberOfContactsInQueue", (("0", END), ("3", END)), END, END),
        "CheckMetricData",
        {"MetricType": "NumberOfContactsInQueue"},
        {
            "Conditions": [condition("0", "NumberLessOrEqualTo"), condition("3", "NumberLessOrEqualTo")],
            "Errors": errors("NoMatchingCondition", "NoMatchingError"),
        },
    ),
    (
        actions.StorePhoneNumber(Text("Which?"), "DE", 10, END, END, END),
        "GetParticipantInput",
        {
            "Text": "Which?",
            "InputTimeLimitSeconds": "10",
            "StoreInput": "True",
            "InputValidation": {"PhoneNumberValidation": {"NumberFormat": "Local", "CountryCode": "DE"}},
        },
        {"Errors": errors("InvalidPhoneNumber", "NoMatchingError")},
    ),
    (
        routing.CreateCallbackContact("", END, END),
        "CreateCallbackContact",
        {"InitialCallDelaySeconds": "5", "MaximumConnectionAttempts": "1", "RetryDelaySeconds": "600"},
        {"Errors": [ERROR]},
    ),
    (routing.UpdateContactRoutingBehavior(1, END), "UpdateContactRoutingBehavior", {"QueuePriority": "1"}, {}),
    (
        routing.TransferParticipantToThirdParty(routing.ToNumber("$.Attributes.n", ",1#"), 30, END, END, END, END),
        "TransferParticipantToThirdParty",
        {
            "ThirdPartyPhoneNumber": "$.Attributes.n",
            "ThirdPartyDTMFDigits": ",1#",
            "ThirdPartyConnectionTimeLimitSeconds": "30",
            "ContinueFlowExecution": "True",
        },
        {"Errors": errors("CallFailed", "ConnectionTimeLimitExceeded", "NoMatchingError")},
    ),
    (
        routing.TransferParticipantToThirdParty(CONNECTOR, 60, END, END, END, END),
        "TransferParticipantToThirdParty",
        {
            "VoiceConnector": {
                "VoiceConnectorType": "CallTransferConnector",
                "VoiceConnectorArn": "arn:vc",
                "ToUser": "+15555550100",
                "FromUser": "$.SystemEndpoint.Address",
                "UserToUserInformation": "abc",
            },
            "ThirdPartyConnectionTimeLimitSeconds": "60",
            "ContinueFlowExecution": "True",
        },
        {"Errors": errors("CallFailed", "ConnectionTimeLimitExceeded", "NoMatchingError")},
    ),
    (
        routing.UpdateContactCallbackNumber("$.CustomerEndpoint.Address", END, END, END),
        "UpdateContactCallbackNumber",
        {"CallbackNumber": "$.CustomerEndpoint.Address"},
        {"Errors": errors("InvalidCallbackNumber", "CallbackNumberNotDialable")},
    ),
]


@pytest.mark.parametrize(("action", "type_name", "expected", "edges"), CASES)
def test_an_action_has_the_json_of_an_export(
    action: Action, type_name: str, expected: dict[str, Any], edges: dict[str, Any]
) -> None:
    flow = Flow("one")
    flow.add("it", action)
    flow.add(END, routing.DisconnectParticipant())
    document = flow.to_dict()
    assert document["Actions"][0] == {
        "Identifier": "it",
        "Type": type_name,
        "Parameters": expected,
        "Transitions": {"NextAction": END, **edges},
    }
    assert validate(document, ours=False) == []


def test_a_number_or_a_connector_goes_without_what_is_not_given() -> None:
    assert routing.ToNumber("$.Attributes.n").parameters() == {"ThirdPartyPhoneNumber": "$.Attributes.n"}
    assert "UserToUserInformation" not in routing.ToConnector("arn", "x").parameters()["VoiceConnector"]


def test_a_compare_leads_to_its_fallback_in_both_places() -> None:
    compare = actions.Compare("$.External.a", (When("x", "there"),), "else").transitions().to_json()
    assert compare["NextAction"] == "else"
    assert compare["Errors"] == [{"NextAction": "else", "ErrorType": "NoMatchingCondition"}]


def test_an_end_has_empty_parameters_and_transitions() -> None:
    flow = Flow("end")
    flow.add(END, routing.DisconnectParticipant())
    assert flow.to_dict()["Actions"] == [
        {"Identifier": END, "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
    ]


def test_the_json_is_compact_unless_it_is_for_reading() -> None:
    flow = Flow("end", "µ")
    flow.add(END, routing.DisconnectParticipant())
    assert flow.to_json().startswith('{"Version":"2019-10-30","StartAction":"end",')
    assert "µ" in flow.to_json()
    assert json.loads(flow.to_json(indent=2)) == flow.to_dict()
    assert "\n" in flow.to_json(indent=2)


def test_the_designer_is_told_positions_and_friendly_names() -> None:
    flow = Flow("two", "what it does")
    wait = actions.WaitForLambda(40, END, END, END, END)
    flow.add("it", wait)
    flow.add(END, routing.DisconnectParticipant())
    metadata = flow.to_dict()["Metadata"]
    assert (metadata["name"], metadata["description"], metadata["type"]) == ("two", "what it does", "contactFlow")
    it, end = metadata["ActionMetadata"]["it"], metadata["ActionMetadata"][END]
    assert it["isFriendlyName"] is True
    assert it["timeoutUnit"]["value"] == "second"
    assert it["position"]["x"] < end["position"]["x"]


def test_an_empty_flow_has_no_start() -> None:
    assert Flow("nothing").to_dict()["StartAction"] == ""


def test_an_identifier_is_taken_once() -> None:
    flow = Flow("twice")
    flow.add(END, routing.DisconnectParticipant())
    with pytest.raises(DuplicateIdentifier, match="'end'"):
        flow.add(END, routing.DisconnectParticipant())


def test_blocks_that_nothing_leads_to_stand_apart() -> None:
    places = positions({"a": Block(1, ("b", "gone")), "b": Block(1, ("a",)), "c": Block(1, ())})
    assert len(set(places.values())) == 3


def test_silence_is_made_of_breaks_of_at_most_ten_seconds() -> None:
    assert silence(400) == Ssml('<speak><break time="400ms"/></speak>')
    assert silence(20_000).ssml.count("10000ms") == 2
    assert "500ms" in silence(10_500).parameters()["SSML"]


@pytest.mark.parametrize("lengths", [(4,), (4, 2), (2, 2), (0, 4), (4, 21)])
def test_collect_lengths_rise_from_1_to_20(lengths: tuple[int, ...]) -> None:
    given = parameters(FlowLogging.OFF)
    with pytest.raises(ValueError, match="rising"):
        type(given)(**{**{n: getattr(given, n) for n in type(given).__slots__}, "collect_lengths": lengths})
