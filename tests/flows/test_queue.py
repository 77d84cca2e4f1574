"""The queue flow: valid, and nobody loses their place by a failure."""

from __future__ import annotations

import random
from typing import Any

import pytest

from flows.parameters import QueueParameters
from flows.queue import customer_queue
from flows.rules import CONTACT_FLOW, CUSTOMER_QUEUE
from flows.validator import validate
from tests.flows.deployment import ENGLISH, SPANISH, token
from tests.flows.interpreter import Walk

ROUNDS = 60


def queue_flow() -> dict[str, Any]:
    return customer_queue(QueueParameters(token(1), token(2), (ENGLISH, SPANISH))).to_dict()


class Waiting(Walk):
    """A walk of a caller who waits: each time the music plays, a round passes."""

    def _MessageParticipantIteratively(self, action: dict[str, Any], _: object) -> str:
        return "=MessagesInterrupted"

    def _EndFlowExecution(self, action: dict[str, Any], _: object) -> str:
        return "end"


def waits(fails: Any = lambda name: False, **facts: Any) -> Waiting:
    walk = Waiting(
        queue_flow(),
        lambda arn, sent: {"known": "yes", "position": "3", "sentence": sent["sentence"]},
        fails,
        random.Random(1),
        **facts,
    )
    walk.run(ROUNDS)
    return walk


def test_it_is_valid_as_a_queue_flow_and_nowhere_else() -> None:
    assert validate(queue_flow(), CUSTOMER_QUEUE) == []
    assert {problem.rule for problem in validate(queue_flow(), CONTACT_FLOW)} == {"flow_type"}


def test_the_designer_is_told_its_type() -> None:
    assert queue_flow()["Metadata"]["type"] == "customerQueue"


def test_a_caller_who_does_nothing_hears_music_and_their_place_for_ever() -> None:
    walk = waits()
    assert walk.end == ""
    assert walk.path.count("Music") > 5
    assert walk.path.count("Say the place and offer a callback") > 5


def test_a_key_creates_a_callback_and_ends_the_call() -> None:
    walk = waits(keys="1")
    assert walk.end == "DisconnectParticipant"
    assert walk.path[-4:] == ["Callback number", "Create the callback", "Promise the callback", "Hang up"]


def test_closed_and_staffed_the_caller_goes_on_waiting() -> None:
    assert waits(queue_open=False).end == ""


def test_closed_and_deserted_the_caller_is_offered_a_callback_and_let_go() -> None:
    walk = waits(queue_open=False, staffed=False)
    assert walk.end == "DisconnectParticipant"
    assert walk.path[-3:] == ["Closed meanwhile - offer a callback", "Say goodbye", "Hang up"]


BLOCKS = sorted(action["Identifier"] for action in queue_flow()["Actions"])


@pytest.mark.parametrize("name", BLOCKS)
def test_whatever_fails_nobody_who_wants_to_wait_is_hung_up_on(name: str) -> None:
    walk = waits(lambda each: each == name)
    assert walk.end != "DisconnectParticipant"


@pytest.mark.parametrize("name", ["Callback number", "Create the callback"])
def test_a_callback_that_cannot_be_made_leads_back_to_the_music(name: str) -> None:
    walk = waits(lambda each: each == name, keys="1")
    assert walk.end == ""
    assert "No callback possible" in walk.path


def test_a_place_that_is_not_known_is_not_said() -> None:
    walk = Waiting(queue_flow(), lambda arn, sent: {"position": "none"}, lambda name: False, random.Random(1))
    walk.run(ROUNDS)
    assert "Say the place and offer a callback" not in walk.path
    assert "Offer a callback" in walk.path


@pytest.mark.parametrize("kind", ["MessageParticipant", "GetParticipantInput"])
def test_what_the_service_refuses_before_loop_prompts_is_found(kind: str) -> None:
    flow = queue_flow()
    name = next(action["Identifier"] for action in flow["Actions"] if action["Type"] == kind)
    flow["StartAction"] = name
    assert "before_loop_prompts" in {problem.rule for problem in validate(flow, CUSTOMER_QUEUE)}
