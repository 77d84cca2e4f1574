from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulator.deepgram.manners import PESSIMISTIC, REAL_TIME
from tests.simulator.deepgram.driver import LONG, Client, textbook

SLOW = replace(REAL_TIME, refusal="message")


def speaking_agent(manners: Any = SLOW) -> Client:
    """The agent is in the middle of a long answer, and nothing of it is in the log."""
    client = Client(manners).open().ask("tell me something long")
    while not client.frames():
        client.quiet(20)
    return client.quiet(400).forget()


def speaking_caller() -> Client:
    return Client(SLOW).open().say("I would like to").forget()


def inject(client: Client, text: str = "One moment.", behavior: str | None = None) -> Client:
    client.send("InjectAgentMessage", message=text, **({"behavior": behavior} if behavior else {}))
    return client


# --- InjectUserMessage


def test_an_injected_user_message_is_echoed_and_answered_like_a_turn() -> None:
    client = textbook().open().forget()
    client.send("InjectUserMessage", content="The caller pressed one.")
    client.quiet(3_000)
    assert client.texts("user") == ["The caller pressed one."]
    assert client.messages("EndOfTurn") == [{"type": "EndOfTurn", "trigger": "manual"}]
    assert client.spoken() == ["Very well indeed."]
    assert not any("stt_latency" in report for report in Client().open().messages("LatencyReport"))


def test_an_injected_user_message_interrupts_agent_audio_and_audio_done_comes_before_the_echo() -> None:
    client = speaking_agent()
    client.send("InjectUserMessage", content="Hello?")
    assert client.kinds("History", "EndOfTurn")[:3] == ["AgentAudioDone", "UserStartedSpeaking", "ConversationText"]
    assert client.quiet(3_000).spoken()[-1] == "Very well indeed."


@pytest.mark.parametrize("done", ["missing", "at_once", "after_late"])
def test_an_injected_user_message_that_interrupts_is_told_one_audio_done(done: Any) -> None:
    client = speaking_agent(replace(SLOW, interrupted_done=done))
    client.send("InjectUserMessage", content="say nothing")
    assert len(client.quiet(500).messages("AgentAudioDone")) == 1


def test_an_injected_user_message_can_interrupt_without_user_started_speaking() -> None:
    client = speaking_agent(replace(SLOW, injection_starts_speaking=False))
    client.send("InjectUserMessage", content="Hello?")
    assert not client.messages("UserStartedSpeaking")


def test_an_injected_user_message_confirms_a_probable_turn_first() -> None:
    client = Client(replace(PESSIMISTIC, speculation_ms=900)).open().say("how are you").quiet(700)
    client.send("InjectUserMessage", content="Hello?")
    client.quiet(3_000)
    assert client.texts("user") == ["how are you", "Hello?"]
    assert client.spoken() == ["Very well indeed."]


def test_a_line_injected_right_after_an_answer_cancels_what_follows_and_is_left_unanswered() -> None:
    client = Client().open().ask("look it up").quiet(500).answer()
    client.send("InjectUserMessage", content="Are you there?")
    client.forget().quiet(5_000)
    assert client.frames() == []
    assert client.texts("assistant") == []


def test_a_line_injected_right_after_an_answer_may_be_answered() -> None:
    client = Client(replace(PESSIMISTIC, drops_line_after_answer=False)).open().ask("look it up").quiet(500).answer()
    client.send("InjectUserMessage", content="Are you there?")
    assert client.quiet(5_000).spoken() == ["Very well indeed."]


@pytest.mark.parametrize("tells", [True, False])
def test_an_injected_line_cancels_an_open_call_with_or_without_telling(tells: bool) -> None:
    manners = replace(PESSIMISTIC, injection_tells_cancelled=tells)
    client = Client(manners).open().ask("look it up").quiet(500)
    client.send("InjectUserMessage", content="Are you there?")
    assert bool(client.messages("FunctionCallCancelled")) == tells
    client.answer().quiet(3_000)
    assert client.session.counters.late_answers == 1
    assert client.mind.results == []


