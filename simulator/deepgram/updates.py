"""UpdatePrompt, UpdateThink, UpdateSpeak, UpdateListen."""

from __future__ import annotations

from typing import Any

from simulator.deepgram.brain import Adaptable, Mind
from simulator.deepgram.line import Line
from simulator.deepgram.settings_check import PROMPT_LIMIT, check_values, entries, listen_schema
from simulator.deepgram.wire import Update

_V1_ONLY = ("language", "smart_format")
_V2_ONLY = ("language_hints", "eot_threshold", "eager_eot_threshold", "eot_timeout_ms")


def apply_update(update: Update, line: Line, mind: Mind) -> None:
    """Change the settings in force and acknowledge.

    Raises:
        Refused: the configuration cannot be; the session ends.
    """
    agent = dict(line.agent)
    match update.block:
        case "prompt":
            agent["think"] = _appended(agent.get("think", {}), update.value)
        case "listen":
            agent["listen"] = _listen(agent.get("listen", {}), update.value)
        case _:
            agent[update.block] = update.value
    settings = {**line.settings, "agent": agent}
    check_values(settings, line.manners)
    line.settings = settings
    if shorten_prompts(agent):
        line.warn("PROMPT_TOO_LONG", "The prompt was cut off at 25000 characters.")
    if isinstance(mind, Adaptable):
        mind.updated(settings, line.now_ms)
    if update.block != "think" or line.manners.think_updated:
        line.send(f"{update.block.capitalize()}Updated")


def shorten_prompts(agent: dict[str, Any]) -> bool:
    """Cut prompts for managed LLMs to the limit, in place; whether one was longer."""
    too_long = False
    for entry in entries(agent.get("think", {})):
        if "endpoint" not in entry and len(entry.get("prompt", "")) > PROMPT_LIMIT:
            entry["prompt"] = entry["prompt"][:PROMPT_LIMIT]
            too_long = True
    return too_long


def _appended(think: Any, addition: str) -> Any:
    """A live test showed that the text is added to the prompt, not put in its place."""
    longer = [{**entry, "prompt": f"{entry.get('prompt', '')}\n{addition}".strip()} for entry in entries(think)]
    return longer if isinstance(think, list) else longer[0]


def _listen(old: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Omitted fields keep their values, but for `language_hints`, which is cleared."""
    provider = {**old.get("provider", {"type": "deepgram"}), **change["provider"]}
    if "language_hints" not in change["provider"]:
        provider.pop("language_hints", None)
    foreign = _V1_ONLY if provider.get("version", "v1") == "v2" else _V2_ONLY
    for key in foreign:
        if key not in change["provider"]:
            provider.pop(key, None)
    listen = {"provider": provider}
    listen_schema(listen, "listen")
    return listen
