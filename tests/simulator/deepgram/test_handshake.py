from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from simulator.deepgram.manners import PESSIMISTIC, TEXTBOOK, Manners
from tests.simulator.deepgram.driver import SETTINGS, Client, settings, textbook

AGENT_ID = "0b0f1f0e-5a43-4c55-9a55-3f0a5b0a7a11"
GREETING = "Good morning. How can I help?"


def by_id(agent: str) -> str:
    return json.dumps({**SETTINGS, "agent": agent})


def test_welcome_comes_at_once_with_the_request_id_and_nothing_is_needed_for_it() -> None:
    client = Client(request_id=AGENT_ID)
    assert client.messages()[0]["type"] == "Welcome"
    assert client.messages()[0]["request_id"] == AGENT_ID == client.session.request_id


def test_settings_are_applied_exactly_once() -> None:
    client = Client().open()
    assert client.kinds() == ["Welcome", "SettingsApplied"]


def test_settings_that_were_sent_before_welcome_was_read_are_accepted() -> None:
    client = Client()
    client.forget()
    assert client.open().kinds() == ["SettingsApplied"]


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "KeepAlive"},
        {"type": "InjectUserMessage", "content": "hello"},
        {"type": "ForceEndTurn"},
    ],
)
def test_a_first_message_that_is_not_settings_ends_the_session(frame: dict[str, Any]) -> None:
    client = Client()
    client.raw(json.dumps(frame))
    client.wait(100)
    assert client.error()["code"] == "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS"
    assert client.kinds()[-1] == "close"


def test_audio_before_settings_is_the_same_error() -> None:
    client = Client()
    client.raw(b"\xff" * 160)
    assert client.error()["code"] == "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS"


def test_audio_before_settings_can_be_ignored_instead() -> None:
    client = Client(replace(PESSIMISTIC, early_audio="ignored"))
    client.raw(b"\xff" * 160)
    assert client.open().kinds() == ["Welcome", "SettingsApplied"]


def test_an_injection_between_settings_and_settings_applied_is_the_same_error_but_keepalive_is_not() -> None:
    client = Client()
    client.raw(json.dumps(settings()))
    client.send("KeepAlive")
    assert not client.messages("Error")
    client.send("InjectUserMessage", content="hello")
    assert client.error()["code"] == "NON_SETTINGS_MESSAGE_BEFORE_SETTINGS"


def test_without_settings_the_session_times_out_and_the_description_asks_for_them() -> None:
    client = Client().wait(9_990)
    assert not client.messages("Error")
    client.wait(100)
    assert client.error()["code"] == "CLIENT_MESSAGE_TIMEOUT"
    assert "Settings" in client.error()["description"]
    assert client.kinds()[-1] == "close"


def test_limits_follow_the_time_scale() -> None:
    assert Client(Manners(time_scale=60)).wait(200).error()["code"] == "CLIENT_MESSAGE_TIMEOUT"


def test_a_second_settings_ends_the_session() -> None:
    client = Client().open()
    client.raw(json.dumps(settings()))
    client.wait(50)
    assert client.error()["code"] == "SETTINGS_ALREADY_APPLIED"
    assert client.kinds()[-1] == "close"


def test_a_second_settings_can_leave_the_session_open() -> None:
    client = Client(replace(PESSIMISTIC, second_settings_closes=False)).open()
    client.raw(json.dumps(settings()))
    client.quiet(100)
    assert client.error()["code"] == "SETTINGS_ALREADY_APPLIED"
    assert not client.closes()


def test_a_stored_agent_is_used_by_its_id() -> None:
    client = textbook(agents={AGENT_ID: settings(greeting="Hello from the store")["agent"]})
    client.raw(by_id(AGENT_ID))
    client.quiet(3000)
    assert client.spoken() == ["Hello from the store"]
    assert client.mind.settings["agent"]["greeting"] == "Hello from the store"


