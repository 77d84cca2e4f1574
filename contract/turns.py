"""Turns: what was said, by whom, when, and how much of it was heard; and the ledger of functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    CALLER = "caller"
    VOICE_AGENT = "voice_agent"


class HeardSource(StrEnum):
    ESTIMATED = "estimated"  # from the playout clock
    MEASURED = "measured"  # found again in the AUDIO_TO_CUSTOMER track
    PACKETS = "packets"  # known to the RTP packet


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said by one side. Times are ms since the epoch, of the audio itself; 0 where unknown.

    `heard_ms` and `heard_text` are what reached the caller of an agent turn. `marks` holds other moments of
    the turn by name (`user_started_speaking`, `caller_stopped`, `agent_audio_received`, `heard_by_caller`, and `torn`
    where more was to come and never did).
    """

    number: int
    role: Role
    text: str
    started_at_ms: int = 0
    ended_at_ms: int = 0
    heard_ms: int = 0
    heard_text: str = ""
    heard_source: HeardSource = HeardSource.ESTIMATED
    interrupted: bool = False
    marks: Mapping[str, int] = field(default_factory=dict)


WITHHELD = "(withheld)"  # the value of a private argument, as it is recorded


class FunctionState(StrEnum):
    ENTERED = "entered"  # written before the invocation: its outcome is unknown until it is finished
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class FunctionEntry:
    """One line of the ledger. `key` names contact, turn, function and canonical arguments: entered once."""

    key: str
    name: str
    arguments: Mapping[str, object]
    state: FunctionState
    entered_at_ms: int
    finished_at_ms: int = 0
    result: str = ""  # JSON, as the agent was told
    error: str = ""
