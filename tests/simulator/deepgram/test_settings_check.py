from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from simulator.deepgram.manners import PESSIMISTIC, TEXTBOOK, Manners
from tests.simulator.deepgram.driver import SETTINGS, Client, settings

Change = Callable[[dict[str, Any]], Any]
FLUX_VOICE = {"provider": {"type": "deepgram", "version": "v2", "model": "flux-kit-en"}}


def refusal(body: dict[str, Any], manners: Manners = PESSIMISTIC) -> tuple[str, str] | None:
    client = Client(manners)
    client.raw(json.dumps(body))
    errors = client.messages("Error")
    return (errors[0]["code"], errors[0]["description"]) if errors else None


def changed(change: Change) -> dict[str, Any]:
    body = copy.deepcopy(SETTINGS)
    change(body)
    return body


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda b: b["agent"]["think"].update(timeout=5), "agent.think"),
        (lambda b: b["agent"]["think"]["functions"][0].update(client_side=True), "agent.think.functions"),
        (lambda b: b["agent"]["think"]["functions"][0].update(url="https://x"), "agent.think.functions"),
        (lambda b: b["agent"].update(mip_opt_out=True), "agent"),
        (lambda b: b["agent"]["listen"]["provider"].update(endpointing=300), "agent.listen.provider"),
        (lambda b: b["agent"]["listen"]["provider"].update(language_hint="en"), "agent.listen.provider"),
        (lambda b: b["agent"]["think"].update(model="gpt"), "agent.think"),
        (lambda b: b["agent"]["think"]["provider"].update(endpoint={"url": "u"}), "agent.think.provider"),
        (lambda b: b["agent"]["speak"].update(voice_settings={}), "agent.speak"),
        (lambda b: b["agent"]["speak"]["provider"].update(language="en"), "agent.speak.provider"),
        (lambda b: b.update(unknown=1), "Settings"),
        (lambda b: b["flags"].update(other=True) if "flags" in b else b.update(flags={"other": True}), "flags"),
    ],
)
def test_an_unknown_key_is_refused_and_the_nearest_block_is_named(change: Change, path: str) -> None:
    code, description = refusal(changed(change)) or ("", "")
    assert code == "UNPARSABLE_CLIENT_MESSAGE"
    assert f"`{path}`" in description


@pytest.mark.parametrize("rate", [8000.0, "8000", True, -1, None])
def test_a_sample_rate_must_be_a_json_integer(rate: Any) -> None:
    code, description = refusal(changed(lambda b: b["audio"]["input"].update(sample_rate=rate))) or ("", "")
    assert code == "UNPARSABLE_CLIENT_MESSAGE"
    assert "`audio.input.sample_rate`" in description


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda b: b.pop("audio"), "Settings"),
        (lambda b: b.pop("agent"), "Settings"),
        (lambda b: b["audio"]["input"].pop("encoding"), "audio.input"),
        (lambda b: b["audio"]["input"].pop("sample_rate"), "audio.input"),
        (lambda b: b["audio"]["input"].update(encoding="pcm"), "audio.input.encoding"),
        (lambda b: b["audio"]["output"].update(encoding=7), "audio.output.encoding"),
        (lambda b: b.update(agent=7), "agent"),
        (lambda b: b.update(tags="phone"), "tags"),
        (lambda b: b.update(experimental="yes"), "experimental"),
        (lambda b: b["agent"].update(greeting=None), "agent.greeting"),
        (lambda b: b["agent"].update(listen={"provider": []}), "agent.listen.provider"),
        (lambda b: b["agent"]["think"]["provider"].update(type="unheard"), "agent.think.provider"),
        (lambda b: b["agent"]["think"]["provider"].update(type=["list"]), "agent.think.provider"),
        (lambda b: b["agent"]["think"]["provider"].update(temperature=float("nan")), "agent.think.provider.temp"),
        (lambda b: b["agent"]["think"].update(functions={}), "agent.think.functions"),
        (lambda b: b["agent"]["think"]["functions"][0].update(parameters=[]), "agent.think.functions.parameters"),
    ],
)
def test_a_missing_or_wrong_value_is_refused_with_its_path(change: Change, path: str) -> None:
    code, description = refusal(changed(change)) or ("", "")
    assert code == "UNPARSABLE_CLIENT_MESSAGE"
    assert f"`{path}" in description


def output(voice: dict[str, Any], **fields: Any) -> dict[str, Any]:
    body = settings(speak=voice)
    body["audio"]["output"] = fields
    return body


@pytest.mark.parametrize(
    "fields",
    [
        {"encoding": "mp3"},
        {"encoding": "linear16", "container": "wav"},
        {"encoding": "linear16", "bitrate": 32000},
        {"encoding": "mulaw", "sample_rate": 44100},
    ],
)
def test_a_flux_voice_takes_no_compressed_audio_container_bitrate_or_odd_rate(fields: dict[str, Any]) -> None:
    code, _ = refusal(output(FLUX_VOICE, **fields)) or ("", "")
    assert code == "INVALID_SETTINGS"


