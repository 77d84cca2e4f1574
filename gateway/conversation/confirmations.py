"""Functions that the caller has to agree to: the model asks first, and the caller must have spoken since.

Whether it was a yes is the model's to judge. That the question was put, and that a turn of the caller began after
it and came to its end, is not: a model cannot skip it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from contract.items import canonical


class _Asked(Enum):
    ASKED = auto()
    SPEAKING = auto()  # the caller began to speak after it
    ANSWERED = auto()


@dataclass(slots=True)
class Confirmations:
    """By function and exact arguments: other arguments are another question."""

    _asked: dict[str, _Asked] = field(default_factory=dict)

    def given(self, name: str, arguments: Mapping[str, object]) -> bool:
        """True once after the caller has answered; else the question counts as put from now on."""
        key = f"{name}#{canonical(arguments)}"
        if self._asked.get(key) is _Asked.ANSWERED:
            del self._asked[key]
            return True
        self._asked[key] = _Asked.ASKED
        return False

    def caller_started(self) -> None:
        """A text that comes later may be of this turn; one that comes earlier is of the turn before the question."""
        self._move(_Asked.ASKED, _Asked.SPEAKING)

    def caller_said(self) -> None:
        self._move(_Asked.SPEAKING, _Asked.ANSWERED)

    def _move(self, before: _Asked, after: _Asked) -> None:
        for key, state in self._asked.items():
            if state is before:
                self._asked[key] = after
