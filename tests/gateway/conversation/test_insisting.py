"""What must be said is said, also when Deepgram refused it once."""

from __future__ import annotations

import pytest

from gateway.conversation.commands import SayLocally
from gateway.conversation.insisting import Insisting
from gateway.voice_agent.messages import (
    ConversationText,
    InjectionRefused,
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
    it.refused()
    it.refused()
    it.refused()  # of a sentence that nobody insists on
    assert it.again() == ["two", "three"]
    assert it.again() == []


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
