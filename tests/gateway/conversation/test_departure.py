"""A line is closed after a goodbye: the agent's, or the contact flow's where the caller has not heard that."""

from __future__ import annotations

import dataclasses

import pytest

from contract.turns import HeardSource, Role, Turn
from gateway.conversation.commands import ClearSpeech, Command, Go, SayLocally
from gateway.conversation.ending import HELD_MS, LONGEST_MS, NO_WORDS_MS, Leave, Step
from gateway.conversation.speech import SPEECH_LOST_MS
from gateway.legs.leg import ClipFailed, FlowTook, HeardMeasured
from gateway.voice_agent.messages import AgentAudioDone, ConversationText, UserStartedSpeaking
from tests.gateway.conversation.test_conversation import T0, Talk, cough, gone, goodbyes, has, leaving, replay

LATER_MS = 6000  # more than anything in a calm end takes
ASKED = Turn(1, Role.CALLER, "Bye.", T0 - 9000, T0 - 8000, 1000)
SAID = Turn(2, Role.VOICE_AGENT, "Good bye.", T0 - 7000, T0 - 6000, 1000, "Good bye.")


def by_the_agent(talk: Talk, text: str = "Good bye.", ms: int = 1000, *, done: bool = True) -> list[Command]:
    """The caller wants to end the call, and the agent says so."""
    talk.user("Bye.")
    talk.call("end_call")
    return talk.agent(text, ms, done=done)


def test_a_goodbye_that_was_heard_is_not_said_again() -> None:
    talk = Talk()
    leaving(talk, acting=False)
    talk.wait(1000)
    talk.finished()
    assert goodbyes(talk.wait(LATER_MS)) == [""]


def test_a_goodbye_whose_session_breaks_in_it_is_said_by_the_flow() -> None:
    """What had come of it by then is heard out, and nothing of what the next session says."""
    talk = Talk()
    by_the_agent(talk, "Thank you for calling, and goodbye.", 800, done=False)
    talk.it.session_lost(talk.now)
    talk.wait(800)
    talk.finished(800)
    assert goodbyes(talk.wait(LATER_MS)) == ["Goodbye."]
    talk.it.session_changed("", talk.now)
    assert not talk.it.audio(b"audio", talk.now)


def test_a_goodbye_that_stalls_for_good_is_said_by_the_flow() -> None:
    talk = Talk()
    by_the_agent(talk, "Thank you for calling Alder and Pine, and goodbye.", 800, done=False)
    talk.wait(800)
    talk.finished(800)
    assert goodbyes(talk.wait(SPEECH_LOST_MS + LATER_MS)) == ["Goodbye."]


def test_a_goodbye_after_which_nobody_says_that_it_was_all_is_one_all_the_same() -> None:
    talk = Talk()
    by_the_agent(talk, done=False)
    talk.wait(1000)
    talk.finished()
    assert goodbyes(talk.wait(SPEECH_LOST_MS + LATER_MS)) == [""]


def test_a_goodbye_after_which_a_voice_that_says_so_does_not_say_that_it_was_all_stalls() -> None:
    """Whatever its length."""
    talk = Talk()
    talk.said_and_heard()
    by_the_agent(talk, done=False)
    talk.wait(1000)
    talk.finished()
    assert goodbyes(talk.wait(SPEECH_LOST_MS + LATER_MS)) == ["Goodbye."]


def test_a_goodbye_of_which_the_track_shows_less_is_said_by_the_flow() -> None:
    talk = Talk()
    leaving(talk, acting=False)
    talk.wait(1000)
    talk.finished()
    talk.it.leg(HeardMeasured(talk.stretch, 300, HeardSource.MEASURED), talk.now)
    assert goodbyes(talk.wait(LATER_MS)) == ["Goodbye."]


