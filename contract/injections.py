"""What somebody outside wants to bring into a live call: a sentence for the caller, or a note for the agent."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

MOST_CHARACTERS = 1000  # a sentence that is heard, or a note that a model still heeds
MOST = 100  # of one call


class Kind(StrEnum):
    SAY = "say"  # the caller hears it in the agent's voice, when nothing else is said
    NOTE = "note"  # the agent knows it from now on


@dataclass(frozen=True, slots=True)
class Injection:
    """`number` counts from 1 within a contact."""

    number: int
    kind: Kind
    text: str = field(repr=False)
    at_ms: int = 0
