"""The seam between the protocol core and whatever hears, thinks and speaks: three small interfaces and their events.

Caller audio and agent audio are µ-law, 8,000 Hz, mono: 8 bytes are one millisecond. Every time is an integer,
milliseconds since the Unix epoch, passed in; nothing here looks at a clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak: voice activity, before any word is known."""

    at_ms: int
    """When the audio that shows it arrived."""


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The caller stopped; what was understood."""

    text: str
    """The final text of one turn; empty where nothing was understood, and then there is no turn."""
    at_ms: int
    trigger: str = "model"
    """What ended it: `model`, `timeout` or `manual`; told to the client with a v2 listen provider."""


Heard = SpeechStarted | TurnEnded


@dataclass(frozen=True, slots=True)
class Call:
    """A function that the agent wants called."""

    name: str
    arguments: str
    """A JSON object as text."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the agent says now, and the functions that it calls after saying it."""

    text: str
    """May be empty: the agent says nothing."""
    calls: tuple[Call, ...] = ()


class Ears(Protocol):
    """Audio in, events out."""

    def push(self, ulaw: bytes, now_ms: int) -> Sequence[Heard]:
        """Take audio as it arrives, in blocks of any size. Never blocks."""
        ...

    def poll(self, now_ms: int) -> Sequence[Heard]:
        """What became ready since the last push, where understanding takes longer than a push may. Never blocks."""
        ...

    def close(self) -> None:
        """Let go of threads and models; nothing is called afterwards."""
        ...


class Mind(Protocol):
    """The conversation: one instance for one session."""

    def opened(self, settings: Mapping[str, Any]) -> None:
        """The whole Settings message as it was accepted, `agent.context.messages` included."""
        ...

    def heard(self, text: str, now_ms: int) -> Reply:
        """Answer one turn of the caller, or an injected user message."""
        ...

    def answered(self, name: str, content: str, now_ms: int) -> Reply:
        """Go on after the result of a function; one call for each result, in the order in which they came."""
        ...


@runtime_checkable
class Forcible(Protocol):
    """Ears that can be told to end the open turn now (ForceEndTurn); optional."""

    def force_end(self, now_ms: int) -> Sequence[Heard]:
        """End the open turn with what was heard so far; nothing when no turn is open."""
        ...


@runtime_checkable
class SecondThoughts(Protocol):
    """A mind that wants to know that its last `heard` was premature; optional."""

    def withdrawn(self, now_ms: int) -> None:
        """The caller went on speaking: the last `heard`, and what followed from it, never happened."""
        ...


@runtime_checkable
class Adaptable(Protocol):
    """A mind that follows UpdatePrompt, UpdateThink, UpdateSpeak and UpdateListen; optional."""

    def updated(self, settings: Mapping[str, Any], now_ms: int) -> None:
        """The whole settings as they are now in force."""
        ...


class Voice(Protocol):
    """Text to speech."""

    def speak(self, text: str) -> bytes:
        """The whole audio of a text, µ-law. May take tens of ms: the server calls it from a worker thread."""
        ...


@dataclass
class Brain:
    """Everything behind the protocol, for one session."""

    ears: Ears
    mind: Mind
    voice: Voice
