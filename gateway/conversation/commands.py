"""What the conversation asks its call to do."""

from __future__ import annotations

from dataclasses import dataclass, field

from contract.turns import FunctionState
from gateway.conversation.ending import Leave
from gateway.legs.leg import Question
from gateway.voice_agent.messages import (
    FunctionCallResponse,
    InjectAgentMessage,
    InjectUserMessage,
    UpdateListen,
    UpdatePrompt,
    UpdateSpeak,
    UpdateThink,
)


@dataclass(frozen=True, slots=True)
class Tell:
    """Send a message to the voice agent."""

    message: (
        FunctionCallResponse
        | InjectAgentMessage
        | InjectUserMessage
        | UpdateListen
        | UpdatePrompt
        | UpdateSpeak
        | UpdateThink
    )


@dataclass(frozen=True, slots=True)
class EndSpeech:
    """The stretch of agent speech is complete."""


@dataclass(frozen=True, slots=True)
class ClearSpeech:
    """Barge-in: play nothing more of what was queued."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Speak what a cough cut off of a stretch, from `from_ms` of it on: µ-law 8 kHz."""

    ulaw: bytes = field(repr=False)
    of_stretch: int = 0
    from_ms: int = 0


@dataclass(frozen=True, slots=True)
class SayLocally:
    """Speak a text by the contact flow's own voice."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StartFunction:
    """Call a function of the definition; `arguments` are checked against its schema."""

    id: str
    name: str
    arguments: dict[str, object] = field(repr=False)
    timeout_ms: int = 10_000


@dataclass(frozen=True, slots=True)
class StopFunction:
    """Nobody waits for this call any more."""

    id: str


@dataclass(frozen=True, slots=True)
class Wish:
    """The agent wants to leave: to be kept for who may have to take the call over before it is done."""

    leave: Leave


@dataclass(frozen=True, slots=True)
class Unwish:
    """It does not want to any more."""


@dataclass(frozen=True, slots=True)
class NoteQuestion:
    """Keys will be asked for: to be kept for who may have to take the call over before they are pressed."""

    question: Question


@dataclass(frozen=True, slots=True)
class Ask:
    """Nothing is said any more: put the question."""

    question: Question


@dataclass(frozen=True, slots=True)
class Unask:
    """Nobody waits for the keys any more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question; the function call `id` is to be answered with it. `content` is JSON."""

    id: str
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Go:
    """The last words were heard: transfer or hang up. `goodbye`: of these words none was, or not the end; the contact
    flow's own voice says this before it hangs up."""

    leave: Leave
    goodbye: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Stay:
    """Take a transfer or a hang-up back."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """The voice agent is mute: open another session with the same memory."""

    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The voice agent cannot go on: a human takes over. `reason` is a short snake_case word."""

    reason: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The caller is gone; `signal` says how we know."""

    signal: str


Command = (
    Tell
    | EndSpeech
    | ClearSpeech
    | Replay
    | SayLocally
    | StartFunction
    | StopFunction
    | Wish
    | Unwish
    | NoteQuestion
    | Ask
    | Unask
    | Answer
    | Go
    | Stay
    | Reconnect
    | GiveUp
    | Finish
)


@dataclass(frozen=True, slots=True)
class FunctionResult:
    """What a function came back with. `content` is text for the model, `error` empty where it went well."""

    state: FunctionState
    content: str = field(repr=False)
    error: str = ""
