from __future__ import annotations

from definition.model import Otherwise
from tests.definition.conftest import Loaded, Problems, text

QUEUES = "{support: {description: Everything}, orders: {description: Orders, priority: 3, otherwise: callback}}"


def test_without_a_word_the_caller_goes_back_to_the_agent_with_connects_own_priority(loaded: Loaded) -> None:
    definition = loaded()
    assert definition.queues["support"].otherwise is Otherwise.AGENT
    assert definition.priority("support") == 0


def test_a_queue_has_a_priority_and_what_comes_where_nobody_can_be_had(loaded: Loaded) -> None:
    definition = loaded(queues=QUEUES)
    assert definition.queues["orders"].otherwise is Otherwise.CALLBACK
    assert definition.priority("orders", "complaint") == 3


def test_the_priority_of_a_reason_comes_before_the_queues(loaded: Loaded) -> None:
    definition = loaded("reasons: [complaint]\npriorities: {complaint: 1}\n", queues=QUEUES)
    assert definition.priority("orders", "complaint") == definition.priority("support", "complaint") == 1
    assert definition.priority("orders", "other") == 3


def test_a_priority_is_of_a_reason_that_there_is(problems: Problems) -> None:
    (unknown,) = problems(text("reasons: [complaint]\npriorities: {complaints: 1}\n"))
    assert "one of the reasons complaint (did you mean complaint?), found 'complaints'" in unknown
    (none,) = problems(text("priorities: {complaint: 1}\n"))
    assert "a list of reasons beside it" in none


def test_other_words_and_numbers_are_refused(problems: Problems) -> None:
    found = problems(text(queues="{support: {description: Everything, priority: 11, otherwise: voicemail}}"))
    assert "a priority, 1 being the highest, from 1 to 10" in found[0]
    assert "one of agent, callback" in found[1]
