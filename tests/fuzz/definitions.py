"""Agent definitions: any bytes in a file. What is accepted makes Settings that a strict service accepts."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from definition import AgentDefinition, DefinitionError, Problem, load
from definition.settings import settings
from simulator.deepgram.manners import PESSIMISTIC
from simulator.deepgram.settings_check import check_values, settings_schema

_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a disk costs more time than all the rest
_FOLDER = tempfile.TemporaryDirectory(prefix="fuzz-", dir=_MEMORY)
_FILE = Path(_FOLDER.name) / "a.yaml"
_SCHEMA = settings_schema(PESSIMISTIC)
_SMALL = """\
name: a
language: en
opening: Hi.
prompt: Be kind.
listen: {provider: {type: deepgram, version: v2, model: flux-general-en, eot_threshold: 0.7}}
think: {provider: {type: open_ai, model: gpt-4o-mini, temperature: 0.3}}
speak: {provider: {type: deepgram, model: aura-2-thalia-en}}
queues: {q: {description: All, when_closed: No.}}
default_queue: q
"""
_MORE = (
    "functions: {f: {description: D, parameters: {type: object, properties: {n: {type: string, enum: [a]}}}}}\n",
    "functions: {f: {description: D, timeout_s: 3, idempotent: true, while_running: W, on_failure: F}}\n",
    "idle: {after_s: 10, sentences: [There?]}\ngoodbye: Bye.\nmax_duration_s: 600\ntags: [x]\nmip_opt_out: true\n",
)
_OTHER = (
    ("listen:", "listen: {provider: {type: deepgram, version: v1, model: nova-3, keyterms: [a]}}"),
    ("think:", "think: [{provider: {type: groq, model: m}, endpoint: {url: 'https://e/x', headers: {a: b}}}]"),
    ("think:", "think: {provider: {type: anthropic, model: claude-haiku-4-5}}"),
    (
        "speak:",
        "speak: {provider: {type: cartesia, model_id: m, voice: {mode: id, id: v}}, endpoint: {url: 'wss://e'}}",
    ),
    ("prompt:", "prompt: |\n  One.\n  Two."),
    ("language:", "language: de\ngoodbye: T."),
)


def seeds() -> Sequence[bytes]:
    """A small definition, with more in it, and with other providers."""
    made = [_SMALL, *(_SMALL + more for more in _MORE)]
    for key, line in _OTHER:
        made.append("\n".join(line if old.startswith(key) else old for old in _SMALL.split("\n")))
    return [text.encode() for text in made]


def holds(data: bytes) -> None:
    """Either DefinitionError, with a place for each problem, or Settings that the stand-in takes."""
    _FILE.write_bytes(data)
    agent = _loaded()
    if agent is None:
        return
    secrets = dict.fromkeys(agent.secrets, "value")
    for greeting in (None, agent.opening):
        message = settings(agent, greeting=greeting, secrets=secrets)
        _SCHEMA(message, "Settings")
        check_values(message, PESSIMISTIC)


def _loaded() -> AgentDefinition | None:
    problems: Sequence[Problem] = ()
    try:
        return load(_FILE)
    except DefinitionError as error:
        problems = error.problems
    assert problems
    assert all(problem.expected and problem.found for problem in problems), problems
    return None
