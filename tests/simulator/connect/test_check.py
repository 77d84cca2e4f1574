from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from simulator.connect.check import load_flow, problems_of
from simulator.connect.errors import InvalidFlow
from simulator.connect.instance import INSTANCE_ARN
from tests.simulator.connect import small
from tests.simulator.connect.small import block, document, say


def problems(content: object, flow_type: str = "CONTACT_FLOW") -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    return "; ".join(problems_of(text, flow_type, small.an_instance()))


def spoilt(change: dict[str, Any], index: int = 0) -> dict[str, Any]:
    """A flow of one spoken sentence whose first action is changed."""
    found = copy.deepcopy(document(say("a")))
    found["Actions"][index] |= change
    return found


def test_a_good_flow_has_no_problems_and_is_loaded() -> None:
    instance = small.an_instance()
    flow = load_flow(small.FLOW, "main", json.dumps(document(say("a"))), instance)
    assert flow.start == "a"
    assert flow.actions["a"].next == "bye"


def test_every_problem_is_named_in_the_error() -> None:
    content = document(say("a", then="gone"), block("b", "Loop", {"LoopCount": "101"}, "a"))
    with pytest.raises(InvalidFlow, match=r"flow main is refused: .*'gone' does not exist.*LoopCount") as caught:
        load_flow(small.FLOW, "main", content, small.an_instance())
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("x" * 256_001, "256001 characters"),
        ("{", "not JSON"),
        ([], "must be an object"),
        ({"Actions": {}}, "must be an object"),
        ({"Actions": [], "Metadata": 1}, "Version must be 2019-10-30, found None"),
        ({"Actions": [], "Metadata": 1}, "StartAction is missing"),
        ({"Actions": [], "Metadata": 1}, "Metadata must be an object"),
        ({**document(say("a")), "StartAction": "b"}, "StartAction 'b' does not exist"),
        ({**document(say("a")), "Actions": [1]}, r"Actions\[0\] must be an object"),
    ],
)
def test_a_broken_frame_is_refused(content: object, why: str) -> None:
    assert re.search(why, problems(content))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Identifier": None}, "missing required property. Path: Actions[0].Identifier"),
        ({"Transitions": {"NextAction": 1}}, "Transitions.NextAction"),
        ({"Transitions": {"NextAction": "bye", "Conditions": ["x"]}}, "Conditions[0]"),
        ({"Transitions": {"Conditions": [{"NextAction": "bye", "Condition": 1}]}}, "Conditions[0]"),
        ({"Transitions": {"Conditions": [{"NextAction": "bye", "Condition": {"Operator": 1}}]}}, "Conditions[0]"),
        (
            {"Transitions": {"Conditions": [{"NextAction": "bye", "Condition": {"Operator": "Equals"}}]}},
            "Conditions[0]",
        ),
        ({"Transitions": {"NextAction": "bye", "Errors": [{"ErrorType": "X"}]}}, "Errors[0]"),
        ({"Type": "PlayPrompt"}, "Invalid Action type"),
        ({"Transitions": {}}, "missing required property. Path: Actions[0].Transitions.NextAction"),
        ({"Parameters": {}}, "Only one of these properties may be defined"),
        ({"Parameters": {"Text": "a", "SSML": "b"}}, "Only one of these properties may be defined"),
        ({"Parameters": {"Text": ""}}, "Empty value in Parameters. Path: Actions[0].Parameters.Text"),
        ({"Parameters": {"Text": 1}}, "1 is not a string"),
        ({"Parameters": {"Text": "a", "Loud": "x"}}, "Invalid Action property name"),
        ({"Parameters": {"Text": "Hi $.Agent.Name"}}, "$.Agent.Name leads nowhere"),
        ({"Identifier": "a(b)"}, "Invalid Identifier: 'a(b)'"),
        ({"Identifier": "x" * 51}, "Invalid Identifier"),
        ({"Identifier": "constructor"}, "Invalid Identifier"),
        ({"Identifier": "bye"}, "Identifiers are not unique"),
        ({"Parameters": {"PromptId": f"{INSTANCE_ARN}/prompt/gone"}}, "resource does not exist"),
    ],
)
def test_a_broken_action_is_refused(change: dict[str, Any], why: str) -> None:
    assert why in problems(spoilt(change))


