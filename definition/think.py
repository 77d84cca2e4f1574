"""`think`: the fields that Deepgram takes for each provider of language models, and no other.

Source: the published Voice Agent schema. Model names change monthly, so any name is accepted. `prompt` and
`functions` stand at the top of the file: every entry gets the same, because Deepgram does not inherit them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from definition.endpoint import CREDENTIALS, endpoint
from definition.shape import Choice, Depends, Findings, Key, Number, OneOrMore, Shape, Switch, Table, Text, may, need
from definition.source import Node

# A managed model's prompt is cut there (warning PROMPT_TOO_LONG); a model of one's own has no limit.
MANAGED_PROMPT_CHARACTERS = 25_000

_MODEL = Text("the provider's name of a model", 200, r"\S+")
_REASONING = Choice("none", "minimal", "low", "medium", "high")
_NESTED = {
    "endpoint": "endpoint beside provider, not in it",
    "headers": "endpoint.headers beside provider",
    "api_key": "endpoint.headers beside provider, with a reference to a secret",
    "timeout": "no such key (Deepgram refuses it)",
}
_WITH_ENDPOINT = ("groq", "aws_bedrock")


def _provider(kind: str, **keys: Key) -> Table:
    return Table(f"a provider of type {kind}", {"type": need(Choice(kind)), **keys}, elsewhere=_NESTED)


PROVIDERS = {
    "open_ai": _provider(
        "open_ai",
        version=may(Choice("v1")),
        model=need(_MODEL),
        temperature=may(Number(0, 2)),
        reasoning_mode=may(_REASONING),
    ),
    "anthropic": _provider("anthropic", version=may(Choice("v1")), model=need(_MODEL), temperature=may(Number(0, 1))),
    "google": _provider(
        "google",
        version=may(Choice("ai-studio-v1beta", "gemini-enterprise-agent-v1", "v1beta")),
        model=may(_MODEL),  # see _google
        temperature=may(Number(0, 2)),
    ),
    "groq": _provider(
        "groq",
        version=may(Choice("v1")),
        model=need(_MODEL),
        temperature=may(Number(0, 2)),
        reasoning_mode=may(_REASONING),
    ),
    "aws_bedrock": _provider(
        "aws_bedrock", model=need(_MODEL), temperature=may(Number(0, 2)), credentials=need(CREDENTIALS)
    ),
    # Deepgram's own models are in early access; that these are all their fields is unconfirmed.
    "deepgram": _provider("deepgram", model=need(_MODEL), voice_prompt_opt_out=may(Switch())),
}
_TYPE = Choice(*PROVIDERS)


@dataclass(frozen=True, slots=True)
class ContextLength:
    expected: str = "max, or a whole number of characters"

    def read(self, node: Node, findings: Findings) -> Any:
        value = node.value
        if value == "max" or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
            return value
        return findings.refuse(node, self.expected)


def _choose(node: Node, findings: Findings) -> Shape | None:
    kind = node.child("type")
    if kind is None:
        findings.below(node, "type", _TYPE.expected)
        return None
    return PROVIDERS[str(kind.value)] if isinstance(_TYPE.read(kind, findings), str) else None


def _endpoint(node: Node, data: dict[str, Any], findings: Findings) -> None:
    kind = data.get("provider", {}).get("type")
    if kind in _WITH_ENDPOINT and node.child("endpoint") is None:
        findings.below(node, "endpoint", f"an endpoint with url and headers, which {kind} needs")
    if kind == "deepgram" and node.child("endpoint") is not None:
        findings.below(node, "endpoint", "no endpoint next to a model that Deepgram hosts", "one")
    if node.child("context_length") is not None and node.child("endpoint") is None:
        findings.below(node, "context_length", "an endpoint next to it (managed models take none)", "no endpoint")


def _google(node: Node, data: dict[str, Any], findings: Findings) -> None:
    """With an endpoint the model is part of the URL, and Deepgram does not take it twice."""
    provider = node.child("provider")
    if provider is None or data.get("provider", {}).get("type") != "google":
        return
    model, own = provider.child("model"), node.child("endpoint") is not None
    if own and model is not None:
        findings.below(provider, "model", "the model in endpoint.url only, next to an endpoint", "it here too")
    if not own and model is None:
        findings.below(provider, "model", _MODEL.expected)


_PROVIDER_FIELD = "it under provider"
ENTRY = Table(
    "a language model with provider",
    {
        "provider": need(Depends("a provider with type and model", _choose)),
        "endpoint": may(endpoint("https")),
        "context_length": may(ContextLength()),
    },
    (_endpoint, _google),
    {
        "type": _PROVIDER_FIELD,
        "model": _PROVIDER_FIELD,
        "temperature": _PROVIDER_FIELD,
        "reasoning_mode": _PROVIDER_FIELD,
        "prompt": "prompt at the top of the file, for every model",
        "functions": "functions at the top of the file, for every model",
        "timeout": "no such key (Deepgram refuses it)",
    },
)
THINK = OneOrMore(ENTRY, "language models")
