"""The gate for agent audio: closed by a barge-in, opened by the next thing that can only be a new reply.

A few frames of the cancelled reply can still arrive after UserStartedSpeaking, and so can a late sentence of
it (observed on the live service by several gateways); assistant text therefore never opens the gate.
"""

from __future__ import annotations

from dataclasses import dataclass

REOPEN_AFTER_MS = 1000  # audio that comes so long after the last dropped frame is a new reply


@dataclass(slots=True)
class Gate:
    closed: bool = False
    dropped_bytes: int = 0
    _last_ms: int = 0

    def close(self, now_ms: int) -> None:
        self.closed = True
        self._last_ms = now_ms

    def open(self) -> None:
        self.closed = False

    def admit(self, length: int, now_ms: int) -> bool:
        """Whether `length` bytes of agent audio may be played. Runs for every frame."""
        if not self.closed:
            return True
        if now_ms - self._last_ms >= REOPEN_AFTER_MS:
            self.closed = False
            return True
        self._last_ms = now_ms
        self.dropped_bytes += length
        return False
