"""A client of the core that sends in real time: 20 ms of audio every 20 ms, and keeps everything that came back."""

from __future__ import annotations

import copy
import json
from typing import Any

from simulator.deepgram import tones
from simulator.deepgram.brain import Call, Reply
from simulator.deepgram.core import Session
from simulator.deepgram.manners import PESSIMISTIC, TEXTBOOK, Manners
from simulator.deepgram.scripted import Rule, ScriptedMind, calls, scripted_brain
from simulator.deepgram.wire import Close

START_MS = 1_700_000_000_000
FRAME = 160

SETTINGS: dict[str, Any] = {
    "type": "Settings",
    "audio": {
        "input": {"encoding": "mulaw", "sample_rate": 8000},
        "output": {"encoding": "mulaw", "sample_rate": 8000, "container": "none"},
    },
    "agent": {
        "listen": {"provider": {"type": "deepgram", "version": "v2", "model": "flux-general-en"}},
        "think": {
            "provider": {"type": "open_ai", "model": "gpt-4.1-mini"},
            "prompt": "Be brief.",
            "functions": [
                {"name": "look_up", "parameters": {"type": "object"}},
                {"name": "book", "defer_until_eot": True},
                {"name": "hosted", "endpoint": {"url": "https://example.com", "method": "post", "headers": {}}},
            ],
        },
        "speak": {"provider": {"type": "deepgram", "version": "v1", "model": "aura-2-thalia-en"}},
    },
}

LONG = "This is a rather long answer that goes on for quite a while. It has a second sentence too. And a third one."

RULES = [
    Rule("long", LONG),
    Rule("both", lambda _: _two()),
    Rule("filler", calls("look_up", say="One moment please.")),
    Rule("mixed", lambda _: _mixed()),
    Rule("look", calls("look_up", '{"order":"12"}')),
    Rule("book", calls("book")),
    Rule("hosted", calls("hosted")),
    Rule("unknown", calls("never_declared")),
    Rule("bye", calls("look_up", "")),
    Rule("nothing", ""),
    Rule(".", "Very well indeed."),
]


def _two() -> Reply:
    return _joined("look_up", "book")


def _mixed() -> Reply:
    return _joined("look_up", "hosted")


def _joined(*names: str) -> Reply:
    return Reply("", tuple(Call(name, "{}") for name in names))


def settings(**agent: Any) -> dict[str, Any]:
    """The usual Settings with fields of `agent` replaced; None removes one."""
    body = copy.deepcopy(SETTINGS)
    for key, value in agent.items():
        if value is None:
            del body["agent"][key]
        else:
            body["agent"][key] = value
    return body


class Client:
    def __init__(self, manners: Manners = PESSIMISTIC, mind: ScriptedMind | None = None, **more: Any) -> None:
        self.now_ms = START_MS
        self.mind = mind or ScriptedMind(RULES, {"look_up": "It is on its way.", "book": "It is booked."})
        self.brain = scripted_brain(self.mind)
        self.session = Session(self.brain, manners, now_ms=self.now_ms, **more)
        self.log: list[tuple[int, dict[str, Any] | bytes | Close]] = []
        self.collect()

    # --- what the client does

    def send(self, kind: str, **fields: Any) -> None:
        self.raw(json.dumps({"type": kind, **fields}))

    def raw(self, frame: str | bytes) -> None:
        self.session.receive(frame, self.now_ms)
        self.collect()

    def open(self, **agent: Any) -> Client:
        """Settings, and silence until they are applied."""
        self.raw(json.dumps(settings(**agent)))
        return self.quiet(200)

    def say(self, text: str) -> Client:
        return self.audio(tones.encode_utterance(text))

    def quiet(self, ms: int) -> Client:
        return self.audio(tones.silence(ms))

    def ask(self, text: str) -> Client:
        """Say something and wait for the end of the turn."""
        return self.say(text).quiet(900)

    def audio(self, ulaw: bytes) -> Client:
        for at in range(0, len(ulaw), FRAME):
            self.now_ms += 20
            self.raw(ulaw[at : at + FRAME])
        return self

    def wait(self, ms: int) -> Client:
        """Let time pass and send nothing."""
        end_ms = self.now_ms + ms
        while (due_ms := self.session.next_due_ms()) is not None and due_ms <= end_ms:
            self.now_ms = max(due_ms, self.now_ms)
            self.session.poll(self.now_ms)
            self.collect()
        self.now_ms = end_ms
        return self

    def answer(self, number: int = -1, content: str = '{"ok":true}') -> Client:
        call = self.calls()[number]
        self.send("FunctionCallResponse", id=call["id"], name=call["name"], content=content)
        return self

    # --- what came back

    def collect(self) -> None:
        for item in self.session.outgoing():
            self.log.append((self.now_ms, json.loads(item) if isinstance(item, str) else item))

    def forget(self) -> Client:
        self.log.clear()
        return self

    def messages(self, *kinds: str) -> list[dict[str, Any]]:
        return [item for _, item in self.log if isinstance(item, dict) and (not kinds or item["type"] in kinds)]

    def kinds(self, *ignored: str) -> list[str]:
        """Types in order, a run of audio frames as one "audio"; latency reports and oddities left out."""
        skipped = {"LatencyReport", "QualityReportNobodyHasHeardOf", *ignored}
        found: list[str] = []
        for _, item in self.log:
            kind = item["type"] if isinstance(item, dict) else "audio" if isinstance(item, bytes) else "close"
            if kind not in skipped and not (kind == "audio" and found[-1:] == ["audio"]):
                found.append(kind)
        return found

    def frames(self) -> list[bytes]:
        return [item for _, item in self.log if isinstance(item, bytes)]

    def spoken(self) -> list[str]:
        """What the client can hear of the agent, one entry for each sentence."""
        return [utterance.text for utterance in tones.decode(b"".join(self.frames()))]

    def texts(self, role: str) -> list[str]:
        return [message["content"] for message in self.messages("ConversationText") if message["role"] == role]

    def calls(self) -> list[dict[str, Any]]:
        return [call for message in self.messages("FunctionCallRequest") for call in message["functions"]]

    def codes(self) -> list[str]:
        return [message["code"] for message in self.messages("Error", "Warning")]

    def error(self) -> dict[str, Any]:
        [error] = self.messages("Error")
        return error

    def closes(self) -> list[Close]:
        return [item for _, item in self.log if isinstance(item, Close)]

    def at(self, kind: str) -> int:
        """When the first message of this type came, ms since the start."""
        return next(at for at, item in self.log if isinstance(item, dict) and item["type"] == kind) - START_MS


def textbook(mind: ScriptedMind | None = None, **more: Any) -> Client:
    return Client(TEXTBOOK, mind, **more)
