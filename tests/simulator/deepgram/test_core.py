from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from simulator.deepgram.brain import Brain
from simulator.deepgram.core import Session
from simulator.deepgram.manners import PESSIMISTIC, PRESETS, Incident
from simulator.deepgram.scripted import ScriptedEars
from simulator.deepgram.wire import Close
from tests.simulator.deepgram.driver import LONG, SETTINGS, START_MS, Client, settings

HOUR_MS = 3_600_000


def test_five_minutes_before_two_hours_comes_a_warning_and_then_the_end_whatever_is_kept_alive() -> None:
    client = Client().open()
    while client.now_ms < START_MS + 2 * HOUR_MS:
        client.wait(5_000)
        client.send("KeepAlive")
    client.wait(10)
    assert client.codes() == ["MAXIMUM_SESSION_LENGTH_APPROACHING", "MAXIMUM_SESSION_LENGTH_REACHED"]
    assert client.at("Warning") == 6_900_000
    assert client.at("Error") == 7_200_000
    assert client.kinds()[-1] == "close"


@pytest.mark.parametrize("blow", ["error", "drop"])
@pytest.mark.parametrize("code", ["SERVER_GOING_AWAY", "ASR_CONNECTION_CLOSED"])
@pytest.mark.parametrize("moment", ["open", "settings", "speech", "function", "turn"])
def test_a_planned_failure_strikes_at_its_moment_and_nothing_follows(moment: str, code: str, blow: str) -> None:
    incident = Incident(moment, blow, code)  # type: ignore[arg-type]
    client = Client(replace(PESSIMISTIC, incidents=(incident,))).wait(10)
    client.open(greeting=LONG).quiet(3_000).ask("look it up").quiet(1_000)
    assert client.kinds()[-1] == "close"
    assert client.codes() == ([code] if blow == "error" else [])
    assert client.closes() == [Close(1005 if blow == "error" else None)]
    before = {"open": [], "settings": ["Welcome", "ConversationText", "History"]}
    if moment in before:
        assert [kind for kind in client.kinds("Error") if kind != "close"] == before[moment]


def test_a_planned_failure_strikes_at_a_time_or_at_the_nth_occasion() -> None:
    at = Client(replace(PESSIMISTIC, incidents=(Incident("clock", at_ms=5_000),))).open().quiet(6_000)
    assert at.at("Error") == 5_000
    second = Client(replace(PESSIMISTIC, incidents=(Incident("turn", nth=2),))).open().ask("hello").quiet(4_000)
    assert not second.messages("Error")
    assert second.ask("hello").messages("Error")


def test_a_planned_warning_or_unknown_message_lets_the_session_go_on() -> None:
    incidents = (Incident("turn", "warning", "SLOW_SPEAK_REQUEST"), Incident("turn", "unknown", "NovelMessage"))
    client = Client(replace(PESSIMISTIC, incidents=incidents)).open().ask("hello").quiet(4_000)
    assert client.codes() == ["SLOW_SPEAK_REQUEST"]
    assert client.messages("NovelMessage")
    assert client.spoken() == ["Very well indeed."]


@pytest.mark.parametrize("code", ["USER_AUDIO_FORMAT", "ASR_DRIVER_TIMEOUT"])
def test_audio_that_is_not_what_was_declared_can_be_refused_as_planned(code: str) -> None:
    manners = replace(PESSIMISTIC, incidents=(Incident("clock", code=code, at_ms=1_000),))
    assert Client(manners).open().audio(b"\0" * 16_000).codes() == [code]


def test_of_two_failures_at_the_same_moment_the_first_counts() -> None:
    incidents = (Incident("turn"), Incident("turn", "drop"))
    client = Client(replace(PESSIMISTIC, incidents=incidents)).open().ask("hello")
    assert client.closes() == [Close(1005)]


@pytest.mark.parametrize("kind", ["hello", "bye"])
def test_a_failure_of_a_turn_that_was_confirmed_at_once_ends_everything(kind: str) -> None:
    manners = replace(PESSIMISTIC, speculation_ms=0, incidents=(Incident("turn"),))
    client = Client(manners).open().ask(kind)
    assert client.kinds()[-1] == "close"
    assert client.mind.turns == []


def test_a_failure_of_an_injected_turn_ends_everything() -> None:
    client = Client(replace(PESSIMISTIC, incidents=(Incident("turn"),))).open()
    client.send("InjectUserMessage", content="hello")
    assert client.mind.turns == []
    assert client.session.over


def test_after_the_client_closed_not_one_more_frame_comes_and_the_ears_are_let_go() -> None:
    client = Client().open().ask("tell me something long").forget()
    client.session.closed(client.now_ms)
    client.wait(10_000)
    client.raw(b"\xff" * 160)
    client.session.closed(client.now_ms)
    assert client.log == []
    assert client.session.next_due_ms() is None
    ears = client.brain.ears
    assert isinstance(ears, ScriptedEars)
    assert ears.closed


