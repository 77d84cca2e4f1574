"""What must be said is said, also when Deepgram refused it once."""

from __future__ import annotations

import pytest

from gateway.conversation.commands import SayLocally, Tell
from gateway.conversation.insisting import Insisting
from gateway.voice_agent.messages import (
    AgentAudioDone,
    ConversationText,
    InjectionRefused,
    InjectUserMessage,
    ServerMessage,
    UserStartedSpeaking,
    Warning_,
)
from tests.gateway.conversation.test_conversation import Talk, injected
from tests.gateway.sounds import tone

REFUSALS: list[ServerMessage] = [
    InjectionRefused(),
    Warning_("INJECT_AGENT_MESSAGE_DURING_USER_SPEECH"),
    Warning_("INJECT_AGENT_MESSAGE_DURING_AGENT_SPEECH"),
]


def test_what_was_refused_comes_again_once_and_in_order() -> None:
    it = Insisting()
    for sentence in ("one", "two", "three"):
        it.sent(sentence)
    it.spoken("one")
    it.spoken("something else")
    assert it.again() == []
    it.refused("message")
    it.refused("message")
    it.refused("message")  # of a sentence that nobody insists on
    assert it.again() == ["two", "three"]
    assert it.again() == []


@pytest.mark.parametrize("parts", [["One. Two."], ["One.", "Two."], ["One.", " Two. "], ["O", "ne.\nTwo", "."]])
def test_a_sentence_is_spoken_when_all_its_parts_are(parts: list[str]) -> None:
    """Texts come for each sentence or chunk, with whatever white space."""
    it = Insisting()
    it.sent("One.  Two.")
    for part in parts:
        it.spoken(part)
    it.refused("message")
    it.lost()
    assert it.again() == []


def test_what_is_being_said_is_not_what_was_refused() -> None:
    it = Insisting()
    it.sent("One. Two.")
    it.sent("Three.")
    it.spoken("One.")
    it.refused("message")
    assert it.again() == ["Three."]


def test_what_was_begun_is_over_with_the_audio() -> None:
    """However the service writes the rest of it."""
    it = Insisting()
    it.sent("It is 5 pm. Goodbye.")
    it.sent("Three.")
    it.spoken("It is 5 pm.")
    it.audio_done()
    it.spoken("Good bye.")
    it.lost()
    assert it.again() == ["Three."]


def test_an_empty_text_begins_nothing() -> None:
    it = Insisting()
    it.sent("One.")
    it.spoken(" ")
    it.audio_done()
    it.refused("message")
    assert it.again() == ["One."]


def test_what_a_session_did_not_say_is_said_by_the_next_after_what_was_refused() -> None:
    it = Insisting()
    for sentence in ("one", "two. three.", "four"):
        it.sent(sentence)
    it.refused("message")
    it.spoken("two.")
    it.lost()
    assert it.again() == ["one", "three.", "four"]
    it.refused("message")
    assert it.again() == []


def test_a_refusal_that_is_told_of_twice_is_one() -> None:
    """In whatever order the messages and the warnings come."""
    for told in ("mwmw", "mmww", "wmmw", "mm", "ww"):
        it = Insisting()
        for sentence in ("one", "two", "three"):
            it.injected()
            it.sent(sentence)
        for each in told:
            it.refused(each)
        assert it.again() == ["one", "two"]


def test_each_injection_may_be_refused_in_another_way() -> None:
    it = Insisting()
    for sentence, told in (("one", "message"), ("two", "warning"), ("three", "message")):
        it.injected()
        it.sent(sentence)
        it.refused(told)
    assert it.again() == ["one", "two", "three"]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_sentence_from_outside_is_said_after_the_callers_turn(refusal: ServerMessage) -> None:
    talk = Talk()
    talk.get(UserStartedSpeaking())
    talk.it.say("The shop closes in five minutes.")
    assert injected(talk.take()) == ["The shop closes in five minutes."]
    talk.get(refusal)
    assert injected(talk.get(ConversationText("user", "Where is my order?"))) == ["The shop closes in five minutes."]
    talk.get(ConversationText("assistant", "The shop closes in five minutes."))
    talk.get(refusal)
    assert injected(talk.user("And now?")) == []


