"""What functions found out, for the human who takes the call: their answers in brief, and who the customer is.

A function's answer may hold three keys that the model never sees: `voice_agent`, which changes the agent, `remember`,
which later functions of this call get in their context, and `handover`, which is for the human alone:

    {"verified": true, "handover": {"customer_id": "C-4711", "verified": true, "note": "policy 471108, in force"}}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from contract.handover import clip_utf8
from contract.text import json_object
from contract.turns import WITHHELD, FunctionEntry, FunctionState

AGENT_KEY = "voice_agent"
HUMAN_KEY = "handover"
KEEP_KEY = "remember"
OURS = (AGENT_KEY, HUMAN_KEY, KEEP_KEY)
KEPT_CHARACTERS = 1000  # of one value
MOST_KEPT = 20
BRIEF_BYTES = 240  # of one function's answer


@dataclass(frozen=True, slots=True)
class Customer:
    """`verified` is `yes`, `no`, or "" where no function has said so."""

    id: str = ""
    verified: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A function's answer taken apart: what the model is told, as JSON, and what is for agent, human and functions."""

    told: str
    agent: Mapping[str, Any]
    human: Mapping[str, Any]
    kept: Mapping[str, Any] = field(default_factory=dict)


def taken_apart(content: str) -> Answer:
    """Lenient: an answer without such keys, or with something else below them, is told as it is."""
    if not any(f'"{key}"' in content for key in OURS):
        return Answer(content, {}, {})
    answer = json_object(content)
    ours = {key: answer.pop(key) for key in OURS if isinstance(answer.get(key), dict)}
    if not ours:
        return Answer(content, {}, {})
    agent, human, kept = (ours.get(key, {}) for key in OURS)
    return Answer(json.dumps(answer, ensure_ascii=False), agent, human, kept)


def remembered(functions: Iterable[FunctionEntry]) -> dict[str, str]:
    """What functions of this call wanted later ones to know, the newest of each name; "" takes it back.

    Neither caller nor model can say it: it comes from answers of functions alone.
    """
    found: dict[str, str] = {}
    for entry in sorted(functions, key=lambda entry: entry.entered_at_ms):
        if entry.state is FunctionState.FINISHED:
            found |= {str(name): str(value)[:KEPT_CHARACTERS] for name, value in taken_apart(entry.result).kept.items()}
    kept = [(name, value) for name, value in found.items() if value]
    return dict(kept[:MOST_KEPT])


def customer(functions: Iterable[FunctionEntry]) -> Customer:
    """Who the caller is, by the newest function that said so; each of the two for itself."""
    found, verified = "", ""
    for entry in sorted(functions, key=lambda entry: entry.entered_at_ms):
        if entry.state is FunctionState.FINISHED:
            human = taken_apart(entry.result).human
            found = _line(human.get("customer_id")) or found
            said = human.get("verified")
            verified = verified if not isinstance(said, bool) else "yes" if said else "no"
    return Customer(found, verified)


def in_brief(functions: Iterable[FunctionEntry], limit: int) -> str:
    """One function after the other, the newest last; when they do not all fit, the oldest go."""
    lines: list[str] = []
    in_order = sorted(functions, key=lambda entry: entry.entered_at_ms)
    for entry in reversed(in_order):
        line = _brief(entry)
        limit -= len(line.encode()) + 2
        if limit < 0 and lines:
            break
        lines.append(line)
    return "; ".join(reversed(lines))


def _brief(entry: FunctionEntry) -> str:
    said = clip_utf8(_findings(entry), BRIEF_BYTES)
    return f"{entry.name}: {entry.state.value}" + (f" ({said})" if said else "")


def _findings(entry: FunctionEntry) -> str:
    """The function's own note; else the plain values of its answer. A function that was told something private
    may repeat it in its answer, and shows its note alone."""
    if entry.state is FunctionState.FAILED:
        return _line(entry.error)
    if entry.state is not FunctionState.FINISHED:
        return ""
    answer = taken_apart(entry.result)
    if note := _line(answer.human.get("note")):
        return note
    if WITHHELD in entry.arguments.values():
        return ""
    plain = {key: _line(value) for key, value in json_object(answer.told).items()}
    return ", ".join(f"{key}: {value}" for key, value in plain.items() if value)


def _line(value: object) -> str:
    """A text, number or yes and no, in one line; "" for anything else."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(str(value).split()) if isinstance(value, (str, int, float)) else ""
