from __future__ import annotations

from typing import Any

import pytest

from simulator.connect.events import InvokeLambda, LambdaFailure, LambdaReturned
from simulator.connect.invocations import RESPONSE_BYTES
from simulator.connect.presets import DEFAULT
from tests.simulator.connect.small import (
    INVOCATION,
    LAMBDA,
    Hand,
    block,
    compare,
    invoke,
    load,
    say,
    waiting,
)


def test_a_lambda_gets_the_event_of_its_contact_and_the_answer_can_be_read() -> None:
    hand = Hand(invoke("i", "c", who="$.ContactId"), compare("c", "$.External.a.b", {"1": "bye"})).start()
    command = hand.last(InvokeLambda)
    assert (command.arn, command.limit_ms, command.asynchronous) == (LAMBDA, 8_000, False)
    assert command.event["Details"]["Parameters"] == {"who": "contact-1"}
    hand.returns({"a": {"b": 1}}, after_ms=500)
    assert hand.path == ["i", "c", "bye"]


def test_the_caller_waits_until_the_limit_and_the_answer_comes_too_late() -> None:
    hand = Hand(invoke("i", limit_s=3), say("failed")).start()
    hand.wait(2_999)
    assert hand.path == ["i"]
    hand.wait(1)
    assert hand.path == ["i", "failed"]
    hand.returns({})
    assert hand.state.external == {}


def test_at_the_limit_itself_the_answer_is_too_late() -> None:
    hand = Hand(invoke("i", limit_s=3)).start()
    hand.tell(LambdaReturned("contact-1-1", {"a": "1"}), after_ms=3_000)
    assert hand.path == ["i", "failed"]


@pytest.mark.parametrize("failure", [LambdaFailure.FUNCTION, LambdaFailure.CRASHED, LambdaFailure.NOT_FOUND])
def test_a_handler_that_fails_is_not_tried_again(failure: LambdaFailure) -> None:
    hand = Hand(invoke("i"), logging=True).start()
    hand.returns(error=failure)
    assert hand.path == ["i", "failed"]
    assert hand.logged[0]["Results"] == f"the Lambda returned nothing ({failure}), expected an answer"


@pytest.mark.parametrize("failure", [LambdaFailure.THROTTLED, LambdaFailure.SERVICE])
def test_throttles_and_5xx_are_tried_three_times_more(failure: LambdaFailure) -> None:
    hand = Hand(invoke("i")).start()
    for _ in range(3):
        hand.returns(error=failure)
        assert hand.path == ["i"]
        hand.wait(100)
    assert len(hand.of(InvokeLambda)) == 4
    assert len({command.invocation_id for command in hand.of(InvokeLambda)}) == 1
    hand.returns(error=failure)
    assert hand.path == ["i", "failed"]


def test_a_retry_that_succeeds_is_as_good_as_the_first_try() -> None:
    hand = Hand(invoke("i")).start()
    hand.returns(error=LambdaFailure.THROTTLED)
    hand.returns({"a": "1"}, after_ms=100)
    assert hand.path == ["i", "bye"]


def test_retries_end_at_the_limit() -> None:
    hand = Hand(invoke("i", limit_s=1)).start()
    hand.wait(950)
    hand.returns(error=LambdaFailure.THROTTLED)
    hand.wait(50)
    assert hand.path == ["i", "failed"]
    assert len(hand.of(InvokeLambda)) == 1


@pytest.mark.parametrize("payload", [None, "text", [1], {"a": "x" * RESPONSE_BYTES}])
def test_an_answer_that_is_no_object_or_too_large_takes_the_error_branch(payload: object) -> None:
    hand = Hand(invoke("i")).start()
    hand.returns(payload)
    assert hand.path == ["i", "failed"]
    assert hand.state.external == {}


def test_a_string_map_holds_strings_only() -> None:
    parameters = {"LambdaFunctionARN": LAMBDA, "InvocationTimeLimitSeconds": "8"}
    for payload, then in (({"a": "1"}, "bye"), ({"a": 1}, "failed")):
        hand = Hand(block("i", "InvokeLambdaFunction", parameters)).start()
        hand.returns(payload)
        assert hand.path == ["i", then]


def test_an_attribute_without_value_invokes_nothing() -> None:
    hand = Hand(invoke("i", who="$.Attributes.gone")).start()
    assert hand.path == ["i", "failed"]
    assert not hand.of(InvokeLambda)


