"""Key presses that the agent asks for: when they are asked for, and what it is told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from definition.model import CollectDefinition, FunctionDefinition
from gateway.conversation.collecting import FIRST_WORD_MS, LONGEST_MS, Told, outcome
from gateway.conversation.commands import Answer, Ask, Command, NoteQuestion, Tell, Unask
from gateway.conversation.key_presses import KeyPresses
from gateway.conversation.pending import PendingFunctions
from gateway.legs.leg import Keys, KeysTaken, Question
from gateway.voice_agent.messages import FunctionCall, FunctionCallResponse
from tests.gateway.definitions import definition

NOW = 1_000_000
PIN = FunctionDefinition("check_pin", "Checks.", {"type": "object", "properties": {"pin": {"type": "string"}}})
DESK = CollectDefinition("desk", "menu", "Which desk", "Press one.", choices={"1": "claims", "2": "else"})
SURE = CollectDefinition("sure", "confirmation", "Sure?", "Press one.", choices={"1": "yes", "2": "no"})
ORDER = CollectDefinition("order", "number", "The order", "Type it.", least=4, most=6)
SECRET = CollectDefinition("pin", "number", "The pin", "Type it.", least=4, most=4, secret=True, function=PIN)
AGENT = definition(collect={each.name: each for each in (DESK, SURE, ORDER, SECRET)})
QUESTION = Question("order", "Type it.", 6, agent="shop")


def call(what: str = "order", call_id: str = "a") -> FunctionCall:
    return FunctionCall(call_id, "collect_digits", json.dumps({"what": what}))


def requested(what: str = "order") -> KeyPresses:
    keys = KeyPresses(PendingFunctions())
    assert isinstance(keys.requested(call(what), AGENT, NOW), NoteQuestion)
    return keys


def asked(what: str = "order") -> KeyPresses:
    keys = requested(what)
    assert keys.due(NOW + FIRST_WORD_MS, silent=True)
    return keys


def told(commands: list[Command]) -> Told:
    (answer,) = commands
    assert isinstance(answer, Answer)
    content: Told = json.loads(answer.content)
    return content


def test_the_question_is_put_once_when_the_agents_words_have_been_heard() -> None:
    keys = requested()
    assert keys.open
    assert keys.next_due_ms(silent=False) == NOW + LONGEST_MS
    assert keys.due(NOW + FIRST_WORD_MS, silent=False) == []
    assert keys.next_due_ms(silent=True) == NOW + FIRST_WORD_MS
    assert keys.due(NOW + FIRST_WORD_MS - 1, silent=True) == []
    assert keys.due(NOW + FIRST_WORD_MS, silent=True) == [Ask(QUESTION)]
    assert keys.due(NOW + LONGEST_MS, silent=True) == []
    assert keys.next_due_ms(silent=True) is None


def test_words_without_an_end_do_not_hold_it_up_for_ever() -> None:
    assert requested().due(NOW + LONGEST_MS, silent=False) == [Ask(QUESTION)]


def test_what_may_not_be_asked_for_is_refused() -> None:
    keys = KeyPresses(PendingFunctions())
    refused = keys.requested(call("age"), AGENT, NOW)
    assert isinstance(refused, Tell)
    assert isinstance(refused.message, FunctionCallResponse)
    assert "error" in json.loads(refused.message.content)
    assert not keys.open


def test_one_question_is_asked_at_a_time() -> None:
    keys = requested()
    second = keys.requested(call("desk", "b"), AGENT, NOW)
    assert isinstance(second, Tell)
    assert isinstance(second.message, FunctionCallResponse)
    assert "under way" in second.message.content


def test_what_was_typed_is_the_answer_of_the_function() -> None:
    keys = asked()
    assert told(keys.taken(KeysTaken(Keys.TAKEN, "471108"))) == {
        "status": "entered",
        "digits": "471108",
        "attempts": 1,
    }
    assert not keys.open
    assert keys.taken(KeysTaken(Keys.TAKEN, "471108")) == []


def test_who_presses_nothing_or_the_wrong_keys_is_asked_again_as_often_as_the_definition_says() -> None:
    for event in (KeysTaken(Keys.TAKEN), KeysTaken(Keys.TAKEN, "4")):
        keys = asked()
        assert keys.taken(event) == [Ask(replace(QUESTION, attempt=2))]
        assert told(keys.taken(event))["attempts"] == 2


def test_who_speaks_instead_is_not_asked_again_and_the_agent_knows() -> None:
    keys = asked()
    assert keys.caller_said() == []
    found = told(keys.taken(KeysTaken(Keys.TAKEN)))
    assert (found["status"], found["note"]) == ("nothing_entered", "The caller spoke meanwhile.")


def test_who_speaks_before_the_question_is_not_asked() -> None:
    keys = requested()
    assert told(keys.caller_said())["status"] == "not_asked"
    assert keys.caller_said() == []
    assert keys.due(NOW + LONGEST_MS, silent=True) == []


def test_a_caller_on_the_way_out_is_not_asked() -> None:
    assert told(requested().leaving())["status"] == "not_asked"
    assert asked().leaving() == []


def test_what_the_agent_cancels_before_it_is_asked_is_over() -> None:
    keys = requested()
    assert keys.cancelled("other") == []
    assert told(keys.cancelled("a")) == {"status": "cancelled"}
    assert KeyPresses(PendingFunctions()).cancelled("a") == []


def test_what_is_typed_after_the_agent_has_cancelled_is_told_it_all_the_same() -> None:
    pending = PendingFunctions()
    keys = KeyPresses(pending)
    keys.requested(call(), AGENT, NOW)
    keys.due(NOW + FIRST_WORD_MS, silent=True)
    pending.cancel("a")
    assert keys.cancelled("a") == [Unask()]
    assert told(keys.taken(KeysTaken(Keys.TAKEN, "4711")))["digits"] == "4711"
    late = pending.finish("a")
    assert late is not None
    assert late.renewed


def test_a_question_of_an_earlier_owner_is_answered_by_what_the_flow_says() -> None:
    pending = PendingFunctions()
    keys = KeyPresses(pending)
    keys.resume(ORDER, "key", "shop", NOW)
    assert pending.any
    assert keys.due(NOW + LONGEST_MS, silent=True) == []
    assert told(keys.taken(KeysTaken(Keys.TAKEN, "4711")))["digits"] == "4711"


def test_a_secret_question_names_who_gets_the_digits() -> None:
    keys = KeyPresses(PendingFunctions())
    noted = keys.requested(call("pin"), AGENT, NOW)
    assert noted == NoteQuestion(Question("pin", "Type it.", 4, True, "check_pin", "pin", "shop"))


@pytest.mark.parametrize(
    ("question", "digits", "expected"),
    [
        (DESK, "1", {"status": "entered", "choice": "claims", "digits": "1"}),
        (SURE, "1", {"status": "entered", "confirmed": True}),
        (SURE, "2", {"status": "entered", "confirmed": False}),
        (ORDER, "4711", {"status": "entered", "digits": "4711"}),
        (SECRET, '{"verified": true}', {"status": "entered", "verified": True}),
    ],
)
def test_what_is_told_of_keys_that_fit(question: CollectDefinition, digits: str, expected: Told) -> None:
    assert outcome(question, KeysTaken(Keys.TAKEN, digits)) == expected


@pytest.mark.parametrize(
    ("question", "event", "status"),
    [
        (DESK, KeysTaken(Keys.TAKEN, "7"), "wrong_keys"),
        (ORDER, KeysTaken(Keys.TAKEN, "471"), "wrong_keys"),
        (ORDER, KeysTaken(Keys.TAKEN, "47*1"), "wrong_keys"),
        (ORDER, KeysTaken(Keys.TAKEN), "nothing_entered"),
        (ORDER, KeysTaken(Keys.FAILED), "failed"),
        (ORDER, KeysTaken(Keys.NEVER), "not_asked"),
        (ORDER, KeysTaken(Keys.UNAVAILABLE), "not_available"),
        (SECRET, KeysTaken(Keys.TAKEN, "entered"), "entered"),
        (SECRET, KeysTaken(Keys.TAKEN, "unknown"), "failed"),
    ],
)
def test_what_is_told_of_everything_else(question: CollectDefinition, event: KeysTaken, status: str) -> None:
    assert outcome(question, event)["status"] == status


def test_a_secret_is_never_told_even_where_the_flow_says_more() -> None:
    assert "4711" not in json.dumps(outcome(SECRET, KeysTaken(Keys.TAKEN, "4711")))
