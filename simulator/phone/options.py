"""What the phone is asked for, by environment variables, as `make call` passes them on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import definition
from contract.audio import lin2ulaw, ulaw2lin
from contract.errors import VoiceAgentError
from definition import AgentDefinition
from simulator.caller import recording, recordings
from simulator.caller.schedule import HANG_UP_MS, Entry, Words, parse
from simulator.connect.presets import Preset, preset
from simulator.deepgram import tones
from simulator.deepgram.local import packages, rules_path
from simulator.deepgram.local.errors import SpeechPackagesMissing
from simulator.deepgram.local.rulebook import load as load_rules

FORMS = ("interruptible", "polling", "sip")
BY_CONNECTOR, BY_NUMBER = SIP = ("connector", "number")  # how the call is transferred
NO_SPEECH = Path(".venv/no-speech")  # the set-up could not install the speech packages
MS_PER_WORD = 320


class BadOption(VoiceAgentError):
    def __init__(self, name: str, expected: str, found: str) -> None:
        super().__init__(name, expected, found)
        self.name = name
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        return f"{self.name}: expected {self.expected}, found {self.found!r}"


class NotUnderstood(VoiceAgentError):
    """A recording of speech, and nobody here who could understand it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return (
            f"CALLER: {self.path} can only be understood with the speech packages, which are not installed: "
            "run `make setup` where the package index can be reached, set DEEPGRAM_API_KEY, or leave CALLER out"
        )


@dataclass(frozen=True, slots=True)
class Options:
    """One call. `deepgram_key` is empty for the local agent; `speech`: the speech packages are at hand.

    `sip`: how the flow `sip` transfers the call.
    `hang_up_ms`: so long after the last word of both sides the caller gives up.
    `recordings`: where the gateway records the call, to be replayed.
    """

    form: str
    preset: Preset
    agent_path: Path
    agent: AgentDefinition
    words: Sequence[Words]
    report: Path
    deepgram_key: str
    speech: bool
    sip: str = BY_CONNECTOR
    hang_up_ms: int = HANG_UP_MS
    gateway: str = "gateway"
    recordings: Path | None = None


def speech_installed(marker: Path = NO_SPEECH) -> bool:
    """Whether recogniser and voice can be used here; the marker switches them off."""
    try:
        packages.require()
    except SpeechPackagesMissing:
        return False
    return not marker.exists()


def read(environment: Mapping[str, str], *, speech: bool) -> Options:
    """Everything that can be wrong is found before anything is started.

    Raises:
        VoiceAgentError: BadOption, NotUnderstood, UnknownPreset, DefinitionError, RulesInvalid, BadSchedule or
            BadRecording; one sentence each.
    """
    form = environment.get("FLOW") or FORMS[0]
    if form not in FORMS:
        raise BadOption("FLOW", f"one of {', '.join(FORMS)}", form)
    sip = environment.get("SIP") or BY_CONNECTOR
    if sip not in SIP:
        raise BadOption("SIP", " or ".join(SIP), sip)
    key = environment.get("DEEPGRAM_API_KEY", "").strip()
    agent_path = Path(environment.get("AGENT") or "agents/shop.yaml")
    agent = definition.load(agent_path)
    if not key:
        load_rules(rules_path(agent_path))
    return Options(
        form=form,
        preset=preset(environment.get("PRESET") or "default"),
        agent_path=agent_path,
        agent=agent,
        words=_words(environment.get("CALLER", ""), speech=speech or bool(key)),
        report=_folder("REPORT", Path(environment.get("REPORT") or "build/report")),
        deepgram_key=key,
        speech=speech,
        sip=sip,
        recordings=_folder("RECORD", Path(record).absolute()) if (record := environment.get("RECORD")) else None,
    )


def _folder(name: str, folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadOption(name, f"a folder that can be made ({error.strerror})", str(folder)) from None
    return folder


def _words(spec: str, *, speech: bool) -> list[Words]:
    default = not spec.strip()
    entries = parse(recordings.DEFAULT_CALLER if default else spec)
    folder = recordings.FOLDER if default else Path()
    return [_one(folder / entry.path, entry, speech=speech) for entry in entries]


def _one(path: Path, entry: Entry, *, speech: bool) -> Words:
    if entry.keys:
        return Words("keys", b"", entry.after_ms, entry.keys)
    words = Words(path.stem, recording.read(path), entry.after_ms)
    return words if speech else _in_tones(path, words)


def _in_tones(path: Path, words: Words) -> Words:
    """The same words for an agent that hears tones only."""
    if tones.decode(lin2ulaw(words.pcm)):
        return words
    text = recordings.WORDS.get(path.name) if path.resolve().parent == recordings.FOLDER.resolve() else None
    if text is None:
        raise NotUnderstood(path)
    return Words(words.name, ulaw2lin(tones.encode_utterance(text, MS_PER_WORD)), words.after_ms)
