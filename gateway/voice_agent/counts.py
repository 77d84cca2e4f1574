"""What happened besides the conversation."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """For metrics and the one log line of a session. Audio in bytes, latencies in seconds."""

    unknown: Counter[str] = field(default_factory=Counter)
    malformed: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    out_of_order: int = 0  # a second Welcome, a SettingsApplied that answers nothing
    refused: int = 0  # messages of ours that could not be sent any more, or must not be
    keepalives: int = 0
    audio_before_applied: int = 0
    stt_reports: int = 0
    stt_latency_s: float = 0.0  # the newest
    stt_latency_max_s: float = 0.0
