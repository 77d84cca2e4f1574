from __future__ import annotations

import json
from dataclasses import replace

import pytest

from contract.turns import FunctionState
from gateway.conversation import sentences
from gateway.conversation.commands import Command, FunctionResult, StartFunction, Tell
from gateway.conversation.ending import Leave
from gateway.conversation.function_calls import FunctionCalls
from gateway.voice_agent.messages import FunctionCall, FunctionCallResponse, UpdatePrompt
from tests.gateway.definitions import definition

NOW = 1_000_000
DONE = FunctionResult(FunctionState.FINISHED, '{"status": "sent"}')


def call(name: str = "look_up", arguments: str = '{"number": "12"}', call_id: str = "a") -> FunctionCall:
    return FunctionCall(call_id, name, arguments)


def calls() -> FunctionCalls:
    return FunctionCalls(definition())


def error_of(command: Command) -> str:
    assert isinstance(command, Tell)
    assert isinstance(command.message, FunctionCallResponse)
    return str(json.loads(command.message.content)["error"])


def test_each_call_of_the_client_side_is_ours_once() -> None:
    functions = calls()
    assert functions.is_ours(call())
    assert not functions.is_ours(call())
    assert not functions.is_ours(FunctionCall("b", "look_up", "{}", client_side=False))


def test_a_function_is_started_with_checked_arguments_and_its_limit() -> None:
    functions = calls()
    assert functions.start(call(), NOW) == StartFunction("a", "look_up", {"number": "12"}, 8000)
    assert functions.pending.any


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("fly", "{}", "no such function"),
        ("look_up", "{}", "number"),
        ("look_up", "nonsense", "a JSON object"),
    ],
)
def test_what_cannot_be_started_is_answered_with_the_reason(name: str, arguments: str, expected: str) -> None:
    functions = calls()
    assert expected in error_of(functions.start(call(name, arguments), NOW))
    assert not functions.pending.any


def test_an_agent_that_calls_in_a_circle_is_told_to_stop() -> None:
    functions = calls()
    for number in range(definition().max_calls_per_turn + 1):
        functions.is_ours(call(call_id=str(number)))
    assert error_of(functions.start(call(), NOW)) == sentences.ANSWER_TOO_MANY


def test_a_result_is_told_once() -> None:
    functions = calls()
    functions.start(call(), NOW)
    assert functions.finish("a", DONE) == Tell(FunctionCallResponse("a", "look_up", DONE.content))
    assert functions.finish("a", DONE) is None


def test_a_result_for_a_session_that_is_over_becomes_a_note() -> None:
    functions = calls()
    functions.start(call(), NOW)
    functions.pending.session_renewed()
    told = functions.finish("a", DONE)
    assert told == Tell(UpdatePrompt(sentences.late_result("look_up", DONE.content)))


def test_of_a_failure_the_model_learns_what_to_tell_the_caller() -> None:
    failed = FunctionResult(FunctionState.FAILED, '{"error": "timeout"}', "timeout")
    functions = calls()
    functions.start(call(), NOW)
    told = functions.finish("a", failed)
    assert told is not None
    assert isinstance(told.message, FunctionCallResponse)
    assert json.loads(told.message.content) == {"error": "timeout", "tell_the_caller": "Sorry."}
    functions.start(call("book", "", "b"), NOW)
    assert functions.finish("b", failed) == Tell(FunctionCallResponse("b", "book", failed.content))


def test_a_transfer_carries_the_models_words_for_the_human_alone() -> None:
    arguments = json.dumps({"queue": "orders", "reason": "late parcel", "summary": "Parcel 12 is late."})
    assert calls().leave(call("transfer_to_human", arguments)) == (
        Leave("transfer_to_human", "orders", "Parcel 12 is late.", "a", "late parcel"),
        sentences.ANSWER_TRANSFER,
    )


def test_a_transfer_with_broken_arguments_goes_to_the_default_queue() -> None:
    leave = calls().leave(call("transfer_to_human", "nonsense"))
    assert leave is not None
    assert leave[0].queue == "support"


def test_an_end_has_no_queue() -> None:
    assert calls().leave(call("end_call", "{}")) == (Leave("goodbye", function_id="a"), sentences.ANSWER_END)


def test_other_functions_are_no_wish_to_leave() -> None:
    assert calls().leave(call()) is None


def test_what_the_caller_has_to_agree_to_is_asked_first_and_started_when_they_have_spoken() -> None:
    book = replace(definition().functions["book"], confirm="Shall I book {day}?", parameters={"type": "object"})
    functions = FunctionCalls(definition(functions={"book": book}))
    asked = functions.start(call("book", '{"day": "Monday"}'), NOW)
    assert isinstance(asked, Tell)
    assert isinstance(asked.message, FunctionCallResponse)
    assert json.loads(asked.message.content)["ask_the_caller"] == "Shall I book Monday?"
    assert not functions.pending.any
    functions.confirmations.caller_started()
    functions.confirmations.caller_said()
    assert isinstance(functions.start(call("book", '{"day": "Monday"}', "b"), NOW), StartFunction)


def test_a_result_of_a_function_that_the_agent_no_longer_has_is_told_all_the_same() -> None:
    functions = calls()
    functions.start(call(), NOW)
    functions.redefine(definition(functions={}))
    failure = FunctionResult(FunctionState.FAILED, '{"error": "timeout"}', "timeout")
    assert functions.finish("a", failure) == Tell(FunctionCallResponse("a", "look_up", failure.content))
