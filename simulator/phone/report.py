"""The report of a call, as it is written to report.json. All its times are ms from the ring."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from contract.actions import NONE, Numbered, Play
from contract.handover import KEYS
from contract.turns import FunctionEntry, Turn
from simulator.connect.events import DisconnectReason
from simulator.phone import timing
from simulator.phone.facts import Facts

BUSY = "this machine was busy"
LAG_LIMIT_MS = 50  # above it this machine was too busy for the times to mean anything
RTP = ("silent_after_ms", "starved_ms")  # and what begins with rtp_
CALLER_AUDIO = ("kvs_delay_ms_p50", "backlog_ms_max", "inserted_ms", "dropped_ms")


def build(facts: Facts) -> dict[str, Any]:
    """The whole report."""
    result, reason, queue, handover = _result(facts)
    lag = max(p99(facts.lag_ms), float(facts.figures.get("loop_lag_ms_p99", 0)))
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
        "clips": [_clip(facts, numbered) for numbered in facts.actions if isinstance(numbered.action, Play)],
        "barge_ins": [_barge_in(facts, one) for one in timing.barge_ins(facts)],
        "latency_ms": _latency(facts),
        "caller_audio": {name: facts.figures.get(name, 0) for name in CALLER_AUDIO},
        "rtp": {name: value for name, value in facts.figures.items() if name.startswith("rtp_") or name in RTP},
        "loop_lag_ms_p99": round(lag, 1),
        "flow_actions": [
            {"identifier": event.identifier, "type": event.type, "at_ms": event.at_ms - facts.started_ms}
            for event in facts.flow
            if event.kind == "enter"
        ],
        "errors": [*facts.errors, *_busy(lag)],
    }


def p99(lags: Sequence[float]) -> float:
    """The value below which 99 of 100 are; 0 for none."""
    ordered = sorted(lags)
    return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] if ordered else 0.0


def _busy(lag: float) -> list[str]:
    if lag <= LAG_LIMIT_MS:
        return []
    return [f"{BUSY}: event loops ran up to {lag:.0f} ms late (p99), so the times mean little"]


def _since(facts: Facts, at_ms: int) -> int:
    return at_ms - facts.started_ms if at_ms else 0


def _result(facts: Facts) -> tuple[str, str, str | None, dict[str, str]]:
    """What became of the caller, as Connect saw it; the reason is the record's word, or else the handover's."""
    queued = next((event for event in facts.flow if event.kind == "queued"), None)
    recorded = facts.head.reason if facts.head else ""
    if queued is not None:
        attributes: Mapping[str, str] = queued.detail["attributes"]
        handover = {key: attributes[key] for key in KEYS if key in attributes}
        queue = str(queued.detail["queue_arn"]).rpartition("/")[2]
        return "transferred", recorded or handover.get("va_reason", NONE), queue, handover
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
    return {
        "name": entry.name,
        "arguments": dict(entry.arguments),
        "result": result_of(entry),
        "duration_ms": max(0, entry.finished_at_ms - entry.entered_at_ms),
        "error": entry.error or None,
    }


def result_of(entry: FunctionEntry) -> Any:
    """What the function returned; as text where it is no JSON, None where it returned nothing."""
    try:
        return json.loads(entry.result) if entry.result else None
    except ValueError:
        return entry.result


def _clip(facts: Facts, numbered: Numbered) -> dict[str, Any]:
    assert isinstance(numbered.action, Play)
    url = numbered.action.prompt_url
    prompt = next((one for one in facts.played if one.uri == url), None)
    asked = (event.at_ms for event in facts.flow if event.kind == "prompt_asked" and event.detail["uri"] == url)
    return {
        "seq": numbered.seq,
        "ready_ms": _since(facts, numbered.appended_at_ms),
        "asked_ms": _since(facts, next(asked, 0)),
        "started_ms": _since(facts, prompt.started_ms) if prompt else 0,
        "ended_ms": _since(facts, prompt.ended_ms) if prompt else 0,
        "outcome": numbered.outcome.value,
    }


def _barge_in(facts: Facts, found: timing.BargeIn) -> dict[str, int]:
    return {
        "onset_ms": _since(facts, found.onset_ms),
        "user_started_speaking_ms": _since(facts, found.noticed_ms),
        "flow_told_ms": _since(facts, found.told_ms),
        "silent_ms": _since(facts, found.silent_ms),
    }


def _latency(facts: Facts) -> dict[str, Any]:
    """`answered`: until a gateway had the call; `first_word`: until the caller heard the first sound."""
    return {
        "answered": _since(facts, int(facts.figures.get("taken_at_ms", 0))),
        "first_word": _since(facts, timing.first_word_ms(facts)),
        "turns": [
            {
                "caller_stopped": _since(facts, one.stopped_ms),
                "agent_audio_received": _since(facts, one.received_ms),
                "heard_by_caller": _since(facts, one.heard_ms),
            }
            for one in timing.answered(facts)
        ],
    }
