from __future__ import annotations

import pytest

from tests.definition.conftest import Loaded, Problems, text


def provider(fields: str) -> str:
    return "{provider: {type: deepgram, " + fields + "}}"


def test_the_version_of_a_known_family_is_filled_in(loaded: Loaded) -> None:
    assert loaded(listen=provider("model: flux-general-en")).listen == {
        "type": "deepgram",
        "version": "v2",
        "model": "flux-general-en",
    }
    assert loaded(listen=provider("model: nova-3")).listen["version"] == "v1"


def test_a_nova_model_hears_the_language_of_the_definition_unless_told_otherwise(loaded: Loaded) -> None:
    assert loaded(listen=provider("model: nova-3"), language="en-US").listen["language"] == "en-US"
    assert loaded(listen=provider("model: nova-3, language: multi")).listen["language"] == "multi"


def test_every_field_of_both_versions_is_taken(loaded: Loaded) -> None:
    flux = (
        "model: flux-general-multi, version: v2, language_hints: [en, de], eot_threshold: 0.8, "
        "eager_eot_threshold: 0.8, eot_timeout_ms: 5000, keyterms: [Alder]"
    )
    assert loaded(listen=provider(flux)).listen == {
        "type": "deepgram",
        "version": "v2",
        "model": "flux-general-multi",
        "language_hints": ["en", "de"],
        "eot_threshold": 0.8,
        "eager_eot_threshold": 0.8,
        "eot_timeout_ms": 5000,
        "keyterms": ["Alder"],
    }
    nova = "model: nova-3, version: v1, language: de, keyterms: [Alder], smart_format: true"
    assert loaded(listen=provider(nova)).listen["smart_format"] is True
    assert loaded(listen=provider("model: my-own-model, version: v1")).listen["model"] == "my-own-model"


@pytest.mark.parametrize(
    ("fields", "key", "sentence"),
    [
        ("model: flux-general-en, version: v1", "version", "expected v2 next to the model flux-general-en, found v1"),
        ("model: nova-3, version: v2", "version", "expected v1 next to the model nova-3, found v2"),
        ("model: nova-3, version: 2", "version", "expected v1 (Nova models) or v2 (Flux models), found 2"),
        ("model: nova-3, version: [v1]", "version", "expected v1 (Nova models) or v2 (Flux models), found a list"),
        (
            "model: nova3",
            "version",
            "expected v1 or v2, since the model 'nova3' does not tell (did you mean nova-3?), found nothing",
        ),
        ("version: v1", "model", "expected a model such as nova-3, found nothing"),
        ("version: v2", "model", "expected a model such as flux-general-en, found nothing"),
        ("keyterms: [a]", "model", "expected a model such as nova-3, found nothing"),
        ("model: flux-general-en, eot_threshold: 0.4", "eot_threshold", "expected a number from 0.5 to 0.9, found 0.4"),
        (
            "model: flux-general-en, eager_eot_threshold: 0.2",
            "eager_eot_threshold",
            "expected a number from 0.3 to 0.9, found 0.2",
        ),
        (
            "model: flux-general-en, eot_threshold: 0.6, eager_eot_threshold: 0.65",
            "eager_eot_threshold",
            "expected at most eot_threshold (0.6), found 0.65",
        ),
        (
            "model: flux-general-en, eager_eot_threshold: 0.8",
            "eager_eot_threshold",
            "expected at most eot_threshold (0.7), found 0.8",
        ),
        (
            "model: flux-general-en, eot_timeout_ms: 5000.0",
            "eot_timeout_ms",
            "expected a whole number from 500 to 10000, found 5000.0",
        ),
        (
            "model: flux-general-en, eot_timeout_ms: 60000",
            "eot_timeout_ms",
            "expected a whole number from 500 to 10000, found 60000",
        ),
        (
            "model: flux-general-en, language_hints: [en]",
            "language_hints",
            "expected the model flux-general-multi next to it, found flux-general-en",
        ),
        (
            "model: flux-general-multi, language_hint: en",
            "language_hint",
            "expected language_hints, a list (Deepgram refuses the old name), found 'language_hint'",
        ),
        (
            "model: flux-general-en, smart_format: true",
            "smart_format",
            "expected no such key next to a Flux model, found 'smart_format'",
        ),
        (
            "model: flux-general-en, language: en",
            "language",
            "expected language_hints with the model flux-general-multi (Flux takes no language), found 'language'",
        ),
        (
            "model: nova-3, eot_threshold: 0.7",
            "eot_threshold",
            "expected no such key next to a Nova model, found 'eot_threshold'",
        ),
        (
            "model: nova-3, endpointing: 300",
            "endpointing",
            "expected no such key (a Voice Agent has none; Flux has eot_threshold and eot_timeout_ms), "
            "found 'endpointing'",
        ),
        (
            "model: nova-2, keyterms: [a]",
            "keyterms",
            "expected a nova-3 or flux model next to keyterms, found nova-2",
        ),
    ],
)
def test_a_field_that_deepgram_refuses_is_refused_first(
    problems: Problems, fields: str, key: str, sentence: str
) -> None:
    assert problems(text(listen=provider(fields))) == [f"shop.yaml:5: listen.provider.{key}: {sentence}"]


def test_only_deepgram_listens(problems: Problems) -> None:
    listen = "\n  provider:\n    type: whisper\n    model: nova-3"
    assert problems(text(listen=listen)) == ["shop.yaml:7: listen.provider.type: expected deepgram, found 'whisper'"]


def test_listen_is_a_mapping_with_provider(problems: Problems) -> None:
    assert problems(text(listen="flux-general-en")) == [
        "shop.yaml:5: listen: expected a mapping with provider, found 'flux-general-en'"
    ]
    assert problems(text(listen="{model: nova-3}")) == [
        "shop.yaml:5: listen.model: expected provider.model, found 'model'",
        "shop.yaml:5: listen.provider: expected a provider with type and model, found nothing",
    ]