@pytest.mark.parametrize(
    ("manners", "agent", "code"),
    [
        (TEXTBOOK, AGENT_ID, "INVALID_AGENT_ID"),
        (PESSIMISTIC, AGENT_ID, "INTERNAL_SERVER_ERROR"),
        (PESSIMISTIC, "no id at all", "INVALID_AGENT_ID"),
        (replace(PESSIMISTIC, knows_agent_ids=False), AGENT_ID, "AGENT_ID_NOT_SUPPORTED"),
    ],
)
def test_an_agent_id_that_cannot_be_resolved_is_an_error(manners: Manners, agent: str, code: str) -> None:
    client = Client(manners)
    client.raw(by_id(agent))
    assert client.error()["code"] == code


@pytest.mark.parametrize("code", [1000, 1005, None])
def test_the_close_after_an_error_has_a_status_none_or_is_a_drop(code: int | None) -> None:
    client = Client(replace(PESSIMISTIC, close_code=code))
    client.raw("nonsense")
    client.wait(10)
    [close] = client.closes()
    assert close.code == code
    assert client.session.over


@pytest.mark.parametrize(
    ("order", "kinds"),
    [
        ("text-applied-audio", ["ConversationText", "SettingsApplied", "audio"]),
        ("applied-audio-text", ["SettingsApplied", "audio", "ConversationText"]),
        ("applied-text-audio", ["SettingsApplied", "ConversationText", "audio"]),
    ],
)
def test_the_parts_of_a_greeting_come_in_three_orders(order: Any, kinds: list[str]) -> None:
    client = Client(replace(TEXTBOOK, greeting_order=order)).open(greeting=GREETING).quiet(1000)
    found = client.kinds("Welcome", "History")
    assert list(dict.fromkeys(found)) == [*kinds, "AgentAudioDone"]


def test_without_a_greeting_nothing_is_said_until_somebody_speaks() -> None:
    assert Client().open().quiet(5000).kinds() == ["Welcome", "SettingsApplied"]


@pytest.mark.parametrize("order", ["text-applied-audio", "applied-audio-text", "applied-text-audio"])
def test_a_greeting_is_spoken_once_and_verbatim(order: Any) -> None:
    client = Client(replace(PESSIMISTIC, greeting_order=order)).open(greeting=GREETING).quiet(4000)
    assert " ".join(client.spoken()) == GREETING
    assert " ".join(client.texts("assistant")) == GREETING


def test_earlier_messages_are_accepted_in_both_shapes_and_reach_the_mind() -> None:
    messages = [
        {"type": "History", "role": "user", "content": "Where is it?"},
        {
            "type": "History",
            "function_calls": [{"id": "a", "name": "b", "client_side": True, "arguments": "{}", "response": "{}"}],
        },
    ]
    client = Client().open(context={"messages": messages})
    assert client.mind.settings["agent"]["context"]["messages"] == messages


def test_a_malformed_earlier_message_is_an_error() -> None:
    client = Client().open(context={"messages": [{"role": "user", "content": "no type"}]})
    assert client.error()["code"] == "UNPARSABLE_CLIENT_MESSAGE"


def test_a_prompt_that_is_too_long_is_cut_with_a_warning() -> None:
    think = {"provider": {"type": "open_ai", "model": "m"}, "prompt": "x" * 25_001}
    client = Client().open(think=think)
    assert client.codes() == ["PROMPT_TOO_LONG"]
    assert len(client.session.settings["agent"]["think"]["prompt"]) == 25_000


def test_a_prompt_for_an_llm_of_ones_own_has_no_limit() -> None:
    think = {"provider": {"type": "open_ai", "model": "m"}, "prompt": "x" * 25_001, "endpoint": {"url": "https://l"}}
    assert Client().open(think=think).codes() == []


def test_an_input_that_the_stand_in_cannot_hear_fails_to_start_listening() -> None:
    body = settings()
    body["audio"]["input"] = {"encoding": "alaw", "sample_rate": 8000}
    client = Client()
    client.raw(json.dumps(body))
    assert client.error()["code"] == "FAILED_TO_START_LISTENING"


def test_an_unknown_message_comes_after_settings_applied_and_known_ones_carry_unknown_fields() -> None:
    client = Client().open()
    assert client.messages("QualityReportNobodyHasHeardOf")
    assert "x_unheard_of" in client.messages("SettingsApplied")[0]
    assert textbook().open().messages("SettingsApplied") == [{"type": "SettingsApplied"}]
