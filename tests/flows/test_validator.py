"""One test for each rule: the fault is planted in a valid flow, and exactly that problem is found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import InvalidFlow
from flows.kinds import Dialled
from flows.rules import ALL
from flows.sources import OUR_RULES, SOURCES
from flows.validator import check, validate
from tests.flows.deployment import FLOWS, as_json

Fault = Callable[[dict[str, Any]], None]
FAULTS: list[tuple[str, str, Fault]] = []


def fault(rule: str, where: str = "") -> Callable[[Fault], Fault]:
    def keep(plant: Fault) -> Fault:
        FAULTS.append((rule, where, plant))
        return plant

    return keep


def find(flow: dict[str, Any], name: str) -> dict[str, Any]:
    return next(action for action in flow["Actions"] if action["Identifier"] == name)


def with_parameter(flow: dict[str, Any], name: str, key: str, value: object) -> None:
    find(flow, name)["Parameters"][key] = value


def rename(flow: dict[str, Any], old: str, new: object) -> None:
    """Rename an action and everything that leads to it."""
    for action in flow["Actions"]:
        transitions = action["Transitions"]
        for edge in (transitions, *transitions.get("Conditions", []), *transitions.get("Errors", [])):
            if edge.get("NextAction") == old:
                edge["NextAction"] = new
    find(flow, old)["Identifier"] = new


def message(name: str, then: str, **more: Any) -> dict[str, Any]:
    errors = [{"ErrorType": "NoMatchingError", "NextAction": then}]
    return {
        "Identifier": name,
        "Type": "MessageParticipant",
        "Parameters": {"Text": "x"},
        "Transitions": {"NextAction": then, "Errors": errors},
        **more,
    }


@fault("envelope", "Version")
def another_version(flow: dict[str, Any]) -> None:
    flow["Version"] = "2020-01-01"


@fault("start_action", "StartAction")
def a_start_that_is_not_there(flow: dict[str, Any]) -> None:
    flow["StartAction"] = "Begin"


@fault("too_many_actions", "Actions")
def too_many_actions(flow: dict[str, Any]) -> None:
    after = "Hang up"
    for number in range(250):
        flow["Actions"].append(message(f"m{number}", after))
        after = f"m{number}"
    find(flow, "Say goodbye")["Transitions"] = message("", after)["Transitions"]


@fault("too_long", "Content")
def too_long(flow: dict[str, Any]) -> None:
    flow["Metadata"]["description"] = "x" * 256_000


@fault("identifier")
def a_forbidden_character(flow: dict[str, Any]) -> None:
    rename(flow, "Hang up", "Hang up (end)")


@fault("identifier")
def a_reserved_name(flow: dict[str, Any]) -> None:
    rename(flow, "Hang up", "constructor")


@fault("identifier")
def a_name_of_51_characters(flow: dict[str, Any]) -> None:
    rename(flow, "Hang up", "x" * 51)


@fault("identifier_unique")
def a_name_twice(flow: dict[str, Any]) -> None:
    flow["Actions"].append(copy.deepcopy(find(flow, "Hang up")))


@fault("unknown_type")
def a_type_that_nobody_knows(flow: dict[str, Any]) -> None:
    find(flow, "Prepare the loop")["Type"] = "SetAttributes"


@fault("unknown_parameter")
def a_parameter_that_nobody_knows(flow: dict[str, Any]) -> None:
    with_parameter(flow, "Start the call", "RequestAttributes", {"a": "b"})


@fault("unknown_parameter")
def a_transition_that_nobody_knows(flow: dict[str, Any]) -> None:
    find(flow, "Prepare the loop")["Transitions"]["Otherwise"] = "Hang up"


@fault("missing_parameter")
def a_lambda_without_limit(flow: dict[str, Any]) -> None:
    del find(flow, "Start the call")["Parameters"]["InvocationTimeLimitSeconds"]


@fault("missing_parameter")
def a_prompt_with_nothing_to_play(flow: dict[str, Any]) -> None:
    find(flow, "Say goodbye")["Parameters"] = {}


@fault("exclusive_parameters")
def text_and_ssml(flow: dict[str, Any]) -> None:
    with_parameter(flow, "Say goodbye", "SSML", "<speak>bye</speak>")


@fault("exclusive_parameters")
def two_hooks_at_once(flow: dict[str, Any]) -> None:
    hooks = find(flow, "To the human - what is heard in the queue")["Parameters"]["EventHooks"]
    hooks["AgentWhisper"] = "flow"


@fault("value")
def a_word_in_the_wrong_case(flow: dict[str, Any]) -> None:
    with_parameter(flow, "Log of the first attempt", "FlowLoggingBehavior", "enabled")


@fault("value")
def a_response_type_that_is_refused(flow: dict[str, Any]) -> None:
    with_parameter(flow, "Start the call", "ResponseValidation", {"ResponseType": "JSON_OBJECT"})


@fault("value")
def a_comparison_of_a_constant(flow: dict[str, Any]) -> None:
    with_parameter(flow, "Is the answer secret", "ComparisonValue", "secret")


@fault("value")
def a_terminator_by_reference(flow: dict[str, Any]) -> None:
    keys = find(flow, "Take up to 4 keys")["Parameters"]["DTMFConfiguration"]
    keys["InputTerminationSequence"] = "$.External.terminator"


@fault("value")
def a_terminator_that_is_no_key(flow: dict[str, Any]) -> None:
    keys = find(flow, "Take up to 4 keys")["Parameters"]["DTMFConfiguration"]
    keys["InputTerminationSequence"] = "x"


@fault("value")
def a_queue_mixed_of_text_and_reference(flow: dict[str, Any]) -> None:
    with_parameter(flow, "Set the queue", "QueueId", "queue/$.Attributes.va_queue_arn")


@fault("value")
def a_text_that_is_too_long(flow: dict[str, Any]) -> None:
    with_parameter(flow, "Say goodbye", "Text", "x" * 6001)


@fault("value")
def attributes_that_are_none(flow: dict[str, Any]) -> None:
    with_parameter(flow, "First attempt", "Attributes", {})


@fault("value")
def participants_that_are_no_list(flow: dict[str, Any]) -> None:
    with_parameter(flow, "Start streaming", "Participants", {"ParticipantType": "Customer"})


@fault("value")
def a_medium_that_is_no_object(flow: dict[str, Any]) -> None:
    with_parameter(flow, "Play the clip", "Media", "https://clips/1.wav")


@fault("number")
def a_synchronous_lambda_of_nine_seconds(flow: dict[str, Any]) -> None:
    with_parameter(flow, "Start the call", "InvocationTimeLimitSeconds", "9")


@fault("number")
def a_limit_by_reference(flow: dict[str, Any]) -> None:
    with_parameter(flow, "Take up to 4 keys", "InputTimeLimitSeconds", "$.External.timeoutS")


@fault("not_a_string")
def a_number_that_is_a_number(flow: dict[str, Any]) -> None:
    with_parameter(flow, "Take up to 4 keys", "InputTimeLimitSeconds", 10)


@fault("not_a_string")
def a_boolean_that_is_a_boolean(flow: dict[str, Any]) -> None:
    find(flow, "Take up to 4 keys")["Parameters"]["DTMFConfiguration"]["DisableCancelKey"] = True


@fault("empty_value")
def an_empty_attribute(flow: dict[str, Any]) -> None:
    with_parameter(flow, "First attempt", "Attributes", {"va_attempt": ""})


@fault("empty_value")
def an_empty_operand(flow: dict[str, Any]) -> None:
    find(flow, "Is the answer secret")["Transitions"]["Conditions"][0]["Condition"]["Operands"] = [""]


@fault("empty_value")
def an_empty_terminator(flow: dict[str, Any]) -> None:
    find(flow, "Take up to 4 keys")["Parameters"]["DTMFConfiguration"]["InputTerminationSequence"] = ""


@fault("jsonpath")
def a_root_that_is_not_there(flow: dict[str, Any]) -> None:
    with_parameter(flow, "Is the answer secret", "ComparisonValue", "$.Agent.Name")


@fault("jsonpath")
def a_root_without_leaf(flow: dict[str, Any]) -> None:
    with_parameter(flow, "Is the answer secret", "ComparisonValue", "$.External")


@fault("jsonpath")
def a_bracketed_root_that_is_not_there(flow: dict[str, Any]) -> None:
    with_parameter(
        flow,
        "Play the clip",
        "Media",
        {"Uri": "https://b/$['Wrong']['k'].wav", "SourceType": "S3", "MediaType": "Audio"},
    )


@fault("next_action")
def an_action_that_leads_nowhere(flow: dict[str, Any]) -> None:
    del find(flow, "Log of a later attempt")["Transitions"]["NextAction"]


@fault("terminal")
def an_end_that_goes_on(flow: dict[str, Any]) -> None:
    find(flow, "Hang up")["Transitions"] = {"NextAction": "Say goodbye"}


@fault("missing_error")
def an_error_that_is_not_handled(flow: dict[str, Any]) -> None:
    find(flow, "To the human - into the queue")["Transitions"]["Errors"].pop(1)


@fault("unsupported_error")
def an_error_that_the_action_does_not_have(flow: dict[str, Any]) -> None:
    find(flow, "Callback number")["Transitions"]["Errors"].append(
        {"ErrorType": "NoMatchingError", "NextAction": "No callback possible"}
    )


@fault("unsupported_error")
def an_error_twice(flow: dict[str, Any]) -> None:
    errors = find(flow, "Prepare the loop")["Transitions"]["Errors"]
    errors.append(errors[0])


@fault("missing_condition")
def hours_without_the_closed_branch(flow: dict[str, Any]) -> None:
    find(flow, "Is the queue open")["Transitions"]["Conditions"].pop()


@fault("missing_condition")
def a_comparison_without_conditions(flow: dict[str, Any]) -> None:
    find(flow, "May the keys be told")["Transitions"]["Conditions"].append(
        {"NextAction": "No key was pressed", "Condition": {"Operator": "Equals", "Operands": ["x"]}}
    )
    find(flow, "Was a key pressed")["Transitions"]["Conditions"] = []


@fault("unsupported_condition")
def an_operator_that_is_not_there(flow: dict[str, Any]) -> None:
    find(flow, "Is the answer secret")["Transitions"]["Conditions"][0]["Condition"]["Operator"] = "Matches"


@fault("unsupported_condition")
def a_condition_that_is_no_object(flow: dict[str, Any]) -> None:
    find(flow, "Voice of en")["Transitions"]["Conditions"] = "x"


@fault("unsupported_condition")
def a_branch_that_the_action_does_not_have(flow: dict[str, Any]) -> None:
    find(flow, "Is the queue open")["Transitions"]["Conditions"].append(
        {"NextAction": "Say goodbye", "Condition": {"Operator": "Equals", "Operands": ["Maybe"]}}
    )


@fault("unsupported_condition")
def a_branch_twice(flow: dict[str, Any]) -> None:
    conditions = find(flow, "Is the queue open")["Transitions"]["Conditions"]
    conditions.append(conditions[0])


@fault("unsupported_condition")
def a_staffing_of_less_than_some(flow: dict[str, Any]) -> None:
    find(flow, "Is anybody logged in")["Transitions"]["Conditions"].append(
        {"NextAction": "Say goodbye", "Condition": {"Operator": "NumberLessThan", "Operands": ["0"]}}
    )


@fault("dangling")
def a_target_that_is_not_there(flow: dict[str, Any]) -> None:
    find(flow, "Start streaming")["Transitions"]["Errors"][0]["NextAction"] = "Nowhere"


@fault("wait_in_continue")
def a_wait_in_a_continue_branch(flow: dict[str, Any]) -> None:
    find(flow, "Nobody answers any more")["Transitions"]["Errors"][0]["NextAction"] = "Wait in silence"


@fault("unreachable")
def a_block_that_nothing_leads_to(flow: dict[str, Any]) -> None:
    flow["Actions"].append(message("Lonely", "Hang up"))


@fault("continue_branch")
def an_attribute_in_a_continue_branch(flow: dict[str, Any]) -> None:
    find(flow, "Nobody answers any more")["Transitions"]["Errors"][0]["NextAction"] = "First attempt"


@fault("lambda_chain")
def three_lambdas_without_a_prompt(flow: dict[str, Any]) -> None:
    first = find(flow, "Ask a second time")["Transitions"]["Errors"][0]
    first["NextAction"] = "Ask a third time"
    find(flow, "Ask in turn")["Transitions"]["Errors"][0]["NextAction"] = "Ask a second time"
    flow["Actions"] = [
        action
        for action in flow["Actions"]
        if action["Identifier"] not in ("Ask a second time after a pause", "Ask a third time after a pause")
    ]


@fault("lambda_chain")
def a_circle_of_lambdas(flow: dict[str, Any]) -> None:
    find(flow, "Ask a third time")["Transitions"]["Errors"][0]["NextAction"] = "Ask a third time"


@fault("prompt_error")
def a_prompt_without_an_error_branch(flow: dict[str, Any]) -> None:
    del find(flow, "Say goodbye")["Transitions"]["Errors"]


@fault("error_without_end")
def an_error_that_goes_round_for_ever(flow: dict[str, Any]) -> None:
    find(flow, "Start streaming")["Transitions"]["Errors"][0]["NextAction"] = "Circle"
    flow["Actions"].append(message("Circle", "Circle"))


@fault("error_hangs_up")
def an_error_that_hangs_up(flow: dict[str, Any]) -> None:
    find(flow, "Start streaming")["Transitions"]["Errors"][0]["NextAction"] = "Hang up"


@pytest.mark.parametrize(("rule", "where", "plant"), FAULTS, ids=[plant.__name__ for _, _, plant in FAULTS])
def test_finds_exactly_the_planted_fault(rule: str, where: str, plant: Fault) -> None:
    flow = as_json("interruptible")
    plant(flow)
    problems = validate(flow)
    assert {problem.rule for problem in problems} == {rule}
    assert not where or problems[0].path == where
    assert (validate(flow, ours=False) == []) == (rule in OUR_RULES)


def test_every_rule_has_a_source_and_a_planted_fault() -> None:
    planted = {rule for rule, _, _ in FAULTS}
    # The two that a contact flow cannot have are planted in a queue flow: test_queue.py.
    assert planted | {"flow_type", "before_loop_prompts"} == set(SOURCES)


def test_an_action_is_refused_where_its_flow_type_does_not_support_it() -> None:
    assert {p.rule for p in validate(as_json("polling"), "CUSTOMER_HOLD")} == {"flow_type"}


def test_a_flow_type_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="CONTACT_FLOW"):
        validate({}, "INBOUND")


def test_check_raises_with_every_problem_and_says_where() -> None:
    flow = as_json("polling")
    check(flow)
    a_number_that_is_a_number(flow)
    an_error_twice(flow)
    with pytest.raises(InvalidFlow) as caught:
        check(flow)
    assert len(caught.value.problems) == 2
    assert "Actions[" in str(caught.value)
    assert "[not_a_string]" in str(caught.value)


@pytest.mark.parametrize("junk", [{}, {"Actions": "x"}, {"Actions": ["x"], "Version": "2019-10-30"}])
def test_junk_is_reported_and_not_raised(junk: dict[str, Any]) -> None:
    assert "envelope" in {problem.rule for problem in validate(junk)}


@pytest.mark.parametrize("transitions", [None, {"NextAction": "Hang up", "Errors": "x"}])
def test_transitions_of_the_wrong_shape_are_reported(transitions: object) -> None:
    flow = as_json("polling")
    find(flow, "Prepare the loop")["Transitions"] = transitions
    assert {p.rule for p in validate(flow, ours=False)} <= {"next_action", "unsupported_error", "missing_error"}
    assert validate(flow, ours=False)


def mutations(flow: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Every single change that must be found: which action, what kind, and which key."""
    found = []
    for index, action in enumerate(flow["Actions"]):
        found += [(index, "rename", key) for key in action["Parameters"]]
        found += [(index, "empty", key) for key, value in action["Parameters"].items() if isinstance(value, str)]
        found += [(index, "drop", str(number)) for number in range(len(action["Transitions"].get("Errors", [])))]
        found += [(index, "lead", "nowhere")] if action["Transitions"] else [(index, "lead", "on")]
    return found


