from __future__ import annotations

import pytest

from tests.definition.conftest import Loaded, Problems, text

OPEN_AI = "provider: {type: open_ai, model: gpt-4o-mini}"
OWN = "endpoint: {url: https://llm.example/v1/chat/completions}"
BEDROCK = (
    "provider: {type: aws_bedrock, model: nova-lite, credentials: {type: sts, region: us-east-1, "
    "access_key_id: '${secret:a}', secret_access_key: '${secret:b}', session_token: '${secret:c}'}}"
)
TYPES = "expected one of open_ai, anthropic, google, groq, aws_bedrock, deepgram"


@pytest.mark.parametrize(
    "think",
    [
        "provider: {type: open_ai, version: v1, model: gpt-5.4-mini, temperature: 2, reasoning_mode: low}",
        f"{OPEN_AI}, {OWN}, context_length: max",
        f"{OPEN_AI}, {OWN}, context_length: 20000",
        "provider: {type: anthropic, model: claude-haiku-4-5, temperature: 1}",
        "provider: {type: google, version: v1beta, model: gemini-3.5-flash}",
        f"provider: {{type: google}}, {OWN}",
        f"provider: {{type: groq, model: openai/gpt-oss-20b}}, {OWN}",
        f"{BEDROCK}, {OWN}",
        "provider: {type: deepgram, model: think-fast, voice_prompt_opt_out: true}",
    ],
)
def test_every_provider_of_language_models_is_taken(loaded: Loaded, think: str) -> None:
    assert len(loaded(think=f"{{{think}}}").think) == 1


def test_endpoint_and_context_length_are_read(loaded: Loaded) -> None:
    (entry,) = loaded(think=f"{{{OPEN_AI}, {OWN}, context_length: max}}").think
    assert entry.endpoint is not None
    assert entry.endpoint.url == "https://llm.example/v1/chat/completions"
    assert entry.context_length == "max"


@pytest.mark.parametrize(
    ("think", "sentence"),
    [
        ("provider: {model: x}", f"provider.type: {TYPES}, found nothing"),
        ("provider: {type: openai}", f"provider.type: {TYPES} (did you mean open_ai?), found 'openai'"),
        ("provider: {type: nvidia, model: x}", f"provider.type: {TYPES}, found 'nvidia'"),
        (
            "provider: {type: open_ai, model: x, temperature: 3}",
            "provider.temperature: expected a number from 0 to 2, found 3",
        ),
        (
            "provider: {type: anthropic, model: x, temperature: 1.5}",
            "provider.temperature: expected a number from 0 to 1, found 1.5",
        ),
        (
            "provider: {type: open_ai}",
            "provider.model: expected the provider's name of a model, found nothing",
        ),
        (
            "provider: {type: open_ai, model: x, endpoint: {url: https://a.example}}",
            "provider.endpoint: expected endpoint beside provider, not in it, found 'endpoint'",
        ),
        (
            "provider: {type: open_ai, model: x, modell: y}",
            "provider.modell: expected a known key (did you mean model?), found 'modell'",
        ),
        (f"{OPEN_AI}, model: x", "model: expected it under provider, found 'model'"),
        (f"{OPEN_AI}, timeout: 5", "timeout: expected no such key (Deepgram refuses it), found 'timeout'"),
        (
            f"{OPEN_AI}, prompt: x",
            "prompt: expected prompt at the top of the file, for every model, found 'prompt'",
        ),
        (
            "provider: {type: groq, model: x}",
            "endpoint: expected an endpoint with url and headers, which groq needs, found nothing",
        ),
        (BEDROCK, "endpoint: expected an endpoint with url and headers, which aws_bedrock needs, found nothing"),
        (
            f"provider: {{type: deepgram, model: x}}, {OWN}",
            "endpoint: expected no endpoint next to a model that Deepgram hosts, found one",
        ),
        (
            f"{OPEN_AI}, context_length: max",
            "context_length: expected an endpoint next to it (managed models take none), found no endpoint",
        ),
        (
            f"{OPEN_AI}, {OWN}, context_length: 0",
            "context_length: expected max, or a whole number of characters, found 0",
        ),
        (
            f"{OPEN_AI}, {OWN}, context_length: true",
            "context_length: expected max, or a whole number of characters, found true",
        ),
        (
            "provider: {type: google}",
            "provider.model: expected the provider's name of a model, found nothing",
        ),
        (
            f"provider: {{type: google, model: x}}, {OWN}",
            "provider.model: expected the model in endpoint.url only, next to an endpoint, found it here too",
        ),
        (OWN, "provider: expected a provider with type and model, found nothing"),
    ],
)
def test_a_field_that_deepgram_refuses_is_refused_first(problems: Problems, think: str, sentence: str) -> None:
    assert problems(text(think=f"{{{think}}}")) == [f"shop.yaml:6: think.{sentence}"]


def test_a_problem_in_a_list_of_models_names_the_place(problems: Problems) -> None:
    think = f"\n  - {{{OPEN_AI}}}\n  - {{{OPEN_AI}, functions: []}}"
    assert problems(text(think=think)) == [
        "shop.yaml:8: think[1].functions: expected functions at the top of the file, for every model, found 'functions'"
    ]


def test_a_prompt_for_a_managed_model_has_25000_characters_at_most(loaded: Loaded, problems: Problems) -> None:
    assert len(loaded(prompt="x" * 25_000).prompt) == 25_000
    assert len(loaded(prompt="x" * 25_001, think=f"{{{OPEN_AI}, {OWN}}}").prompt) == 25_001
    assert problems(text(prompt="x" * 25_001)) == [
        "shop.yaml:4: prompt: expected at most 25,000 characters for a model without endpoint, found 25,001"
    ]
    assert len(problems(text(prompt="x" * 25_001, think=f"[{{{OPEN_AI}, {OWN}}}, {{{OPEN_AI}}}]"))) == 1
