"""`speak`: the fields that Deepgram takes for each provider of voices, and no other.

Source: the published Voice Agent schema. `language` on a Deepgram voice is refused by the service: it is part
of the model's name. An endpoint is optional for Deepgram and Cartesia and required for the others.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from definition.endpoint import CREDENTIALS, endpoint
from definition.shape import Choice, Depends, Findings, Number, OneOrMore, Shape, Table, Text, may, meant, need, shown
from definition.source import Node

_AURA_MODEL = Text("a model that begins with aura-, such as aura-2-thalia-en", 100, r"aura-[A-Za-z0-9-]+")
_FLUX_MODEL = Text("a model that begins with flux-, such as flux-kit-en", 100, r"flux-[A-Za-z0-9-]+")
_MODEL_ID = Text("the provider's name of a model", 200)
_LANGUAGE = Text("a language such as en or en-US", 16, r"[a-z]{2,3}(-[A-Za-z0-9]{2,4})*")
_DEEPGRAM_ELSEWHERE = {
    "language": "no such key (the language of a Deepgram voice is part of the model's name)",
    "voice": "model, such as aura-2-thalia-en",
}
_OLD_LANGUAGE = {"language_code": "language (the older name is language_code)"}
_WITH_ENDPOINT = ("eleven_labs", "open_ai", "aws_polly")

AURA = Table(
    "an Aura voice",
    {
        "type": need(Choice("deepgram")),
        "version": may(Choice("v1"), "v1"),
        "model": need(_AURA_MODEL),
        "speed": may(Number(0.7, 1.5)),
    },
    elsewhere={**_DEEPGRAM_ELSEWHERE, "expressivity": "no such key next to an Aura voice"},
)
FLUX = Table(
    "a Flux voice",
    {
        "type": need(Choice("deepgram")),
        "version": may(Choice("v2"), "v2"),
        "model": need(_FLUX_MODEL),
        "speed": may(Number(0.5, 1.5, step=0.05)),
        "expressivity": may(Number(-2, 2)),
    },
    elsewhere=_DEEPGRAM_ELSEWHERE,
)
_VOICE_BY_ID = Table(
    "a voice with mode and id", {"mode": need(Choice("id")), "id": need(Text("the id of a voice", 200))}
)
OTHERS = {
    "eleven_labs": Table(
        "an ElevenLabs voice",
        {
            "type": need(Choice("eleven_labs")),
            "version": may(Choice("v1")),
            "model_id": need(_MODEL_ID),
            "language": may(_LANGUAGE),
        },
        elsewhere={
            **_OLD_LANGUAGE,
            "voice": "the voice as part of endpoint.url",
            "voice_settings": "no such key (Deepgram refuses it)",
        },
    ),
    "cartesia": Table(
        "a Cartesia voice",
        {
            "type": need(Choice("cartesia")),
            "version": may(Choice("2025-03-17")),
            "model_id": need(_MODEL_ID),
            "voice": need(_VOICE_BY_ID),
            "language": may(_LANGUAGE),
            "volume": may(Number(0.5, 2)),
        },
    ),
    "open_ai": Table(
        "an OpenAI voice",
        {
            "type": need(Choice("open_ai")),
            "version": may(Choice("v1")),
            "model": need(Choice("tts-1", "tts-1-hd")),
            "voice": need(Choice("alloy", "echo", "fable", "onyx", "nova", "shimmer")),
        },
    ),
    "aws_polly": Table(
        "a Polly voice",
        {
            "type": need(Choice("aws_polly")),
            "voice": need(Text("the name of a Polly voice", 64)),
            "language": need(_LANGUAGE),
            "engine": need(Choice("generative", "long-form", "standard", "neural")),
            "credentials": need(CREDENTIALS),
        },
        elsewhere=_OLD_LANGUAGE,
    ),
}
_TYPE = Choice("deepgram", *OTHERS)


def _choose(node: Node, findings: Findings) -> Shape | None:
    kind = node.child("type")
    if kind is None:
        findings.below(node, "type", _TYPE.expected)
        return None
    if kind.value != "deepgram":
        return OTHERS[str(kind.value)] if isinstance(_TYPE.read(kind, findings), str) else None
    return _deepgram(node, findings)


def _deepgram(node: Node, findings: Findings) -> Shape | None:
    version, model = node.child("version"), node.text("model")
    if version is not None:
        if version.value in ("v1", "v2"):
            return FLUX if version.value == "v2" else AURA
        findings.refuse(version, "v1 (Aura voices) or v2 (Flux voices)")
        return None
    if model is None or model.startswith("aura-"):
        return AURA
    if model.startswith("flux-"):
        return FLUX
    near = meant(model, ("aura-2-thalia-en", "flux-kit-en"))
    findings.below(node, "version", f"v1 or v2, since the model {shown(model)} does not tell{near}")
    return None


def _endpoint(node: Node, data: dict[str, Any], findings: Findings) -> None:
    kind = data.get("provider", {}).get("type")
    url = data.get("endpoint", {}).get("url", "")
    if kind in _WITH_ENDPOINT and node.child("endpoint") is None:
        findings.below(node, "endpoint", f"an endpoint with url and headers, which {kind} needs")
    below = node.child("endpoint")
    if below is None or not url:
        return
    if url.startswith("wss:") and kind not in ("eleven_labs", None):
        findings.below(below, "url", "a URL that begins with https:// (wss is for eleven_labs)", "wss://")
    for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        if kind == "eleven_labs" and name in ("output_format", "model_id"):
            findings.below(below, "url", "a URL without output_format and model_id (Deepgram adds them)", name)


ENTRY = Table(
    "a voice with provider",
    {
        "provider": need(Depends("a provider with type and model", _choose)),
        "endpoint": may(endpoint("https", "wss")),
    },
    (_endpoint,),
    {
        "model": "provider.model",
        "type": "provider.type",
        "voice_settings": "no such key (Deepgram refuses it)",
    },
)
SPEAK = OneOrMore(ENTRY, "voices")