def test_a_goodbye_in_the_turn_that_asks_for_the_end_is_one() -> None:
    """The model says it first, and after the answer to its function nothing more."""
    talk = Talk()
    talk.user("Bye.")
    talk.said_and_heard("Good bye.")
    talk.call("end_call")
    assert goodbyes(talk.wait(NO_WORDS_MS + 40)) == [""]


def test_who_asks_for_the_end_without_a_word_leaves_the_goodbye_to_the_flow() -> None:
    talk = Talk()
    talk.said_and_heard("What can I do for you?")
    talk.wait(1000)
    talk.user("Bye.")
    talk.call("end_call")
    assert goodbyes(talk.wait(NO_WORDS_MS + 40)) == ["Goodbye."]


def test_a_transfer_has_no_goodbye() -> None:
    talk = Talk()
    talk.user("A person.")
    talk.call("transfer_to_human", '{"queue": "support"}')
    assert goodbyes(talk.wait(NO_WORDS_MS + 40)) == [""]


def test_last_words_without_an_end_are_left_for_the_goodbye() -> None:
    talk = Talk()
    by_the_agent(talk, "And so on.", 60_000, done=False)
    commands = talk.wait(LONGEST_MS + 40)
    assert goodbyes(commands) == ["Goodbye."]
    assert [type(each) for each in commands[-2:]] == [ClearSpeech, Go]


def test_last_words_that_a_slow_flow_has_yet_to_play_are_left_to_it() -> None:
    talk = Talk()
    by_the_agent(talk)
    commands = talk.wait(LONGEST_MS + 40)
    assert goodbyes(commands) == [""]
    assert not has(commands, ClearSpeech)


def test_a_cough_that_cuts_a_goodbye_costs_nothing_and_adds_nothing() -> None:
    talk = Talk()
    leaving(talk, acting=False)
    replay(talk, cough(talk, 300))
    talk.wait(700)
    talk.finished(700)
    assert goodbyes(talk.wait(LATER_MS)) == [""]


def test_a_cough_at_the_very_end_of_a_goodbye_is_none_to_say_it_again() -> None:
    talk = Talk()
    leaving(talk, acting=False)
    talk.wait(980)
    talk.get(UserStartedSpeaking())
    talk.finished(1000, interrupted=True)
    assert goodbyes(talk.wait(HELD_MS + LATER_MS)) == [""]


def test_a_sound_without_an_end_does_not_cost_the_goodbye() -> None:
    talk = Talk()
    leaving(talk, acting=False)
    talk.get(UserStartedSpeaking())
    talk.finished(300, interrupted=True)
    talk.it.session_lost(talk.now)  # nobody can say whether it was a turn
    assert goodbyes(talk.wait(HELD_MS + LATER_MS)) == ["Goodbye."]


def test_a_goodbye_that_cannot_be_played_is_said_once_with_the_end() -> None:
    talk = Talk()
    leaving(talk, acting=False)
    talk.it.leg(ClipFailed(), talk.now)
    assert talk.take() == [ClearSpeech()]
    talk.finished(0, interrupted=True)
    assert goodbyes(talk.wait(LATER_MS)) == ["Goodbye."]


def test_last_words_before_a_transfer_that_cannot_be_played_are_said_otherwise() -> None:
    talk = Talk()
    talk.user("A person.")
    talk.call("transfer_to_human", '{"queue": "support"}')
    talk.agent("I connect you.")
    talk.it.leg(ClipFailed(), talk.now)
    assert talk.take() == [ClearSpeech(), SayLocally("I connect you.")]


def test_who_takes_the_end_back_before_the_flow_says_goodbye_hears_the_agent_again() -> None:
    talk = Talk()
    by_the_agent(talk, "Thank you for calling, and goodbye.", 800, done=False)
    talk.it.session_lost(talk.now)
    talk.finished(800)
    assert goodbyes(talk.wait(LATER_MS)) == ["Goodbye."]
    talk.it.session_changed("", talk.now)
    talk.user("One more thing.")
    assert talk.it.ending.step is Step.NOT
    assert talk.it.audio(b"audio", talk.now)


