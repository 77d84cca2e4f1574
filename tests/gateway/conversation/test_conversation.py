from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from contract.actions import Returned
from contract.turns import FunctionState, HeardSource, Role, Turn
from definition.model import CollectDefinition, Sentences
from gateway.conversation import sentences
from gateway.conversation.barge_in import COUGH_QUIET_MS, LOOK_AGAIN_MS, WORDS_QUIET_MS
from gateway.conversation.commands import (
    Answer,
    Ask,
    ClearSpeech,
    Command,
    EndSpeech,
    Finish,
    FunctionResult,
    GiveUp,
    Go,
    NoteQuestion,
    Reconnect,
    Replay,
    SayLocally,
    StartFunction,
    Stay,
    StopFunction,
    Tell,
    Unask,
    Unwish,
    Wish,
)
from gateway.conversation.conversation import Conversation
from gateway.conversation.ending import LONGEST_MS, NO_WORDS_MS, Leave, Step
from gateway.conversation.pending import FILLER_MS
from gateway.conversation.speech import SPEECH_LOST_MS, SPEECH_OVER_MS, SURE_MS
from gateway.conversation.spoken import TORN
from gateway.conversation.watch import MUTE_MS, NUDGE_MS
from gateway.legs.leg import (
    CallerAudio,
    CallerGone,
    ClipFailed,
    FlowTook,
    HeardMeasured,
    KeyPressed,
    Keys,
    KeysTaken,
    LegFailed,
    PlaybackFinished,
    PlaybackStarted,
    TransferReturned,
)
from gateway.voice_agent.messages import (
    AgentAudioDone,
    AgentStartedSpeaking,
    AgentThinking,
    ConversationText,
    EndOfTurn,
    FunctionCall,
    FunctionCallCancelled,
    FunctionCallRequest,
    FunctionCallResponse,
    InjectAgentMessage,
    InjectBehavior,
    InjectionRefused,
    InjectUserMessage,
    PromptUpdated,
    ServerMessage,
    UpdatePrompt,
    UserStartedSpeaking,
)
from tests.gateway.definitions import definition
from tests.gateway.sounds import quiet, tone

T0 = 1_700_000_000_000
QUIET_FRAME, LOUD_FRAME = quiet(20), tone(20)

SAID = Sentences()


class Talk:
    """A conversation, the clock, and what was commanded; the caller's audio arrives without delay."""

    def __init__(self, *, opening: bool = False, earlier: tuple[Turn, ...] = (), **changed: object) -> None:
        self.now = T0
        self.it = Conversation(definition(**changed), T0, earlier=earlier)
        if opening:
            self.it.opening("Good day.", 1000)
        self.stretch = 0
        self.speaking = False
        self.wishes: list[Command] = []

    def take(self) -> list[Command]:
        """What was commanded; wishes to leave are kept aside."""
        commands = self.it.commands()
        self.wishes += [command for command in commands if isinstance(command, Wish | Unwish)]
        return [command for command in commands if not isinstance(command, Wish | Unwish)]

    def get(self, message: ServerMessage) -> list[Command]:
        self.it.message(message, self.now)
        return self.take()

    def wait(self, ms: int, *, sound: bytes = QUIET_FRAME) -> list[Command]:
        """Time passes, the caller is heard, and whatever is due happens."""
        commands: list[Command] = []
        end = self.now + ms
        while self.now < end:
            self.it.leg(CallerAudio(self.now, sound), self.now)
            self.now += 20
            due = self.it.next_due_ms()
            if due is not None and due <= self.now:
                self.it.tick(self.now)
                after = self.it.next_due_ms()
                assert after is None or after > self.now, "a deadline that was looked at must not stay"
            commands += self.take()
        return commands

    def user(self, text: str) -> list[Command]:
        commands = self.get(UserStartedSpeaking())
        return commands + self.get(ConversationText("user", text))

    def agent(self, text: str = "", ms: int = 1000, *, done: bool = True) -> list[Command]:
        """The agent says something; its audio comes at once."""
        commands = self.get(ConversationText("assistant", text)) if text else []
        if self.it.audio(b"a" * (ms * 8), self.now):
            if not self.speaking:
                self.stretch, self.speaking = self.stretch + 1, True
            self.it.spoken(self.stretch, b"a" * (ms * 8), self.now)
        return commands + (self.get(AgentAudioDone()) if done else [])

    def finished(self, position_ms: int = 1000, *, interrupted: bool = False, stretch: int | None = None) -> None:
        self.speaking = False
        number = self.stretch if stretch is None else stretch
        self.it.leg(PlaybackFinished(number, position_ms, interrupted, self.now), self.now)

    def said_and_heard(self, text: str = "Hello there.", ms: int = 1000) -> list[Command]:
        commands = self.agent(text, ms) + self.wait(ms)
        self.finished(ms)
        return commands + self.take()

    def call(self, name: str, arguments: str = "{}", call_id: str = "f1", client_side: bool = True) -> list[Command]:
        return self.get(FunctionCallRequest((FunctionCall(call_id, name, arguments, client_side),)))

    def look_up(self, call_id: str = "f1") -> list[Command]:
        return self.call("look_up", '{"number": "12"}', call_id)

    def result(self, content: str = '{"a": 1}', call_id: str = "f1", error: str = "") -> list[Command]:
        state = FunctionState.FAILED if error else FunctionState.FINISHED
        self.it.function_finished(call_id, FunctionResult(state, content, error), self.now)
        return self.take()

    @property
    def turns(self) -> list[tuple[Role, str, str]]:
        return [(turn.role, turn.text, turn.heard_text) for turn in self.it.turns.all()]


def told(commands: list[Command]) -> list[object]:
    return [command.message for command in commands if isinstance(command, Tell)]


def injected(commands: list[Command]) -> list[str]:
    return [message.message for message in told(commands) if isinstance(message, InjectAgentMessage)]


def prompted(commands: list[Command]) -> list[str]:
    return [message.prompt for message in told(commands) if isinstance(message, UpdatePrompt)]


def answered(commands: list[Command]) -> list[dict[str, object]]:
    return [json.loads(message.content) for message in told(commands) if isinstance(message, FunctionCallResponse)]


def gone(commands: list[Command]) -> list[Leave]:
    return [command.leave for command in commands if isinstance(command, Go)]


def goodbyes(commands: list[Command]) -> list[str]:
    """What the flow's own voice is to say before each line that is closed; "" for nothing."""
    return [command.goodbye for command in commands if isinstance(command, Go)]


def has(commands: list[Command], kind: type) -> bool:
    return any(isinstance(command, kind) for command in commands)


# --- plain talk


