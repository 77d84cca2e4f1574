"""The gate for agent audio: closed by a barge-in or because the flow's own voice says what comes, opened by the next
thing that can only be a new reply.

A few frames of the cancelled reply can still arrive after UserStartedSpeaking, and so can a late sentence of
it (observed on the live service by several gateways); assistant text therefore never opens the gate.
"""

from __future__ import annotations

from dataclasses import dataclass

REOPEN_AFTER_MS = 1000  # audio that comes so long after the last dropped frame is a new reply


@dataclass(slots=True)
class Gate:
    closed: bool = False
    told_instead: bool = False  # each further sentence of the reply is said by the flow's own voice
    dropped_bytes: int = 0
    _last_ms: int = 0

    def close(self, now_ms: int) -> None:
        self.closed, self.told_instead = True, False
        self._last_ms = now_ms

    def tell_instead(self, now_ms: int) -> None:
        """The audio of this reply cannot be played."""
        self.close(now_ms)
        self.told_instead = True

    def open(self) -> None:
        self.closed = self.told_instead = False

    def admit(self, length: int, now_ms: int) -> bool:
        """Whether `length` bytes of agent audio may be played. Runs for every frame."""
        if not self.closed:
            return True
        if now_ms - self._last_ms >= REOPEN_AFTER_MS:
            self.open()
            return True
        self._last_ms = now_ms
        self.dropped_bytes += length
        return False
