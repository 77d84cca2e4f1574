from __future__ import annotations

from typing import Any

import pytest

from simulator.connect.check import load_flow
from simulator.connect.events import (
    CallerHungUp,
    CreateCallback,
    DialThirdParty,
    Digits,
    Disconnect,
    DisconnectReason,
    HangUpThirdParty,
    HumanAnswered,
    HumanHungUp,
    PlayPrompt,
    QueueContact,
    ThirdPartyConnected,
    ThirdPartyEnded,
    ThirdPartyOutcome,
)
from simulator.connect.execution import Phase
from tests.simulator.connect.small import FLOW, QUEUE, Hand, an_instance, block, compare, document, say

QUEUE_FLOW = f"{FLOW}-queue"
SET_QUEUE = block("q", "UpdateContactTargetQueue", {"QueueId": QUEUE}, "t")
TO_QUEUE = block("t", "TransferContactToQueue", {}, errors={"QueueAtCapacity": "full"})


def queued(*, hook: bool = False) -> Hand:
    instance = an_instance()
    wait = block("loop", "MessageParticipantIteratively", {"Messages": [{"Text": "please wait"}]})
    load_flow(QUEUE_FLOW, "queue", document(wait, block("over", "EndFlowExecution")), instance, "CUSTOMER_QUEUE")
    set_hook = block("h", "UpdateContactEventHooks", {"EventHooks": {"CustomerQueue": QUEUE_FLOW}}, "q")
    blocks = (set_hook, SET_QUEUE) if hook else (SET_QUEUE,)
    facts: dict[str, Any] = {"attributes": {"va_reason": "asked"}, "flow_attributes": {"loaded": "3"}}
    return Hand(*blocks, TO_QUEUE, say("full"), instance=instance, **facts).start()


def test_a_contact_in_a_queue_carries_its_attributes() -> None:
    hand = queued()
    assert hand.of(QueueContact) == [QueueContact(QUEUE, {"va_reason": "asked"})]
    assert hand.contact.phase is Phase.QUEUED
    assert hand.instance.queues[QUEUE].depth == 1
    assert hand.contact.next_due_ms() is None


def test_the_queue_flow_of_the_hook_runs_without_the_flow_attributes() -> None:
    hand = queued(hook=True)
    assert hand.path[-1] == "loop"
    assert hand.last(PlayPrompt).uri_or_text == "please wait"
    assert hand.state.flow_attributes == {}


def test_a_human_who_answers_ends_the_queue_flow() -> None:
    hand = queued(hook=True)
    playing = hand.plays()
    hand.tell(HumanAnswered(), after_ms=500)
    assert hand.contact.phase is Phase.WITH_HUMAN
    assert hand.instance.queues[QUEUE].depth == 0
    assert hand.state.answered_at_ms == hand.now_ms
    assert playing
    hand.tell(HumanHungUp())
    assert hand.last(Disconnect).reason is DisconnectReason.HUMAN


def test_nobody_answers_or_hangs_up_outside_of_a_queue() -> None:
    hand = Hand(say("a")).start()
    hand.tell(HumanAnswered())
    hand.tell(HumanHungUp())
    assert hand.contact.phase is Phase.FLOW


def test_a_caller_who_hangs_up_leaves_the_queue() -> None:
    hand = queued()
    hand.tell(CallerHungUp())
    assert hand.instance.queues[QUEUE].depth == 0
    assert hand.last(Disconnect).reason is DisconnectReason.CUSTOMER


def test_a_queue_flow_that_ends_leaves_the_contact_in_the_queue() -> None:
    instance = an_instance()
    load_flow(QUEUE_FLOW, "queue", document(block("over", "EndFlowExecution")), instance, "CUSTOMER_QUEUE")
    hand = Hand(SET_QUEUE, TO_QUEUE, say("full"), instance=instance, hooks={"CustomerQueue": QUEUE_FLOW}).start()
    assert hand.path[-1] == "over"
    assert hand.contact.phase is Phase.QUEUED


def test_a_full_queue_and_no_queue_take_their_branches() -> None:
    full = Hand(SET_QUEUE, TO_QUEUE, say("full"))
    full.instance.queues[QUEUE].capacity = 0
    assert full.start().path == ["q", "t", "full"]
    assert Hand(TO_QUEUE, say("full")).start().path == ["t", "failed"]