def test_a_reply_is_played_and_its_end_is_announced() -> None:
    talk = Talk()
    assert talk.user("Where is my order?") == []
    assert talk.agent("On its way.") == []
    assert talk.wait(SPEECH_OVER_MS - 20) == []
    assert talk.wait(40) == [EndSpeech()]
    talk.finished()
    assert talk.turns == [
        (Role.CALLER, "Where is my order?", ""),
        (Role.VOICE_AGENT, "On its way.", "On its way."),
    ]


def test_an_audio_done_that_never_comes_is_not_waited_for() -> None:
    talk = Talk()
    talk.agent("Hello.", done=False)
    assert talk.wait(SPEECH_LOST_MS - 20) == []
    assert talk.wait(40) == [EndSpeech()]


def test_a_voice_that_falls_silent_is_not_taken_to_have_said_all() -> None:
    talk = Talk()
    talk.agent("aaaa bbbb cccc dddd eeee ffff", 1000, done=False)
    talk.wait(SPEECH_LOST_MS + 20)
    talk.finished()
    assert talk.turns[0][2] == "aaaa bbbb cccc"


def test_audio_after_an_audio_done_is_announced_anew() -> None:
    talk = Talk()
    talk.agent("Hello.")
    assert talk.wait(200) == []
    talk.agent()
    assert talk.wait(280) == []
    assert talk.wait(60) == [EndSpeech()]


def test_an_audio_done_without_audio_does_nothing() -> None:
    talk = Talk()
    assert talk.get(AgentAudioDone()) == []
    assert talk.wait(5000) == []


def test_messages_without_a_meaning_here_are_passed_over() -> None:
    assert Talk().get(PromptUpdated()) == []


def test_empty_frames_are_not_played() -> None:
    assert not Talk().it.audio(b"", T0)


def test_what_the_leg_reports_is_in_the_transcript() -> None:
    talk = Talk()
    talk.agent("Hello there.")
    talk.it.leg(PlaybackStarted(1, T0 + 400), T0)
    talk.finished()
    talk.it.leg(HeardMeasured(1, 500, HeardSource.MEASURED), T0)
    [turn] = talk.it.turns.all()
    assert (turn.started_at_ms, turn.heard_ms, turn.heard_source) == (T0 + 400, 500, HeardSource.MEASURED)


def test_a_caller_turn_has_the_times_of_our_own_ear() -> None:
    talk = Talk()
    talk.wait(500)
    talk.wait(400, sound=LOUD_FRAME)
    talk.get(UserStartedSpeaking())
    talk.wait(600)
    talk.get(ConversationText("user", "Hi."))
    [turn] = talk.it.turns.all()
    assert (turn.started_at_ms, turn.ended_at_ms) == (T0 + 500, T0 + 900)
    assert turn.marks == {"user_started_speaking": T0 + 900, "caller_stopped": T0 + 900}


def test_the_earlier_turns_of_a_call_are_known() -> None:
    talk = Talk(earlier=(Turn(1, Role.CALLER, "Hi."),))
    talk.user("Hello?")
    assert [turn.number for turn in talk.it.turns.all()] == [1, 2]


def test_the_caller_being_gone_is_passed_on() -> None:
    talk = Talk()
    talk.it.leg(CallerGone("contact_event"), T0)
    assert talk.take() == [Finish("contact_event")]


# --- barge-in


def test_a_barge_in_clears_what_waits_to_be_played_and_drops_late_frames() -> None:
    talk = Talk()
    talk.agent("A long answer to it.", 5000, done=False)
    assert talk.get(UserStartedSpeaking()) == [ClearSpeech()]
    assert not talk.it.audio(b"late", talk.now + 50)
    talk.get(ConversationText("assistant", "A late sentence."))
    assert not talk.it.audio(b"late", talk.now + 100)
    talk.finished(1000, interrupted=True)
    talk.get(ConversationText("user", "Stop."))
    assert talk.it.audio(b"new", talk.now + 200)
    marks = talk.it.turns.all()[-1].marks
    assert (marks["barge_in"], marks["barge_in_noticed"]) == (T0, T0)


@pytest.mark.parametrize(
    "message",
    [EndOfTurn(), AgentThinking(""), AgentStartedSpeaking({}), FunctionCallRequest(())],
)
def test_what_can_only_be_a_new_reply_opens_the_gate(message: ServerMessage) -> None:
    talk = Talk()
    talk.get(UserStartedSpeaking())
    assert not talk.it.audio(b"late", talk.now)
    talk.get(message)
    assert talk.it.audio(b"new", talk.now)


def test_an_audio_done_of_the_cancelled_reply_does_not_make_it_complete() -> None:
    talk = Talk()
    talk.agent("aaaa bbbb cccc dddd eeee ffff", 1000, done=False)
    talk.get(UserStartedSpeaking())
    talk.get(AgentAudioDone())
    talk.finished(900, interrupted=True)
    assert talk.turns[0][2] == "aaaa bbbb"


def test_the_caller_interrupts_the_opening() -> None:
    talk = Talk(opening=True)
    assert talk.get(UserStartedSpeaking()) == [ClearSpeech()]
    talk.finished(500, interrupted=True, stretch=0)
    assert talk.get(ConversationText("user", "Hello?")) == []
    assert talk.turns[0] == (Role.VOICE_AGENT, "Good day.", "Good")


def test_speech_of_the_caller_while_nothing_plays_clears_nothing() -> None:
    assert Talk().get(UserStartedSpeaking()) == []


def test_a_reply_that_was_interrupted_before_its_first_clip_was_not_heard() -> None:
    talk = Talk()
    talk.agent("Hello there.", 2000)
    talk.get(UserStartedSpeaking())
    talk.finished(0, interrupted=True)
    talk.get(ConversationText("user", "Stop."))
    assert talk.turns[0] == (Role.VOICE_AGENT, "Hello there.", "")


# --- a cough


def cough(talk: Talk, position_ms: int = 1000) -> list[Command]:
    """A short sound during the reply, then quiet."""
    talk.wait(200, sound=LOUD_FRAME)
    commands = talk.get(UserStartedSpeaking())
    talk.finished(position_ms, interrupted=True)
    return commands + talk.wait(COUGH_QUIET_MS + 100)


def replay(talk: Talk, commands: list[Command]) -> Replay:
    """What the call does upon a Replay."""
    [command] = [command for command in commands if isinstance(command, Replay)]
    talk.stretch += 1
    talk.speaking = True
    talk.it.replayed(talk.stretch, command)
    return command


def test_after_a_cough_the_rest_is_played_and_the_turn_goes_on() -> None:
    talk = Talk()
    talk.agent("One two three four.", 4000)
    command = replay(talk, cough(talk))
    assert (command.of_stretch, command.from_ms, len(command.ulaw)) == (1, 1000, 3000 * 8)
    talk.finished(3000)
    assert talk.turns == [(Role.VOICE_AGENT, "One two three four.", "One two three four.")]


