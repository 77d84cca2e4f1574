from __future__ import annotations

from gateway.conversation.confirmations import Confirmations

MONDAY = {"day": "monday"}


def test_it_is_given_once_when_the_caller_has_spoken_after_the_question() -> None:
    asked = Confirmations()
    assert not asked.given("book", MONDAY)
    asked.caller_started()
    asked.caller_said()
    assert asked.given("book", MONDAY)
    assert not asked.given("book", MONDAY)


def test_other_arguments_are_another_question() -> None:
    asked = Confirmations()
    asked.given("book", MONDAY)
    asked.caller_started()
    asked.caller_said()
    assert not asked.given("book", {"day": "friday"})


def test_the_turn_that_asked_for_it_is_no_answer_though_its_text_comes_late() -> None:
    asked = Confirmations()
    asked.given("book", MONDAY)
    asked.caller_said()
    assert not asked.given("book", MONDAY)


def test_a_model_that_does_not_wait_asks_for_ever() -> None:
    asked = Confirmations()
    assert not any(asked.given("book", MONDAY) for _ in range(5))
    asked.caller_started()
    assert not asked.given("book", MONDAY), "the caller has begun, and said nothing yet"
