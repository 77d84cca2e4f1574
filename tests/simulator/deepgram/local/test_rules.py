"""Every branch of the mind, against the small rule file of test_rulebook."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.deepgram.brain import Adaptable, Reply, SecondThoughts
from simulator.deepgram.local.rules import RulesMind
from tests.simulator.deepgram.local.test_rulebook import small

MONDAY_MS = 1_790_000_000_000  # 2026-09-21, in the afternoon


@pytest.fixture
def mind(tmp_path: Path) -> RulesMind:
    mind = RulesMind(small(tmp_path))
    mind.opened({})
    return mind


def say(mind: RulesMind, *texts: str) -> Reply:
    """What is answered to the last of them."""
    reply = Reply("")
    for text in texts:
        reply = mind.heard(text, MONDAY_MS)
    return reply


def call(reply: Reply) -> tuple[str, dict[str, str]]:
    (one,) = reply.calls
    return one.name, json.loads(one.arguments)


def result(mind: RulesMind, name: str, **fields: object) -> str:
    return mind.answered(name, json.dumps(fields), MONDAY_MS).text


def test_what_is_missing_is_asked_for_and_then_looked_up(mind: RulesMind) -> None:
    assert say(mind, "Where is my order?") == Reply("Number?")
    reply = say(mind, "forty seven")
    assert reply.text == "Looking."
    assert call(reply) == ("look", {"number": "47"})
    assert result(mind, "look", state="here") == "It is here, four seven. More?"


def test_what_was_said_at_once_is_not_asked_for(mind: RulesMind) -> None:
    assert call(say(mind, "my order 47 please")) == ("look", {"number": "47"})


def test_a_number_alone_asks_for_what_needs_it(mind: RulesMind) -> None:
    assert call(say(mind, "47")) == ("look", {"number": "47"})


def test_a_day_alone_asks_for_what_needs_it(mind: RulesMind) -> None:
    assert call(say(mind, "on Friday")) == ("hours", {"day": "friday"})


@pytest.mark.parametrize(("said", "day"), [("today", "monday"), ("tomorrow", "tuesday")])
def test_a_relative_day_becomes_a_day_of_the_week(mind: RulesMind, said: str, day: str) -> None:
    assert call(say(mind, said)) == ("hours", {"day": day})


def test_a_number_is_collected_in_parts(mind: RulesMind) -> None:
    assert say(mind, "my order number is 4") == Reply("4...")
    assert call(say(mind, "and seven")) == ("look", {"number": "47"})


def test_a_part_of_a_number_without_a_sentence_for_it_asks_again(tmp_path: Path) -> None:
    mind = RulesMind(small(tmp_path, ', partial: "{begun}..."', ""))
    assert say(mind, "order", "4") == Reply("Again?")
    assert call(say(mind, "seven")) == ("look", {"number": "47"})


def test_half_a_number_alone_begins_it(mind: RulesMind) -> None:
    assert say(mind, "seven") == Reply("7...")
    assert call(say(mind, "four")) == ("look", {"number": "74"})


def test_a_digit_too_few_for_anything_is_not_understood(tmp_path: Path) -> None:
    mind = RulesMind(small(tmp_path, "min: 2, max: 4", "min: 4, max: 4"))
    assert say(mind, "seven") == Reply("What?")


def test_the_answer_depends_on_the_result(mind: RulesMind) -> None:
    say(mind, "47")
    assert result(mind, "look", state="Lost") == "It is Lost. More?"
    assert say(mind, "my order") == Reply("Number?"), "the number was to be forgotten"
    say(mind, "48")
    assert result(mind, "look") == "No idea. More?"


def test_a_known_number_is_used_again(mind: RulesMind) -> None:
    say(mind, "47")
    result(mind, "look", state="here")
    assert call(say(mind, "my order")) == ("look", {"number": "47"})


@pytest.mark.parametrize("content", ['{"error": "down"}', '{"error": {"a": 1}}'])
def test_a_function_that_fails_has_its_own_sentence(mind: RulesMind, content: str) -> None:
    say(mind, "47")
    text = mind.answered("look", content, 0).text
    assert text == ("Failed. More?" if "down" in content else "No idea. More?")


def test_an_error_that_an_answer_foresees_is_answered_by_it(mind: RulesMind) -> None:
    say(mind, "47")
    assert result(mind, "look", state="gone", error="no such order") == "It is gone. More?"


@pytest.mark.parametrize("content", ["plain text", "[1, 2]", "null", "{}", '{"state": null}', '{"state": [{}]}'])
def test_any_content_at_all_has_an_answer(mind: RulesMind, content: str) -> None:
    say(mind, "47")
    assert mind.answered("look", content, 0).text == "No idea. More?"


def test_a_result_may_be_nested(tmp_path: Path) -> None:
    mind = RulesMind(small(tmp_path, "It is {state}, {number:digits}", "It is {a.b}, {list}, {flag}"))
    say(mind, "47")
    assert result(mind, "look", a={"b": 1}, list=["x", 2], flag=True) == "It is 1, x, 2, true. More?"


def test_a_result_that_nobody_asked_for_is_answered_if_it_can_be(mind: RulesMind) -> None:
    assert result(mind, "look", state="here") == "No idea. More?"
    assert result(mind, "unheard_of", state="here") == ""


def test_a_result_that_says_so_is_not_spoken_about(mind: RulesMind) -> None:
    say(mind, "47")
    assert result(mind, "look", note="This is already under way. Say nothing more.") == ""


def test_a_function_that_the_agent_does_not_have_is_not_called(mind: RulesMind) -> None:
    mind.opened({"agent": {"think": [{"functions": [{"name": "hours"}]}, {"functions": []}]}})
    assert say(mind, "47") == Reply("Failed. More?")
    assert say(mind, "friday").calls
    mind.updated({"agent": {"think": {"functions": [{"name": "look"}]}}}, 0)
    assert say(mind, "47").calls
    assert isinstance(mind, Adaptable)


@pytest.mark.parametrize("think", [None, "x", [], [1], {}, {"functions": None}])
def test_settings_may_say_anything_about_functions(mind: RulesMind, think: object) -> None:
    mind.opened({"agent": {"think": think}})
    assert bool(say(mind, "47").calls) == (not isinstance(think, dict))


def test_yes_and_no_answer_the_question(mind: RulesMind) -> None:
    say(mind, "47")
    result(mind, "look", state="here")
    assert say(mind, "yes") == Reply("Go on.")
    result(mind, "look", state="here")
    assert call(say(mind, "no")) == ("end", {})
    assert result(mind, "end", status="ok") == "Bye!"


def test_yes_without_a_question_means_nothing(mind: RulesMind) -> None:
    assert say(mind, "yes") == Reply("What?")


def test_a_question_in_between_is_answered_and_the_open_one_asked_again(mind: RulesMind) -> None:
    say(mind, "my order", "friday")
    assert result(mind, "hours") == "Open on friday. Again?"
    assert call(say(mind, "47")) == ("look", {"number": "47"})


def test_what_was_answered_in_between_is_looked_up_afterwards(mind: RulesMind) -> None:
    say(mind, "my order")
    assert call(say(mind, "what are your hours on friday, and it is 47")) == ("hours", {"day": "friday"})
    reply = mind.answered("hours", "{}", 0)
    assert reply.text == "Open on friday. Looking."
    assert call(reply) == ("look", {"number": "47"})


def test_a_sentence_without_question_leaves_open_what_was_open(mind: RulesMind) -> None:
    assert say(mind, "my order", "thanks") == Reply("Welcome.")
    assert call(say(mind, "4 7")) == ("look", {"number": "47"})


def test_politeness_counts_only_where_nothing_else_was_said(mind: RulesMind) -> None:
    assert call(say(mind, "hello, 47 please")) == ("look", {"number": "47"})
    assert say(mind, "hello") == Reply("Hello you. More?")
    assert say(mind, "my name is Alice Brown") == Reply("Hello Alice Brown. More?")


def test_sentences_take_turns(mind: RulesMind) -> None:
    assert [say(mind, "thanks").text for _ in range(3)] == ["Welcome.", "Pleasure.", "Welcome."]


def test_the_last_sentence_is_repeated(mind: RulesMind) -> None:
    assert say(mind, "my order", "again") == Reply("Number?")
    assert call(say(mind, "47")) == ("look", {"number": "47"})


def test_the_greeting_is_repeated_too(mind: RulesMind) -> None:
    mind.opened({"agent": {"greeting": "Good day."}})
    assert say(mind, "again") == Reply("Good day.")


def test_nothing_said_is_nothing_answered(mind: RulesMind) -> None:
    assert say(mind, "") == Reply("")
    assert say(mind, " ... ") == Reply("")


def test_nonsense_leads_to_an_offer(mind: RulesMind) -> None:
    assert [say(mind, "blah").text for _ in range(4)] == ["What?", "Sorry, what?", "I give up. More?", "What?"]


def test_sense_between_nonsense_starts_the_count_again(mind: RulesMind) -> None:
    say(mind, "blah", "blah", "thanks")
    assert say(mind, "blah") == Reply("What?")


def test_an_answer_that_is_none_is_asked_for_differently_and_then_given_up(mind: RulesMind) -> None:
    assert [say(mind, text).text for text in ("my order", "blah", "blub", "bla")] == [
        *("Number?", "Again?", "Again?"),
        "I give up. More?",
    ]
    assert say(mind, "yes") == Reply("Go on.")


def test_who_refuses_to_answer_is_offered_something_else(mind: RulesMind) -> None:
    assert say(mind, "my order", "no") == Reply("I give up. More?")


def test_a_choice_may_have_a_value_for_those_who_do_not_choose(mind: RulesMind) -> None:
    assert say(mind, "desk") == Reply("Desk?")
    assert call(say(mind, "whatever"))[1]["desk"] == "right"


def test_one_word_answers_the_question_even_where_it_could_be_a_wish(tmp_path: Path) -> None:
    mind = RulesMind(small(tmp_path, "left: [left]", "left: [left, order]"))
    assert call(say(mind, "desk", "order"))[1]["desk"] == "left"
    assert call(say(mind, "desk", "my order"))[0] == "look"


def test_what_a_human_should_know_is_summed_up(mind: RulesMind) -> None:
    say(mind, "my order 47")
    result(mind, "look", state="here")
    assert call(say(mind, "desk on the left")) == (
        "move",
        {"desk": "left", "why": "Wants an order. Number 99. State here."},
    )


def test_what_is_given_up_is_not_asked_for_again(mind: RulesMind) -> None:
    say(mind, "my order", "desk left")
    assert result(mind, "move", error="no") == "Cannot move."
    assert say(mind, "thanks") == Reply("Welcome.")
    say(mind, "friday")
    assert result(mind, "hours") == "Open on friday. More?"


def test_a_turn_that_was_withdrawn_never_happened(mind: RulesMind) -> None:
    assert isinstance(mind, SecondThoughts)
    say(mind, "my order")
    say(mind, "47")
    mind.withdrawn(0)
    assert say(mind, "blah") == Reply("Again?")
    assert call(say(mind, "48")) == ("look", {"number": "48"})


HISTORY = [
    {"type": "History", "role": "user", "content": "where is my order"},
    {"type": "History", "role": "assistant", "content": "What number?"},
    {"type": "History", "role": "user", "content": "forty seven"},
    {"type": "History", "function_calls": [{"name": "look", "response": '{"state": "here"}'}, {"name": "open"}, 7]},
    {"type": "History", "role": "assistant", "content": "It is here."},
    "nonsense",
]


def test_a_conversation_is_gone_on_with(mind: RulesMind) -> None:
    mind.opened({"agent": {"context": {"messages": HISTORY}}})
    assert say(mind, "again") == Reply("It is here.")
    assert call(say(mind, "desk left"))[1]["why"] == "Wants an order. Number 99. State here."


def test_a_conversation_is_gone_on_with_amid_a_question(mind: RulesMind) -> None:
    mind.opened({"agent": {"context": {"messages": HISTORY[:2]}}})
    assert call(say(mind, "47")) == ("look", {"number": "47"})


def test_a_function_without_a_result_is_not_called_again_by_itself(mind: RulesMind) -> None:
    mind.opened({"agent": {"context": {"messages": HISTORY[:3]}}})
    assert say(mind, "hello") == Reply("Hello you. More?")
