"""What Deepgram sends: any text frames, any audio, at any times, through the protocol and the conversation.

An input is lines: `+N` lets N times 100 ms pass, `*N` is N ms of agent audio, `!` tells that playing has ended;
any other line is a text frame.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from contract.turns import FunctionState
from gateway.conversation.commands import ClearSpeech, EndSpeech, FunctionResult, Replay, StartFunction, Tell
from gateway.conversation.conversation import Conversation
from gateway.legs.leg import CallerAudio, PlaybackFinished, PlaybackStarted
from gateway.voice_agent.protocol import Protocol
from tests.gateway.definitions import definition

T0 = 1_790_000_000_000
AGENT = definition()
SETTINGS: dict[str, object] = {"agent": {}}
FRAME = b"\xff" * 160
STEP_MS = 250
MOST_TICKS = 50  # deadlines at one moment
_ALL = (
    {"type": "ConversationText", "role": "user", "content": "Hello"},
    {"type": "ConversationText", "role": "assistant", "content": "Good day.", "languages": ["en"]},
    {"type": "UserStartedSpeaking"},
    {"type": "AgentThinking", "content": "hm"},
    {"type": "LatencyReport", "stt_latency": 0.1},
    {"type": "LatencyReport", "tts_latency": 0.1, "total_latency": 1},
    {"type": "AgentStartedSpeaking", "total_latency": 1.0},
    {"type": "AgentAudioDone"},
    {"type": "EndOfTurn", "trigger": "vad"},
    {"type": "FunctionCallCancelled", "functions": [{"id": "f1", "name": "book"}]},
    {"type": "History", "role": "user", "content": "Hello"},
    {"type": "History", "function_calls": [{"id": "f", "name": "n", "arguments": "{}", "response": "x"}]},
    {"type": "InjectionRefused", "message": "no"},
    {"type": "FunctionCallResponse", "id": "f", "name": "n", "content": "x"},
    {"type": "PromptUpdated"},
    {"type": "Warning", "code": "MAXIMUM_SESSION_LENGTH_APPROACHING", "description": "soon"},
    {"type": "Error", "code": "CLIENT_MESSAGE_TIMEOUT", "description": "late"},
    {"type": "Nonsense"},
)  # fmt: skip


def _call(name: str, arguments: str, ident: str) -> dict[str, object]:
    function = {"id": ident, "name": name, "arguments": arguments, "client_side": True}
    return {"type": "FunctionCallRequest", "functions": [function]}


def _lines(*items: object) -> bytes:
    return b"\n".join(item.encode() if isinstance(item, str) else json.dumps(item).encode() for item in items)


def seeds() -> Sequence[bytes]:
    """Sessions as they usually go, and every message once."""
    begun = ({"type": "Welcome", "request_id": "r"}, {"type": "SettingsApplied"})
    asked = ({"type": "UserStartedSpeaking"}, "+9", {"type": "ConversationText", "role": "user", "content": "Hi"})
    return [
        _lines(*begun, *_ALL[:4], "*200", "!", "+99"),
        *(_lines(*begun, message, "+9") for message in _ALL),
        _lines(*begun, *asked, _call("book", "{}", "f1"), "+30", {"type": "AgentAudioDone"}, "*90", "!"),
        _lines(*begun, *asked, _call("look_up", '{"number": "1"}', "f1"), _ALL[9], "+90", "+90"),
        _lines(*begun, *asked, _call("transfer_to_human", '{"reason": "x", "summary": "y"}', "f2"), "*99", "!", "+99"),
        _lines(*begun, *asked, _call("end_call", "", "f3"), "*99", {"type": "UserStartedSpeaking"}, "+99"),
    ]


def holds(data: bytes) -> None:
    """Nothing is raised; what goes out is JSON; deadlines move on; what is counted does not grow without end."""
    talk = _Talk()
    for line in data.split(b"\n"):
        if line[:1] == b"+":
            talk.pass_time(_number(line) * 100)
        elif line[:1] == b"*":
            talk.audio(_number(line))
        elif line[:1] == b"!":
            talk.played()
        else:
            talk.text(line.decode("utf-8", "replace"))
        talk.carry_out()
    talk.check()


def _number(line: bytes) -> int:
    digits = line[1:3]
    return int(digits) if digits.isdigit() else 1


class _Talk:
    """A protocol and a conversation, tied together as a call does it, with a leg that plays at once."""

    def __init__(self) -> None:
        self.now_ms = T0
        self.protocol = Protocol(SETTINGS)
        self.protocol.opened(T0)
        self.conversation = Conversation(AGENT, T0)
        self.conversation.opening("Good day.", 1000)
        self.stretch = 1
        self.running: list[str] = []
        self.playing_ms = 0

    def text(self, frame: str) -> None:
        message = self.protocol.receive_text(frame, self.now_ms)
        if message is not None:
            self.conversation.message(message, self.now_ms)

    def audio(self, length_ms: int) -> None:
        ulaw = self.protocol.receive_audio(b"\xff" * 8 * length_ms)
        if ulaw is not None and self.conversation.audio(ulaw, self.now_ms):
            self.conversation.spoken(self.stretch, ulaw, self.now_ms)
            if not self.playing_ms:
                self.conversation.leg(PlaybackStarted(self.stretch, self.now_ms), self.now_ms)
            self.playing_ms += length_ms

    def played(self, *, interrupted: bool = False) -> None:
        position, self.playing_ms = self.playing_ms, 0
        finished = PlaybackFinished(self.stretch, position, interrupted, self.now_ms)
        self.stretch += 1
        self.conversation.leg(finished, self.now_ms)

    def pass_time(self, length_ms: int) -> None:
        """In steps from deadline to deadline, with functions coming back and the caller's track running on."""
        end_ms = self.now_ms + length_ms
        for call_id in self.running:
            result = FunctionResult(FunctionState.FINISHED, '{"ok": true}')
            self.conversation.function_finished(call_id, result, self.now_ms)
        self.running.clear()
        while self.now_ms < end_ms:
            self.now_ms = min(end_ms, self.now_ms + STEP_MS)
            self.conversation.leg(CallerAudio(self.now_ms - 1000, FRAME), self.now_ms)
            self._tick()

    def _tick(self) -> None:
        dues: tuple[int | None, ...] = ()
        for _ in range(MOST_TICKS):
            dues = (self.protocol.next_deadline_ms(), self.conversation.next_due_ms())
            if not any(due is not None and due <= self.now_ms for due in dues):
                return
            self.protocol.timeout(self.now_ms)
            self.conversation.tick(self.now_ms)
            self.carry_out()
        raise AssertionError(f"deadlines that never pass: {dues}")

    def carry_out(self) -> None:
        for command in self.conversation.commands():
            match command:
                case Tell(message):
                    self.protocol.send(message)
                case StartFunction(call_id):
                    self.running.append(call_id)
                case EndSpeech() if self.playing_ms:
                    self.played()
                case ClearSpeech():
                    self.played(interrupted=True)
                case Replay(ulaw):
                    self.conversation.replayed(self.stretch, command)
                    self.playing_ms += len(ulaw) // 8
        while (frame := self.protocol.next_frame(self.now_ms)) is not None:
            assert isinstance(frame, str)
            assert isinstance(json.loads(frame), dict)
            self.protocol.frame_sent()
        for turn in self.conversation.turns.changed():
            f"{turn.text}{turn.heard_text}".encode()  # the table takes UTF-8

    def check(self) -> None:
        counts = self.protocol.counts
        for kinds in (counts.unknown, counts.malformed, counts.warnings):
            assert len(kinds) <= 40, f"{len(kinds)} names are counted apart"
