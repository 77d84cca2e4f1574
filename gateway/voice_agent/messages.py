"""The messages of the Deepgram Voice Agent API (WebSocket, v1), as frozen dataclasses named after their wire type.

Server messages are made by `gateway.voice_agent.parsing.parse`, leniently. Client messages make their own exact
JSON with `to_json`: the server's parser refuses unknown keys and wrong types and ends the session over them.

What was said, typed or looked up is kept out of every `repr`, so that no log line can show it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

# ---- from the server ----


@dataclass(frozen=True, slots=True)
class Welcome:
    """The first message. `request_id` is how Deepgram knows this session; "" when it came without one."""

    request_id: str


@dataclass(frozen=True, slots=True)
class SettingsApplied:
    """From here on audio and every other message may be sent."""


@dataclass(frozen=True, slots=True)
class ConversationText:
    """What one side said. `role` is `user` or `assistant`; `languages` only comes with multilingual listening."""

    role: str
    content: str = field(repr=False)
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserStartedSpeaking:
    """The start of every caller utterance, also while the agent is silent: the only sign of barge-in."""


@dataclass(frozen=True, slots=True)
class AgentThinking:
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LatencyReport:
    """Seconds by name (`stt_latency`, `ttt_token_latency`, `tts_latency`, `total_latency`, ...), usually one only."""

    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """One call that the model wants. `arguments` is a string of JSON, possibly empty or broken.

    `client_side` calls must be answered by us; the others are for information.
    """

    id: str
    name: str
    arguments: str = field(repr=False)
    client_side: bool = True
    thought_signature: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class FunctionCallRequest:
    functions: tuple[FunctionCall, ...]


@dataclass(frozen=True, slots=True)
class FunctionCallCancelled:
    """These calls are void: stop the work and do not answer them."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AgentStartedSpeaking:
    """Only with `experimental` settings. Seconds by name: `total_latency`, `tts_latency`, `ttt_latency`."""

    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class AgentAudioDone:
    """All audio so far was sent: it may repeat within a reply, come without audio, or not come at all."""


@dataclass(frozen=True, slots=True)
class HistoryCall:
    """A function call as the history keeps it; all fields are strings as they came."""

    id: str
    name: str
    arguments: str = field(repr=False)
    response: str = field(repr=False)
    client_side: bool = True
    thought_signature: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class History:
    """A line of the conversation for safekeeping: a text (`role`, `content`) or finished function calls."""

    role: str = ""
    content: str = field(default="", repr=False)
    function_calls: tuple[HistoryCall, ...] = ()


@dataclass(frozen=True, slots=True)
class InjectionRefused:
    """An InjectAgentMessage was not spoken. `message` is Deepgram's own sentence and may be empty."""

    message: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class FunctionCallResponseEcho:
    """A FunctionCallResponse that the server sends: the answer of a server-side call, or our own come back."""

    id: str
    name: str
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PromptUpdated:
    pass


@dataclass(frozen=True, slots=True)
class SpeakUpdated:
    pass


@dataclass(frozen=True, slots=True)
class ThinkUpdated:
    """May be missing after an UpdateThink that was accepted: never wait for it without a limit."""


@dataclass(frozen=True, slots=True)
class ListenUpdated:
    pass


