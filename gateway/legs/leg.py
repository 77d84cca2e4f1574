"""The seam between a call and the way its audio travels: frozen events in, commands out.

`call.py` and `conversation/` know only this file. A leg is a task of the call's task group; it owns its
sockets, threads and clocks, and it reports everything as one of the events below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from contract.actions import Returned, Transfer
from contract.call import Head
from contract.turns import HeardSource
from gateway.legs.tape import Tape


@dataclass(frozen=True, slots=True)
class CallerAudio:
    """Caller audio, µ-law 8 kHz mono (1 byte a sample); `media_ms` is the epoch time of its first sample.

    `delay_ms` is how old it was when it reached the gateway; `inserted` audio is silence of our own making; `speech`:
    it is louder than the noise of the line, or in doubt.
    """

    media_ms: int
    ulaw: bytes
    delay_ms: int = 0
    inserted: bool = False
    speech: bool = True


@dataclass(frozen=True, slots=True)
class PlaybackStarted:
    """The caller hears the first sample of a stretch of agent speech. Stretches count from 1; 0 is the opening."""

    stretch: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """The one end of a stretch of agent speech: `position_ms` of it were played."""

    stretch: int
    position_ms: int
    interrupted: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class HeardMeasured:
    """What was really heard of a finished stretch; amends the transcript, and what is said again after a cough."""

    stretch: int
    position_ms: int
    source: HeardSource


@dataclass(frozen=True, slots=True)
class ClipFailed:
    """The present stretch cannot be played as the voice agent spoke it, not even at a second try."""


@dataclass(frozen=True, slots=True)
class FlowTook:
    """The flow loaded the transfer or the end: from here on it cannot be called back.

    `reason`, `queue` and `handover` (what the human gets) say which, perhaps one that an earlier owner of the call had
    asked for; empty where the leg knows of no other than what it was told.
    """

    reason: str = ""
    queue: str = ""
    handover: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class TransferReturned:
    """The transfer did not happen and the caller is back with the voice agent."""

    why: Returned


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The caller pressed a key, one of 0 to 9, *, # and A to D, that nobody had asked for; told when it goes down. Only
    a leg that hears keys by itself tells it."""

    digit: str = field(repr=False)
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """Keys that the caller is asked to press: `prompt` is said, by a rendered clip of `agent` where there is one.

    `function` and `parameter`: who gets secret digits, "" where nobody does. `attempt` counts from 1.
    """

    name: str
    prompt: str
    most: int
    secret: bool = False
    function: str = ""
    parameter: str = ""
    agent: str = ""
    attempt: int = 1


def rendered_name(agent: str, question: str) -> str:
    """Under which a question's clip is found among the openings."""
    return f"{agent}/{question}"


class Keys(Enum):
    """What became of a question."""

    TAKEN = auto()  # it was put; without digits nothing was pressed in time
    NEVER = auto()  # it was not put
    FAILED = auto()
    UNAVAILABLE = auto()  # this leg takes no keys


@dataclass(frozen=True, slots=True)
class KeysTaken:
    """The one end of a question. Of a secret one, `digits` are a word that says so, or the answer of its function."""

    what: Keys
    digits: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CallerGone:
    """The caller is no longer there, or is with a human; `signal` says how we know."""

    signal: str


@dataclass(frozen=True, slots=True)
class LegFailed:
    """The leg cannot go on; `reason` is a short snake_case word for the record."""

    reason: str


LegEvent = (
    CallerAudio
    | PlaybackStarted
    | PlaybackFinished
    | HeardMeasured
    | ClipFailed
    | FlowTook
    | TransferReturned
    | KeyPressed
    | KeysTaken
    | CallerGone
    | LegFailed
)


@dataclass(frozen=True, slots=True)
class Handover:
    """Where the caller goes, and what the human gets: contact attributes of `contract.handover`.

    `priority` and `callback` as in `contract.actions.Transfer`.
    """

    queue: str
    queue_arn: str
    reason: str
    attributes: dict[str, str]
    priority: int = 0
    callback: bool = False

    def action(self) -> Transfer:
        """As the flow gets it."""
        return Transfer(self.queue_arn, self.queue, self.reason, self.attributes, self.priority, self.callback)


class Leg(Protocol):
    """How audio reaches and leaves the caller. What is no coroutine returns at once; `run` does the work."""

    async def run(self) -> None:
        """Work until the caller is gone. Raises LeaseLost when another gateway owns the call."""
        ...

    async def next_event(self) -> LegEvent:
        """Everything that happens, in order; nothing follows CallerGone or LegFailed."""
        ...

    def speak(self, ulaw: bytes) -> int:
        """Queue agent audio, as fast as it comes; returns the number of the stretch that it belongs to. What comes
        before the caller heard the end of a stretch continues it."""
        ...

    def end_of_speech(self) -> None:
        """No more audio belongs to this stretch: PlaybackFinished follows when it has been played."""
        ...

    def clear(self) -> None:
        """Barge-in: play nothing of what was queued; PlaybackFinished(interrupted) follows if a stretch was open."""
        ...

    def say(self, text: str) -> None:
        """Speak a text without the voice agent, when its own voice cannot be had."""
        ...

    def ask(self, question: Question) -> None:
        """Ask for keys when what is being said has been heard; KeysTaken follows."""
        ...

    def unask(self) -> None:
        """Take the question back, if the caller has not heard it yet; KeysTaken follows or not."""
        ...

    def asked_before(self, since_ms: int) -> None:
        """An earlier owner of the call wanted to ask, then or later; KeysTaken says what came of it. Before `run`."""
        ...

    def transfer(self, handover: Handover) -> None: ...

    def withdraw(self) -> None:
        """Take a transfer or a hang-up back, if the flow has not taken it yet."""
        ...

    def hang_up(self, reason: str, goodbye: str = "") -> None:
        """Close the line, behind `goodbye` by the contact flow's own voice, unless that has been heard already; taken
        back with it as long as it has not."""
        ...

    def record(self, tape: Tape) -> None:
        """Write both sides to the tape, as they are heard. Before `run`."""
        ...

    def saw(self, head: Head) -> None:
        """The call read its head: whatever it says of the flow is news for the leg."""
        ...

    @property
    def start_delay_ms(self) -> int:
        """How long a prompt takes to be heard after it was offered, as this leg learned it."""
        ...

    def handed_on(self) -> PlaybackFinished | None:
        """How what is said now will end for the caller, another gateway having the call: as far as it is on its way.
        After `run`."""
        ...

    async def forsake(self) -> None:
        """The call is another gateway's: remove what that one does not know of. After `run`."""
        ...

    def figures(self) -> Mapping[str, int]:
        """Measures of this call for its last log line, by name; times in ms."""
        ...

    async def close(self) -> None:
        """Remove what the leg keeps for the call; called once, after `run`."""
        ...