def test_a_cough_delays_it_no_longer_than_itself() -> None:
    talk = Talk()
    talk.wait(200, sound=tone(20))
    talk.get(UserStartedSpeaking())
    talk.it.say("The shop closes in five minutes.")
    talk.get(InjectionRefused())
    talk.take()
    assert injected(talk.wait(5000)) == ["The shop closes in five minutes."]


def test_any_other_warning_is_none_of_this() -> None:
    talk = Talk()
    talk.it.say("The shop closes in five minutes.")
    talk.get(Warning_("SLOW_THINK_REQUEST"))
    talk.take()
    assert injected(talk.user("Where is my order?")) == []


def test_without_a_session_the_flows_own_voice_says_it_and_nothing_is_refused() -> None:
    talk = Talk()
    talk.it.session_lost(talk.now)
    talk.take()
    talk.it.say("The shop closes in five minutes.")
    assert talk.take() == [SayLocally("The shop closes in five minutes.")]
    talk.get(InjectionRefused())
    assert injected(talk.user("Where is my order?")) == []


def test_a_refusal_and_its_warning_take_one_sentence() -> None:
    talk = Talk()
    talk.it.say("One.")
    talk.it.say("Two.")
    talk.get(InjectionRefused())
    talk.get(Warning_("INJECT_AGENT_MESSAGE_DURING_USER_SPEECH"))
    talk.take()
    assert injected(talk.user("Where is my order?")) == ["One."]


def test_a_sentence_of_two_is_not_said_again() -> None:
    talk = Talk()
    talk.it.say("The shop closes soon. Please hurry.")
    talk.get(ConversationText("assistant", "The shop closes soon."))
    talk.get(ConversationText("assistant", "Please hurry."))
    talk.take()
    talk.get(InjectionRefused())
    assert injected(talk.user("Where is my order?")) == []


def test_what_was_cut_off_is_not_said_again() -> None:
    talk = Talk()
    talk.it.say("The shop closes soon. Please hurry.")
    talk.get(ConversationText("assistant", "The shop closes soon."))
    talk.get(AgentAudioDone())
    talk.take()
    talk.it.session_lost(talk.now)
    talk.it.session_changed("", talk.now)
    assert injected(talk.take()) == []


def test_a_new_session_says_what_the_one_before_did_not() -> None:
    talk = Talk()
    talk.it.say("The shop closes in five minutes.")
    talk.take()
    talk.it.session_lost(talk.now)
    assert injected(talk.take()) == []
    talk.it.session_changed("", talk.now)
    assert injected(talk.take()) == ["The shop closes in five minutes."]
    talk.get(ConversationText("assistant", "The shop closes in five minutes."))
    talk.it.session_lost(talk.now)
    talk.it.session_changed("", talk.now)
    assert injected(talk.take()) == []


def test_a_question_that_is_asked_again_comes_first() -> None:
    talk = Talk()
    talk.it.say("The shop closes in five minutes.")
    talk.take()
    talk.it.session_lost(talk.now)
    talk.it.session_changed("Where is my order?", talk.now)
    assert talk.take() == [Tell(InjectUserMessage("Where is my order?"))]
    assert injected(talk.get(ConversationText("user", "Where is my order?"))) == ["The shop closes in five minutes."]


def test_a_question_that_waits_for_its_function_comes_first() -> None:
    talk = Talk()
    talk.user("Where is my order?")
    talk.look_up()
    talk.it.say("The shop closes in five minutes.")
    talk.take()
    talk.it.session_lost(talk.now)
    talk.it.session_changed("", talk.now)
    assert injected(talk.take()) == []
    talk.result()
    assert injected(talk.get(ConversationText("user", "Where is my order?"))) == ["The shop closes in five minutes."]


def test_who_is_on_the_way_out_is_not_told_by_the_next_session() -> None:
    talk = Talk()
    talk.it.say("The shop closes in five minutes.")
    talk.call("transfer_to_human", '{"queue": "orders", "reason": "asked"}')
    talk.take()
    talk.it.session_lost(talk.now)
    talk.it.session_changed("", talk.now)
    assert injected(talk.take()) == []
