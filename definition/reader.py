"""A file in agents/ to an `AgentDefinition`, or to every problem in it with file and line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from definition import source
from definition.callables import ENTRY_OR_NOTHING, build
from definition.errors import DefinitionError, Problem
from definition.functions import BUILT_IN
from definition.handlers import read_handlers
from definition.listen import LISTEN
from definition.model import (
    MAX_CALLS_PER_TURN,
    AgentDefinition,
    Endpoint,
    FunctionDefinition,
    IdleDefinition,
    QueueDefinition,
    SpeakDefinition,
    ThinkDefinition,
)
from definition.options import SENTENCE
from definition.shape import Findings, ListOf, MapOf, Number, Switch, Table, Text, may, meant, need, shown, whole
from definition.source import Node
from definition.speak import SPEAK
from definition.think import MANAGED_PROMPT_CHARACTERS, THINK

MAX_BYTES = 1_000_000
LAMBDAS = Path("lambdas") / "functions"
_SENTENCE = SENTENCE
_NAME = Text("a name of small letters, digits, _ and -, beginning with a letter", 64, r"[a-z][a-z0-9_-]*")
# Every provider of language models takes such names; - and . are not taken by all.
_FUNCTION_NAME = Text("a name of small letters, digits and _, beginning with a letter", 64, r"[a-z][a-z0-9_]*")
# Ready-made sentences exist in English only; in another language they must be written.
_ENGLISH_IDLE = ("Are you still there?", "I cannot hear you. Is there anything else I can do?")
_ENGLISH_GOODBYE = "Thank you for calling. Goodbye."


def _idle(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"after_s": 10, "sentences": _ENGLISH_IDLE, **data}


_QUEUE = Table(
    "a queue with description",
    {
        "description": need(Text("who takes these calls", 400)),
        "when_closed": may(_SENTENCE, ""),
        "when_no_staff": may(_SENTENCE, ""),
        "when_full": may(_SENTENCE, ""),
    },
)
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


def _default_queue(node: Node, data: dict[str, Any], findings: Findings) -> None:
    queues, name = data.get("queues"), data.get("default_queue")
    if queues and name and name not in queues:
        near = meant(name, queues)
        findings.below(node, "default_queue", f"one of the queues {', '.join(queues)}{near}", shown(name))


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


_AGENT = Table(
    "a mapping of keys such as name, opening and prompt",
    {
        "name": need(_NAME),
        "language": need(Text("a language such as en or en-US", 16, r"[a-z]{2,3}(-[A-Z][A-Za-z0-9]{1,3})?")),
        "opening": need(_SENTENCE),
        "prompt": need(Text("a prompt", MAX_BYTES, lines=True)),
        "listen": need(LISTEN),
        "think": need(THINK),
        "speak": need(SPEAK),
        "queues": need(MapOf(_QUEUE, _NAME, "queues", least=1)),
        "default_queue": need(Text("the name of one of the queues", 64)),
        "functions": may(MapOf(ENTRY_OR_NOTHING, _FUNCTION_NAME, "functions", most=100, reserved=BUILT_IN), {}),
        "max_calls_per_turn": may(whole(1, 50, "a whole number of calls"), MAX_CALLS_PER_TURN),
        "idle": may(_IDLE, {}),
        "goodbye": may(_SENTENCE, _ENGLISH_GOODBYE),
        "max_duration_s": may(whole(60, 14400, "a whole number of seconds"), 1800),
        "tags": may(ListOf(Text("a tag", 100), "tags", 0, 20), []),
        "mip_opt_out": may(Switch(), False),
    },
    (_prompt, _default_queue, _sentences),
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
    data = _AGENT.read(node, findings)
    stem = Path(path).stem
    if isinstance(data, dict) and data.get("name", stem) != stem:
        findings.below(node, "name", f"the name of the file, {stem}", f"'{data['name']}'")
    callables: list[FunctionDefinition] = []
    if isinstance(data, dict) and isinstance(data.get("functions"), dict):
        handlers = read_handlers(functions or _lambdas(Path(path)))
        callables = build(data["functions"], node.child("functions"), handlers, findings)
    if findings.problems:
        raise DefinitionError(sorted(findings.problems, key=lambda problem: (problem.file != file, problem.line)))
    return _built(data, callables)


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
            definitions[definition.name] = definition
    if not definitions and not problems:
        problems.append(Problem(str(folder), 0, "", "a folder with at least one agent definition (.yaml)", "none"))
    if problems:
        raise DefinitionError(problems)
    return definitions


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


def _built(data: dict[str, Any], functions: list[FunctionDefinition]) -> AgentDefinition:
    idle = _idle(data["idle"])
    return AgentDefinition(
        name=data["name"],
        language=data["language"],
        opening=data["opening"],
        prompt=data["prompt"],
        listen=_listen(data["listen"]["provider"], data["language"]),
        think=tuple(
            ThinkDefinition(entry["provider"], _endpoint(entry), entry.get("context_length")) for entry in data["think"]
        ),
        speak=tuple(SpeakDefinition(entry["provider"], _endpoint(entry)) for entry in data["speak"]),
        queues={name: QueueDefinition(name, **queue) for name, queue in data["queues"].items()},
        default_queue=data["default_queue"],
        functions={function.name: function for function in functions},
        idle=IdleDefinition(idle["after_s"], tuple(idle["sentences"])),
        goodbye=data["goodbye"],
        max_duration_s=data["max_duration_s"],
        tags=tuple(data["tags"]),
        mip_opt_out=data["mip_opt_out"],
        max_calls_per_turn=data["max_calls_per_turn"],
    )


def _listen(provider: dict[str, Any], language: str) -> dict[str, Any]:
    """A Nova model hears the definition's language unless its provider names another; Flux takes none."""
    if provider["version"] == "v1" and "language" not in provider:
        return {**provider, "language": language}
    return provider


def _endpoint(entry: dict[str, Any]) -> Endpoint | None:
    endpoint = entry.get("endpoint")
    return Endpoint(endpoint["url"], endpoint["headers"]) if endpoint else None