def test_an_aura_voice_takes_mp3_with_a_bitrate() -> None:
    assert refusal(output(SETTINGS["agent"]["speak"], encoding="mp3", bitrate=48000)) is None


LISTEN = {"type": "deepgram", "version": "v2", "model": "flux-general-en"}


@pytest.mark.parametrize(
    "provider",
    [
        {"type": "deepgram", "model": "flux-general-en"},
        {"type": "deepgram", "version": "v2", "model": "nova-3"},
        {**LISTEN, "eager_eot_threshold": 0.8, "eot_threshold": 0.7},
        {**LISTEN, "eot_threshold": 0.4},
        {**LISTEN, "eot_timeout_ms": 499},
        {**LISTEN, "language_hints": ["en"]},
    ],
)
def test_a_listen_provider_that_parses_but_cannot_be_is_invalid(provider: dict[str, Any]) -> None:
    code, _ = refusal(settings(listen={"provider": provider})) or ("", "")
    assert code == "INVALID_SETTINGS"


OPEN_AI = {"type": "open_ai", "model": "m"}


@pytest.mark.parametrize(
    "think",
    [
        [],
        {"provider": {"type": "groq", "model": "openai/gpt-oss-20b"}},
        {"provider": {**OPEN_AI, "temperature": 2.5}},
        {"provider": {"type": "anthropic", "model": "m", "temperature": 1.5}},
        {"provider": OPEN_AI, "context_length": "max"},
        {"provider": OPEN_AI, "functions": [{"name": "a"}, {"name": "a"}]},
    ],
)
def test_a_think_block_that_parses_but_cannot_be_is_invalid(think: Any) -> None:
    code, _ = refusal(settings(think=think)) or ("", "")
    assert code == "INVALID_SETTINGS"


@pytest.mark.parametrize(
    "speak",
    [
        [],
        {"provider": {"type": "deepgram", "model": "flux-kit-en"}},
        {"provider": {"type": "eleven_labs", "model_id": "m"}},
    ],
)
def test_a_speak_block_that_parses_but_cannot_be_is_invalid(speak: Any) -> None:
    code, _ = refusal(settings(speak=speak)) or ("", "")
    assert code == "INVALID_SETTINGS"


def test_a_flux_model_takes_only_some_input_encodings() -> None:
    body = changed(lambda b: b["audio"].update(input={"encoding": "g729", "sample_rate": 8000}))
    assert (refusal(body) or ("",))[0] == "INVALID_SETTINGS"


@pytest.mark.parametrize(
    "agent",
    [
        {"listen": None, "think": None, "speak": None},
        {"listen": {"provider": {"type": "deepgram", "model": "nova-3", "language": "multi", "smart_format": True}}},
        {"listen": {"provider": {**LISTEN, "model": "flux-general-multi", "language_hints": ["en", "es"]}}},
        {"think": [{"provider": OPEN_AI}, {"provider": {"type": "google"}, "endpoint": {"url": "u", "headers": {}}}]},
        {"think": {"provider": OPEN_AI, "endpoint": {"url": "u", "headers": {"a": "b"}}, "context_length": 4000}},
        {
            "speak": [
                FLUX_VOICE,
                {"provider": {"type": "cartesia", "model_id": "m", "voice": {"mode": "id", "id": "v"}}},
            ]
        },
    ],
)
def test_every_documented_form_of_agent_is_accepted(agent: dict[str, Any]) -> None:
    body = settings(**agent)
    body["audio"]["output"]["encoding"] = "linear16"
    assert refusal({**body, "tags": ["phone"], "mip_opt_out": True, "flags": {"history": False}}) is None


def test_a_field_of_the_wrong_kind_in_an_alternative_is_refused() -> None:
    think = {"provider": OPEN_AI, "endpoint": {"url": "u"}, "context_length": "min"}
    assert (refusal(settings(think=think)) or ("",))[0] == "UNPARSABLE_CLIENT_MESSAGE"


def test_agent_language_is_refused_with_flux_ears_and_an_aura_voice_unless_switched_off() -> None:
    assert (refusal(settings(language="en")) or ("",))[0] == "UNPARSABLE_CLIENT_MESSAGE"
    assert refusal(settings(language="en", speak=FLUX_VOICE)) is None
    assert refusal(settings(language="en"), TEXTBOOK) is None


def test_a_service_from_before_defer_until_eot_refuses_the_key() -> None:
    assert (refusal(settings(), replace(PESSIMISTIC, knows_defer=False)) or ("",))[0] == "UNPARSABLE_CLIENT_MESSAGE"