def test_a_terminal_action_has_no_transitions() -> None:
    assert "does not support transitions" in problems(spoilt({"Transitions": {"NextAction": "a"}}, index=1))


def test_a_missing_error_branch_and_one_too_many_are_refused() -> None:
    found = document(block("a", "UpdateContactAttributes", {"Attributes": {"k": "v"}}))
    found["Actions"][0]["Transitions"]["Errors"] = [{"ErrorType": "Other", "NextAction": "bye"}]
    text = problems(found)
    assert "missing required error. Error: NoMatchingError" in text
    assert "Invalid Action error. Error: Other" in text


def test_a_missing_parameter_is_refused() -> None:
    assert "Path: Actions[0].Parameters.Attributes" in problems(document(block("a", "UpdateContactAttributes")))


def test_an_action_of_another_flow_type_is_refused() -> None:
    loop = block("a", "MessageParticipantIteratively", {"Messages": [{"Text": "wait"}]})
    assert "not supported in a flow of type CONTACT_FLOW" in problems(document(loop))
    assert not problems(document(loop), "CUSTOMER_QUEUE")


def test_loop_prompts_need_no_next_action() -> None:
    loop = block("a", "MessageParticipantIteratively", {"Messages": [{"Text": "wait"}]})
    del loop["Transitions"]["NextAction"]
    assert not problems(document(loop), "CUSTOMER_QUEUE")


def test_conditions_are_those_of_the_block() -> None:
    loop = block("a", "Loop", {"LoopCount": "3"}, when={"ContinueLooping": "bye"})
    assert "expected ['ContinueLooping', 'DoneLooping']" in problems(document(loop))


def test_operators_are_known_and_operands_are_not_empty() -> None:
    unknown = small.compare("a", "$.External.x", {"": "bye"}, operator="Matches")
    assert "operator 'Matches'" in problems(document(unknown))
    assert "empty operand" in problems(document(unknown))
    contains = block("a", "CheckHoursOfOperation", {}, when={"True": "bye", "False": "bye"}, operator="TextContains")
    assert "only Equals" in problems(document(contains))


def test_more_than_250_actions_are_refused() -> None:
    assert "251 actions" in problems(document(*(say(f"s{i}") for i in range(249))))


@pytest.mark.parametrize(
    "parameters",
    [
        ("UpdateContactTargetQueue", {"QueueId": "gone"}),
        ("CheckHoursOfOperation", {"HoursOfOperationId": "gone"}),
        ("TransferToFlow", {"ContactFlowId": "gone"}),
        ("UpdateContactEventHooks", {"EventHooks": {"CustomerQueue": "gone"}}),
    ],
)
def test_a_static_name_of_nothing_is_refused(parameters: tuple[str, dict[str, Any]]) -> None:
    kind, given = parameters
    when = {"True": "bye", "False": "bye"} if kind == "CheckHoursOfOperation" else None
    assert "does not exist" in problems(document(block("a", kind, given, when=when)))


def test_a_reference_to_a_resource_is_not_looked_up() -> None:
    assert not problems(document(block("a", "UpdateContactTargetQueue", {"QueueId": "$.Attributes.q"})))


def test_a_flow_may_name_itself() -> None:
    instance = small.an_instance()
    again = block("a", "TransferToFlow", {"ContactFlowId": small.FLOW})
    assert load_flow(small.FLOW, "main", document(again), instance).start == "a"


def test_a_lambda_in_a_continue_branch_is_refused() -> None:
    then = {"Continue": "c", "LambdaReturned": "bye", "WaitCompleted": "bye"}
    wait = small.waiting("w", then)
    assert "Continue Branch" in problems(document(wait, small.invoke("c")))
    assert "'w' is a Wait" in problems(document(wait, say("c", then="w")))
    assert not problems(document(wait, say("c", then="d"), say("d", then="c")))


def test_a_wait_without_continue_may_lead_anywhere() -> None:
    assert not problems(document(small.waiting("w", {"LambdaReturned": "l", "WaitCompleted": "bye"}), small.load("l")))