def mutate(flow: dict[str, Any], index: int, kind: str, key: str) -> None:
    action = flow["Actions"][index]
    if kind == "rename":
        action["Parameters"][key + "s"] = action["Parameters"].pop(key)
    elif kind == "empty":
        action["Parameters"][key] = ""
    elif kind == "drop":
        action["Transitions"]["Errors"].pop(int(key))
    else:
        action["Transitions"]["NextAction"] = "Nowhere"


@pytest.mark.parametrize("name", sorted(FLOWS))
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_single_mutation_is_found(name: str, data: st.DataObject) -> None:
    flow = as_json(name)
    index, kind, key = data.draw(st.sampled_from(mutations(flow)))
    mutate(flow, index, kind, key)
    problems = validate(flow)
    assert any(problem.path.startswith(f"Actions[{index}]") for problem in problems)


def action(type_name: str, parameters: dict[str, Any], conditions: list[str], *errors: str) -> dict[str, Any]:
    return {
        "Version": "2019-10-30",
        "StartAction": "it",
        "Metadata": {},
        "Actions": [
            {
                "Identifier": "it",
                "Type": type_name,
                "Parameters": parameters,
                "Transitions": {
                    "NextAction": "end",
                    "Conditions": [
                        {"NextAction": "end", "Condition": {"Operator": "Equals", "Operands": [each]}}
                        for each in conditions
                    ],
                    "Errors": [{"NextAction": "end", "ErrorType": each} for each in errors],
                },
            },
            {"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}},
        ],
    }


CHAT = {"TimeLimitSeconds": "30"}
BOT = {**CHAT, "Events": ["BotParticipantDisconnected"]}
EVENT = {"LambdaReturned": {"AsyncLambdaCompletionEvent": {"Identifier": "$.LambdaInvocation.InvocationId"}}}
STORE = {"Text": "number", "StoreInput": "True", "InputTimeLimitSeconds": "5"}
PHONE = {"PhoneNumberValidation": {"NumberFormat": "Local", "CountryCode": "US"}}
LIMIT = {"ThirdPartyConnectionTimeLimitSeconds": "30"}
MUSIC = {"Messages": [{"Text": "one moment"}]}
NUMBER = {"ThirdPartyPhoneNumber": "$.Attributes.n", **LIMIT}


@pytest.mark.parametrize(
    ("flow", "flow_type"),
    [
        (action("Wait", CHAT, ["WaitCompleted"], "NoMatchingError"), "CONTACT_FLOW"),
        (
            action(
                "Wait", BOT, ["WaitCompleted", "BotParticipantDisconnected"], "NoMatchingError", "ParticipantNotFound"
            ),
            "CONTACT_FLOW",
        ),
        (
            action(
                "Wait", {**CHAT, "InterruptibleEvents": EVENT}, ["WaitCompleted", "LambdaReturned"], "NoMatchingError"
            ),
            "CONTACT_FLOW",
        ),
        (
            action(
                "GetParticipantInput", {**STORE, "InputValidation": PHONE}, [], "NoMatchingError", "InvalidPhoneNumber"
            ),
            "CONTACT_FLOW",
        ),
        (
            action(
                "TransferParticipantToThirdParty", {**NUMBER, "ContinueFlowExecution": "False"}, [], "NoMatchingError"
            ),
            "CONTACT_FLOW",
        ),
        (action("MessageParticipantIteratively", MUSIC, [], "NoMatchingError"), "CUSTOMER_QUEUE"),
        (
            action(
                "MessageParticipantIteratively",
                {**MUSIC, "InterruptFrequencySeconds": "30"},
                ["MessagesInterrupted"],
                "NoMatchingError",
            ),
            "CUSTOMER_QUEUE",
        ),
        (
            action(
                "CheckMetricData",
                {"MetricType": "NumberOfContactsInQueue"},
                ["7"],
                "NoMatchingError",
                "NoMatchingCondition",
            ),
            "CONTACT_FLOW",
        ),
        (action("UpdateContactRecordingBehavior", {"RecordingBehavior": {"IVR": True}}, []), "CONTACT_FLOW"),
    ],
)
def test_forms_that_our_flows_do_not_use_are_valid_too(flow: dict[str, Any], flow_type: str) -> None:
    assert validate(flow, flow_type, ours=False) == []


def test_the_errors_of_a_transfer_that_does_not_come_back_are_refused() -> None:
    flow = action("TransferParticipantToThirdParty", {**NUMBER, "ContinueFlowExecution": "False"}, [], "CallFailed")
    assert {p.rule for p in validate(flow, ours=False)} == {"unsupported_error", "missing_error"}


def test_a_wait_that_goes_on_needs_a_minimum() -> None:
    parameters = {**CHAT, "ContinueExecution": "TRUE", "InterruptibleEvents": "LambdaReturned"}
    flow = action("Wait", parameters, ["Continue", "WaitCompleted"], "NoMatchingError")
    assert {p.rule for p in validate(flow, ours=False)} == {"missing_parameter", "value"}


def test_the_flow_types_are_those_of_the_service() -> None:
    assert {"CONTACT_FLOW", "CUSTOMER_QUEUE", "AGENT_WHISPER", "CUSTOMER_HOLD"} <= ALL


@pytest.mark.parametrize(
    ("keys", "problems"),
    [("$.External.keys", 0), (",,123*#", 0), ("1" * 51, 1), ("12w", 1), ("", 1), (5, 1)],
)
def test_keys_that_are_dialled(keys: object, problems: int) -> None:
    assert len(list(Dialled().problems(keys, "ThirdPartyDTMFDigits"))) == problems