def test_after_a_second_cough_what_is_left_then_is_played() -> None:
    talk = Talk()
    talk.agent("One two three four.", 4000)
    replay(talk, cough(talk))
    command = replay(talk, cough(talk, 500))
    assert len(command.ulaw) == 2500 * 8
    talk.finished(2500)
    assert talk.it.turns.all()[0].heard_ms == 4000


@pytest.mark.parametrize(("heard_ms", "from_ms"), [(2500, 2500), (800, 1000)])
def test_what_was_heard_after_all_is_not_said_again_after_a_cough(heard_ms: int, from_ms: int) -> None:
    talk = Talk()
    talk.agent("One two three four.", 4000)
    talk.wait(200, sound=LOUD_FRAME)
    talk.get(UserStartedSpeaking())
    talk.finished(1000, interrupted=True)
    talk.it.leg(HeardMeasured(1, heard_ms, HeardSource.MEASURED), talk.now)
    command = replay(talk, talk.wait(COUGH_QUIET_MS + 100))
    assert (command.from_ms, len(command.ulaw)) == (from_ms, (4000 - from_ms) * 8)


def test_after_a_cough_at_the_end_of_what_the_flow_plays_to_its_end_nothing_is_said_again() -> None:
    talk = Talk()
    talk.agent("One two three four.", 4000)
    talk.wait(200, sound=LOUD_FRAME)
    talk.get(UserStartedSpeaking())
    talk.finished(1000, interrupted=True)
    talk.it.leg(HeardMeasured(1, 4000, HeardSource.ESTIMATED), talk.now)
    assert not has(talk.wait(COUGH_QUIET_MS + 100), Replay)


def test_after_a_cough_what_follows_a_clip_that_seems_to_stay_is_said_when_that_is_sure() -> None:
    talk = Talk()
    talk.agent("One two three four.", 4000)
    talk.wait(200, sound=LOUD_FRAME)
    talk.get(UserStartedSpeaking())
    talk.finished(1000, interrupted=True)
    talk.wait(COUGH_QUIET_MS - 100)
    talk.it.leg(HeardMeasured(1, 3000, HeardSource.ESTIMATED), talk.now)
    assert not has(talk.wait(SURE_MS - 100), Replay)
    assert replay(talk, talk.wait(200 + LOOK_AGAIN_MS)).from_ms == 3000


def test_after_a_cough_a_clip_that_was_left_late_is_said_from_where_it_was_left() -> None:
    """For a while it looks as if the flow played it to its end."""
    talk = Talk()
    talk.agent("One two three four.", 4000)
    talk.wait(200, sound=LOUD_FRAME)
    talk.get(UserStartedSpeaking())
    talk.finished(1000, interrupted=True)
    talk.wait(COUGH_QUIET_MS - 100)
    talk.it.leg(HeardMeasured(1, 4000, HeardSource.ESTIMATED), talk.now)
    assert not has(talk.wait(SURE_MS - 100), Replay)
    talk.it.leg(HeardMeasured(1, 1900, HeardSource.MEASURED), talk.now)
    command = replay(talk, talk.wait(200))
    assert (command.from_ms, len(command.ulaw)) == (1900, 2100 * 8)


def test_without_a_session_nobody_can_say_that_it_was_a_cough() -> None:
    talk = Talk()
    talk.agent("One two three four.", 4000)
    talk.wait(200, sound=LOUD_FRAME)
    talk.get(UserStartedSpeaking())
    talk.finished(1000, interrupted=True)
    talk.it.session_lost(talk.now)
    assert not has(talk.wait(3 * COUGH_QUIET_MS), Replay)
    talk.it.session_changed("", talk.now)
    assert not has(talk.wait(WORDS_QUIET_MS - 100), Replay)
    assert has(talk.wait(200), Replay)


def test_a_question_that_is_answered_anew_is_not_answered_to_its_end_as_well() -> None:
    talk = Talk()
    talk.user("Count.")
    talk.agent("One two three four.", 4000)
    talk.get(UserStartedSpeaking())
    talk.finished(0, interrupted=True)
    talk.it.session_lost(talk.now)
    talk.it.session_changed("Count.", talk.now)
    talk.take()
    assert not has(talk.wait(2 * WORDS_QUIET_MS), Replay)


def test_a_cough_is_not_decided_while_the_caller_still_hears_the_clip() -> None:
    talk = Talk()
    talk.agent("One two three four.", 4000)
    talk.get(UserStartedSpeaking())
    assert not has(talk.wait(COUGH_QUIET_MS + 500), Replay)
    talk.finished(3000, interrupted=True)
    assert has(talk.wait(200), Replay)


def test_a_turn_whose_text_comes_late_stops_the_replay() -> None:
    talk = Talk()
    talk.agent("One two three four.", 4000)
    replay(talk, cough(talk))
    assert talk.get(ConversationText("user", "Wait.")) == [ClearSpeech()]
    talk.finished(0, interrupted=True)
    assert not has(talk.wait(8000), Replay)


def test_a_turn_in_time_leaves_nothing_to_replay() -> None:
    talk = Talk()
    talk.agent("One two three four.", 4000)
    talk.get(UserStartedSpeaking())
    talk.finished(1000, interrupted=True)
    talk.get(ConversationText("user", "Wait."))
    assert not has(talk.wait(6000), Replay)


def test_new_audio_after_a_replay_is_no_replay() -> None:
    talk = Talk()
    talk.agent("One two three four.", 4000)
    replay(talk, cough(talk))
    talk.finished(3000)
    talk.agent("Five.")
    assert talk.get(ConversationText("user", "Wait.")) == []


def test_after_a_cough_during_the_opening_the_caller_is_asked_by_the_idle_ladder() -> None:
    talk = Talk(opening=True)
    talk.wait(200, sound=LOUD_FRAME)
    talk.get(UserStartedSpeaking())
    talk.finished(500, interrupted=True, stretch=0)
    assert injected(talk.wait(13_000)) == ["Still there?"]


def test_a_cough_while_the_agent_thinks_does_not_excuse_it_from_answering() -> None:
    talk = Talk()
    talk.user("Where is my order?")
    talk.get(UserStartedSpeaking())
    assert injected(talk.wait(COUGH_QUIET_MS + NUDGE_MS + 100)) == [SAID.not_understood]


# --- functions


def test_all_functions_of_a_request_are_started() -> None:
    talk = Talk()
    talk.user("Look up 12 and the hours.")
    commands = talk.get(
        FunctionCallRequest((FunctionCall("a", "look_up", '{"number": "12"}'), FunctionCall("b", "hours", "")))
    )
    assert commands == [
        StartFunction("a", "look_up", {"number": "12"}, 8000),
        StartFunction("b", "hours", {}, 10_000),
    ]


