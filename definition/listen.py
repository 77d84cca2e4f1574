"""`listen`: the fields that Deepgram's speech recognition takes in a Voice Agent, and no other.

Deepgram's parser is strict: one unknown field ends the session (UNPARSABLE_CLIENT_MESSAGE). Ranges follow the
published Voice Agent schema; where an older and a newer edition disagree, the part that both accept.
"""

from __future__ import annotations

from typing import Any

from definition.shape import (
    Choice,
    Depends,
    Findings,
    Key,
    ListOf,
    Number,
    Shape,
    Switch,
    Table,
    Text,
    may,
    meant,
    need,
    shown,
    whole,
)
from definition.source import Node

KEYTERMS = ListOf(Text("a word or name to expect", 100), "words or names")
# An old key with one value; the newer one is a list, and the parser refuses the old.
_OLD_HINT = {"language_hint": "language_hints, a list (Deepgram refuses the old name)"}
_NO_KNOB = {
    "endpointing": "no such key (a Voice Agent has none; Flux has eot_threshold and eot_timeout_ms)",
    "utterance_end_ms": "no such key (a Voice Agent has none; Flux has eot_threshold and eot_timeout_ms)",
    "keyterm": "keyterms, a list",
}


def _flux(node: Node, data: dict[str, Any], findings: Findings) -> None:
    if not data.get("model", "flux-").startswith("flux-"):
        findings.below(node, "version", f"v1 next to the model {data['model']}", "v2")
    if "language_hints" in data and data.get("model") != "flux-general-multi":
        findings.below(node, "language_hints", "the model flux-general-multi next to it", str(data.get("model")))
    # The default of Deepgram for eot_threshold, when the file has none.
    end, eager = data.get("eot_threshold", 0.7), data.get("eager_eot_threshold", 0)
    if eager > end:
        findings.below(node, "eager_eot_threshold", f"at most eot_threshold ({end})", str(eager))


def _nova(node: Node, data: dict[str, Any], findings: Findings) -> None:
    model = data.get("model", "nova-3")
    if model.startswith("flux-"):
        findings.below(node, "version", f"v2 next to the model {model}", "v1")
    if "keyterms" in data and not model.startswith("nova-3"):
        findings.below(node, "keyterms", "a nova-3 or flux model next to keyterms", model)


def _model(example: str) -> Key:
    return need(Text(f"a model such as {example}", 100, r"[A-Za-z0-9._-]+"))


FLUX = Table(
    "a Flux provider",
    {
        "type": need(Choice("deepgram")),
        "version": may(Choice("v2"), "v2"),  # without it Deepgram reads v1, which knows no Flux model
        "model": _model("flux-general-en"),
        "language_hints": may(ListOf(Text("a language such as en or de", 16, r"[a-z]{2}(-[A-Z]{2})?"), "languages")),
        "eot_threshold": may(Number(0.5, 0.9)),
        "eager_eot_threshold": may(Number(0.3, 0.9)),
        "eot_timeout_ms": may(whole(500, 10000)),
        "keyterms": may(KEYTERMS),
    },
    (_flux,),
    {
        **_OLD_HINT,
        **_NO_KNOB,
        "smart_format": "no such key next to a Flux model",
        "language": "language_hints with the model flux-general-multi (Flux takes no language)",
    },
)
NOVA = Table(
    "a Nova provider",
    {
        "type": need(Choice("deepgram")),
        "version": may(Choice("v1"), "v1"),
        "model": _model("nova-3"),
        "language": may(Text("a language such as en-US, or multi", 16, r"multi|[a-z]{2,3}(-[A-Za-z0-9]{2,4})*")),
        "keyterms": may(KEYTERMS),
        "smart_format": may(Switch()),
    },
    (_nova,),
    {
        **_OLD_HINT,
        **_NO_KNOB,
        "language_hints": "language (hints are for flux-general-multi)",
        "eot_threshold": "no such key next to a Nova model",
        "eager_eot_threshold": "no such key next to a Nova model",
        "eot_timeout_ms": "no such key next to a Nova model",
    },
)


def _choose(node: Node, findings: Findings) -> Shape | None:
    version, model = node.child("version"), node.text("model")
    if version is not None:
        if version.value in ("v1", "v2"):
            return FLUX if version.value == "v2" else NOVA
        findings.refuse(version, "v1 (Nova models) or v2 (Flux models)")
        return None
    if model is None or model.startswith("nova-"):
        return NOVA
    if model.startswith("flux-"):
        return FLUX
    near = meant(model, ("flux-general-en", "flux-general-multi", "nova-3", "nova-2"))
    findings.below(node, "version", f"v1 or v2, since the model {shown(model)} does not tell{near}")
    return None


LISTEN = Table(
    "a mapping with provider",
    {"provider": need(Depends("a provider with type and model", _choose))},
    elsewhere={
        "model": "provider.model",
        "language": "provider.language",
        "endpointing": _NO_KNOB["endpointing"],
    },
)
