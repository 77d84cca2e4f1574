"""Our own InjectUserMessage comes back as a ConversationText of the caller; it is not said twice."""

from __future__ import annotations

from dataclasses import dataclass, field

ECHO_MS = 5000  # later than that it is the caller who says the same


@dataclass(slots=True)
class Echoes:
    _expected: dict[str, int] = field(default_factory=dict)  # text, and until when

    def expect(self, text: str, now_ms: int) -> None:
        self._expected[text] = now_ms + ECHO_MS

    def is_one(self, text: str, now_ms: int) -> bool:
        """Whether this text of the caller is an echo; each comes once."""
        return now_ms <= self._expected.pop(text, -1)

    def clear(self) -> None:
        self._expected.clear()