def test_a_request_that_comes_twice_is_carried_out_once() -> None:
    talk = Talk()
    talk.look_up()
    assert talk.look_up() == []


def test_functions_of_the_servers_own_side_are_left_alone() -> None:
    assert Talk().call("look_up", client_side=False) == []


def test_bad_arguments_and_unknown_functions_are_answered() -> None:
    talk = Talk()
    assert "number" in str(answered(talk.call("look_up"))[0]["error"])
    assert "no such function" in str(answered(talk.call("fly", call_id="f2"))[0]["error"])
    assert injected(talk.wait(NUDGE_MS + 40)) == [SAID.not_understood]


def test_an_agent_that_calls_in_a_circle_is_stopped() -> None:
    talk = Talk()
    commands = [command for n in range(9) for command in talk.call("hours", call_id=str(n))]
    assert sum(isinstance(command, StartFunction) for command in commands) == 8
    assert answered(commands) == [{"error": sentences.ANSWER_TOO_MANY}]
    talk.user("And now?")
    assert has(talk.call("hours", call_id="more"), StartFunction)


def test_a_result_is_told_and_then_it_is_the_agents_turn() -> None:
    talk = Talk()
    talk.look_up()
    assert told(talk.result()) == [FunctionCallResponse("f1", "look_up", '{"a": 1}')]
    assert injected(talk.wait(NUDGE_MS + 40)) == [SAID.not_understood]


def test_the_agent_is_not_hurried_while_another_function_runs() -> None:
    talk = Talk()
    talk.call("hours", call_id="a")
    talk.call("book", call_id="b")
    talk.result(call_id="a")
    assert talk.wait(MUTE_MS + 1000) == []


def test_a_slow_function_is_covered_by_a_sentence_once() -> None:
    talk = Talk()
    talk.look_up()
    commands = talk.wait(FILLER_MS + 4000)
    assert told(commands) == [InjectAgentMessage("One moment.", InjectBehavior.QUEUE)]


def test_a_cancelled_function_is_stopped_and_not_answered() -> None:
    talk = Talk()
    talk.look_up()
    assert talk.get(FunctionCallCancelled(("f1", "unknown"))) == [StopFunction("f1")]
    assert talk.result() == []


def test_the_caller_may_speak_during_a_function() -> None:
    talk = Talk()
    talk.user("Look up 12.")
    talk.look_up()
    talk.agent("One moment.", 3000)
    assert has(talk.get(UserStartedSpeaking()), ClearSpeech)
    talk.finished(500, interrupted=True)
    talk.get(ConversationText("user", "It is urgent."))
    assert told(talk.result()) == [FunctionCallResponse("f1", "look_up", '{"a": 1}')]


def test_the_ladder_does_not_run_during_a_function() -> None:
    talk = Talk()
    talk.user("Look up 12.")
    talk.agent("One moment.")
    talk.call("book")
    talk.finished()
    assert talk.wait(20_000) == [EndSpeech()]


# --- leaving


def test_a_transfer_is_answered_at_once_and_happens_after_the_last_words() -> None:
    talk = Talk()
    talk.user("A person please.")
    arguments = json.dumps({"queue": "orders", "reason": "asked", "summary": "Wants a person."})
    assert answered(talk.call("transfer_to_human", arguments)) == [{"status": "ok", "note": sentences.ANSWER_TRANSFER}]
    assert gone(talk.agent("I connect you.", 2000) + talk.wait(2000)) == []
    talk.finished(2000)
    assert gone(talk.wait(600)) == [Leave("transfer_to_human", "orders", "Wants a person.", "f1", "asked")]
    assert gone(talk.wait(30_000)) == []


def test_a_second_request_is_told_that_it_is_under_way() -> None:
    talk = Talk()
    talk.call("end_call")
    assert answered(talk.call("transfer_to_human", call_id="f2")) == [
        {"status": "ok", "note": sentences.ANSWER_ALREADY}
    ]


def test_without_last_words_the_call_ends_a_moment_later() -> None:
    talk = Talk()
    talk.call("end_call")
    assert gone(talk.wait(NO_WORDS_MS - 40)) == []
    assert gone(talk.wait(60)) == [Leave("goodbye", function_id="f1")]


def test_last_words_that_never_end_are_cut_by_the_bound() -> None:
    talk = Talk()
    talk.call("end_call")
    talk.agent("Good bye.", 60_000)
    assert gone(talk.wait(LONGEST_MS + 40)) == [Leave("goodbye", function_id="f1")]


def leaving(talk: Talk, *, acting: bool) -> None:
    talk.user("Bye.")
    talk.call("end_call")
    talk.agent("Good bye.")
    if acting:
        talk.wait(1000)
        talk.finished()
        assert gone(talk.wait(600))


@pytest.mark.parametrize("acting", [False, True])
def test_a_new_turn_of_the_caller_takes_it_back_and_the_agent_is_told(acting: bool) -> None:
    talk = Talk()
    leaving(talk, acting=acting)
    commands = talk.get(UserStartedSpeaking())
    if not acting:
        talk.finished(500, interrupted=True)
    commands += talk.get(ConversationText("user", "One more thing."))
    assert prompted(commands) == [sentences.CANCELLED_LEAVE]
    assert commands.count(Stay()) == int(acting)
    assert talk.it.ending.step is Step.NOT
    assert gone(talk.wait(5000)) == []


def test_a_sound_holds_back_what_the_flow_has_not_taken_until_it_was_a_cough() -> None:
    talk = Talk()
    leaving(talk, acting=True)
    talk.wait(200, sound=LOUD_FRAME)
    assert talk.get(UserStartedSpeaking()) == [Stay()]
    assert gone(talk.wait(COUGH_QUIET_MS - 100)) == []
    assert gone(talk.wait(200))


def test_an_end_that_is_firm_is_not_held_back() -> None:
    talk = Talk()
    talk.it.ending.ask(Leave("max_duration", firm=True), talk.now, playing=False)
    assert gone(talk.wait(NO_WORDS_MS + 40))
    assert talk.get(UserStartedSpeaking()) == []


def test_the_text_of_the_turn_that_asked_for_it_may_come_late() -> None:
    talk = Talk()
    talk.get(UserStartedSpeaking())
    talk.call("end_call")
    assert prompted(talk.get(ConversationText("user", "Bye."))) == []
    assert gone(talk.wait(NO_WORDS_MS + 40))


def test_it_waits_while_the_caller_speaks_although_nothing_plays() -> None:
    talk = Talk()
    talk.call("end_call")
    talk.get(UserStartedSpeaking())
    assert gone(talk.wait(8000, sound=LOUD_FRAME)) == []
    assert prompted(talk.get(ConversationText("user", "And one more thing."))) == [sentences.CANCELLED_LEAVE]


