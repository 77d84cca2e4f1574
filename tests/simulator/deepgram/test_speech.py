from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from contract.audio import lin2ulaw
from simulator.deepgram import tones
from simulator.deepgram.manners import GIANT, PESSIMISTIC, REAL_TIME, TEXTBOOK, Manners
from tests.simulator.deepgram.driver import LONG, START_MS, Client, settings

FIVE_SECONDS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"


def injected(manners: Manners, text: str = FIVE_SECONDS) -> Client:
    client = Client(manners).open().forget()
    client.send("InjectAgentMessage", message=text)
    return client.quiet(9_000)


def span_ms(client: Client) -> int:
    times = [at for at, item in client.log if isinstance(item, bytes)]
    return times[-1] - times[0]


def test_frames_are_raw_audio_without_a_header() -> None:
    assert injected(PESSIMISTIC).frames()[0][:4] not in (b"RIFF", b"OggS", b"ID3\x03")


def test_a_wav_container_begins_each_speech_with_its_header() -> None:
    client = Client()
    body = settings()
    body["audio"]["output"] = {"encoding": "linear16", "sample_rate": 8000, "container": "wav"}
    client.raw(json.dumps(body))
    client.quiet(200)
    client.send("InjectAgentMessage", message="Hello there")
    data = b"".join(client.quiet(2_000).frames())
    assert data[:4] == b"RIFF"
    assert data[36:40] == b"data"
    assert tones.decode(lin2ulaw(data[44:]))[0].text == "Hello there"


def test_five_seconds_of_speech_are_delivered_in_less_than_one() -> None:
    client = injected(PESSIMISTIC)
    assert sum(map(len, client.frames())) == 5_120 * 8
    assert span_ms(client) < 1_000


def test_speech_can_be_delivered_in_real_time() -> None:
    assert 4_500 < span_ms(injected(replace(REAL_TIME, audio_done="once"))) < 5_300


def test_speech_can_stall_in_the_middle() -> None:
    client = injected(replace(PESSIMISTIC, stall_after_ms=1_000, stall_ms=2_000, audio_done="once"))
    times = [at for at, item in client.log if isinstance(item, bytes)]
    assert max(late - early for early, late in itertools.pairwise(times)) >= 2_000
    assert client.spoken() == [FIVE_SECONDS]


def test_frames_have_many_sizes_and_add_up_to_duration_times_rate() -> None:
    client = injected(PESSIMISTIC)
    sizes = {len(frame) for frame in client.frames()}
    assert any(size % 160 for size in sizes)
    assert any(size % 2 for size in sizes)
    assert client.spoken() == [FIVE_SECONDS]


def test_a_frame_can_be_larger_than_64_kib() -> None:
    assert max(map(len, injected(GIANT, " ".join(["word"] * 40)).frames())) > 65_536


def test_audio_done_follows_the_last_frame_long_before_the_audio_has_played() -> None:
    client = injected(TEXTBOOK)
    assert client.kinds() == ["ConversationText", "History", "audio", "AgentAudioDone"]
    assert client.at("AgentAudioDone") + START_MS - client.log[0][0] < 1_000


@pytest.mark.parametrize(
    ("done", "kinds"),
    [
        ("once", ["audio", "AgentAudioDone"]),
        ("twice", ["audio", "AgentAudioDone", "audio", "AgentAudioDone"]),
        ("early", ["audio", "AgentAudioDone", "audio"]),
        ("missing", ["audio"]),
    ],
)
def test_audio_done_comes_once_twice_too_early_or_never(done: Any, kinds: list[str]) -> None:
    client = injected(replace(PESSIMISTIC, audio_done=done))
    assert client.kinds("ConversationText", "History") == kinds
    assert client.spoken() == [FIVE_SECONDS]


def test_the_second_burst_follows_a_first_audio_done_within_300_ms() -> None:
    client = injected(PESSIMISTIC)
    done = client.at("AgentAudioDone") + START_MS
    assert 0 < next(at for at, item in client.log if isinstance(item, bytes) and at > done) - done < 300


def test_audio_done_can_come_without_any_audio() -> None:
    assert injected(PESSIMISTIC, "").kinds("History", "ConversationText") == ["AgentAudioDone"]


def test_a_reply_has_several_texts_and_each_may_follow_its_first_frame() -> None:
    client = injected(PESSIMISTIC, LONG)
    assert len(client.texts("assistant")) == 3
    assert " ".join(client.texts("assistant")) == " ".join(client.spoken()) == LONG
    assert client.kinds()[0] == "audio"


def test_a_reply_can_have_one_text_before_its_audio() -> None:
    client = injected(TEXTBOOK, LONG)
    assert client.texts("assistant") == [LONG]
    assert client.kinds()[0] == "ConversationText"


def interrupted(manners: Manners) -> Client:
    """The caller begins to speak while the agent's second sentence is being sent."""
    client = Client(manners).open().ask("tell me something long")
    while len(client.frames()) < 3:
        client.quiet(20)
    client.forget().say("stop it please").quiet(500)
    return client


def after_barge_in(client: Client) -> list[str]:
    kinds = client.kinds("History")
    return kinds[kinds.index("UserStartedSpeaking") + 1 :]


def test_a_caller_who_speaks_stops_the_agent_at_once() -> None:
    client = interrupted(replace(REAL_TIME, late_frames=0, late_text=False))
    assert after_barge_in(client) == []


