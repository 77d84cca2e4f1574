"""What is told of a call to whom it may concern: an event, and the record that it points to.

The event goes to EventBridge and holds no word of the conversation, so that rules, archives and dead-letter queues
hold none either. What was said is in the record, one object in an encrypted bucket, which expires. Versions grow by
new fields only; what a subscriber does not know it leaves alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from contract.call import Call
from contract.privacy import redacted, redacted_values
from contract.transcript import said
from contract.turns import FunctionEntry, Turn

VERSION = "1"
SOURCE = "connect-voice-agent"


class Kind(StrEnum):
    """EventBridge's detail-type."""

    HANDED_OVER = "call.handed_over"  # before the transfer; the human may not have answered yet
    ENDED = "call.ended"  # the voice agent's part is over, however it went


@dataclass(frozen=True, slots=True)
class Told:
    """How a call stands. `queue` is empty without a handover; `reason` a short snake_case word."""

    kind: Kind
    at_ms: int
    result: str
    reason: str
    queue: str = ""
    summary: str = field(default="", repr=False)
    handover: Mapping[str, str] = field(default_factory=dict, repr=False)


def record_key(call: Call) -> str:
    """Where the record of a call is kept: everything of a contact below one prefix."""
    return f"{record_prefix(call.contact_id)}{call.attempt}.json"


def record_uri(call: Call, bucket: str) -> str:
    """The same as people and tools write it; "" without a bucket."""
    return f"s3://{bucket}/{record_key(call)}" if bucket else ""


def record_prefix(contact_id: str) -> str:
    """What all records of a contact begin with."""
    return f"calls/{contact_id}/"


def event(call: Call, told: Told, bucket: str) -> dict[str, Any]:
    """The detail of the event."""
    return {
        "version": VERSION,
        # The same for the same: by it a subscriber leaves out what comes twice.
        "id": f"{call.contact_id}/{call.attempt}/{told.kind}/{told.at_ms}",
        "contact_id": call.contact_id,
        "attempt": call.attempt,
        "agent": call.agent,
        "instance_arn": call.instance_arn,
        "started_at": _iso(call.started_at_ms),
        "at": _iso(told.at_ms),
        "result": told.result,
        "reason": told.reason,
        "queue": told.queue,
        "record": {"bucket": bucket, "key": record_key(call)},
    }


def record(call: Call, told: Told, turns: Sequence[Turn], functions: Sequence[FunctionEntry]) -> dict[str, Any]:
    """The record, without card and social numbers; of agent turns what was heard."""
    return {
        "version": VERSION,
        "contact_id": call.contact_id,
        "attempt": call.attempt,
        "agent": call.agent,
        "caller_number": call.caller_number,
        "started_at": _iso(call.started_at_ms),
        "at": _iso(told.at_ms),
        "result": told.result,
        "reason": told.reason,
        "queue": told.queue,
        "summary": redacted(told.summary),
        "handover": dict(told.handover),
        "turns": [_turn(turn) for turn in sorted(turns, key=lambda turn: turn.number) if said(turn)],
        "functions": [_function(entry) for entry in functions],
    }


def _turn(turn: Turn) -> dict[str, Any]:
    return {"role": turn.role.value, "text": redacted(said(turn)), "at": _iso(turn.started_at_ms)}


def _function(entry: FunctionEntry) -> dict[str, Any]:
    took = entry.finished_at_ms - entry.entered_at_ms if entry.finished_at_ms else 0
    return {
        "name": entry.name,
        "arguments": redacted_values(entry.arguments),
        "at": _iso(entry.entered_at_ms),
        "took_ms": took,
        "outcome": entry.state.value,
        "error": entry.error,
    }


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