def test_a_cough_during_the_last_words_only_delays_them() -> None:
    talk = Talk()
    leaving(talk, acting=False)
    replay(talk, cough(talk, 300))
    assert gone(talk.wait(700)) == []
    talk.finished(700)
    assert gone(talk.wait(600))


def test_the_agent_itself_may_cancel_it() -> None:
    talk = Talk()
    leaving(talk, acting=True)
    assert talk.get(FunctionCallCancelled(("f1",))) == [Stay()]


def test_what_the_flow_has_taken_is_not_taken_back() -> None:
    talk = Talk()
    leaving(talk, acting=True)
    talk.it.leg(FlowTook(), talk.now)
    assert talk.it.parked
    talk.get(UserStartedSpeaking())
    assert talk.get(ConversationText("user", "Wait!")) == []
    assert talk.it.ending.step is Step.TAKEN
    assert not talk.it.audio(b"audio", talk.now)


def test_a_parked_agent_calls_no_functions_and_is_not_watched() -> None:
    talk = Talk()
    leaving(talk, acting=True)
    talk.it.leg(FlowTook(), talk.now)
    assert answered(talk.call("book", call_id="f9")) == [{"status": "ok", "note": sentences.ANSWER_ALREADY}]
    talk.user("Hello?")
    assert told(talk.wait(60_000)) == []


@pytest.mark.parametrize("why", [Returned.CLOSED, Returned.NO_STAFF, Returned.FULL, Returned.DECLINED, Returned.FAILED])
def test_a_caller_who_comes_back_is_told_and_talked_to(why: Returned) -> None:
    talk = Talk()
    talk.call("transfer_to_human", json.dumps({"queue": "orders"}))
    talk.wait(NO_WORDS_MS + 40)
    talk.it.leg(FlowTook(), talk.now)
    talk.it.leg(TransferReturned(why), talk.now)
    commands = talk.take()
    assert prompted(commands) == [sentences.transfer_returned(why)]
    expected = "The order desk is closed." if why is Returned.CLOSED else SAID.still_here
    assert injected(commands) == [expected]
    assert not talk.it.parked
    assert has(talk.agent("Back.") + talk.wait(400), EndSpeech)


def test_words_that_the_transfer_overtook_are_no_part_of_what_is_said_after_it() -> None:
    talk = Talk()
    talk.call("transfer_to_human", json.dumps({"queue": "orders"}))
    talk.get(ConversationText("assistant", "I will connect you now."))
    talk.wait(NO_WORDS_MS + 40)
    talk.it.leg(FlowTook(), talk.now)
    talk.it.leg(TransferReturned(Returned.CLOSED), talk.now)
    talk.agent("The order desk is closed.")
    agent = [turn for turn in talk.it.turns.all() if turn.role is Role.VOICE_AGENT]
    assert [(turn.text, turn.interrupted) for turn in agent] == [
        ("I will connect you now.", True),
        ("The order desk is closed.", False),
    ]


def test_a_caller_who_comes_back_from_a_transfer_of_another_gateway_is_talked_to() -> None:
    talk = Talk()
    talk.it.leg(TransferReturned(Returned.CLOSED), talk.now)
    assert injected(talk.take()) == [SAID.still_here]


def test_a_caller_who_comes_back_to_a_new_gateway_is_told_why_the_queue_was_none() -> None:
    talk = Talk()
    talk.it.came_back(Leave("transfer_to_human", "orders"))
    talk.it.leg(TransferReturned(Returned.CLOSED), talk.now)
    assert injected(talk.take()) == ["The order desk is closed."]


def test_somebody_who_comes_back_and_gets_no_answer_is_asked_by_the_ladder() -> None:
    talk = Talk()
    talk.it.leg(TransferReturned(Returned.CLOSED), talk.now)
    talk.take()
    assert injected(talk.wait(10_100)) == ["Still there?"]


def test_a_call_has_a_longest_duration() -> None:
    talk = Talk(max_duration_s=20)
    talk.agent("A very long answer.", 60_000)
    commands = talk.wait(20_040)
    assert has(commands, ClearSpeech)
    assert told(commands) == [InjectAgentMessage("Goodbye.", InjectBehavior.INTERRUPT)]
    talk.finished(19_000, interrupted=True)
    talk.agent("Goodbye.")
    talk.get(UserStartedSpeaking())
    talk.finished(500, interrupted=True)
    assert prompted(talk.get(ConversationText("user", "But!"))) == []
    assert gone(talk.wait(16_000)) == [Leave("max_duration", firm=True)]


def test_the_longest_duration_is_said_into_silence_too() -> None:
    talk = Talk(max_duration_s=5)
    commands = talk.wait(5040)
    assert not has(commands, ClearSpeech)
    assert injected(commands) == ["Goodbye."]


# --- silence


def test_a_silent_caller_is_asked_by_each_sentence_and_then_left() -> None:
    talk = Talk()
    talk.said_and_heard()
    said: list[str] = []
    for _ in range(2):
        said += injected(talk.wait(10_100))
        talk.said_and_heard(said[-1])
    said += injected(talk.wait(10_100))
    talk.said_and_heard("Goodbye.")
    assert said == ["Still there?", "Hello?", "Goodbye."]
    assert gone(talk.wait(600)) == [Leave("caller_silent")]
    talk.user("Wait, I am here!")
    assert talk.it.ending.step is Step.NOT
    assert talk.wishes == []  # it was no wish of the agent's


def test_a_sentence_that_is_not_spoken_does_not_stop_the_ladder() -> None:
    talk = Talk()
    talk.said_and_heard()
    assert injected(talk.wait(31_000)) == ["Still there?", "Hello?", "Goodbye."]


def test_a_goodbye_that_is_refused_for_a_cough_is_said_by_the_flows_own_voice() -> None:
    talk = Talk()
    talk.said_and_heard()
    assert "Goodbye." in injected(talk.wait(31_000))
    talk.get(InjectionRefused())
    commands = talk.wait(6000)
    assert gone(commands) == [Leave("caller_silent")]
    assert goodbyes(commands) == ["Goodbye."]


def test_a_goodbye_that_was_heard_is_said_once() -> None:
    talk = Talk()
    talk.said_and_heard()
    talk.wait(31_000)
    talk.said_and_heard("Goodbye.")
    assert goodbyes(talk.wait(6000)) == [""]


def test_a_sound_in_the_silence_starts_its_time_anew() -> None:
    talk = Talk()
    talk.said_and_heard()
    talk.wait(8000)
    talk.wait(400, sound=LOUD_FRAME)
    assert injected(talk.wait(9900)) == []
    assert injected(talk.wait(200)) == ["Still there?"]


