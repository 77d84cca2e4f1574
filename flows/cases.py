"""Test cases of Amazon Connect for our flows: simulated calls that an administrator runs in the console.

The language is that of the Connect API reference, "testing language", in the version that its current pages show.
Every case ends the moment the flow is about to transfer, so that no simulated caller ever reaches a human.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows import wire
from flows.parameters import FlowParameters
from flows.wire import NONE

VERSION = "2019-10-30"
Json = dict[str, Any]

_BEGIN = {"Type": "TestInitiated", "Properties": {}}
_TRANSFER = {"Type": "FlowActionStarted", "Properties": {"ActionType": "TransferContactToQueue"}}


@dataclass(frozen=True, slots=True)
class Case:
    """`content` is what CreateTestCase takes, as plain JSON values."""

    name: str
    description: str
    content: Json


def cases(parameters: FlowParameters) -> tuple[Case, ...]:
    """Three ways to the queue that need neither a gateway nor Deepgram."""
    return (
        Case(
            "switched-off",
            "The switch sends the caller to the queue, and none of our Lambdas is asked",
            _case([_hours(parameters.switch_hours_arn, "OutOfHours")], reason="switched_off"),
        ),
        Case(
            "no-agent",
            "start_call has no voice agent for the caller, who comes to the queue with the reason",
            _case([_answers(parameters.start_call_arn, _transfer(parameters))], reason="too_many_calls"),
        ),
        Case(
            "lambda-fails",
            "start_call fails: the caller hears an apology and comes to the queue",
            _case(
                [_fails(parameters.start_call_arn)],
                reason="flow_failure",
                hears=parameters.own_language.sentences.apology,
            ),
        ),
    )


def _transfer(parameters: FlowParameters) -> Json:
    """start_call's answer when all places are taken; every field is there, as the flow expects it."""
    empty = dict.fromkeys((*wire.ESSENTIAL, *wire.CONTEXT, *wire.REST, "openingUrl"), NONE)
    told = {"action": "transfer", "attempt": "1", "openingMs": "0", "reason": "too_many_calls"}
    handover = {"va_version": wire.HANDOVER_VERSION, "va_reason": "too_many_calls", "va_result": "failed"}
    return {**empty, **told, **handover, "queueArn": parameters.default_queue_arn}


def _case(overrides: Sequence[Json], reason: str, hears: str = "") -> Json:
    matched = {"Text": hears, "MatchingCriteria": {"Type": "Similarity"}}
    heard = [("hears", {"Type": "MessageReceived", "Properties": matched}, list[Json]())] if hears else []
    reached = [_asserts("$.Attributes.va_reason", reason), _END]
    steps = [("begin", _BEGIN, list(overrides)), *heard, ("transfer", _TRANSFER, reached)]
    following = [name for name, _, _ in steps[1:]]
    return {
        "Version": VERSION,
        "Metadata": {},
        "Observations": [
            _observation(name, event, actions, following[number : number + 1])
            for number, (name, event, actions) in enumerate(steps)
        ],
    }


def _observation(name: str, event: Mapping[str, Any], actions: Sequence[Json], following: Sequence[str]) -> Json:
    return {
        "Identifier": name,
        "Event": {"Identifier": f"{name}-event", "Actor": "System", **event},
        "Actions": [_action(f"{name}-{number}", each, number, len(actions)) for number, each in enumerate(actions)],
        "Transitions": {"NextObservations": list(following)},
    }


def _action(name: str, action: Json, number: int, count: int) -> Json:
    following = {"NextAction": f"{name.rpartition('-')[0]}-{number + 1}"} if number + 1 < count else {}
    return {"Identifier": name, **action, "Transitions": following}


_END: Json = {"Type": "TestControl", "Parameters": {"ActionType": "TestControl", "Command": {"Type": "EndTest"}}}


def _asserts(path: str, value: str) -> Json:
    return {"Type": "Assert", "Parameters": {"Namespace": path, "Operator": "Equals", "Operand": value}}


def _override(kind: str, parameters: Mapping[str, str], response: Json) -> Json:
    strategy = {"Type": "MockResponse", "Response": response}
    properties = {"ActionType": kind, "ActionParameters": dict(parameters), "Strategy": strategy}
    behavior = {"Type": "FlowAction", "Properties": properties}
    given = {"ActionType": "OverrideSystemBehavior", "Behavior": behavior}
    return {"Type": "OverrideSystemBehavior", "Parameters": given}


def _hours(arn: str, result: str) -> Json:
    response = {"Type": "ExecutionResult", "ExecutionResult": {"Value": result}}
    return _override("CheckHoursOfOperation", {"HoursOfOperationId": arn}, response)


def _answers(arn: str, answer: Json) -> Json:
    result = {"DelaySeconds": 0, "LoadedData": json.dumps(answer, separators=(",", ":"))}
    return _override(
        "InvokeLambdaFunction", {"LambdaFunctionARN": arn}, {"Type": "ExecutionResult", "ExecutionResult": result}
    )


def _fails(arn: str) -> Json:
    error = {"DelaySeconds": 0, "Value": "NoMatchingError"}
    return _override("InvokeLambdaFunction", {"LambdaFunctionARN": arn}, {"Type": "Error", "Error": error})
