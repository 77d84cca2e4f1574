from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from contract.audio import ulaw2lin
from simulator.deepgram import tones
from simulator.deepgram.manners import PESSIMISTIC
from tests.simulator.deepgram.driver import Client, settings, textbook


def test_audio_in_real_time_is_never_too_fast() -> None:
    client = Client().open().quiet(5000).ask("Where is my order")
    assert client.session.counters.too_fast == 0
    assert client.texts("user") == ["Where is my order"]


def test_audio_at_one_and_a_half_times_real_time_is_not_too_fast() -> None:
    client = Client().open()
    for _ in range(200):
        client.raw(tones.silence(30))
        client.now_ms += 20
    assert client.session.counters.too_fast == 0


def test_audio_in_one_burst_is_counted_and_loses_all_but_its_first_words() -> None:
    client = Client().open()
    client.raw(tones.encode_utterance("one two three four five six seven eight nine ten eleven twelve"))
    client.quiet(1500)
    assert client.session.counters.too_fast == 1
    assert client.texts("user") == ["one two three four"]


def test_audio_three_times_too_fast_is_counted_frame_by_frame() -> None:
    client = Client().open()
    for _ in range(100):
        client.raw(tones.silence(60))
        client.now_ms += 20
    assert 30 < client.session.counters.too_fast < 80


def test_speech_that_stops_without_silence_has_no_end_of_turn() -> None:
    client = Client().open().say("Where is my order").wait(5000)
    assert client.messages("UserStartedSpeaking")
    assert client.texts("user") == []


def test_nothing_from_the_client_for_ten_seconds_ends_the_session() -> None:
    client = Client().open().wait(9_980)
    assert not client.messages("Error")
    client.wait(100)
    assert client.error()["code"] == "CLIENT_MESSAGE_TIMEOUT"
    assert "speech" in client.error()["description"]
    assert client.kinds()[-1] == "close"


def test_keepalive_every_eight_seconds_keeps_the_session_and_gets_no_reply() -> None:
    client = Client().open().forget()
    for _ in range(8):
        client.wait(8_000)
        client.send("KeepAlive")
    assert client.log == []


def test_keepalive_may_not_be_enough() -> None:
    client = Client(replace(PESSIMISTIC, keepalive_counts=False)).open()
    client.wait(8_000)
    client.send("KeepAlive")
    client.wait(8_000)
    assert client.error()["code"] == "CLIENT_MESSAGE_TIMEOUT"


def test_silence_keeps_the_session() -> None:
    assert not Client().open().quiet(30_000).messages("Error")


def test_an_empty_frame_ends_the_session_or_is_ignored() -> None:
    ended, ignored = Client().open(), textbook().open()
    for client in (ended, ignored):
        client.raw(b"")
        client.quiet(100)
        assert client.session.counters.empty_frames == 1
    assert ended.session.over
    assert not ignored.session.over


def test_speech_before_settings_applied_is_heard_when_they_are() -> None:
    client = Client(replace(PESSIMISTIC, applied_after_ms=1_000))
    client.raw(json.dumps(settings(greeting="Good morning to you all")))
    client.say("Hello").quiet(1_000)
    assert 0 < client.session.counters.early_audio < client.session.counters.frames
    assert client.kinds("History", "ConversationText")[1:3] == ["SettingsApplied", "UserStartedSpeaking"]


@pytest.mark.parametrize(
    ("encoding", "rate"), [("mulaw", 16000), ("linear16", 8000), ("linear16", 16000), ("linear16", 24000)]
)
def test_linear_audio_and_higher_rates_are_heard(encoding: str, rate: int) -> None:
    client = Client()
    body = settings()
    body["audio"]["input"] = {"encoding": encoding, "sample_rate": rate}
    client.raw(json.dumps(body))
    client.quiet(200)
    ulaw = tones.encode_utterance("Where is it") + tones.silence(900)
    data, width = (ulaw2lin(ulaw), 2) if encoding == "linear16" else (ulaw, 1)
    times = rate // 8000
    stretched = b"".join(data[at : at + width] * times for at in range(0, len(data), width))
    size = rate // 50 * width + 1  # frames that end in the middle of a sample
    for at in range(0, len(stretched), size):
        client.now_ms += 20
        client.raw(stretched[at : at + size])
    client.wait(500)
    assert client.texts("user") == ["Where is it"]


def test_an_input_block_that_is_left_out_means_linear16_at_24_khz() -> None:
    client = Client()
    body: dict[str, Any] = settings()
    del body["audio"]["input"]
    client.raw(json.dumps(body))
    client.wait(200)
    client.raw(b"\0" * 960)
    assert client.session.counters.frames == 1
    assert not client.messages("Error")


def test_stt_latency_comes_with_every_frame_while_the_caller_speaks() -> None:
    client = Client().open().say("one two three").forget().say("four five six")
    reports = client.messages("LatencyReport")
    assert len(reports) == 45
    assert all(set(report) - {"x_unheard_of"} == {"type", "stt_latency"} for report in reports)