def test_a_key_press_in_the_silence_starts_its_time_anew() -> None:
    talk = Talk()
    talk.said_and_heard()
    talk.wait(8000)
    talk.it.leg(KeyPressed("5", talk.now), talk.now)
    assert injected(talk.wait(9900)) == []
    assert injected(talk.wait(200)) == ["Still there?"]


def test_a_sound_that_deepgram_took_for_speech_does_not_end_the_ladder() -> None:
    talk = Talk()
    talk.said_and_heard()
    talk.wait(400, sound=LOUD_FRAME)
    talk.get(UserStartedSpeaking())
    assert injected(talk.wait(15_000)) == ["Still there?"]


def test_silence_is_counted_on_the_callers_own_time() -> None:
    talk = Talk()
    talk.said_and_heard()
    talk.it.leg(CallerAudio(talk.now, QUIET_FRAME), talk.now + 60_000)  # nothing came for a minute
    assert talk.take() == []


def test_a_mute_agent_is_nudged_then_replaced() -> None:
    talk = Talk()
    talk.user("Where is my order?")
    assert told(talk.wait(NUDGE_MS + 20)) == [InjectAgentMessage(SAID.not_understood)]
    assert talk.wait(MUTE_MS - NUDGE_MS) == [Reconnect("agent_mute")]


# --- another session


def test_a_new_session_answers_what_the_one_before_did_not() -> None:
    talk = Talk()
    talk.user("Where is my order?")
    talk.it.session_changed("Where is my order?", talk.now)
    assert told(talk.take()) == [InjectUserMessage("Where is my order?")]
    assert talk.get(ConversationText("user", "Where is my order?")) == []
    assert talk.it.turns.caller_turns == 1
    assert injected(talk.wait(NUDGE_MS + 40)) == [SAID.not_understood]


def test_a_new_session_with_nothing_to_answer_waits_for_the_caller_and_no_longer_than_the_ladder() -> None:
    talk = Talk()
    talk.get(UserStartedSpeaking())
    talk.it.session_changed("", talk.now)
    assert talk.take() == []
    assert talk.it.audio(b"audio", talk.now)
    assert injected(talk.wait(10_100 + WORDS_QUIET_MS)) == ["Still there?"]


def test_a_function_that_outlives_its_session_is_told_as_a_note_before_the_question() -> None:
    talk = Talk()
    talk.user("Where is order 12?")
    talk.look_up()
    talk.call("book", call_id="f2")
    talk.it.session_changed("", talk.now)
    assert talk.take() == []
    assert told(talk.result()) == [UpdatePrompt(sentences.late_result("look_up", '{"a": 1}'))]
    assert told(talk.result(call_id="f2")) == [
        UpdatePrompt(sentences.late_result("book", '{"a": 1}')),
        InjectUserMessage("Where is order 12?"),
    ]


def test_a_caller_who_speaks_in_the_new_session_is_not_asked_for_by_ourselves() -> None:
    talk = Talk()
    talk.user("Where is order 12?")
    talk.look_up()
    talk.it.session_changed("Where is order 12?", talk.now)
    talk.user("Hello?")
    assert told(talk.result()) == [UpdatePrompt(sentences.late_result("look_up", '{"a": 1}'))]


# --- giving up


def test_without_a_voice_agent_a_human_takes_over_once() -> None:
    talk = Talk()
    talk.user("Where is my order?")
    talk.it.give_up("voice_agent_mute")
    talk.it.give_up("gateway_stopping")
    assert talk.take() == [ClearSpeech(), GiveUp("voice_agent_mute")]
    talk.user("Hello?")
    assert talk.wait(700_000) == []


def test_a_leg_that_fails_gives_the_caller_to_a_human() -> None:
    talk = Talk()
    talk.it.leg(LegFailed("media_lost"), talk.now)
    assert talk.take() == [ClearSpeech(), GiveUp("media_lost")]


def test_what_was_asked_for_is_done_when_the_agent_is_lost_in_its_last_words() -> None:
    talk = Talk()
    leaving(talk, acting=False)
    talk.it.give_up("voice_agent_mute")
    assert talk.take() == [ClearSpeech(), Go(Leave("goodbye", function_id="f1"), "Goodbye.")]


def test_of_a_transfer_without_an_agent_the_queue_tells_the_caller() -> None:
    talk = Talk()
    talk.user("A person.")
    talk.call("transfer_to_human", '{"queue": "support"}')
    talk.it.give_up("voice_agent_mute")
    assert [type(command) for command in talk.take()][-2:] == [ClearSpeech, Go]


def test_what_is_under_way_is_left_alone_and_no_longer_taken_back() -> None:
    talk = Talk()
    leaving(talk, acting=True)
    talk.it.give_up("voice_agent_mute")
    assert talk.take() == []  # the last words stand in the log before it, and are heard
    talk.user("Wait!")
    assert talk.get(FunctionCallCancelled(("f1",))) == []
    assert talk.it.ending.step is Step.ACTING


def test_a_caller_who_is_gone_is_not_given_up() -> None:
    talk = Talk()
    leaving(talk, acting=True)
    talk.it.leg(FlowTook(), talk.now)
    talk.it.give_up("gateway_stopping")
    assert talk.take() == []


def test_with_neither_agent_nor_human_the_call_ends() -> None:
    talk = Talk()
    talk.it.give_up("voice_agent_mute")
    talk.it.leg(FlowTook(), talk.now)
    talk.take()
    talk.it.leg(TransferReturned(Returned.CLOSED), talk.now)
    assert talk.take() == [Go(Leave("no_human"), "Goodbye.")]


def test_a_cough_after_giving_up_replays_nothing() -> None:
    talk = Talk()
    talk.agent("One two three four.", 4000)
    talk.get(UserStartedSpeaking())
    talk.finished(1000, interrupted=True)
    talk.it.give_up("voice_agent_mute")
    assert not has(talk.wait(COUGH_QUIET_MS + 200), Replay)


def test_a_clip_that_cannot_be_played_is_said_otherwise_the_second_goes_to_a_human() -> None:
    talk = Talk()
    talk.agent("Hello.", 1000)
    talk.agent("There you are.", 1000)
    talk.it.leg(ClipFailed(), talk.now)
    assert talk.take() == [ClearSpeech(), SayLocally("Hello. There you are.")]
    talk.finished(0, interrupted=True)
    assert injected(talk.wait(10_400)) == ["Still there?"]
    talk.it.leg(ClipFailed(), talk.now)
    assert talk.take() == [ClearSpeech(), GiveUp("prompts_failed")]


