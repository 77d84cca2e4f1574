from __future__ import annotations

import pytest

from simulator.connect.state import ATTRIBUTE_BYTES
from tests.simulator.connect.small import FLOW, QUEUE, Hand, block, say


def logging(identifier: str, state: str, then: str = "bye") -> dict[str, object]:
    return block(identifier, "UpdateFlowLoggingBehavior", {"FlowLoggingBehavior": state}, then)


def test_logging_is_off_until_a_block_switches_it_on() -> None:
    hand = Hand(say("a", then="on"), logging("on", "Enabled", "b"), say("b")).start()
    hand.plays()
    hand.ends()
    assert [line["Identifier"] for line in hand.logged] == ["on", "b"]


def test_nothing_is_logged_after_the_block_that_switches_off() -> None:
    hand = Hand(logging("off", "Disabled", "a"), say("a"), logging=True).start()
    assert [line["Parameters"] for line in hand.logged] == [{"LoggingBehavior": "Disable"}]


def test_a_voice_can_be_a_reference() -> None:
    voice = block("v", "UpdateContactTextToSpeechVoice", {"TextToSpeechVoice": "$.Attributes.voice"})
    assert Hand(voice, attributes={"voice": "Vicki"}).start().state.voice == "Vicki"


def test_a_voice_without_a_value_takes_the_error_branch() -> None:
    voice = block("v", "UpdateContactTextToSpeechVoice", {"TextToSpeechVoice": "$.Attributes.voice"})
    assert Hand(voice).start().path == ["v", "failed"]


def test_contact_data_keeps_what_is_not_given() -> None:
    parameters = {"Name": "call", "LanguageCode": "de-DE", "TargetContact": "Current"}
    state = Hand(block("d", "UpdateContactData", parameters), description="before").start().state
    assert (state.name, state.language, state.description) == ("call", "de-DE", "before")


def test_an_event_hook_is_kept_when_its_flow_exists() -> None:
    hook = block("h", "UpdateContactEventHooks", {"EventHooks": {"CustomerQueue": "$.Attributes.flow"}})
    assert Hand(hook, attributes={"flow": FLOW}).start().state.hooks == {"CustomerQueue": FLOW}
    assert Hand(hook, attributes={"flow": "gone"}).start().path == ["h", "failed"]


def test_routing_sets_a_priority_or_leaves_it() -> None:
    first = block("r", "UpdateContactRoutingBehavior", {"QueuePriority": "1"})
    later = block("r", "UpdateContactRoutingBehavior", {"QueueTimeAdjustmentSeconds": "600"})
    assert Hand(first).start().state.priority == 1
    assert Hand(later).start().state.priority == 5


@pytest.mark.parametrize(("number", "then"), [("+4930123456", "bye"), ("030123456", "invalid"), ("", "invalid")])
def test_a_callback_number_is_e164(number: str, then: str) -> None:
    errors = {"InvalidCallbackNumber": "invalid"}
    parameters = {"CallbackNumber": "$.Attributes.number"}
    callback = block("c", "UpdateContactCallbackNumber", parameters, errors=errors)
    hand = Hand(callback, say("invalid"), attributes={"number": number}).start()
    assert hand.path == ["c", then]


def test_a_target_queue_is_found_by_reference() -> None:
    queue = block("q", "UpdateContactTargetQueue", {"QueueId": "$.Attributes.q"})
    hand = Hand(queue, attributes={"q": "q-1"}, logging=True).start()
    assert hand.state.queue is hand.instance.queue(QUEUE)
    assert hand.logged[0]["Parameters"] == {"Queue": QUEUE}
    assert Hand(queue, attributes={"q": "sales"}).start().path == ["q", "failed"]


def test_attributes_are_filled_from_references_and_logged_one_by_one() -> None:
    given = {"Attributes": {"a": "$.ContactId", "b": "x $.Attributes.old"}}
    hand = Hand(block("s", "UpdateContactAttributes", given), attributes={"old": "1"}, logging=True).start()
    assert hand.state.attributes == {"old": "1", "a": "contact-1", "b": "x 1"}
    assert [line["Parameters"]["Key"] for line in hand.logged[:2]] == ["a", "b"]
    assert hand.logged[0]["ContactFlowModuleType"] == "SetAttributes"


@pytest.mark.parametrize("attributes", [{"a": "1", "b": "$.External.gone"}, {"a": "1", "no blank": "2"}])
def test_attributes_are_set_all_or_none(attributes: dict[str, str]) -> None:
    hand = Hand(block("s", "UpdateContactAttributes", {"Attributes": attributes})).start()
    assert hand.path == ["s", "failed"]
    assert hand.state.attributes == {}


def test_more_than_32_kb_of_attributes_take_the_error_branch() -> None:
    full = {"old": "x" * (ATTRIBUTE_BYTES - 10)}
    more = block("s", "UpdateContactAttributes", {"Attributes": {"a": "0123456789"}})
    hand = Hand(more, attributes=full, logging=True).start()
    assert hand.path == ["s", "failed"]
    assert hand.logged[0]["Results"].startswith("contact attributes")


def test_flow_attributes_can_be_swapped() -> None:
    swap = {"FlowAttributes": {"a": {"Value": "$.FlowAttributes.b"}, "b": {"Value": "$.FlowAttributes.a"}}}
    hand = Hand(block("s", "UpdateFlowAttributes", swap), flow_attributes={"a": "1", "b": "2"}, logging=True).start()
    assert hand.state.flow_attributes == {"a": "2", "b": "1"}


def test_a_flow_attribute_without_value_takes_the_error_branch() -> None:
    given = {"FlowAttributes": {"a": {"Value": "$.External.gone"}}}
    assert Hand(block("s", "UpdateFlowAttributes", given)).start().path == ["s", "failed"]