def test_after_an_error_the_ears_are_let_go_and_frames_are_ignored() -> None:
    client = Client().open()
    client.raw("nonsense")
    client.forget().ask("hello")
    assert client.kinds() == ["close"]
    ears = client.brain.ears
    assert isinstance(ears, ScriptedEars)
    assert ears.closed


def test_two_sessions_share_nothing() -> None:
    one, two = Client(request_id="a").open(), Client(request_id="b").open()
    one.ask("look it up").quiet(300)
    two.ask("how are you").quiet(3_000)
    assert two.calls() == []
    assert one.frames() == []
    assert one.session.request_id != two.session.request_id


def test_a_custom_message_for_a_think_endpoint_is_taken_and_ignored() -> None:
    client = Client().open().forget()
    client.send("__customToThinkProvider", content={"any": [1]})
    assert client.log == []


def test_with_a_worker_the_voice_is_a_job_and_the_audio_of_a_dropped_job_is_ignored() -> None:
    client = Client()
    client.session = Session(client.brain, now_ms=START_MS, worker=True)
    client.open(greeting="Hello there").quiet(1_000)
    job = client.session.job()
    assert job is not None
    assert job.text == "Hello there"
    assert client.frames() == []
    client.session.spoken(job.number + 1, b"\x80" * 160, client.now_ms)
    client.say("stop").quiet(100)
    assert client.session.job() is None
    client.session.spoken(job.number, b"\x80" * 160, client.now_ms)
    client.send("InjectAgentMessage", message="Later", behavior="interrupt")
    client.quiet(700)
    job = client.session.job()
    assert job is not None
    client.session.spoken(job.number, client.brain.voice.speak(job.text), client.now_ms)
    assert client.quiet(2_000).spoken() == ["Later"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(
    [
        "Settings", "KeepAlive", "InjectUserMessage", "InjectAgentMessage", "FunctionCallResponse", "UpdatePrompt",
        "UpdateThink", "UpdateSpeak", "UpdateListen", "ForceEndTurn", "__customToThinkProvider", "Unheard",
    ]
)  # fmt: skip
FIELDS = st.sampled_from(
    ["content", "message", "behavior", "id", "name", "prompt", "think", "speak", "listen", "audio", "agent"]
)


@st.composite
def nearly_right(draw: st.DrawFn) -> str:
    body = {"type": draw(KINDS), **draw(st.dictionaries(FIELDS, st.text(max_size=5) | JSON, max_size=3))}
    return json.dumps(body)


@st.composite
def broken_settings(draw: st.DrawFn) -> str:
    """The usual Settings with something put somewhere into it."""
    body = settings()
    place = body
    while True:
        key = draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or not place[key] or draw(st.booleans()):
            break
        place = place[key]
    place[key] = draw(JSON)
    return json.dumps(body)


FRAMES = st.lists(
    st.text(max_size=20) | st.binary(max_size=200) | nearly_right() | broken_settings() | st.just(json.dumps(SETTINGS)),
    max_size=6,
)


@hypothesis_settings(max_examples=150, deadline=None)
@given(FRAMES, st.sampled_from(sorted(PRESETS)), st.booleans())
def test_whatever_is_received_nothing_is_raised_and_one_close_at_most_ends_it(
    frames: list[str | bytes], preset: str, opened: bool
) -> None:
    client = Client(PRESETS[preset])
    if opened:
        client.open()
    for frame in frames:
        client.raw(frame)
        client.wait(300)
    client.wait(1_000)
    assert len(client.closes()) <= 1
    assert not client.closes() or isinstance(client.log[-1][1], Close)


@pytest.mark.parametrize("frame", ["[" * 100_000, '{"type":' * 50_000, "9" * 10_000, '"\\ud800"', ""])
def test_monstrous_text_is_unparsable(frame: str) -> None:
    client = Client()
    client.raw(frame)
    assert client.error()["code"] == "UNPARSABLE_CLIENT_MESSAGE"


def test_half_a_surrogate_pair_is_echoed_in_ascii() -> None:
    client = Client().open()
    client.raw('{"type":"InjectUserMessage","content":"\\ud800 long"}')
    client.raw('{"type":"InjectAgentMessage","message":"\\ud800","behavior":"interrupt"}')
    client.quiet(5_000)
    assert client.texts("user") == ["\ud800 long"]
    for frame in client.session.outgoing():
        assert isinstance(frame, str)
        frame.encode("ascii")


def test_a_session_without_ears_of_its_own_keeps_the_settings_it_was_given() -> None:
    client = Client()
    assert client.session.settings == {}
    assert isinstance(client.brain, Brain)
    client.open()
    assert client.session.settings["type"] == "Settings"
