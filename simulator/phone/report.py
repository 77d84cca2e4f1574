"""The report of a call: facts of line, flow, record and gateway, joined. All times are ms from the ring."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract.actions import NONE, Numbered, Play
from contract.call import Head
from contract.handover import KEYS
from contract.turns import FunctionEntry, Role, Turn
from simulator.connect.events import DisconnectReason
from simulator.connect.shell import FlowEvent

LAG_LIMIT_MS = 50  # above it this machine was too busy for the times to mean anything


@dataclass(frozen=True, slots=True)
class Played:
    """A prompt on the line, by the URL or ARN that the flow named. `ended_ms` is its last sample."""

    uri: str
    started_ms: int
    ended_ms: int
    cut: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a call when it is over. Times are epoch ms."""

    contact_id: str
    form: str
    preset: str
    started_ms: int
    head: Head | None
    actions: Sequence[Numbered]
    turns: Sequence[Turn]
    functions: Sequence[FunctionEntry]
    flow: Sequence[FlowEvent]
    played: Sequence[Played]
    first_heard_ms: int
    spoken: Sequence[tuple[str, int, int]]  # the caller's recordings: name, first and last sample
    silent_at: Callable[[int], int]  # the last agent sample of what is heard at a time
    disconnect: DisconnectReason | None
    figures: Mapping[str, Any]
    lag_ms: Sequence[float]
    errors: Sequence[str] = field(default_factory=tuple)


def build(facts: Facts) -> dict[str, Any]:
    """The report as it is written to report.json."""
    result, reason, queue, handover = _result(facts)
    lag = _p99(facts.lag_ms)
    errors = list(facts.errors)
    if max(lag, float(facts.figures.get("loop_lag_ms_p99", 0))) > LAG_LIMIT_MS:
        errors.append(f"this machine was busy: event loops ran up to {lag:.0f} ms late (p99), so the times mean little")
    return {
        "contact_id": facts.contact_id,
        "flow": facts.form,
        "preset": facts.preset,
        "result": result,
        "reason": reason,
        "queue": queue,
        "transcript": [_turn(facts, turn) for turn in facts.turns],
        "functions": [_function(entry) for entry in facts.functions],
        "handover": handover,
        "clips": _clips(facts),
        "barge_ins": _barge_ins(facts),
        "latency_ms": _latency(facts),
        "caller_audio": {
            name: facts.figures.get(name, 0)
            for name in ("kvs_delay_ms_p50", "backlog_ms_max", "inserted_ms", "dropped_ms")
        },
        "loop_lag_ms_p99": round(max(lag, float(facts.figures.get("loop_lag_ms_p99", 0))), 1),
        "flow_actions": [
            {"identifier": event.identifier, "type": event.type, "at_ms": event.at_ms - facts.started_ms}
            for event in facts.flow
            if event.kind == "enter"
        ],
        "errors": errors,
    }


def _since(facts: Facts, at_ms: int) -> int:
    return at_ms - facts.started_ms if at_ms else 0


def _result(facts: Facts) -> tuple[str, str, str | None, dict[str, str]]:
    """What became of the caller, as Connect saw it; the reason as our record has it."""
    queued = next((event for event in facts.flow if event.kind == "queued"), None)
    recorded = facts.head.reason if facts.head else ""
    if queued is not None:
        attributes: Mapping[str, str] = queued.detail["attributes"]
        handover = {key: attributes[key] for key in KEYS if key in attributes}
        reason = handover.get("va_reason", NONE)
        queue = str(queued.detail["queue_arn"]).rpartition("/")[2]
        return "transferred", recorded if reason == NONE else reason, queue, handover
    if facts.disconnect is DisconnectReason.CUSTOMER:
        return "caller_hung_up", recorded or "caller_hung_up", None, {}
    if facts.disconnect is DisconnectReason.FLOW:
        return "ended", recorded or "flow", None, {}
    return "failed", recorded or "unknown", None, {}


def _turn(facts: Facts, turn: Turn) -> dict[str, Any]:
    return {
        "role": turn.role.value,
        "text": turn.text,
        "start_ms": _since(facts, turn.started_at_ms),
        "end_ms": _since(facts, turn.ended_at_ms),
        "heard_ms": turn.heard_ms,
        "heard_text": turn.heard_text,
        "heard_source": turn.heard_source.value,
    }


def _function(entry: FunctionEntry) -> dict[str, Any]:
    result = json.loads(entry.result) if entry.result else None
    return {
        "name": entry.name,
        "arguments": dict(entry.arguments),
        "result": result,
        "duration_ms": max(0, entry.finished_at_ms - entry.entered_at_ms),
        "error": entry.error or None,
    }


def _clips(facts: Facts) -> list[dict[str, Any]]:
    played = {prompt.uri: prompt for prompt in facts.played}
    clips = []
    for numbered in facts.actions:
        if not isinstance(numbered.action, Play):
            continue
        prompt = played.get(numbered.action.prompt_url)
        clips.append(
            {
                "seq": numbered.seq,
                "ready_ms": _since(facts, numbered.appended_at_ms),
                "asked_ms": _asked(facts, numbered.action.prompt_url),
                "started_ms": _since(facts, prompt.started_ms) if prompt else 0,
                "ended_ms": _since(facts, prompt.ended_ms) if prompt else 0,
                "outcome": numbered.outcome.value,
            }
        )
    return clips


def _asked(facts: Facts, url: str) -> int:
    """When the flow's block that plays this clip asked for the file."""
    asked = next(
        (event.at_ms for event in facts.flow if event.kind == "prompt_asked" and event.detail["uri"] == url), 0
    )
    return _since(facts, asked)


def _barge_ins(facts: Facts) -> list[dict[str, int]]:
    """Turns that began into the agent's words."""
    found = []
    for turn in facts.turns:
        estimated = turn.marks.get("barge_in", 0)
        if turn.role is not Role.CALLER or not estimated:
            continue
        onset = min(
            (start for _, start, _ in facts.spoken), key=lambda start: abs(start - estimated), default=estimated
        )
        noticed = turn.marks.get("user_started_speaking", 0)
        told = next((e.at_ms for e in facts.flow if e.kind == "lambda_returned" and e.at_ms >= noticed), 0)
        found.append(
            {
                "onset_ms": _since(facts, onset),
                "user_started_speaking_ms": _since(facts, noticed),
                "flow_told_ms": _since(facts, told),
                "silent_ms": _since(facts, facts.silent_at(onset)),
            }
        )
    return found


def _latency(facts: Facts) -> dict[str, Any]:
    """`answered`: until a gateway had the call; `first_word`: until the caller heard the first agent sample."""
    turns = []
    caller: Turn | None = None
    for turn in facts.turns:
        if turn.role is Role.CALLER:
            caller = turn
        elif caller is not None and turn.marks.get("heard_by_caller"):
            turns.append(
                {
                    "caller_stopped": _since(facts, caller.ended_at_ms),
                    "agent_audio_received": _since(facts, turn.marks.get("agent_audio_received", 0)),
                    "heard_by_caller": _since(facts, turn.marks["heard_by_caller"]),
                }
            )
            caller = None
    answered = int(facts.figures.get("taken_at_ms", 0))
    return {
        "answered": _since(facts, answered),
        "first_word": _since(facts, facts.first_heard_ms),
        "turns": turns,
    }


def _p99(lags: Sequence[float]) -> float:
    ordered = sorted(lags)
    return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] if ordered else 0.0
