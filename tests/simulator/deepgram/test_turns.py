from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from simulator.deepgram import tones
from simulator.deepgram.brain import Brain, Reply, SpeechStarted, TurnEnded
from simulator.deepgram.core import Session
from simulator.deepgram.manners import PESSIMISTIC, TEXTBOOK
from simulator.deepgram.scripted import ScriptedVoice
from tests.simulator.deepgram.driver import START_MS, Client, settings, textbook

NOVA = {"provider": {"type": "deepgram", "model": "nova-3"}}
MULTI = {"provider": {"type": "deepgram", "version": "v2", "model": "flux-general-multi", "language_hints": ["es"]}}
SPECULATIVE = replace(PESSIMISTIC, speculation_ms=900)


def test_user_started_speaking_comes_at_every_utterance_also_while_the_agent_is_silent() -> None:
    client = Client().open().ask("how are you").quiet(4_000).ask("and now").quiet(4_000)
    assert len(client.messages("UserStartedSpeaking")) == 2


def test_the_users_text_comes_once_at_the_end_of_the_turn_and_then_the_reply() -> None:
    client = textbook().open().forget().say("how are you")
    assert client.kinds() == ["UserStartedSpeaking"]
    client.quiet(3_000)
    assert client.kinds("AgentThinking") == [
        "UserStartedSpeaking",
        "ConversationText",
        "History",
        "EndOfTurn",
        "ConversationText",
        "History",
        "audio",
        "AgentAudioDone",
    ]
    assert client.texts("user") == ["how are you"]
    assert client.session.counters.caller_turns == 1


def test_a_cough_is_an_utterance_without_a_turn() -> None:
    client = Client().open().forget().audio(tones.cough(400)).quiet(3_000)
    assert client.kinds() == ["UserStartedSpeaking"]


def test_a_caller_who_goes_on_gets_no_speculative_reply_and_one_combined_text() -> None:
    client = Client(SPECULATIVE).open().say("I would like").quiet(900).say("a long table").quiet(1_540)
    assert len(client.messages("UserStartedSpeaking")) == 2
    assert client.texts("user") == ["I would like a long table"]
    assert client.frames() == []
    assert client.mind.turns == ["I would like a long table"]
    assert client.mind.withdrawals == 1
    assert client.quiet(4_000).texts("assistant")[0].startswith("This is a rather long answer")


def test_a_cough_after_a_probable_end_does_not_lose_the_turn() -> None:
    client = Client(SPECULATIVE).open().say("how are you").quiet(900).audio(tones.cough(300)).quiet(4_000)
    assert client.texts("user") == ["how are you"]
    assert client.spoken() == ["Very well indeed."]


def test_a_slow_confirmation_holds_text_and_audio_back() -> None:
    client = Client(replace(PESSIMISTIC, speculation_ms=2_000)).open().say("how are you").quiet(2_000).forget()
    client.quiet(400)
    assert client.kinds() == []
    client.quiet(3_000)
    assert client.texts("user") == ["how are you"]
    assert client.spoken() == ["Very well indeed."]


def test_end_of_turn_comes_only_with_a_v2_listen_provider() -> None:
    assert Client().open().ask("hello").messages("EndOfTurn")[0]["trigger"] == "model"
    assert not Client().open(listen=NOVA).ask("hello").messages("EndOfTurn")


def test_languages_come_only_with_the_multilingual_model() -> None:
    [text] = Client().open(listen=MULTI).ask("hello").messages("ConversationText")
    assert text["languages_hinted"] == ["es"]
    assert text["languages"] == ["en"]
    assert "languages" not in Client().open().ask("hello").messages("ConversationText")[0]


def test_agent_thinking_is_off_unless_switched_on() -> None:
    assert not Client().open().ask("hello").messages("AgentThinking")
    assert Client(replace(PESSIMISTIC, agent_thinking=True)).open().ask("hello").messages("AgentThinking")


def test_history_repeats_each_text_unless_switched_off() -> None:
    on, off = Client().open().ask("hello").quiet(3_000), Client()
    off.raw(json.dumps({**settings(), "flags": {"history": False}}))
    off.quiet(200).ask("hello").quiet(3_000)
    pairs = [[m["role"], m["content"]] for m in on.messages("ConversationText")]
    assert pairs == [[m["role"], m["content"]] for m in on.messages("History")]
    assert off.messages("ConversationText")
    assert not off.messages("History")


