"""A question for keys as a line of the ledger."""

from __future__ import annotations

from contract.turns import FunctionState
from definition.model import CollectDefinition
from gateway.legs.leg import Question
from gateway.questions import Questions
from tests.gateway.definitions import definition

NOW = 1_700_000_000_000
ORDER = CollectDefinition("order", "number", "The order", "Type it.", most=6)
AGENT = definition(collect={"order": ORDER})


def test_who_takes_the_call_over_finds_what_was_asked_and_since_when() -> None:
    line = Questions().asked(Question("order", "Type it.", 6), 2, NOW)
    questions = Questions()
    found = questions.inherit([line], AGENT)
    assert found is not None
    assert (found.question, found.since_ms, found.key) == (ORDER, NOW, line.key)
    closed = questions.answered('{"status": "entered"}', NOW + 9)
    assert closed is not None
    assert (closed.key, closed.state, closed.result) == (line.key, FunctionState.FINISHED, '{"status": "entered"}')


def test_what_is_answered_or_not_known_any_more_is_not_found() -> None:
    questions = Questions()
    line = questions.asked(Question("order", "Type it.", 6), 2, NOW)
    assert Questions().inherit([line], definition()) is None
    closed = questions.answered("{}", NOW)
    assert closed is not None
    assert Questions().inherit([closed], AGENT) is None
    assert questions.answered("{}", NOW) is None
