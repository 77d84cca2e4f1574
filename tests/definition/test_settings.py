from __future__ import annotations

import json

import pytest

from contract.turns import Role
from definition import SecretMissing
from definition.settings import history, settings
from tests.definition.conftest import Loaded

OWN = (
    "{provider: {type: open_ai, model: x}, endpoint: {url: https://a.example, "
    "headers: {authorization: 'Bearer ${secret:llm}'}}, context_length: 9000}"
)
POLLY = (
    "{provider: {type: aws_polly, voice: Joanna, language: en-US, engine: neural, credentials: "
    "{type: iam, region: us-east-1, access_key_id: '${secret:a}', secret_access_key: '${secret:b}'}}, "
    "endpoint: {url: https://polly.example}}"
)


def test_a_small_definition_becomes_exactly_these_settings(loaded: Loaded) -> None:
    message = settings(loaded(), greeting=None)
    functions = message["agent"]["think"].pop("functions")
    assert [function["name"] for function in functions] == ["transfer_to_human", "end_call"]
    assert message == {
        "type": "Settings",
        "mip_opt_out": False,
        "flags": {"history": False},
        "audio": {
            "input": {"encoding": "mulaw", "sample_rate": 8000},
            "output": {"encoding": "mulaw", "sample_rate": 8000, "container": "none"},
        },
        "agent": {
            "context": {"messages": [{"type": "History", "role": "assistant", "content": "Good day."}]},
            "listen": {"provider": {"type": "deepgram", "version": "v2", "model": "flux-general-en"}},
            "think": {"provider": {"type": "open_ai", "model": "gpt-4o-mini"}, "prompt": "Be brief."},
            "speak": {"provider": {"type": "deepgram", "version": "v1", "model": "aura-2-thalia-en"}},
        },
    }


def test_tags_are_sent_where_there_are_any(loaded: Loaded) -> None:
    assert settings(loaded("tags: [a, b]\nmip_opt_out: true\n"), greeting=None)["tags"] == ["a", "b"]


def test_a_greeting_takes_the_place_of_the_opening_in_the_context(loaded: Loaded) -> None:
    agent = settings(loaded(), greeting="Good day.")["agent"]
    assert agent["greeting"] == "Good day."
    assert "context" not in agent


def test_a_resumed_call_has_its_own_context_and_no_greeting(loaded: Loaded) -> None:
    earlier = [history(Role.VOICE_AGENT, "Good day."), history(Role.CALLER, "Hello?")]
    agent = settings(loaded(), greeting=None, context_messages=earlier)["agent"]
    assert agent["context"]["messages"] == earlier
    assert [message["role"] for message in earlier] == ["assistant", "user"]
    assert "greeting" not in agent


def test_a_greeting_together_with_context_is_refused(loaded: Loaded) -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        settings(loaded(), greeting="x", context_messages=[history(Role.CALLER, "y")])


def test_the_input_can_be_linear16_and_the_output_stays(loaded: Loaded) -> None:
    audio = settings(loaded(), greeting=None, input_encoding="linear16")["audio"]
    assert audio["input"] == {"encoding": "linear16", "sample_rate": 8000}
    assert audio["output"]["encoding"] == "mulaw"


def test_prompt_and_functions_are_repeated_in_each_language_model(loaded: Loaded) -> None:
    think = f"[{OWN}, {{provider: {{type: anthropic, model: y}}}}]"
    definition = loaded("functions: {find: {description: Find it}}\n", think=think)
    first, second = settings(definition, greeting=None, secrets={"llm": "k"})["agent"]["think"]
    assert first["prompt"] == second["prompt"] == "Be brief."
    assert first["functions"] == second["functions"]
    assert [function["name"] for function in second["functions"]] == ["find", "transfer_to_human", "end_call"]


def test_deferral_can_be_left_out_for_a_deepgram_that_does_not_know_it(loaded: Loaded) -> None:
    assert "defer_until_eot" in json.dumps(settings(loaded(), greeting=None))
    assert "defer_until_eot" not in json.dumps(settings(loaded(), greeting=None, deferral=False))


def test_secrets_stand_where_they_are_referred_to(loaded: Loaded) -> None:
    definition = loaded(think=OWN, speak=POLLY)
    agent = settings(definition, greeting=None, secrets={"llm": "k1", "a": "k2", "b": "k3"})["agent"]
    assert agent["think"]["endpoint"] == {"url": "https://a.example", "headers": {"authorization": "Bearer k1"}}
    assert agent["think"]["context_length"] == 9000
    assert agent["speak"]["endpoint"] == {"url": "https://polly.example", "headers": {}}
    assert agent["speak"]["provider"]["credentials"] == {
        "type": "iam",
        "region": "us-east-1",
        "access_key_id": "k2",
        "secret_access_key": "k3",
    }


def test_a_secret_without_a_value_is_refused(loaded: Loaded) -> None:
    with pytest.raises(SecretMissing):
        settings(loaded(think=OWN), greeting=None)


def test_a_reference_in_the_prompt_stays_text(loaded: Loaded) -> None:
    definition = loaded(prompt="Say ${secret:llm}.", think=OWN)
    assert settings(definition, greeting=None, secrets={"llm": "k"})["agent"]["think"]["prompt"] == "Say ${secret:llm}."


def test_the_message_shares_nothing_with_the_definition(loaded: Loaded) -> None:
    definition = loaded("functions: {find: {description: Find it}}\n")
    before = settings(definition, greeting=None)
    settings(definition, greeting=None)["agent"]["think"]["functions"][0]["parameters"]["x"] = 1
    assert settings(definition, greeting=None) == before


def test_whole_numbers_stay_whole(loaded: Loaded) -> None:
    listen = "{provider: {type: deepgram, model: flux-general-en, eot_timeout_ms: 5000}}"
    text = json.dumps(settings(loaded(listen=listen), greeting=None))
    assert '"eot_timeout_ms": 5000}' in text
    assert text.count('"sample_rate": 8000,') + text.count('"sample_rate": 8000}') == 2
