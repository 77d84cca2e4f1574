"""A question for keys: in the log, and what the flow says of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract.actions import Action, Collect, Numbered, Outcome, Play, Say
from contract.call import CallState, Head, Opening
from gateway.legs.kvs.asking import TERMINATOR, TIMEOUT_S, Asking
from gateway.legs.leg import Keys, KeysTaken, Question, rendered_name

QUESTION = Question("order", "Type it.", 6, agent="shop")
CLIP = Opening("https://clips/question.wav", "Type it.", 900)
HEAD = Head("c", 1, CallState.ACTIVE, 0, last_seq=5, offered=4, loaded=4)
NEVER = KeysTaken(Keys.NEVER)
COLLECT = Collect("", 6, TERMINATOR, TIMEOUT_S, name="order")


def asked(seq: int = 5) -> Asking:
    asking = Asking()
    asking.ask(QUESTION)
    asking.trying(seq, COLLECT)
    assert asking.appended(seq, QUESTION, COLLECT)
    return asking


def test_a_rendered_prompt_is_part_of_the_question() -> None:
    assert Asking().next_action(QUESTION, CLIP, "") == replace(COLLECT, prompt_url=CLIP.url)


@pytest.mark.parametrize("rendered", [None, Opening("", "", 0), replace(CLIP, text="Type another thing.")])
def test_without_a_clip_of_these_words_the_flow_speaks_them_first(rendered: Opening | None) -> None:
    asking = Asking()
    asking.ask(QUESTION)
    says = asking.next_action(QUESTION, rendered, "")
    assert says == Say("Type it.")
    assert asking.appended(4, QUESTION, says)
    assert asking.next_action(QUESTION, rendered, "") == COLLECT
    assert asking.unask() == (4, NEVER)


def test_what_is_taken_back_in_time_was_never_put() -> None:
    asking = Asking()
    assert asking.unask() == (0, None), "nothing was wanted"
    asking.ask(QUESTION)
    assert asking.unask() == (0, NEVER)
    assert asking.unask() == (0, None)


def test_words_of_a_question_that_was_taken_back_meanwhile_are_not_those_of_the_next_one() -> None:
    asking = Asking()
    asking.ask(QUESTION)
    asking.unask()
    other = replace(QUESTION, prompt="Type another thing.")
    asking.ask(other)
    assert not asking.appended(4, QUESTION, Say("Type it."))
    assert asking.next_action(other, None, "") == Say("Type another thing.")


def test_what_is_taken_back_while_it_is_appended_has_to_be_cancelled() -> None:
    asking = Asking()
    asking.ask(QUESTION)
    asking.trying(5, COLLECT)
    assert asking.unask() == (5, None)
    assert not asking.appended(5, QUESTION, COLLECT)
    assert asking.unask() == (5, None)


@pytest.mark.parametrize(("last_seq", "told"), [(4, NEVER), (5, None)])
def test_what_is_taken_back_unclear_was_never_put_or_is_told_of_by_the_flow(
    last_seq: int, told: KeysTaken | None
) -> None:
    asking = Asking()
    asking.ask(QUESTION)
    asking.trying(5, COLLECT)
    assert asking.unclear
    assert asking.unask() == (5, None)
    assert asking.settled(last_seq) == told
    assert asking.settled(last_seq) is None
    assert asking.saw(replace(HEAD, cancelled_up_to=5)) == (None if told else NEVER)


@pytest.mark.parametrize(("last_seq", "waits"), [(4, True), (5, False)])
def test_what_is_wanted_still_is_asked_again_unless_it_was_there(last_seq: int, waits: bool) -> None:
    asking = Asking()
    asking.ask(QUESTION)
    asking.trying(5, COLLECT)
    assert asking.settled(last_seq) is None
    assert (asking.waiting is QUESTION) is waits
    assert asking.saw(replace(HEAD, cancelled_up_to=5)) == (None if waits else NEVER)


def test_nothing_is_heard_while_a_secret_is_typed() -> None:
    secret = replace(QUESTION, secret=True)
    asking = Asking()
    asking.ask(secret)
    deaf = [asking.deaf]
    asking.trying(5, replace(COLLECT, secret=True))
    asking.appended(5, secret, replace(COLLECT, secret=True))
    deaf.append(asking.deaf)
    assert asking.saw(replace(HEAD, loaded=5, keys_seq=5, keys="entered")) == KeysTaken(Keys.TAKEN, "entered")
    assert [*deaf, asking.deaf] == [False, True, False]


@pytest.mark.parametrize(
    ("head", "taken"),
    [
        (HEAD, None),
        (replace(HEAD, keys_seq=5, keys="4711"), KeysTaken(Keys.TAKEN, "4711")),
        (replace(HEAD, keys_seq=5, keys_ended=Outcome.FAILED), KeysTaken(Keys.FAILED)),
        (replace(HEAD, loaded=9, keys_seq=5, keys="4711"), KeysTaken(Keys.TAKEN, "4711")),
        (replace(HEAD, loaded=5, digits="4711"), KeysTaken(Keys.TAKEN, "4711")),
        (replace(HEAD, loaded=5, ended=Outcome.FAILED), KeysTaken(Keys.FAILED)),
        (replace(HEAD, loaded=6), KeysTaken(Keys.FAILED)),
        (replace(HEAD, cancelled_up_to=5), KeysTaken(Keys.NEVER)),
        (replace(HEAD, cancelled_up_to=5, offered=5), None),
    ],
)
def test_what_the_flow_says_of_it_ends_it_once(head: Head, taken: KeysTaken | None) -> None:
    asking = asked()
    assert asking.open
    assert asking.saw(head) == taken
    assert asking.open is (taken is None)
    if taken is not None:
        assert asking.saw(head) is None


def line(seq: int, action: Action, at_ms: int) -> Numbered:
    return Numbered(seq, action, at_ms)


def test_who_takes_the_call_over_finds_the_newest_question_since_it_was_wanted() -> None:
    asking = Asking()
    asking.asked_before(100)
    assert asking.adopt([line(3, COLLECT, 50), line(4, COLLECT, 150), line(5, Play("u", 9), 160)]) is None
    assert asking.saw(replace(HEAD, keys_seq=4, keys="4711")) == KeysTaken(Keys.TAKEN, "4711")


def test_what_was_wanted_and_is_not_in_the_log_was_never_put() -> None:
    asking = Asking()
    assert asking.adopt([line(3, COLLECT, 50)]) is None, "nothing was wanted"
    asking.asked_before(100)
    assert asking.adopt([line(3, COLLECT, 50)]) == KeysTaken(Keys.NEVER)


def test_a_rendered_prompt_is_named_by_agent_and_question() -> None:
    assert rendered_name("clinic.es", "order") == "clinic.es/order"
