"""Our queue flow in the stand-in: accepted by its check, and waited in."""

from __future__ import annotations

import json

from flows.parameters import QueueParameters
from flows.queue import customer_queue
from simulator.connect.check import load_flow
from simulator.connect.events import CreateCallback, Digits, Disconnect, HumanAnswered, LambdaFailure, PlayPrompt
from simulator.connect.execution import Phase
from tests.flows.deployment import ENGLISH
from tests.simulator.connect.small import FLOW, LAMBDA, QUEUE, Hand, an_instance, block

QUEUE_FLOW = f"{FLOW}-queue"
MUSIC = "arn:aws:connect:eu-central-1:111122223333:instance/i/prompt/music"
EVERY_S = 45

THIRD = {"known": "yes", "position": "3", "sentence": "You are number 3 in the queue."}


def waiting() -> Hand:
    """A caller who has just come into the queue, and hears the music."""
    instance = an_instance()
    instance.prompts[MUSIC] = b"\xff" * 8 * 24_000
    flow = customer_queue(QueueParameters(MUSIC, LAMBDA, (ENGLISH,), EVERY_S))
    load_flow(QUEUE_FLOW, "queue", json.loads(flow.to_json()), instance, "CUSTOMER_QUEUE")
    to_queue = [
        block("q", "UpdateContactTargetQueue", {"QueueId": QUEUE}, "t"),
        block("t", "TransferContactToQueue"),
    ]
    hand = Hand(*to_queue, instance=instance, hooks={"CustomerQueue": QUEUE_FLOW}).start()
    hand.plays()
    return hand


def test_music_then_the_place_then_music_again() -> None:
    hand = waiting()
    hand.wait(EVERY_S * 1000)
    hand.returns(THIRD, after_ms=100)
    assert hand.last(PlayPrompt).uri_or_text.startswith("You are number 3 in the queue.")
    hand.plays()
    hand.ends()
    hand.wait(6000)
    assert hand.path[-1] == "Music"
    assert hand.contact.phase is Phase.QUEUED


def test_a_key_that_means_nothing_leads_back_to_the_music() -> None:
    hand = waiting()
    hand.wait(EVERY_S * 1000)
    hand.returns(THIRD)
    hand.plays()
    hand.tell(Digits("7"))
    assert hand.path[-1] == "Music"


def test_a_caller_who_wants_to_be_called_back_is_let_go_with_a_callback() -> None:
    hand = waiting()
    hand.wait(EVERY_S * 1000)
    hand.returns(error=LambdaFailure.FUNCTION)
    assert hand.path[-1] == "Offer a callback"
    hand.plays()
    hand.tell(Digits("1"))
    (callback,) = hand.of(CreateCallback)
    assert (callback.number, callback.queue_arn) == ("+4930111111", QUEUE)
    hand.plays()
    hand.ends()
    assert hand.of(Disconnect)


def test_a_human_who_answers_ends_the_music() -> None:
    hand = waiting()
    hand.tell(HumanAnswered(), after_ms=60_000)
    assert hand.contact.phase is Phase.WITH_HUMAN