def test_what_comes_of_a_reply_that_cannot_be_played_is_said_otherwise_too() -> None:
    talk = Talk()
    talk.agent("Hello.", 1000, done=False)
    talk.it.leg(ClipFailed(), talk.now)
    assert talk.take() == [ClearSpeech(), SayLocally("Hello.")]
    talk.finished(0, interrupted=True)
    assert not talk.it.audio(b"a" * 80, talk.now)
    assert talk.get(ConversationText("assistant", "There you are.")) == [SayLocally("There you are.")]
    talk.get(AgentAudioDone())
    assert talk.turns == [(Role.VOICE_AGENT, "Hello. There you are.", "")]
    talk.user("Thank you.")
    assert talk.agent("You are welcome.") == []
    assert talk.speaking


def test_audio_behind_an_end_of_a_reply_that_cannot_be_played_is_not_played_either() -> None:
    talk = Talk()
    talk.agent("Hello.", 1000)
    talk.it.leg(ClipFailed(), talk.now)
    assert not talk.it.audio(b"a" * 80, talk.now + 100)


def test_who_hears_a_reply_in_the_flows_own_voice_is_not_asked_whether_they_are_there() -> None:
    """As long as it comes; the question would let the rest of it be heard in the agent's voice, too."""
    talk = Talk()
    talk.agent("Hello.", 1000, done=False)
    talk.it.leg(ClipFailed(), talk.now)
    talk.finished(0, interrupted=True)
    for _ in range(30):
        assert not talk.it.audio(b"a" * 80, talk.now)
        assert injected(talk.wait(500)) == []
    assert injected(talk.wait(10_000)) == ["Still there?"]


def test_a_caller_who_speaks_into_it_does_not_hear_the_rest_in_another_voice() -> None:
    talk = Talk()
    talk.agent("Hello.", 1000, done=False)
    talk.it.leg(ClipFailed(), talk.now)
    talk.finished(0, interrupted=True)
    talk.take()
    talk.get(UserStartedSpeaking())
    assert talk.get(ConversationText("assistant", "There you are.")) == []


def test_the_end_of_an_older_stretch_changes_nothing_of_the_present_one() -> None:
    talk = Talk()
    talk.agent("One.")
    talk.speaking = False
    talk.agent("Two.")
    talk.it.leg(PlaybackFinished(1, 1000, True, talk.now), talk.now)
    assert talk.get(UserStartedSpeaking()) == [ClearSpeech()]


def test_a_clip_without_a_text_is_replaced_by_a_sentence_of_ours() -> None:
    talk = Talk()
    talk.it.leg(ClipFailed(), talk.now)
    assert talk.take() == [ClearSpeech(), SayLocally(SAID.still_here)]


# --- when a session may be changed


def test_a_session_may_be_changed_when_nobody_speaks_and_nothing_is_under_way() -> None:
    talk = Talk()
    talk.said_and_heard()
    assert talk.it.quiet
    talk.wait(200, sound=LOUD_FRAME)
    assert not talk.it.quiet


@pytest.mark.parametrize(
    "busy",
    [
        lambda talk: talk.agent("Hello."),
        lambda talk: talk.user("Where is my order?"),
        lambda talk: talk.get(UserStartedSpeaking()),
        lambda talk: talk.look_up(),
        lambda talk: talk.call("end_call"),
    ],
)
def test_a_session_is_not_changed_while_anything_is_under_way(busy: Callable[[Talk], object]) -> None:
    talk = Talk()
    busy(talk)
    assert not talk.it.quiet


def test_an_open_turn_begins_with_the_callers_first_sound() -> None:
    talk = Talk()
    assert talk.it.open_turn_ms(talk.now) == talk.now
    talk.wait(500)
    talk.wait(200, sound=LOUD_FRAME)
    assert talk.it.open_turn_ms(talk.now) == T0 + 500
    talk.get(UserStartedSpeaking())
    talk.wait(400)
    assert talk.it.open_turn_ms(talk.now) == T0 + 500
    talk.get(ConversationText("user", "Hi."))
    assert talk.it.open_turn_ms(talk.now) == talk.now


def test_the_caller_is_told_once_that_the_time_is_nearly_up() -> None:
    talk = Talk(max_duration_s=120, warn_s=60)
    assert injected(talk.wait(59_000)) == []
    assert SAID.time_is_up in injected(talk.wait(2000))
    assert SAID.time_is_up not in injected(talk.wait(20_000))


def test_an_agent_that_changes_in_mid_call_has_other_functions_and_sentences() -> None:
    talk = Talk()
    talk.it.redefine(definition(functions={}, goodbye="Adiós."))
    talk.get(UserStartedSpeaking())
    [told] = [
        each for each in talk.get(FunctionCallRequest((FunctionCall("a", "look_up", "{}"),))) if isinstance(each, Tell)
    ]
    assert isinstance(told.message, FunctionCallResponse)
    assert "no such function" in told.message.content


# --- what outlives a session or a gateway


def test_a_wish_to_leave_is_told_and_so_is_that_it_is_taken_back() -> None:
    talk = Talk()
    leaving(talk, acting=True)
    assert [wish.leave.function_id for wish in talk.wishes if isinstance(wish, Wish)] == ["f1"]
    talk.get(FunctionCallCancelled(("f1",)))
    assert talk.wishes[1:] == [Unwish()]


def test_a_goodbye_of_our_own_is_no_wish_of_the_agent() -> None:
    talk = Talk(max_duration_s=1)
    talk.wait(1100)
    assert talk.it.ending.step is Step.LAST_WORDS
    assert talk.wishes == []


def test_a_wish_of_the_gateway_before_is_carried_out_without_another_word() -> None:
    talk = Talk()
    talk.it.resume_leave(Leave("transfer_to_human", "sales", function_id="w1"), talk.now)
    assert gone(talk.wait(NO_WORDS_MS + 600)) == [Leave("transfer_to_human", "sales", function_id="w1")]
    assert talk.wishes == []  # it is known already


def test_the_question_is_put_again_and_the_agent_may_say_its_last_words() -> None:
    talk = Talk()
    talk.it.resume_leave(Leave("goodbye", function_id="w1"), talk.now)
    talk.it.session_changed("Bye.", talk.now)
    talk.wait(1000)
    assert answered(talk.call("end_call", call_id="f7")) == [{"status": "ok", "note": sentences.ANSWER_END}]
    assert answered(talk.call("end_call", call_id="f8")) == [{"status": "ok", "note": sentences.ANSWER_ALREADY}]
    talk.said_and_heard("Good bye.")
    assert gone(talk.wait(2000)) == [Leave("goodbye", function_id="f7")]


