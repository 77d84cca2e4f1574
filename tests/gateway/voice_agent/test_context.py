from __future__ import annotations

import json
import re
from typing import Any

from contract.turns import FunctionEntry, FunctionState, Role, Turn
from gateway.voice_agent.context import build


def caller(number: int, text: str, at: int = 0) -> Turn:
    return Turn(number, Role.CALLER, text, started_at_ms=at)


def agent(number: int, text: str, heard: str, at: int = 0) -> Turn:
    return Turn(number, Role.VOICE_AGENT, text, started_at_ms=at, heard_text=heard)


def function(key: str, state: FunctionState, at: int = 0, result: str = "", error: str = "") -> FunctionEntry:
    return FunctionEntry(key, "find", {"day": "Zürich"}, state, at, result=result, error=error)


def call_of(message: dict[str, object]) -> dict[str, Any]:
    calls = message["function_calls"]
    assert isinstance(calls, list)
    assert len(calls) == 1
    found: dict[str, Any] = calls[0]
    return found


def test_turns_appear_in_their_order_as_they_were_heard() -> None:
    turns = [
        agent(3, "It is Monday. Anything else?", "It is Mon"),
        agent(1, "Hello.", "Hello."),
        caller(2, "When?"),
    ]
    context = build(turns, [])
    assert context.messages == (
        {"type": "History", "role": "assistant", "content": "Hello."},
        {"type": "History", "role": "user", "content": "When?"},
        {"type": "History", "role": "assistant", "content": "It is Mon"},
    )
    assert context.unanswered == ""


def test_what_the_caller_said_last_is_kept_apart() -> None:
    context = build([agent(1, "Hello.", "Hello."), caller(2, "Hi."), caller(3, " I need help. ")], [])
    assert len(context.messages) == 1
    assert context.unanswered == "Hi. I need help."


def test_an_answer_of_which_nothing_was_heard_is_no_answer() -> None:
    context = build([caller(1, "When?"), agent(2, "It is Monday.", "")], [])
    assert context.messages == ()
    assert context.unanswered == "When?"


def test_turns_without_words_are_left_out() -> None:
    assert build([caller(1, "  "), agent(2, "x", " ")], []).messages == ()


def test_nothing_said_makes_an_empty_context() -> None:
    context = build([], [])
    assert (context.messages, context.unanswered) == ((), "")


def test_a_finished_function_stands_between_question_and_answer() -> None:
    turns = [caller(1, "When?", at=1_000), agent(2, "Monday.", "Monday.", at=5_000)]
    context = build(turns, [function("k1", FunctionState.FINISHED, at=3_000, result='{"day":"Monday"}')])
    assert [sorted(message)[0] for message in context.messages] == ["content", "function_calls", "content"]
    call = call_of(context.messages[1])
    assert context.messages[1]["type"] == "History"
    assert call["name"] == "find"
    assert call["client_side"] is True
    assert json.loads(call["arguments"]) == {"day": "Zürich"}
    assert call["response"] == '{"day":"Monday"}'


def test_functions_after_the_last_turn_and_before_turns_of_unknown_time_come_last() -> None:
    turns = [caller(1, "When?"), agent(2, "One moment.", "One moment.", at=0)]
    context = build(turns, [function("k2", FunctionState.FINISHED, at=9), function("k1", FunctionState.FINISHED, at=8)])
    ids = [call_of(message)["id"] for message in context.messages[2:]]
    assert ids == [
        call_of(build([], [function(key, FunctionState.FINISHED)]).messages[0])["id"] for key in ("k1", "k2")
    ]


def test_the_id_of_a_call_is_plain_short_and_the_same_each_time() -> None:
    entry = function("contact#7#find#{...}", FunctionState.FINISHED)
    first, second = (call_of(build([], [entry]).messages[0])["id"] for _ in range(2))
    assert first == second
    assert re.fullmatch(r"[a-zA-Z0-9_]{1,40}", first)


def test_an_open_function_is_shown_with_an_unknown_outcome_that_must_not_be_repeated() -> None:
    response = json.loads(call_of(build([], [function("k", FunctionState.ENTERED)]).messages[0])["response"])
    assert response["status"] == "unknown"
    assert "Do not repeat" in response["note"]


def test_a_failed_function_is_shown_with_what_the_agent_was_told_or_with_its_error() -> None:
    told, untold = build(
        [],
        [
            function("k1", FunctionState.FAILED, at=1, result='{"error":"told"}', error="x"),
            function("k2", FunctionState.FAILED, at=2, error="timed out"),
        ],
    ).messages
    assert call_of(told)["response"] == '{"error":"told"}'
    assert json.loads(call_of(untold)["response"]) == {"error": "timed out"}


def test_a_cancelled_function_is_shown_as_cancelled() -> None:
    message = build([], [function("k", FunctionState.CANCELLED)]).messages[0]
    assert json.loads(call_of(message)["response"]) == {"status": "CANCELLED"}


def test_the_conversation_is_in_no_repr() -> None:
    assert "secret" not in repr(build([agent(1, "secret", "secret"), caller(2, "secret")], []))
