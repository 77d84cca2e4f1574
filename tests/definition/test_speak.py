from __future__ import annotations

import pytest

from tests.definition.conftest import Loaded, Problems, text

ELEVEN = "{provider: {type: eleven_labs, model_id: eleven_turbo}, endpoint: {url: '%s'}}"
DEEPGRAM = "{provider: {type: deepgram, %s}}"
POLLY = (
    "{provider: {type: aws_polly, voice: Joanna, language: en-US, engine: neural, credentials: "
    "{type: iam, region: us-east-1, access_key_id: '${secret:a}', secret_access_key: '${secret:b}'}}, "
    "endpoint: {url: https://polly.example}}"
)


def test_the_version_of_a_known_family_is_filled_in(loaded: Loaded) -> None:
    assert loaded(speak=DEEPGRAM % "model: aura-2-thalia-en").speak[0].provider == {
        "type": "deepgram",
        "version": "v1",
        "model": "aura-2-thalia-en",
    }
    assert loaded(speak=DEEPGRAM % "model: flux-kit-en, speed: 1.25").speak[0].provider["version"] == "v2"


def test_several_voices_are_read_in_their_order(loaded: Loaded) -> None:
    speak = f"[{DEEPGRAM % 'model: flux-kit-en, version: v2'}, {DEEPGRAM % 'model: aura-2-thalia-en, version: v1'}]"
    models = [entry.provider["model"] for entry in loaded(speak=speak).speak]
    assert models == ["flux-kit-en", "aura-2-thalia-en"]


@pytest.mark.parametrize(
    "speak",
    [
        ELEVEN % "wss://api.elevenlabs.io/v1/text-to-speech/x/multi-stream-input",
        ELEVEN % "https://api.elevenlabs.io/v1/text-to-speech/x?optimize=1",
        "{provider: {type: cartesia, model_id: sonic, voice: {mode: id, id: a1}, volume: 1}}",
        "{provider: {type: open_ai, model: tts-1, voice: alloy}, endpoint: {url: https://api.openai.com/v1/audio/speech}}",
        POLLY,
        "{provider: {type: deepgram, model: aura-2-thalia-en}, endpoint: {url: https://own.example}}",
    ],
)
def test_every_provider_of_voices_is_taken(loaded: Loaded, speak: str) -> None:
    assert len(loaded(speak=speak).speak) == 1


@pytest.mark.parametrize(
    ("speak", "sentence"),
    [
        (
            DEEPGRAM % "model: aura-2-thalia-en, language: en",
            "provider.language: expected no such key (the language of a Deepgram voice is part of the model's name), "
            "found 'language'",
        ),
        (
            DEEPGRAM % "model: aura-2-thalia-en, version: v2",
            "provider.model: expected a model that begins with flux-, such as flux-kit-en, found 'aura-2-thalia-en'",
        ),
        (
            DEEPGRAM % "model: flux-kit-en, version: v1",
            "provider.model: expected a model that begins with aura-, such as aura-2-thalia-en, found 'flux-kit-en'",
        ),
        (
            DEEPGRAM % "model: flux-kit-en, version: v3",
            "provider.version: expected v1 (Aura voices) or v2 (Flux voices), found 'v3'",
        ),
        (
            DEEPGRAM % "model: thalia",
            "provider.version: expected v1 or v2, since the model 'thalia' does not tell, found nothing",
        ),
        (
            DEEPGRAM % "speed: 1",
            "provider.model: expected a model that begins with aura-, such as aura-2-thalia-en, found nothing",
        ),
        (
            DEEPGRAM % "model: aura-2-thalia-en, speed: 0.6",
            "provider.speed: expected a number from 0.7 to 1.5, found 0.6",
        ),
        (
            DEEPGRAM % "model: flux-kit-en, speed: 1.01",
            "provider.speed: expected a number from 0.5 to 1.5 in steps of 0.05, found 1.01",
        ),
        (
            DEEPGRAM % "model: flux-kit-en, expressivity: 3",
            "provider.expressivity: expected a number from -2 to 2, found 3",
        ),
        (
            "{provider: {model: x}}",
            "provider.type: expected one of deepgram, eleven_labs, cartesia, open_ai, aws_polly, found nothing",
        ),
        (
            "{provider: {type: elevenlabs}}",
            "provider.type: expected one of deepgram, eleven_labs, cartesia, open_ai, aws_polly "
            "(did you mean eleven_labs?), found 'elevenlabs'",
        ),
        (
            "{provider: {type: [x]}}",
            "provider.type: expected one of deepgram, eleven_labs, cartesia, open_ai, aws_polly, found a list",
        ),
        (
            "{provider: {type: eleven_labs, model_id: x}}",
            "endpoint: expected an endpoint with url and headers, which eleven_labs needs, found nothing",
        ),
        (
            ELEVEN % "https://api.elevenlabs.io/v1?output_format=",
            "endpoint.url: expected a URL without output_format and model_id (Deepgram adds them), found output_format",
        ),
        (
            "{provider: {type: deepgram, model: aura-2-thalia-en}, endpoint: {url: wss://own.example}}",
            "endpoint.url: expected a URL that begins with https:// (wss is for eleven_labs), found wss://",
        ),
        (
            "{provider: {type: deepgram, model: aura-2-thalia-en}, endpoint: {url: ws://own.example}}",
            "endpoint.url: expected a full URL that begins with https:// or wss://, found something else",
        ),
        (
            "{provider: {type: deepgram, model: aura-2-thalia-en}, voice_settings: {}}",
            "voice_settings: expected no such key (Deepgram refuses it), found 'voice_settings'",
        ),
        (
            POLLY.replace("language:", "language_code:"),
            "provider.language_code: expected language (the older name is language_code), found 'language_code'",
        ),
    ],
)
def test_a_field_that_deepgram_refuses_is_refused_first(problems: Problems, speak: str, sentence: str) -> None:
    assert problems(text(speak=speak))[0] == f"shop.yaml:7: speak.{sentence}"


def test_a_problem_in_a_list_of_voices_names_the_place(problems: Problems) -> None:
    speak = f"\n  - {DEEPGRAM % 'model: flux-kit-en'}\n  - {DEEPGRAM % 'model: aura-2-thalia-en, speed: fast'}"
    assert problems(text(speak=speak)) == [
        "shop.yaml:9: speak[1].provider.speed: expected a number from 0.7 to 1.5, found 'fast'"
    ]