def test_a_caller_who_goes_on_speaking_takes_a_wish_of_the_gateway_before_back() -> None:
    talk = Talk()
    talk.it.resume_leave(Leave("goodbye", function_id="w1"), talk.now)
    talk.user("No, wait, one more thing.")
    assert talk.wishes == [Unwish()]
    assert gone(talk.wait(NO_WORDS_MS + 1000)) == []


def test_what_is_left_of_a_torn_reply_is_not_heard_before_its_own_beginning() -> None:
    talk = Talk()
    talk.user("What do you have?")
    talk.agent("Tables, chairs and shelves.", 400, done=False)
    talk.it.session_lost(talk.now)
    talk.it.session_changed("What do you have?", talk.now)
    assert ClearSpeech() in talk.take()
    talk.finished(200, interrupted=True)
    talk.it.session_changed("What do you have?", talk.now)
    assert ClearSpeech() not in talk.take()


def test_what_the_caller_will_not_hear_of_a_reply_amid_which_the_call_is_given_away_is_torn() -> None:
    talk = Talk()
    talk.user("What do you have?")
    talk.agent("Tables, chairs and shelves.", 2000)
    talk.it.handed_on(PlaybackFinished(1, 600, interrupted=False, at_ms=talk.now + 600), talk.now)
    [*_, turn] = talk.it.turns.all()
    assert turn.heard_ms == 600
    assert TORN in turn.marks


def test_while_there_is_no_session_a_silent_caller_is_not_left_and_with_the_next_one_asked_at_once() -> None:
    talk = Talk()
    talk.said_and_heard()
    talk.wait(5000)
    talk.it.session_lost(talk.now)
    assert talk.wait(60_000) == []
    talk.it.session_changed("", talk.now)
    assert injected(talk.wait(100)) == ["Still there?"]


def test_a_caller_who_made_a_sound_is_given_the_whole_time_by_the_next_session() -> None:
    """It may have been a turn, which the next session is about to hear."""
    talk = Talk()
    talk.said_and_heard()
    talk.wait(5000)
    talk.it.session_lost(talk.now)
    talk.wait(1000, sound=LOUD_FRAME)
    talk.wait(20_000)
    talk.it.session_changed("", talk.now)
    assert injected(talk.wait(9000)) == []
    assert injected(talk.wait(1100)) == ["Still there?"]


def test_a_question_that_was_lost_with_its_session_is_asked_by_the_next_one() -> None:
    talk = Talk()
    talk.said_and_heard()
    assert injected(talk.wait(20_200)) == ["Still there?", "Hello?"]
    talk.it.session_lost(talk.now)
    talk.it.session_changed("", talk.now)
    assert injected(talk.wait(100)) == ["Still there?"]


def test_a_mute_agent_is_not_asked_again_while_it_has_no_session() -> None:
    talk = Talk()
    talk.user("Where is my order?")
    talk.it.session_lost(talk.now)
    assert talk.wait(60_000) == []
    talk.it.session_changed("Where is my order?", talk.now)
    assert told(talk.take()) == [InjectUserMessage("Where is my order?")]
    assert injected(talk.wait(NUDGE_MS + 100)) == [SAID.not_understood]


def test_without_a_session_the_flows_own_voice_says_goodbye() -> None:
    talk = Talk(max_duration_s=5)
    talk.it.session_lost(talk.now)
    assert talk.wait(5100) == [Go(Leave("max_duration", firm=True), "Goodbye.")]


def test_nobody_is_asked_to_hold_while_somebody_speaks() -> None:
    talk = Talk()
    silent = [talk.it.silent]
    talk.wait(200, sound=LOUD_FRAME)
    silent.append(talk.it.silent)
    talk.wait(200)
    silent.append(talk.it.silent)
    talk.agent("Tables, chairs and shelves.")
    silent.append(talk.it.silent)
    assert silent == [True, False, True, False]


# --- keys

ORDER = CollectDefinition("order", "number", "The order", "Type it.", least=6, most=6)
COLLECT = {"order": ORDER}


def test_keys_are_asked_for_after_the_agents_words_and_are_the_functions_answer() -> None:
    talk = Talk(collect=COLLECT)
    assert has(talk.call("collect_digits", '{"what": "order"}'), NoteQuestion)
    talk.agent("Of course.")
    assert not has(talk.wait(3000), Ask), "the caller still hears it"
    talk.finished()
    assert has(talk.wait(100), Ask)
    talk.it.leg(KeysTaken(Keys.TAKEN, "471108"), talk.now)
    [answer] = talk.take()
    assert isinstance(answer, Answer)
    assert json.loads(answer.content) == {"status": "entered", "digits": "471108", "attempts": 1}
    assert answered(talk.result(answer.content)) == [{"status": "entered", "digits": "471108", "attempts": 1}]


def test_without_anything_to_type_there_is_no_such_function() -> None:
    assert "error" in answered(Talk().call("collect_digits", '{"what": "order"}'))[0]


def test_a_caller_who_goes_on_speaking_or_leaves_is_not_asked_for_keys() -> None:
    talk = Talk(collect=COLLECT)
    talk.call("collect_digits", '{"what": "order"}')
    assert has(talk.user("never mind"), Answer)
    assert not has(talk.wait(3000), Ask)
    talk.call("collect_digits", '{"what": "order"}', "f2")
    assert has(talk.call("end_call", "{}", "f3"), Answer)


def test_what_is_typed_after_the_agent_has_cancelled_it_is_told_as_a_note() -> None:
    talk = Talk(collect=COLLECT)
    talk.call("collect_digits", '{"what": "order"}')
    assert has(talk.wait(1100), Ask)
    assert has(talk.get(FunctionCallCancelled(("f1",))), Unask)
    talk.it.leg(KeysTaken(Keys.TAKEN, "471108"), talk.now)
    [answer] = talk.take()
    assert isinstance(answer, Answer)
    assert "471108" in prompted(talk.result(answer.content))[0]


def test_a_question_of_the_gateway_before_is_answered_as_a_note() -> None:
    talk = Talk(collect=COLLECT)
    talk.it.resume_question(ORDER, "f1", talk.now)
    talk.it.session_changed("", talk.now)
    talk.it.leg(KeysTaken(Keys.TAKEN, "471108"), talk.now)
    [answer] = talk.take()
    assert isinstance(answer, Answer)
    assert "471108" in prompted(talk.result(answer.content))[0]


# --- from outside


def test_a_sentence_from_outside_is_said_when_nobody_speaks_and_to_nobody_who_is_leaving() -> None:
    talk = Talk()
    talk.it.say("Anna is on her way.")
    [command] = talk.take()
    assert isinstance(command, Tell)
    assert command.message == InjectAgentMessage("Anna is on her way.", InjectBehavior.QUEUE)
    talk.call("end_call")
    talk.it.say("Anna is on her way.")
    assert talk.take() == []