def test_up_to_three_frames_and_a_text_come_after_the_interruption() -> None:
    client = interrupted(REAL_TIME)
    assert after_barge_in(client) == ["audio", "ConversationText", "audio"]
    start = client.at("UserStartedSpeaking") + START_MS
    late = [at - start for at, item in client.log if isinstance(item, bytes) and at >= start and at > start]
    assert 1 <= len(late) <= 3
    assert max(late) < 100


@pytest.mark.parametrize(("done", "count"), [("missing", 0), ("at_once", 1), ("after_late", 1)])
def test_audio_done_of_an_interrupted_reply_is_missing_early_or_late(done: Any, count: int) -> None:
    client = interrupted(replace(REAL_TIME, interrupted_done=done))
    kinds = after_barge_in(client)
    assert kinds.count("AgentAudioDone") == count
    if count:
        assert kinds.index("AgentAudioDone") == (0 if done == "at_once" else len(kinds) - 1)


def test_no_more_frames_come_late_than_were_left() -> None:
    client = Client(replace(REAL_TIME, chunk_bytes=(3_000,), audio_done="once")).open()
    client.send("InjectAgentMessage", message="Hello there")
    client.quiet(700).forget().send("InjectAgentMessage", message="", behavior="interrupt")
    assert [len(frame) for frame in client.quiet(400).frames()] == [5_120 - 3_000]


def test_an_interruption_before_the_text_was_told_leaks_that_text() -> None:
    client = interrupted(replace(REAL_TIME, chunk_bytes=(200,), text_after_audio=False))
    assert client.texts("assistant") == ["It has a second sentence too."]


def test_an_interruption_before_any_audio_leaks_nothing() -> None:
    client = Client(replace(PESSIMISTIC, speculation_ms=0)).open().say("tell me something long").quiet(700)
    client.forget().say("stop").quiet(300)
    assert client.kinds() == ["UserStartedSpeaking"]


def test_agent_started_speaking_comes_only_with_experimental_and_has_its_three_numbers() -> None:
    for experimental in (True, False):
        client = Client()
        client.raw(json.dumps({**settings(), "experimental": experimental}))
        client.quiet(200).ask("how are you").quiet(2_000)
        found = client.messages("AgentStartedSpeaking")
        assert len(found) == experimental
        assert all({"total_latency", "tts_latency", "ttt_latency"} <= set(message) for message in found)


def test_latency_comes_one_field_at_a_time_or_as_one_report() -> None:
    flood, merged = Client().open(), Client(TEXTBOOK).open()
    for client in (flood, merged):
        client.ask("how are you").quiet(2_000)
    assert all(len(set(r) - {"type", "x_unheard_of"}) == 1 for r in flood.messages("LatencyReport"))
    fields = {key for report in flood.messages("LatencyReport") for key in report}
    assert {"stt_latency", "ttt_token_latency", "ttt_text_latency", "tts_latency", "total_latency"} <= fields
    [report] = merged.messages("LatencyReport")
    assert len(report) == 6


def test_a_failing_voice_warns_and_the_next_one_speaks_and_the_next_utterance_begins_with_the_first() -> None:
    voices = [{"provider": {"type": "deepgram", "model": f"aura-{n}"}} for n in (1, 2)]
    client = Client(replace(PESSIMISTIC, speak_failures=(1, 0, 2))).open(speak=voices)
    for _ in range(2):
        client.send("InjectAgentMessage", message="Hello there")
        client.quiet(2_000)
    assert client.codes() == ["SPEAK_REQUEST_FAILED"]
    assert client.spoken() == ["Hello there", "Hello there"]
    client.send("InjectAgentMessage", message="Hello there")
    client.quiet(2_000)
    assert client.codes()[-3:] == ["SPEAK_REQUEST_FAILED", "SPEAK_REQUEST_FAILED", "FAILED_TO_SPEAK"]
    assert client.session.over


@pytest.mark.parametrize(
    ("output", "speed"),
    [
        ({"encoding": "mulaw", "sample_rate": 8000}, 9.0),
        ({"encoding": "mp3"}, 1.0),
        ({"encoding": "linear16", "container": "ogg"}, 1.0),
    ],
)
def test_what_no_voice_can_speak_fails_at_the_first_utterance(output: dict[str, Any], speed: float) -> None:
    body = settings(speak={"provider": {"type": "deepgram", "model": "aura-2", "speed": speed}})
    body["audio"]["output"] = output
    client = Client()
    client.raw(json.dumps(body))
    client.quiet(1_000)
    assert not client.messages("Error")
    client.send("InjectAgentMessage", message="Hello")
    assert client.quiet(2_000).error()["code"] == "FAILED_TO_SPEAK"


@pytest.mark.parametrize(("encoding", "rate"), [("linear16", None), ("linear16", 16000), ("mulaw", 16000)])
def test_linear_audio_and_higher_rates_have_their_length(encoding: str, rate: int | None) -> None:
    body = settings()
    body["audio"]["output"] = {"encoding": encoding, **({"sample_rate": rate} if rate else {})}
    client = Client()
    client.raw(json.dumps(body))
    client.quiet(200)
    client.send("InjectAgentMessage", message="Hello there")
    client.quiet(2_000)
    assert sum(map(len, client.frames())) == 640 * (rate or 24000) // 1000 * (2 if encoding == "linear16" else 1)
