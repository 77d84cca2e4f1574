"""What the service accepts as `Settings` and in the Update messages: the schema, then the values.

Sources: the public AsyncAPI document of the Voice Agent, the pages configure-voice-agent, voice-agent-tts-models,
voice-agent-llm-models and voice-agent-errors-warnings, and what live users report about keys that are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from simulator.deepgram.manners import Manners
from simulator.deepgram.schema import (
    Check,
    Refused,
    Unparsable,
    anything,
    array,
    boolean,
    either,
    integer,
    mapping,
    number,
    one_of,
    record,
    tagged,
    text,
)

PROMPT_LIMIT: Final = 25_000
"""Characters of a prompt for a managed LLM; the rest is cut off with a warning."""

INPUT_ENCODINGS: Final = (
    "linear16", "linear32", "flac", "alaw", "mulaw", "amr-nb", "amr-wb", "opus", "ogg-opus", "speex", "g729",
)  # fmt: skip
FLUX_INPUT: Final = ("linear16", "linear32", "mulaw", "alaw", "opus", "ogg-opus")
FLUX_INPUT_RATES: Final = (8000, 16000, 24000, 44100, 48000)
G711_RATES: Final = (8000, 16000)
FLUX_LINEAR_RATES: Final = (8000, 16000, 24000, 32000, 44100, 48000)
AURA_LINEAR_RATES: Final = (8000, 16000, 24000, 32000, 48000)

DEFAULT_SPEAK: Final[Mapping[str, Any]] = {"provider": {"type": "deepgram", "version": "v2", "model": "flux-kit-en"}}

_endpoint = record({"url": text}, {"headers": mapping(text)})
_input = record({"encoding": one_of(*INPUT_ENCODINGS), "sample_rate": integer})
_output = record(
    {},
    {
        "encoding": one_of("linear16", "mulaw", "alaw", "mp3", "opus", "flac", "aac"),
        "sample_rate": integer,
        "bitrate": integer,
        "container": one_of("none", "wav", "ogg"),
    },
)

_listen_v1 = {"model": text, "language": text, "keyterms": array(text), "smart_format": boolean}
_listen_v2 = {
    "language_hints": array(text),
    "eot_threshold": number,
    "eager_eot_threshold": number,
    "eot_timeout_ms": integer,
    "keyterms": array(text),
}
_deepgram = one_of("deepgram")
_listen_provider = tagged(
    "version",
    {
        "v1": record({"type": _deepgram}, {"version": text, **_listen_v1}),
        "v2": record({"type": _deepgram, "version": text, "model": text}, _listen_v2),
    },
    absent="v1",
)
# An update may leave out everything that it does not change.
_listen_change = record({}, {"type": _deepgram, "version": one_of("v1", "v2"), **_listen_v1, **_listen_v2})

_credentials = record(
    {"type": one_of("iam", "sts"), "region": text, "access_key_id": text, "secret_access_key": text},
    {"session_token": text},
)
_reasoning = one_of("none", "minimal", "low", "medium", "high")
_v1 = one_of("v1")
_think_provider = tagged(
    "type",
    {
        "open_ai": record(
            {"type": text, "model": text}, {"version": _v1, "temperature": number, "reasoning_mode": _reasoning}
        ),
        "anthropic": record({"type": text, "model": text}, {"version": _v1, "temperature": number}),
        "google": record(
            {"type": text},
            {
                "model": text,
                "version": one_of("ai-studio-v1beta", "gemini-enterprise-agent-v1", "v1beta"),
                "temperature": number,
            },
        ),
        "groq": record(
            {"type": text, "model": text}, {"version": _v1, "temperature": number, "reasoning_mode": _reasoning}
        ),
        "aws_bedrock": record({"type": text, "model": text}, {"temperature": number, "credentials": _credentials}),
        "nvidia": record({"type": text, "model": text}, {"temperature": number}),
        "deepgram": record({"type": text, "model": text}, {"temperature": number, "voice_prompt_opt_out": boolean}),
    },
)


def _function(defer: bool) -> Check:
    endpoint = record({"url": text}, {"method": text, "headers": mapping(text)})
    optional: dict[str, Check] = {"description": text, "parameters": mapping(anything), "endpoint": endpoint}
    return record({"name": text}, {**optional, "defer_until_eot": boolean} if defer else optional)


def _think(defer: bool) -> Check:
    length = either(str, one_of("max"), number)
    one = record(
        {"provider": _think_provider},
        {"endpoint": _endpoint, "prompt": text, "functions": array(_function(defer)), "context_length": length},
    )
    return either(list, array(one), one)


_speak_provider = tagged(
    "type",
    {
        "deepgram": tagged(
            "version",
            {
                "v1": record({"type": text, "model": text}, {"version": text, "speed": number}),
                "v2": record({"type": text, "version": text, "model": text}, {"speed": number, "expressivity": number}),
            },
            absent="v1",
        ),
        "eleven_labs": record({"type": text, "model_id": text}, {"version": _v1, "language": text}),
        "cartesia": record(
            {"type": text, "model_id": text, "voice": record({"mode": text, "id": text})},
            {"version": text, "language": text, "volume": number, "speed": number},
        ),
        "open_ai": record({"type": text, "model": text, "voice": text}, {"version": _v1}),
        "aws_polly": record(
            {"type": text, "voice": text, "language": text, "engine": text, "credentials": _credentials}
        ),
    },
)
_speak_one = record({"provider": _speak_provider}, {"endpoint": _endpoint})
_speak = either(list, array(_speak_one), _speak_one)

_past_call = record(
    {"id": text, "name": text, "client_side": boolean, "arguments": text, "response": text},
    {"thought_signature": text},
)
_past_text = record({"type": one_of("History"), "role": one_of("user", "assistant"), "content": text})
_past_calls = record({"type": one_of("History"), "function_calls": array(_past_call)})


def _past(value: Any, path: str) -> None:
    (_past_calls if isinstance(value, dict) and "function_calls" in value else _past_text)(value, path)


def settings_schema(manners: Manners) -> Check:
    agent = record(
        {},
        {
            "language": text,
            "context": record({"messages": array(_past)}),
            "listen": record({"provider": _listen_provider}),
            "think": _think(manners.knows_defer),
            "speak": _speak,
            "greeting": text,
        },
    )
    return record(
        {"type": text, "audio": record({}, {"input": _input, "output": _output}), "agent": either(str, text, agent)},
        {
            "tags": array(text),
            "experimental": boolean,
            "flags": record({}, {"history": boolean}),
            "mip_opt_out": boolean,
        },
    )


def think_schema(manners: Manners) -> Check:
    return _think(manners.knows_defer)


speak_schema: Check = _speak
listen_change_schema: Check = record({"provider": _listen_change})
listen_schema: Check = record({"provider": _listen_provider})


def entries(block: Any) -> list[dict[str, Any]]:
    """The fallback list of a think or speak block: an object is a list of one."""
    return list(block) if isinstance(block, list) else [block]


def is_flux_listen(agent: Mapping[str, Any]) -> bool:
    version = agent.get("listen", {}).get("provider", {}).get("version", "v1")
    return bool(version == "v2")


def check_values(settings: Mapping[str, Any], manners: Manners) -> None:
    """What parses but cannot be: `settings` holds the agent as an object.

    Documented are the rules for output formats; that ranges, missing endpoints and models of the wrong version give
    the same code, and at once, is unconfirmed.

    Raises:
        Refused: code INVALID_SETTINGS, with the block in the description.
    """
    agent = settings["agent"]
    _check_listen(agent.get("listen", {}).get("provider", {}), settings["audio"].get("input", {}))
    if not entries(agent.get("think", {})) or not entries(agent.get("speak", DEFAULT_SPEAK)):
        raise _invalid("a list of providers must not be empty")
    for entry in entries(agent.get("think", {})):
        _check_think(entry)
    for entry in entries(agent.get("speak", DEFAULT_SPEAK)):
        _check_speak(entry, settings["audio"].get("output", {}))
    if manners.refuses_agent_language and "language" in agent and is_flux_listen(agent):
        speak = entries(agent.get("speak", DEFAULT_SPEAK))
        if any(entry["provider"].get("version", "v1") == "v1" for entry in speak):
            raise Unparsable("agent.language")


def _invalid(what: str) -> Refused:
    return Refused("INVALID_SETTINGS", f"Invalid settings: {what}.")


def _check_listen(provider: Mapping[str, Any], audio: Mapping[str, Any]) -> None:
    flux = provider.get("version", "v1") == "v2"
    if str(provider.get("model", "")).startswith("flux-") != flux and "model" in provider:
        raise _invalid(f"agent.listen model {provider['model']!r} does not belong to this version")
    if not flux:
        return
    threshold = provider.get("eot_threshold", 0.7)
    if not 0.5 <= threshold <= 1.0:
        raise _invalid("agent.listen eot_threshold must be between 0.5 and 1.0")
    if not 0.3 <= provider.get("eager_eot_threshold", 0.3) <= min(threshold, 0.9):
        raise _invalid("agent.listen eager_eot_threshold must be between 0.3 and eot_threshold")
    if not 500 <= provider.get("eot_timeout_ms", 5000) <= 60_000:
        raise _invalid("agent.listen eot_timeout_ms must be between 500 and 60000")
    if "language_hints" in provider and provider["model"] != "flux-general-multi":
        raise _invalid("agent.listen language_hints need flux-general-multi")
    if audio and (audio["encoding"] not in FLUX_INPUT or audio["sample_rate"] not in FLUX_INPUT_RATES):
        raise _invalid("audio.input is nothing that a Flux model takes")


def _check_think(entry: Mapping[str, Any]) -> None:
    provider = entry.get("provider", {})
    kind = provider.get("type")
    if kind in ("groq", "aws_bedrock") and "endpoint" not in entry:
        raise _invalid(f"agent.think provider {kind} needs an endpoint")
    if not 0 <= provider.get("temperature", 0) <= (1 if kind == "anthropic" else 2):
        raise _invalid("agent.think temperature is out of range")
    if "context_length" in entry and "endpoint" not in entry:
        raise _invalid("agent.think context_length needs an endpoint")
    names = [function["name"] for function in entry.get("functions", [])]
    if len(names) != len(set(names)):
        raise _invalid("agent.think declares a function twice")


def _check_speak(entry: Mapping[str, Any], output: Mapping[str, Any]) -> None:
    provider = entry["provider"]
    if provider["type"] != "deepgram":
        if provider["type"] != "cartesia" and "endpoint" not in entry:
            raise _invalid(f"agent.speak provider {provider['type']} needs an endpoint")
        return
    flux = provider.get("version", "v1") == "v2"
    if str(provider["model"]).startswith("flux-") != flux:
        raise _invalid(f"agent.speak model {provider['model']!r} does not belong to this version")
    encoding = output.get("encoding", "linear16")
    rates = G711_RATES if encoding in ("mulaw", "alaw") else FLUX_LINEAR_RATES if flux else AURA_LINEAR_RATES
    plain = encoding in ("linear16", "mulaw", "alaw")
    if plain and output.get("sample_rate", rates[0]) not in rates:
        raise _invalid(f"audio.output {encoding} cannot have this sample rate")
    if flux and not plain:
        raise _invalid(f"audio.output {encoding} is not possible with this voice")
    if (flux or plain) and "bitrate" in output:
        raise _invalid("audio.output bitrate is for compressed audio only")
    if flux and output.get("container", "none") != "none":
        raise _invalid("audio.output container must be none with this voice")