def test_a_mute_turn_has_text_and_latency_and_no_audio_ever() -> None:
    client = Client(replace(PESSIMISTIC, mute_turns=(1,))).open().ask("hello").quiet(20_000)
    assert client.texts("user") == ["hello"]
    assert any("ttt_text_latency" in report for report in client.messages("LatencyReport"))
    assert client.frames() == []
    assert not client.messages("AgentAudioDone")
    client.ask("hello").quiet(3_000)
    assert client.spoken() == ["Very well indeed."]


def test_force_end_turn_ends_the_open_turn_with_v2() -> None:
    client = Client().open().say("how are you").quiet(100)
    client.send("ForceEndTurn")
    assert client.texts("user") == ["how are you"]
    assert client.messages("EndOfTurn")[0]["trigger"] == "manual"
    assert client.quiet(3_000).spoken() == ["Very well indeed."]
    assert len(client.texts("user")) == 1


def test_force_end_turn_confirms_a_probable_end() -> None:
    client = Client(SPECULATIVE).open().say("how are you").quiet(700)
    client.send("ForceEndTurn")
    assert client.texts("user") == ["how are you"]
    assert client.quiet(3_000).spoken() == ["Very well indeed."]


def test_force_end_turn_without_an_open_turn_does_nothing() -> None:
    client = Client().open().forget()
    client.send("ForceEndTurn")
    assert client.quiet(1_000).log == []


def test_force_end_turn_with_v1_is_a_warning() -> None:
    client = Client().open(listen=NOVA)
    client.send("ForceEndTurn")
    assert client.codes() == ["FORCE_END_TURN_UNSUPPORTED"]


class LateEars:
    """Ears that understand elsewhere and tell when they are asked; they cannot be forced."""

    def __init__(self) -> None:
        self.ready: list[Any] = []

    def push(self, ulaw: bytes, now_ms: int) -> list[Any]:
        return []

    def poll(self, now_ms: int) -> list[Any]:
        ready, self.ready = self.ready, []
        return ready

    def close(self) -> None:
        pass


class PlainMind:
    """A mind that knows nothing of withdrawals and updates."""

    def opened(self, settings: Any) -> None:
        pass

    def heard(self, text: str, now_ms: int) -> Reply:
        return Reply("Yes.")

    def answered(self, name: str, content: str, now_ms: int) -> Reply:
        return Reply("")


def test_ears_that_understand_later_and_a_plain_mind_are_enough() -> None:
    ears = LateEars()
    client = Client()
    client.session = Session(Brain(ears, PlainMind(), ScriptedVoice()), now_ms=START_MS)
    client.open()
    ears.ready = [SpeechStarted(client.now_ms)]
    client.quiet(20)
    client.send("ForceEndTurn")
    ears.ready = [TurnEnded("hello", client.now_ms, "timeout")]
    client.quiet(20)
    ears.ready = [SpeechStarted(client.now_ms)]
    client.quiet(20)
    ears.ready = [TurnEnded("", client.now_ms)]
    client.send("UpdatePrompt", prompt="Be kind.")
    client.quiet(3_000)
    assert client.texts("user") == ["hello"]
    assert client.spoken() == ["Yes."]


def test_what_the_ears_tell_after_a_failure_is_not_told() -> None:
    ears = LateEars()
    client = Client()
    manners = replace(PESSIMISTIC, think_failures=(9,))
    client.session = Session(Brain(ears, PlainMind(), ScriptedVoice()), manners, now_ms=START_MS)
    client.open().forget()
    ears.ready = [TurnEnded("hello", client.now_ms), SpeechStarted(client.now_ms)]
    client.quiet(100)
    assert client.kinds("Warning") == ["Error", "close"]


def test_turns_without_speculation_are_confirmed_at_their_end() -> None:
    client = Client(replace(TEXTBOOK, interrupted_done="missing")).open().say("hello").quiet(620)
    assert client.texts("user") == ["hello"]