@dataclass(frozen=True, slots=True)
class Error:
    """The session ends. `code` is a key of `gateway.voice_agent.treatment.ERRORS`, or unknown, or ""."""

    code: str
    description: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Warning_:  # noqa: N801 - named after the wire type; the plain name is a builtin
    """The session goes on. `code` is a key of `gateway.voice_agent.treatment.WARNINGS`, or unknown, or ""."""

    code: str
    description: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """The caller's turn is over; `trigger` was seen as `model`, `timeout` and `manual`. Not in the published schema."""

    trigger: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a type that is not in this file: to be counted and skipped. At most 64 characters of its type."""

    type: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """A text that is not a message as it should be. `problem` names field and types, never a value."""

    type: str
    problem: str


ServerMessage = (
    Welcome
    | SettingsApplied
    | ConversationText
    | UserStartedSpeaking
    | AgentThinking
    | LatencyReport
    | FunctionCallRequest
    | FunctionCallCancelled
    | AgentStartedSpeaking
    | AgentAudioDone
    | History
    | InjectionRefused
    | FunctionCallResponseEcho
    | PromptUpdated
    | SpeakUpdated
    | ThinkUpdated
    | ListenUpdated
    | Error
    | Warning_
    | EndOfTurn
    | Unknown
)

# ---- from us ----


def wire(message: Mapping[str, object]) -> str:
    """Exact JSON for the server.

    Lone surrogates (a function's result may hold them as escapes) become question marks: neither UTF-8 nor the
    server's JSON parser knows them, and either would end the session.

    Raises:
        ValueError: NaN or infinity, which JSON does not have.
        TypeError: a value that JSON does not have.
    """
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text if text.isascii() else text.encode(errors="replace").decode()


class InjectBehavior(StrEnum):
    """What becomes of an injected sentence while somebody speaks (Deepgram docs, voice-agent-inject-agent-message)."""

    DEFAULT = "default"  # refused while anybody speaks
    QUEUE = "queue"  # after the agent's own speech; refused while the caller speaks
    INTERRUPT = "interrupt"  # never refused; replaces the agent's speech


@dataclass(frozen=True, slots=True)
class Settings:
    """The one configuration of a session; `settings` holds everything, its type or not."""

    settings: Mapping[str, object] = field(repr=False)

    def to_json(self) -> str:
        return wire({"type": "Settings", **{key: value for key, value in self.settings.items() if key != "type"}})


@dataclass(frozen=True, slots=True)
class KeepAlive:
    def to_json(self) -> str:
        return '{"type":"KeepAlive"}'


@dataclass(frozen=True, slots=True)
class InjectUserMessage:
    """As if the caller had said it: interrupts the agent where it speaks, and is answered as a turn."""

    content: str = field(repr=False)

    def to_json(self) -> str:
        return wire({"type": "InjectUserMessage", "content": self.content})


@dataclass(frozen=True, slots=True)
class InjectAgentMessage:
    """Spoken verbatim, never an instruction to the model."""

    message: str = field(repr=False)
    behavior: InjectBehavior = InjectBehavior.DEFAULT

    def to_json(self) -> str:
        if self.behavior is InjectBehavior.DEFAULT:  # left out: backends from before 2026 do not know the key
            return wire({"type": "InjectAgentMessage", "message": self.message})
        return wire({"type": "InjectAgentMessage", "message": self.message, "behavior": self.behavior.value})


@dataclass(frozen=True, slots=True)
class FunctionCallResponse:
    """The answer to one client-side call; `content` is text for the model, JSON where it has structure."""

    id: str
    name: str
    content: str = field(repr=False)

    def to_json(self) -> str:
        return wire({"type": "FunctionCallResponse", "id": self.id, "name": self.name, "content": self.content})


@dataclass(frozen=True, slots=True)
class UpdatePrompt:
    """Adds to the prompt (seen live; some pages of the documentation speak of a replacement)."""

    prompt: str = field(repr=False)

    def to_json(self) -> str:
        return wire({"type": "UpdatePrompt", "prompt": self.prompt})


@dataclass(frozen=True, slots=True)
class UpdateThink:
    """Replaces the whole think configuration, prompt and functions included; a sequence is an order of fallbacks."""

    think: Mapping[str, object] | Sequence[Mapping[str, object]] = field(repr=False)

    def to_json(self) -> str:
        return wire({"type": "UpdateThink", "think": self.think})


@dataclass(frozen=True, slots=True)
class UpdateSpeak:
    """Replaces the speak configuration; the audio format stays that of Settings."""

    speak: Mapping[str, object] | Sequence[Mapping[str, object]] = field(repr=False)

    def to_json(self) -> str:
        return wire({"type": "UpdateSpeak", "speak": self.speak})


@dataclass(frozen=True, slots=True)
class UpdateListen:
    """Changes the named fields of `listen.provider`; `language_hints` are cleared when left out."""

    listen: Mapping[str, object] = field(repr=False)

    def to_json(self) -> str:
        return wire({"type": "UpdateListen", "listen": self.listen})


@dataclass(frozen=True, slots=True)
class ForceEndTurn:
    """Ends the caller's open turn; only with a Flux listen model."""

    def to_json(self) -> str:
        return '{"type":"ForceEndTurn"}'


# What the call may send. Settings and KeepAlive are the protocol's own business.
ClientMessage = (
    InjectUserMessage
    | InjectAgentMessage
    | FunctionCallResponse
    | UpdatePrompt
    | UpdateThink
    | UpdateSpeak
    | UpdateListen
    | ForceEndTurn
)