def test_a_line_that_is_injected_as_a_turn_ends_is_overtaken_by_it_and_a_late_answer_is_no_mistake() -> None:
    client = Client(PESSIMISTIC).open().say("look it up")
    client.send("InjectUserMessage", content="look it up")
    client.quiet(1_500)
    assert len(client.calls()) == 2
    client.answer(0).answer(1).quiet(5_000)
    counters = client.session.counters
    assert (counters.late_answers, counters.unknown_answers) == (1, 0)
    assert client.spoken() == ["It is on its way."]


# --- InjectAgentMessage


def test_an_injected_agent_message_is_spoken_verbatim_while_all_is_quiet() -> None:
    client = textbook().open().forget()
    inject(client).quiet(3_000)
    assert client.kinds("History") == ["ConversationText", "audio", "AgentAudioDone"]
    assert client.spoken() == ["One moment."]


@pytest.mark.parametrize("behavior", [None, "default"])
def test_by_default_it_is_refused_while_the_agent_speaks_and_the_session_goes_on(behavior: str | None) -> None:
    client = inject(speaking_agent(), behavior=behavior)
    assert client.kinds() == ["InjectionRefused"]
    assert " ".join(client.quiet(12_000).texts("assistant")) == LONG.partition(". ")[2]
    assert client.session.counters.refused_injections == 1


@pytest.mark.parametrize("behavior", ["default", "queue"])
def test_default_and_queue_are_refused_while_the_caller_speaks(behavior: str) -> None:
    assert inject(speaking_caller(), behavior=behavior).kinds() == ["InjectionRefused"]


def test_by_default_it_is_refused_while_the_agent_waits_for_a_function() -> None:
    client = Client().open().ask("look it up").quiet(500).forget()
    assert inject(client).kinds() == ["InjectionRefused"]


def test_queue_speaks_while_the_agent_waits_for_a_function_and_the_answer_follows() -> None:
    client = Client().open().ask("look it up").quiet(500)
    inject(client, behavior="queue").quiet(2_000).answer().quiet(4_000)
    assert client.spoken() == ["One moment.", "It is on its way."]


def test_queue_comes_after_what_is_being_said_and_audio_done_after_the_last_of_both() -> None:
    client = inject(speaking_agent(replace(SLOW, audio_done="once")), behavior="queue").quiet(15_000)
    assert " ".join(client.texts("assistant")).endswith("And a third one. One moment.")
    assert len(client.messages("AgentAudioDone")) == 1


def test_interrupt_takes_the_place_of_what_is_being_said() -> None:
    client = inject(speaking_agent(replace(SLOW, late_frames=0, late_text=False)), behavior="interrupt")
    assert client.quiet(15_000).spoken() == ["One moment."]


def test_interrupt_is_spoken_while_the_caller_speaks() -> None:
    client = inject(speaking_caller(), behavior="interrupt")
    client.quiet(700)
    assert client.frames()


@pytest.mark.parametrize(
    ("refusal", "kinds", "told"),
    [
        ("message", ["InjectionRefused"], True),
        ("bare", ["InjectionRefused"], False),
        ("warning", ["Warning"], False),
        ("both", ["InjectionRefused", "Warning"], True),
    ],
)
def test_a_refusal_is_a_message_with_or_without_text_a_warning_or_both(
    refusal: Any, kinds: list[str], told: bool
) -> None:
    client = inject(speaking_agent(replace(SLOW, refusal=refusal)))
    assert client.kinds() == kinds
    assert any("message" in message for message in client.messages("InjectionRefused")) == told
    if "Warning" in kinds:
        assert client.codes() == ["INJECT_AGENT_MESSAGE_DURING_AGENT_SPEECH"]


def test_a_warning_tells_that_the_caller_spoke() -> None:
    client = Client(replace(PESSIMISTIC, refusal="warning")).open().say("I would like to")
    assert inject(client).codes() == ["INJECT_AGENT_MESSAGE_DURING_USER_SPEECH"]
