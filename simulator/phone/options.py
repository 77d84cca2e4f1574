"""What the phone is asked for, by environment variables, as `make call` passes them on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import definition
from contract.errors import VoiceAgentError
from definition import AgentDefinition
from simulator.caller import recording, recordings
from simulator.caller.schedule import Words, parse
from simulator.connect.presets import Preset, preset

FORMS = ("interruptible", "polling")


class BadOption(VoiceAgentError):
    def __init__(self, name: str, expected: str, found: str) -> None:
        super().__init__(name, expected, found)
        self.name = name
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        return f"{self.name}: expected {self.expected}, found {self.found!r}"


@dataclass(frozen=True, slots=True)
class Options:
    """One call. `deepgram_key` is empty for the local agent."""

    form: str
    preset: Preset
    agent_path: Path
    agent: AgentDefinition
    words: Sequence[Words]
    report: Path
    deepgram_key: str
    speech: bool


def read(environment: Mapping[str, str], *, speech: bool) -> Options:
    """Everything that can be wrong is found before anything is started.

    Raises:
        VoiceAgentError: BadOption, UnknownPreset, DefinitionError, BadSchedule or BadRecording; one sentence each.
    """
    form = environment.get("FLOW") or FORMS[0]
    if form not in FORMS:
        raise BadOption("FLOW", " or ".join(FORMS), form)
    agent_path = Path(environment.get("AGENT") or "agents/shop.yaml")
    return Options(
        form=form,
        preset=preset(environment.get("PRESET") or "default"),
        agent_path=agent_path,
        agent=definition.load(agent_path),
        words=_words(environment.get("CALLER", "")),
        report=Path(environment.get("REPORT") or "build/report"),
        deepgram_key=environment.get("DEEPGRAM_API_KEY", ""),
        speech=speech,
    )


def _words(spec: str) -> list[Words]:
    default = not spec.strip()
    entries = parse(recordings.DEFAULT_CALLER if default else spec)
    folder = recordings.FOLDER if default else Path()
    return [Words(entry.path.stem, recording.read(folder / entry.path), entry.after_ms) for entry in entries]
