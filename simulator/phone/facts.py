"""What is known of a call, from its line, its flow, its record and its gateway. All times are epoch ms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract.actions import Numbered
from contract.call import Head
from contract.turns import FunctionEntry, Turn
from simulator.connect.events import DisconnectReason
from simulator.connect.shell import FlowEvent
from simulator.phone.listening import Track


@dataclass(frozen=True, slots=True)
class Played:
    """A prompt on the line, by the URL or ARN that the flow named. `ended_ms` is its last sample."""

    uri: str
    started_ms: int
    ended_ms: int
    cut: bool

    @property
    def speech(self) -> bool:
        """Whether it says something: a prompt of the instance's library is silence."""
        return not self.uri.startswith("arn:")


@dataclass(frozen=True, slots=True)
class Facts:
    """`spoken`: the caller's recordings: name, begin and end. `said` and `heard`: the two sides of the line.

    `figures` is what the gateway said of itself: `taken_at_ms`, `loop_lag_ms_p99` and the leg's.
    """

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
    spoken: Sequence[tuple[str, int, int]]
    said: Track
    heard: Track
    disconnect: DisconnectReason | None
    figures: Mapping[str, Any]
    lag_ms: Sequence[float]
    errors: Sequence[str] = field(default_factory=tuple)