def test_an_agent_that_is_lost_after_its_goodbye_was_heard_needs_no_other_one() -> None:
    talk = Talk()
    leaving(talk, acting=False)
    talk.wait(1000)
    talk.finished()
    talk.it.give_up("voice_agent_mute")
    assert goodbyes(talk.take()) == [""]


# --- ours


@pytest.mark.parametrize(("heard_ms", "said"), [(1000, ""), (300, "Goodbye.")])
def test_who_speaks_into_the_last_goodbye_hears_what_was_cut(heard_ms: int, said: str) -> None:
    """The time is over, and what the agent answers to them is no goodbye."""
    talk = Talk(max_duration_s=5)
    talk.wait(5040)
    talk.agent("Goodbye.")
    talk.get(UserStartedSpeaking())
    talk.finished(heard_ms, interrupted=True)
    talk.get(ConversationText("user", "But!"))
    talk.said_and_heard("What is it?")
    assert goodbyes(talk.wait(LONGEST_MS)) == [said]


def test_without_a_session_the_line_is_closed_at_once_when_the_time_is_over() -> None:
    talk = Talk(max_duration_s=5)
    talk.agent("A very long answer.", 60_000)
    talk.it.session_lost(talk.now)
    commands = talk.wait(5100)
    assert [type(each) for each in commands[-2:]] == [ClearSpeech, Go]
    assert goodbyes(commands) == ["Goodbye."]


def test_what_is_left_of_the_reply_before_is_no_goodbye() -> None:
    """The flow cannot leave it, and the agent's own goodbye was refused."""
    talk = Talk(max_duration_s=5)
    talk.agent("A long answer, but not too long.", 14_000, done=False)
    talk.wait(5040)
    talk.get(AgentAudioDone())
    assert goodbyes(talk.wait(LONGEST_MS)) == ["Goodbye."]


# --- of the gateway before


def resumed(*earlier: Turn) -> Talk:
    talk = Talk(earlier=earlier)
    talk.it.resume_leave(Leave("goodbye", function_id="w1"), talk.now)
    talk.it.session_changed("", talk.now)
    return talk


@pytest.mark.parametrize(
    ("earlier", "said"),
    [
        ((ASKED,), "Goodbye."),
        ((ASKED, SAID), ""),
        ((ASKED, dataclasses.replace(SAID, heard_text="")), "Goodbye."),
        ((ASKED, dataclasses.replace(SAID, interrupted=True)), "Goodbye."),
        ((ASKED, dataclasses.replace(SAID, ended_at_ms=T0 - 8500)), "Goodbye."),  # an answer that came before
        ((dataclasses.replace(SAID, number=1), dataclasses.replace(ASKED, number=2)), ""),
        ((), "Goodbye."),
    ],
)
def test_of_another_gateway_it_is_known_what_was_heard(earlier: tuple[Turn, ...], said: str) -> None:
    assert goodbyes(resumed(*earlier).wait(NO_WORDS_MS + LATER_MS)) == [said]


def test_what_the_next_agent_says_is_no_goodbye_unless_it_asks_for_the_end_itself() -> None:
    talk = resumed(ASKED, SAID)
    talk.said_and_heard("We make tables.")
    assert goodbyes(talk.wait(LATER_MS)) == ["Goodbye."]


def test_a_goodbye_of_the_next_agent_is_one_when_it_asks_for_the_end_itself() -> None:
    talk = resumed(ASKED)
    talk.call("end_call")
    talk.said_and_heard("Good bye.")
    assert goodbyes(talk.wait(LATER_MS)) == [""]


def test_a_flow_that_has_taken_the_end_is_told_nothing_more() -> None:
    talk = Talk()
    leaving(talk, acting=True)
    talk.it.leg(FlowTook(), talk.now)
    talk.it.give_up("gateway_stopping")
    assert gone(talk.take()) == []
