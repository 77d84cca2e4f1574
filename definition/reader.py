"""A file in agents/ to an `AgentDefinition`, or to every problem in it with file and line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from definition import source, templates
from definition.callables import ENTRY_OR_NOTHING, build, looked_up
from definition.collect import COLLECT, questions
from definition.errors import DefinitionError, Problem
from definition.functions import BUILT_IN
from definition.handlers import Handlers, read_handlers
from definition.languages import split
from definition.listen import LISTEN
from definition.model import (
    DAYS,
    KEEP_DAYS,
    MAX_CALLS_PER_TURN,
    AgentDefinition,
    CollectDefinition,
    Endpoint,
    FunctionDefinition,
    IdleDefinition,
    LookupDefinition,
    Sentences,
    SpeakDefinition,
    ThinkDefinition,
)
from definition.options import FUNCTION_NAME, SENTENCE
from definition.queues import HANDOVER, NAME, default_queue_exists, priorities_are_of_reasons, queue_definition
from definition.shape import (
    Findings,
    ListOf,
    MapOf,
    Number,
    NumberOf,
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
from definition.speak import SPEAK
from definition.think import MANAGED_PROMPT_CHARACTERS, THINK

MAX_BYTES = 1_000_000
LAMBDAS = Path("lambdas") / "functions"
_SENTENCE = SENTENCE
# Ready-made sentences exist in English only; in another language they must be written.
_ENGLISH_IDLE = ("Are you still there?", "I cannot hear you. Is there anything else I can do?")
_ENGLISH_GOODBYE = "Thank you for calling. Goodbye."


def _idle(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"after_s": 10, "sentences": _ENGLISH_IDLE, **data}


_IDLE = Table(
    "a mapping with after_s and sentences",
    {
        "after_s": may(Number(3, 120, "a number of seconds")),
        "sentences": may(ListOf(_SENTENCE, "sentences", 1, 5)),
    },
)


def _prompt(node: Node, data: dict[str, Any], findings: Findings) -> None:
    managed = any(isinstance(entry, dict) and "endpoint" not in entry for entry in data.get("think", ()))
    if managed and len(data.get("prompt", "")) > MANAGED_PROMPT_CHARACTERS:
        expected = f"at most {MANAGED_PROMPT_CHARACTERS:,} characters for a model without endpoint"
        findings.below(node, "prompt", expected, f"{len(data['prompt']):,}")


SPOKEN = ("opening", "prompt", "goodbye")
CLOSING_S = 900  # of a call that has lasted as long as it may: goodbye or handover, the record, a change of gateway


def _templates(node: Node, data: dict[str, Any], findings: Findings) -> None:
    templates.check(node, SPOKEN, findings, lookup=node.child("lookup") is not None)


def _stored(node: Node, data: dict[str, Any], findings: Findings) -> None:
    """A stored agent brings all of this with it, and Deepgram takes nothing beside its id."""
    stored = node.child("agent_id") is not None
    for key, shape in _OWN.items():
        child = node.child(key)
        if stored and child is not None:
            findings.refuse(child, "no such key next to agent_id (the stored agent has it)", shown(child.value))
        if not stored and child is None:
            findings.below(node, key, shape.expected)


def _sentences(node: Node, data: dict[str, Any], findings: Findings) -> None:
    """Only English has sentences of its own; a French caller must not be asked in English."""
    if str(data.get("language", "en")).partition("-")[0] == "en":
        return
    only = "(those in place are English)"
    if node.child("goodbye") is None:
        findings.below(node, "goodbye", f"a sentence {only}")
    idle = node.child("idle")
    if idle is None:
        findings.below(node, "idle", f"a mapping with sentences {only}")
    elif idle.child("sentences") is None:
        findings.below(idle, "sentences", f"a list of sentences {only}")
    said = node.child("sentences")
    for name in _SENTENCES.keys:
        needed = name != "time_is_up" or node.child("warn_s") is not None
        if needed and (said is None or said.child(name) is None):
            findings.below(said or Node({}, node.line, "sentences"), name, f"a sentence {only}")


@cache
def _time_zones() -> frozenset[str]:
    """All that this machine knows; looking through its files costs 60 ms."""
    return frozenset(available_timezones())


def _zone(node: Node, data: dict[str, Any], findings: Findings) -> None:
    if "time_zone" not in data:
        return
    if data["time_zone"] in _time_zones():
        templates.zone(data["time_zone"])
    else:
        near = meant(data["time_zone"], _time_zones())
        findings.below(node, "time_zone", f"a time zone such as Europe/London{near}", shown(data["time_zone"]))


def _times(node: Node, data: dict[str, Any], findings: Findings) -> None:
    longest_s, hours = data.get("max_duration_s", 1800), data.get("records_hours", 0)
    if data.get("warn_s", 0) >= longest_s:
        findings.below(node, "warn_s", f"less than max_duration_s ({longest_s})", str(data["warn_s"]))
    if 0 < hours < (least := -(-(longest_s + CLOSING_S) // 3600)):  # the record would be gone in mid-call
        expected = f"{least} or more, for a call of max_duration_s ({longest_s}), its handover and its end"
        findings.below(node, "records_hours", expected, str(hours))


_OWN: dict[str, Shape] = {
    "prompt": Text("a prompt", MAX_BYTES, lines=True),
    "listen": LISTEN,
    "think": THINK,
    "speak": SPEAK,
}
_SENTENCES = Table(
    "a mapping of sentences",
    {each.name: may(_SENTENCE) for each in fields(Sentences)},
)
_LOOKUP = Table(
    "a mapping with function",
    {"function": need(FUNCTION_NAME), "timeout_s": may(Number(0.2, 5, "a number of seconds"), 1.5)},
)


_AGENT = Table(
    "a mapping of keys such as name, opening and prompt",
    {
        "name": need(NAME),
        "language": need(Text("a language such as en or en-US", 16, r"[a-z]{2,3}(-[A-Z][A-Za-z0-9]{1,3})?")),
        "opening": need(_SENTENCE),
        "agent_id": may(
            Text("the id of an agent that is stored at Deepgram", 36, r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
        ),
        **{key: may(shape) for key, shape in _OWN.items()},
        **HANDOVER,
        "functions": may(MapOf(ENTRY_OR_NOTHING, FUNCTION_NAME, "functions", most=100, reserved=BUILT_IN), {}),
        "max_calls_per_turn": may(whole(1, 50, "a whole number of calls"), MAX_CALLS_PER_TURN),
        "idle": may(_IDLE, {}),
        "goodbye": may(_SENTENCE, _ENGLISH_GOODBYE),
        "max_duration_s": may(whole(60, 14400, "a whole number of seconds"), 1800),
        "warn_s": may(whole(15, 600, "a whole number of seconds"), 0),
        "keep_days": may(NumberOf(DAYS, "a number of days"), KEEP_DAYS),
        "time_zone": may(Text("a time zone such as Europe/London", 64), "UTC"),
        "lookup": may(_LOOKUP),
        "collect": may(COLLECT, {}),
        "sentences": may(_SENTENCES, {}),
        "voices": may(MapOf(SPEAK, NAME, "voices"), {}),
        "models": may(MapOf(THINK, NAME, "models"), {}),
        "tags": may(ListOf(Text("a tag", 100), "tags", 0, 20), []),
        "mip_opt_out": may(Switch(), False),
        "record_calls": may(Switch(), False),
        "records_hours": may(whole(1, 720, "a whole number of hours"), 0),
    },
    (_stored, _prompt, default_queue_exists, priorities_are_of_reasons, _sentences, _templates, _zone, _times),
    {
        "greeting": "opening, the sentence that the caller hears at once",
        "audio": "no such key (audio is always G.711 µ-law, 8 kHz)",
        "agent": "the keys of agent at the top of the file",
        "instructions": "prompt",
        "flags": "no such key",
        "queue": "queues, a mapping, and default_queue",
    },
)


def load(path: str | Path, functions: Path | None = None) -> AgentDefinition:
    """The agent definition in one YAML file; its name must be the file's.

    `functions` is the folder of the Lambdas whose sources describe the functions; None: `lambdas/functions` beside
    the folder of the file, else below the working directory.

    Raises:
        DefinitionError: everything that is wrong with the file.
    """
    file = str(path)
    node, problems = source.parse(file, _text(file, path))
    findings = Findings(file, problems)
    handlers = read_handlers(functions or _lambdas(Path(path)))
    base, languages = split(node, findings)
    definition = _read(base, handlers, findings, Path(path).stem)
    others = {name: _read(each, handlers, findings, "") for name, each in languages.items()}
    if findings.problems:
        unique = dict.fromkeys(findings.problems)  # a language repeats what is wrong with what it takes over
        raise DefinitionError(sorted(unique, key=lambda problem: (problem.file != file, problem.line)))
    assert definition is not None
    named = {name: replace(each, name=f"{definition.name}.{name}") for name, each in others.items() if each}
    return replace(definition, languages=named)


def _read(node: Node, handlers: Handlers, findings: Findings, stem: str) -> AgentDefinition | None:
    """One agent in one language; `stem` is the file's, empty where the name is not the file's."""
    data = _AGENT.read(node, findings)
    if not isinstance(data, dict):
        return None
    if stem and data.get("name", stem) != stem:
        findings.below(node, "name", f"the name of the file, {stem}", f"'{data['name']}'")
    callables: list[FunctionDefinition] = []
    if isinstance(data.get("functions"), dict):
        callables = build(data["functions"], node.child("functions"), handlers, findings)
    lookup = looked_up(node.child("lookup"), data.get("lookup"), callables, handlers, findings)
    collect = questions(data.get("collect"), node.child("collect"), callables, handlers, findings)
    return None if findings.problems else _built(data, callables, lookup, collect)


def load_all(folder: str | Path) -> dict[str, AgentDefinition]:
    """All agent definitions of a folder by name.

    Raises:
        DefinitionError: everything that is wrong with any of the files, or a folder without one.
    """
    definitions: dict[str, AgentDefinition] = {}
    problems: list[Problem] = []
    for path in sorted(Path(folder).glob("[!.]*")):
        if path.suffix == ".yml":
            problems.append(Problem(str(path), 0, "", "the ending .yaml", ".yml"))
        if path.suffix != ".yaml":
            continue
        try:
            definition = load(path)
        except DefinitionError as error:
            problems += error.problems
        else:
            definitions |= by_language(definition)
    if not definitions and not problems:
        problems.append(Problem(str(folder), 0, "", "a folder with at least one agent definition (.yaml)", "none"))
    if problems:
        raise DefinitionError(problems)
    return definitions


def by_language(definition: AgentDefinition) -> dict[str, AgentDefinition]:
    """An agent by its name, and in its other languages by `name.language`."""
    return {definition.name: definition, **{each.name: each for each in definition.languages.values()}}


def _text(file: str, path: str | Path) -> str:
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise DefinitionError([Problem(file, 0, "", "a file that can be read", error.strerror or "none")]) from None
    except ValueError:  # a null character in the path
        raise DefinitionError([Problem(file, 0, "", "the path of a file", "something else")]) from None
    if len(content) > MAX_BYTES:
        raise DefinitionError([Problem(file, 0, "", f"at most {MAX_BYTES:,} bytes", "more")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DefinitionError([Problem(file, line, "", "UTF-8", f"the byte {content[error.start]:#04x}")]) from None


def _lambdas(path: Path) -> Path:
    beside = path.parent.parent / LAMBDAS
    return beside if beside.is_dir() else LAMBDAS


def _built(
    data: dict[str, Any],
    functions: list[FunctionDefinition],
    lookup: LookupDefinition | None,
    collect: Mapping[str, CollectDefinition],
) -> AgentDefinition:
    idle = _idle(data["idle"])
    return AgentDefinition(
        name=data["name"],
        language=data["language"],
        opening=data["opening"],
        prompt=data.get("prompt", ""),
        listen=_listen(data["listen"]["provider"], data["language"]) if "listen" in data else {},
        think=_think(data.get("think", ())),
        speak=_speak(data.get("speak", ())),
        queues={name: queue_definition(name, queue) for name, queue in data["queues"].items()},
        default_queue=data["default_queue"],
        functions={function.name: function for function in functions},
        idle=IdleDefinition(idle["after_s"], tuple(idle["sentences"])),
        goodbye=data["goodbye"],
        max_duration_s=data["max_duration_s"],
        tags=tuple(data["tags"]),
        mip_opt_out=data["mip_opt_out"],
        max_calls_per_turn=data["max_calls_per_turn"],
        agent_id=data.get("agent_id", ""),
        time_zone=ZoneInfo(data["time_zone"]).key,  # read now: it is a file, and a call must not wait for one
        lookup=lookup,
        voices={name: _speak(voice) for name, voice in data["voices"].items()},
        models={name: _think(model) for name, model in data["models"].items()},
        sentences=Sentences(**data["sentences"]),
        warn_s=data["warn_s"],
        keep_days=data["keep_days"],
        reasons=tuple(data["reasons"]),
        intents=tuple(data["intents"]),
        collect=collect,
        record_calls=data["record_calls"],
        records_hours=data["records_hours"],
        priorities=data["priorities"],
    )


def _think(entries: Iterable[dict[str, Any]]) -> tuple[ThinkDefinition, ...]:
    return tuple(ThinkDefinition(entry["provider"], _endpoint(entry), entry.get("context_length")) for entry in entries)


def _speak(entries: Iterable[dict[str, Any]]) -> tuple[SpeakDefinition, ...]:
    return tuple(SpeakDefinition(entry["provider"], _endpoint(entry)) for entry in entries)


def _listen(provider: dict[str, Any], language: str) -> dict[str, Any]:
    """A Nova model hears the definition's language unless its provider names another; Flux takes none."""
    if provider["version"] == "v1" and "language" not in provider:
        return {**provider, "language": language}
    return provider


def _endpoint(entry: dict[str, Any]) -> Endpoint | None:
    endpoint = entry.get("endpoint")
    return Endpoint(endpoint["url"], endpoint["headers"]) if endpoint else None
