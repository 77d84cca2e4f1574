from __future__ import annotations

from simulator.deepgram import tones
from simulator.deepgram.brain import Call, Ears, Heard, Mind, Reply, SpeechStarted, TurnEnded, Voice
from simulator.deepgram.scripted import Rule, ScriptedEars, ScriptedMind, ScriptedVoice, calls, scripted_brain


def listen(ears: ScriptedEars, audio: bytes, block: int = 160) -> list[Heard]:
    events: list[Heard] = []
    for at in range(0, len(audio), block):
        events += ears.push(audio[at : at + block], (at + block) // 8)
    return [*events, *ears.poll(len(audio) // 8)]


def test_speech_begins_after_60_ms_and_ends_after_600_ms_of_silence() -> None:
    audio = tones.silence(1_000) + tones.encode_utterance("Where is it") + tones.silence(1_000)
    assert listen(ScriptedEars(), audio) == [SpeechStarted(1_060), TurnEnded("Where is it", 2_480)]


def test_odd_blocks_are_heard_too() -> None:
    audio = tones.encode_utterance("Where is it") + tones.silence(1_000)
    assert [type(event) for event in listen(ScriptedEars(), audio, 333)] == [SpeechStarted, TurnEnded]


def test_a_short_pause_does_not_end_a_turn() -> None:
    audio = tones.encode_utterance("Hello there") + tones.silence(400) + tones.encode_utterance("I am here")
    events = listen(ScriptedEars(), audio + tones.silence(700))
    assert [event.text for event in events if isinstance(event, TurnEnded)] == ["Hello there I am here"]


def test_a_click_is_not_speech() -> None:
    assert listen(ScriptedEars(), tones.cough(40) + tones.silence(1_000)) == []


def test_a_cough_is_a_turn_without_text() -> None:
    assert listen(ScriptedEars(), tones.cough(200) + tones.silence(700))[1] == TurnEnded("", 800)


def test_the_open_turn_can_be_ended_by_force() -> None:
    ears = ScriptedEars()
    assert ears.force_end(0) == ()
    listen(ears, tones.encode_utterance("Hello there"))
    assert ears.force_end(700) == (TurnEnded("Hello there", 700, "manual"),)
    assert listen(ears, tones.silence(2_000)) == []


def test_the_first_rule_that_matches_answers() -> None:
    mind = ScriptedMind(
        [Rule("ORDER", calls("look")), Rule("name", lambda text: Reply(f"So: {text}")), Rule("bye", "Goodbye.")],
        {"look": lambda content: Reply(content.upper())},
        otherwise="What?",
    )
    assert mind.heard("my order", 0) == Reply("", (Call("look", "{}"),))
    assert mind.heard("my name", 0) == Reply("So: my name")
    assert mind.heard("bye", 0) == Reply("Goodbye.")
    assert mind.heard("else", 0) == Reply("What?")
    assert mind.answered("look", "found", 0) == Reply("FOUND")
    assert mind.answered("unknown", "x", 0) == Reply("")
    assert mind.turns == ["my order", "my name", "bye", "else"]
    assert mind.results == [("look", "found"), ("unknown", "x")]


def test_a_withdrawn_turn_was_never_heard() -> None:
    mind = ScriptedMind()
    mind.answered("earlier", "x", 0)
    mind.heard("I would", 0)
    mind.answered("premature", "x", 0)
    mind.withdrawn(0)
    assert mind.turns == []
    assert mind.results == [("earlier", "x")]
    assert mind.withdrawals == 1


def test_the_voice_can_be_read_again() -> None:
    audio = ScriptedVoice().speak("One moment, please.")
    assert len(audio) == (3 * 320 + 200) * 8
    assert tones.decode(audio)[0].text == "One moment, please."


def test_a_brain_fits_the_seam() -> None:
    brain = scripted_brain()
    ears: Ears = brain.ears
    mind: Mind = brain.mind
    voice: Voice = brain.voice
    assert voice.speak("") == b""
    mind.opened({"type": "Settings"})
    ears.close()