def test_an_answer_is_logged_while_logging_is_on() -> None:
    hand = Hand(invoke("i"), logging=True).start()
    hand.returns({"name": "Ann"})
    line = hand.logged[0]
    assert line["ContactFlowModuleType"] == "InvokeExternalResource"
    assert line["ExternalResults"] == {"name": "Ann"}
    expected = {"FunctionArn": LAMBDA, "ResponseValidation": "ResponseType=JSON", "TimeLimit": "8000"}
    assert line["Parameters"] == expected


def test_an_asynchronous_lambda_lets_the_flow_go_on() -> None:
    hand = Hand(invoke("i", "a", asynchronous=True, limit_s=35), say("a"), logging=True).start()
    assert hand.path == ["i", "a"]
    assert hand.last(InvokeLambda).asynchronous
    assert hand.state.last_invocation_id == hand.last(InvokeLambda).invocation_id
    assert hand.logged[0]["Parameters"]["TimeLimit"] == "35000"


def loading(preset_logging: bool = False) -> Hand:
    blocks = (invoke("i", "a", asynchronous=True), say("a", then="l"), load("l", "b", "busy"), say("b"), say("busy"))
    hand = Hand(*blocks, logging=preset_logging).start()
    hand.plays()
    return hand


def test_an_answer_is_there_once_it_was_loaded() -> None:
    hand = loading(preset_logging=True)
    hand.returns({"a": "1"})
    assert hand.state.external == {}
    hand.ends()
    assert hand.state.external == {"a": "1"}
    assert hand.path == ["i", "a", "l", "b"]
    assert hand.logged[2]["ExternalResults"] == {"a": "1"}


def test_loading_too_early_says_in_progress() -> None:
    hand = loading()
    hand.ends()
    assert hand.path == ["i", "a", "l", "busy"]


def test_loading_a_failure_takes_the_error_branch() -> None:
    hand = loading()
    hand.returns(error=LambdaFailure.FUNCTION)
    hand.ends()
    assert hand.path == ["i", "a", "l", "failed"]


def test_an_asynchronous_lambda_fails_at_its_limit() -> None:
    hand = loading()
    hand.wait(8_000)
    hand.ends()
    assert hand.path == ["i", "a", "l", "failed"]


@pytest.mark.parametrize("facts", [{}, {"last_invocation_id": "unknown"}])
def test_loading_nothing_takes_the_error_branch(facts: dict[str, Any]) -> None:
    assert Hand(load("l"), **facts).start().path == ["l", "failed"]


def test_a_plain_wait_is_refused_on_a_voice_contact() -> None:
    assert Hand(waiting("w", {"WaitCompleted": "bye"})).start().path == ["w", "failed"]


def test_a_wait_for_an_unknown_invocation_lasts_to_its_limit() -> None:
    hand = Hand(waiting("w", {"LambdaReturned": "failed", "WaitCompleted": "bye"}, limit_s=30)).start()
    hand.wait(29_999)
    assert hand.path == ["w"]
    hand.wait(1)
    assert hand.path == ["w", "bye"]


def test_a_wait_that_only_keeps_running_ends_at_its_limit() -> None:
    hand = Hand(waiting("w", {"Continue": "a", "WaitCompleted": "bye"}, limit_s=5), say("a", then="a")).start()
    hand.plays()
    hand.wait(5_000)
    assert hand.path == ["w", "a", "bye"]


def test_a_silent_wait_ends_when_the_lambda_returns_in_every_preset() -> None:
    then = {"LambdaReturned": "l", "WaitCompleted": "failed"}
    hand = Hand(invoke("i", "w", asynchronous=True), waiting("w", then), load("l"), preset=DEFAULT).start()
    hand.returns({"a": "1"}, after_ms=2_000)
    assert hand.path == ["i", "w", "l", "bye"]


def test_the_id_of_another_invocation_can_be_kept_in_an_attribute() -> None:
    keep = block("k", "UpdateFlowAttributes", {"FlowAttributes": {"first": {"Value": INVOCATION}}}, "j")
    wait = waiting("w", {"LambdaReturned": "bye", "WaitCompleted": "failed"})
    hook = {"AsyncLambdaCompletionEvent": {"Identifier": "$.FlowAttributes.first"}}
    wait["Parameters"]["InterruptibleEvents"] = {"LambdaReturned": hook}
    blocks = (invoke("i", "k", asynchronous=True), keep, invoke("j", "w", asynchronous=True), wait)
    hand = Hand(*blocks).start()
    hand.returns({})
    assert hand.path == ["i", "k", "j", "w"]
    hand.tell(LambdaReturned(hand.of(InvokeLambda)[0].invocation_id, {}))
    assert hand.path[-1] == "bye"
