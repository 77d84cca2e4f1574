"""The agent of one call: its definition with what is known of the caller, and what changed in mid-call.

A function's answer may hold `voice_agent`, which is for the gateway and not for the model:

    {"verified": true, "voice_agent": {"instructions": "The caller is verified.", "voice": "calm",
                                       "model": "careful", "language": "es"}}

`voice`, `model` and `language` are names in the definition, so that everything that can come was checked before the
deployment. What changed holds in every later session of the call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from contract.findings import taken_apart
from contract.turns import FunctionEntry, FunctionState
from definition import AgentDefinition
from definition.settings import speak, think
from definition.templates import Known, filled
from gateway.conversation.commands import FunctionResult
from gateway.voice_agent.messages import UpdateListen, UpdatePrompt, UpdateSpeak, UpdateThink

log = structlog.get_logger()

Update = UpdatePrompt | UpdateThink | UpdateSpeak | UpdateListen


class Persona:
    """`definition` is the agent as it is now."""

    def __init__(self, definition: AgentDefinition, known: Known, secrets: Mapping[str, str]) -> None:
        self.definition = filled(definition, known.values())
        self._secrets = secrets

    def answered(self, result: FunctionResult) -> tuple[FunctionResult, Sequence[Update]]:
        """What the model is told of a result, and what the running session has to be told first."""
        if result.state is not FunctionState.FINISHED:
            return result, ()
        answer = taken_apart(result.content)
        return replace(result, content=answer.told), self._apply(answer.agent) if answer.agent else ()

    def instruct(self, note: str) -> UpdatePrompt:
        """Something more that the agent is to know, in this session and every later one."""
        self.definition = replace(self.definition, prompt=f"{self.definition.prompt}\n\n{note}")
        return UpdatePrompt(note)

    def remember(self, entries: Iterable[FunctionEntry]) -> None:
        """Take over what changed while another gateway had the call."""
        for entry in entries:
            if entry.state is FunctionState.FINISHED:
                self._apply(taken_apart(entry.result).agent)

    def _apply(self, change: Mapping[str, Any]) -> list[Update]:
        updates: list[Update] = []
        before = self.definition
        language = before.languages.get(_text(change, "language"))
        if language is not None:
            self.definition = replace(language, languages={**before.languages, before.language: before})
        if (voice := self.definition.voices.get(_text(change, "voice"))) is not None:
            self.definition = replace(self.definition, speak=voice)
        if (model := self.definition.models.get(_text(change, "model"))) is not None:
            self.definition = replace(self.definition, think=model)
        if instructions := _text(change, "instructions"):
            self.instruct(instructions)
        after = self.definition
        if after.listen != before.listen:
            updates.append(UpdateListen({"provider": dict(after.listen)}))
        if (after.think, after.functions) != (before.think, before.functions) or language is not None:
            updates.append(UpdateThink(think(after, secrets=self._secrets)))
        elif instructions:
            updates.append(UpdatePrompt(instructions))
        if after.speak != before.speak:
            updates.append(UpdateSpeak(speak(after, secrets=self._secrets)))
        self._unknown(change)
        return updates

    def _unknown(self, change: Mapping[str, Any]) -> None:
        known = ("instructions", "voice", "model", "language")
        wrong = sorted(set(change) - set(known))
        definition = self.definition
        languages = {definition.language, *definition.languages}  # that it speaks already changes nothing
        named = {"voice": definition.voices, "model": definition.models, "language": languages}
        wrong += [key for key, names in named.items() if _text(change, key) and _text(change, key) not in names]
        if wrong:
            log.warning("change_refused", agent=definition.name, keys=wrong)


def _text(change: Mapping[str, Any], key: str) -> str:
    value = change.get(key)
    return value.strip() if isinstance(value, str) else ""
