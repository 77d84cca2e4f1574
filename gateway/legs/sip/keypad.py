"""A question that the caller answers with keys, from its prompt to the last digit. No I/O; times in ms.

Its limits are those of the flows (`flows.parameters`, `flows.actions.StoreInput`), so that a question is the same on
either leg: the first key within 10 s of the prompt, each next one within 5 s, the hash key or the last digit ends it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.legs.leg import Question

TERMINATOR = "#"
FIRST_KEY_MS = 10_000
NEXT_KEY_MS = 5_000
TAIL_MS = 500  # a key's tone may be in the audio too, which comes later than its event (RFC 4733 section 2.5.2)


@dataclass(slots=True)
class Keypad:
    """At most one question is open."""

    question: Question | None = None
    _keys: str = field(default="", repr=False)
    _due_ms: int = 0
    _deaf_until_ms: int = 0

    @property
    def open(self) -> bool:
        return self.question is not None

    @property
    def begun(self) -> bool:
        """A key has been pressed: the question is not taken back any more."""
        return bool(self._keys)

    def begin(self, question: Question, now_ms: int) -> None:
        self.question, self._keys, self._due_ms = question, "", now_ms + FIRST_KEY_MS

    def prompting(self, now_ms: int) -> None:
        """The prompt still plays."""
        if not self._keys:
            self._due_ms = now_ms + FIRST_KEY_MS

    def key(self, key: str, now_ms: int) -> str | None:
        """A key was pressed; returns all of them when it was the last."""
        assert self.question is not None
        if key == TERMINATOR:
            return self._end(now_ms)
        self._keys += key
        self._due_ms = now_ms + NEXT_KEY_MS
        return self._end(now_ms) if len(self._keys) >= self.question.most else None

    def due(self, now_ms: int) -> str | None:
        """The keys, when no further one came in time; "" without any."""
        return self._end(now_ms) if self.question is not None and now_ms >= self._due_ms else None

    def close(self) -> None:
        """Nobody wants to know any more."""
        self.question, self._keys = None, ""

    def deaf(self, now_ms: int) -> bool:
        """A secret is typed, and its tones are for nobody's ears."""
        return (self.question is not None and self.question.secret) or now_ms < self._deaf_until_ms

    def _end(self, now_ms: int) -> str:
        assert self.question is not None
        if self.question.secret:
            self._deaf_until_ms = now_ms + TAIL_MS
        keys = self._keys
        self.close()
        return keys