def test_another_flow_begins_without_flow_attributes_and_last_answer() -> None:
    instance = an_instance()
    other = compare("other", "$.FlowAttributes.loaded", {"3": "failed"}, otherwise="bye")
    load_flow(QUEUE_FLOW, "other", document(other), instance)
    go = block("g", "TransferToFlow", {"ContactFlowId": "$.Attributes.flow"})
    facts: dict[str, Any] = {"attributes": {"flow": QUEUE_FLOW}, "flow_attributes": {"loaded": "3"}}
    hand = Hand(go, instance=instance, external={"a": "1"}, **facts).start()
    assert hand.path == ["g", "other", "bye"]
    assert hand.state.external == {}
    assert Hand(go, attributes={"flow": "gone"}).start().path == ["g", "failed"]


ERRORS = {"CallFailed": "busy", "ConnectionTimeLimitExceeded": "late"}
PHONE: dict[str, Any] = {
    "ThirdPartyPhoneNumber": "$.Attributes.number",
    "ThirdPartyConnectionTimeLimitSeconds": "30",
    "ContinueFlowExecution": "True",
    "ThirdPartyDTMFDigits": ",,1",
    "CallerId": {"Number": "+4930999"},
}


def dialled(parameters: dict[str, Any], errors: dict[str, str] = ERRORS, **attributes: str) -> Hand:
    dial = block("d", "TransferParticipantToThirdParty", parameters, "back", errors=errors)
    return Hand(dial, say("back"), say("busy"), say("late"), attributes={"number": "+491", **attributes}).start()


def test_a_number_is_dialled_and_the_flow_goes_on_when_it_hangs_up() -> None:
    hand = dialled(PHONE)
    assert hand.of(DialThirdParty) == [DialThirdParty("+491", "", "+4930999", ",,1", 30_000)]
    hand.tell(ThirdPartyConnected(), after_ms=5_000)
    hand.wait(600_000)
    hand.tell(Digits("1"))
    assert hand.path == ["d"]
    hand.tell(ThirdPartyEnded(ThirdPartyOutcome.COMPLETED))
    assert hand.path == ["d", "back"]


@pytest.mark.parametrize(
    ("outcome", "then"), [(ThirdPartyOutcome.CALL_FAILED, "busy"), (ThirdPartyOutcome.FAILED, "failed")]
)
def test_a_call_that_fails_takes_its_branch(outcome: ThirdPartyOutcome, then: str) -> None:
    hand = dialled(PHONE)
    hand.tell(ThirdPartyEnded(outcome))
    assert hand.path == ["d", then]


def test_a_number_that_does_not_answer_in_time_is_given_up() -> None:
    hand = dialled(PHONE)
    hand.wait(30_000)
    assert hand.path == ["d", "late"]
    assert hand.of(HangUpThirdParty)


def test_a_caller_who_hangs_up_takes_the_third_party_along() -> None:
    hand = dialled(PHONE)
    hand.tell(CallerHungUp())
    assert hand.of(HangUpThirdParty)


CONNECTOR: dict[str, Any] = {
    "VoiceConnector": {
        "VoiceConnectorType": "CallTransferConnector",
        "VoiceConnectorArn": "arn:aws:chime:vc/1",
        "ToUser": "+49301",
        "FromUser": "$.CustomerEndpoint.Address",
    },
    "ThirdPartyConnectionTimeLimitSeconds": "$.Attributes.limit",
    "ContinueFlowExecution": "False",
}


def test_a_voice_connector_that_hangs_up_ends_the_contact_where_the_flow_does_not_go_on() -> None:
    hand = dialled(CONNECTOR, errors={}, limit="60")
    assert hand.of(DialThirdParty) == [DialThirdParty("+49301", "arn:aws:chime:vc/1", "+4930111111", "", 60_000)]
    hand.tell(ThirdPartyConnected())
    hand.tell(ThirdPartyEnded(ThirdPartyOutcome.COMPLETED))
    assert hand.last(Disconnect).reason is DisconnectReason.THIRD_PARTY


def test_a_time_limit_that_is_no_number_takes_the_error_branch() -> None:
    assert dialled(CONNECTOR, errors={}, limit="soon").path == ["d", "failed"]


def test_a_callback_needs_a_number_and_a_queue() -> None:
    callback = block("c", "CreateCallbackContact", {"QueueId": QUEUE})
    hand = Hand(callback, callback_number="+4930").start()
    assert hand.of(CreateCallback) == [CreateCallback("+4930", QUEUE, {})]
    assert Hand(callback).start().path == ["c", "failed"]
    assert Hand(block("c", "CreateCallbackContact"), callback_number="+4930").start().path == ["c", "failed"]


def test_a_flow_may_disconnect() -> None:
    hand = Hand(block("d", "DisconnectParticipant")).start()
    assert hand.last(Disconnect).reason is DisconnectReason.FLOW
