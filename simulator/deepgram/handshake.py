"""Settings to SettingsApplied, and the greeting, whose parts may come before it."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from typing import Any

from simulator.deepgram.brain import Mind
from simulator.deepgram.line import Line
from simulator.deepgram.listening import Listening, hearable
from simulator.deepgram.schema import Refused
from simulator.deepgram.settings_check import check_values
from simulator.deepgram.speech import Speaker, Speech, TextOrder
from simulator.deepgram.updates import shorten_prompts

GREETING_TEXT_MS = 6
GREETING_AUDIO_MS = 30
"""After SettingsApplied; live greetings started within 100 ms."""


class Handshake:
    def __init__(
        self,
        line: Line,
        mind: Mind,
        speaker: Speaker,
        listening: Listening,
        agents: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._line = line
        self._mind = mind
        self._speaker = speaker
        self._listening = listening
        self._agents = agents
        self.accepted = False
        self.applied = False

    def accept(self, body: dict[str, Any]) -> None:
        """The one Settings message.

        Raises:
            Refused: INVALID_SETTINGS and the other codes for what parses but cannot be.
        """
        line = self._line
        settings = {**body, "agent": self._agent(body["agent"])}
        check_values(settings, line.manners)
        if not hearable(settings):
            raise Refused("FAILED_TO_START_LISTENING", "This stand-in hears mulaw and linear16 in multiples of 8 kHz.")
        line.settings = settings
        self.accepted = True
        too_long = shorten_prompts(line.agent)
        self._mind.opened(settings)
        self._greet(str(line.agent.get("greeting", "")))
        line.later(line.manners.applied_after_ms, lambda: self._apply(too_long), "settings")

    def _agent(self, agent: dict[str, Any] | str) -> dict[str, Any]:
        if isinstance(agent, dict):
            return agent
        manners = self._line.manners
        if not manners.knows_agent_ids:
            raise Refused("AGENT_ID_NOT_SUPPORTED", "Agent IDs need an authenticated project.")
        stored = self._agents.get(agent)
        if stored is None:
            malformed = not _is_uuid(agent)
            code = "INVALID_AGENT_ID" if malformed else manners.unknown_agent_code
            raise Refused(code, "Failed while resolving agent ID.")
        return copy.deepcopy(dict(stored))

    def _apply(self, too_long: bool) -> None:
        line = self._line
        line.reached("settings")
        line.send("SettingsApplied")
        if too_long:
            line.warn("PROMPT_TOO_LONG", "The prompt was cut off at 25000 characters.")
        if line.manners.strange_messages and not line.over:
            line.send("QualityReportNobodyHasHeardOf", score=0.5)
        self.applied = True
        self._listening.begin()

    def _greet(self, greeting: str) -> None:
        if not greeting:
            return
        line = self._line
        order: TextOrder
        match line.manners.greeting_order:
            case "text-applied-audio":
                order = "sent"
                line.later(GREETING_TEXT_MS, lambda: line.conversation("assistant", greeting), "speech")
            case "applied-audio-text":
                order = "after"
            case _:
                order = "before"
        self._speaker.say(Speech(greeting, line.manners.applied_after_ms + GREETING_AUDIO_MS, order))


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
