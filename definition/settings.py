"""What an agent definition becomes: the one `Settings` message that opens a Deepgram Voice Agent session."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from contract.audio import SAMPLE_RATE
from contract.turns import Role
from definition import secret
from definition.functions import all_functions, as_deepgram
from definition.model import AgentDefinition, Endpoint, SpeakDefinition, ThinkDefinition

InputEncoding = Literal["mulaw", "linear16"]
_ROLES = {Role.CALLER: "user", Role.VOICE_AGENT: "assistant"}


def history(role: Role, text: str) -> dict[str, str]:
    """One earlier turn, in the shape that `agent.context.messages` takes."""
    return {"type": "History", "role": _ROLES[role], "content": text}


def settings(
    definition: AgentDefinition,
    *,
    greeting: str | None,
    context_messages: Sequence[Mapping[str, object]] = (),
    input_encoding: InputEncoding = "mulaw",
    deferral: bool = True,
    secrets: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The Settings message as a dict of its own, in a fixed order of keys.

    Args:
        greeting: what Deepgram is to speak at the start. None where the flow plays the opening as a prompt:
            then the agent gets the opening as something that it has said already, and is silent.
        context_messages: earlier turns of a resumed call (see `history`), instead of the opening.
        input_encoding: of the caller's audio, always 8,000 Hz mono. Output is always mulaw, 8,000 Hz, raw.
        deferral: off for a self-hosted Deepgram that does not know `defer_until_eot`.
        secrets: the value of every name in `definition.secrets`.

    Raises:
        SecretMissing: a name without a value.
        ValueError: a greeting together with context: the caller would hear it again.
    """
    if greeting and context_messages:
        raise ValueError("greeting and context_messages exclude each other: a resumed call is not greeted again")
    known = secrets or {}
    message: dict[str, Any] = {"type": "Settings"}
    if definition.tags:
        message["tags"] = list(definition.tags)
    message |= {
        "mip_opt_out": definition.mip_opt_out,
        "flags": {"history": False},  # it would repeat every ConversationText
        "audio": {
            "input": {"encoding": input_encoding, "sample_rate": SAMPLE_RATE},
            "output": {"encoding": "mulaw", "sample_rate": SAMPLE_RATE, "container": "none"},
        },
    }
    if definition.agent_id:  # Deepgram takes nothing beside the id: no context, no greeting, no function of ours
        return {**message, "agent": definition.agent_id}
    agent: dict[str, Any] = {}
    if not greeting:
        messages = context_messages or [history(Role.VOICE_AGENT, definition.opening)]
        agent["context"] = {"messages": [dict(entry) for entry in messages]}
    agent["listen"] = {"provider": dict(definition.listen)}
    agent["think"] = think(definition, deferral=deferral, secrets=known)
    agent["speak"] = speak(definition, secrets=known)
    if greeting:
        agent["greeting"] = greeting
    message["agent"] = agent
    own: dict[str, Any] = json.loads(json.dumps(message))  # shares nothing with the definition or between entries
    return own


def think(
    definition: AgentDefinition, *, deferral: bool = True, secrets: Mapping[str, str] | None = None
) -> dict[str, Any] | list[dict[str, Any]]:
    """`agent.think`, as Settings and UpdateThink take it. Raises SecretMissing."""
    return _one_or_more([_think(definition, entry, deferral, secrets or {}) for entry in definition.think])


def speak(
    definition: AgentDefinition, *, secrets: Mapping[str, str] | None = None
) -> dict[str, Any] | list[dict[str, Any]]:
    """`agent.speak`, as Settings and UpdateSpeak take it. Raises SecretMissing."""
    return _one_or_more([_with_endpoint(entry, secrets or {}) for entry in definition.speak])


def _one_or_more(entries: list[dict[str, Any]]) -> dict[str, Any] | list[dict[str, Any]]:
    return entries[0] if len(entries) == 1 else entries


def _think(
    definition: AgentDefinition, entry: ThinkDefinition, deferral: bool, secrets: Mapping[str, str]
) -> dict[str, Any]:
    """One language model. Prompt and functions are repeated in each, since no entry inherits them."""
    one = _with_endpoint(entry, secrets)
    if entry.context_length is not None:
        one["context_length"] = entry.context_length
    one["prompt"] = definition.prompt
    functions = all_functions(definition).values()
    one["functions"] = [as_deepgram(function, deferral=deferral, secrets=secrets) for function in functions]
    return one


def _with_endpoint(entry: ThinkDefinition | SpeakDefinition, secrets: Mapping[str, str]) -> dict[str, Any]:
    provider = dict(entry.provider)
    credentials = provider.get("credentials")
    if isinstance(credentials, Mapping):
        provider["credentials"] = {key: secret.reveal(text, secrets) for key, text in credentials.items()}
    result: dict[str, Any] = {"provider": provider}
    if entry.endpoint:
        result["endpoint"] = _endpoint(entry.endpoint, secrets)
    return result


def _endpoint(endpoint: Endpoint, secrets: Mapping[str, str]) -> dict[str, Any]:
    headers = {name: secret.reveal(text, secrets) for name, text in endpoint.headers.items()}
    return {"url": endpoint.url, "headers": headers}
