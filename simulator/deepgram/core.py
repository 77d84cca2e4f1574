"""One session of the Voice Agent API, without I/O: frames and times in, frames out.

    session = Session(brain, now_ms=clock.now_ms())
    session.receive(frame, now_ms)      # str or bytes, as it came
    session.poll(now_ms)                # at the latest when next_due_ms() says so
    for item in session.outgoing(): ... # str, bytes, or Close

With `worker=True` the voice is not called here: `job()` is a text to be spoken elsewhere, `spoken()` brings its audio.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from simulator.deepgram.brain import Brain, Forcible
from simulator.deepgram.functions import Functions
from simulator.deepgram.handshake import Handshake
from simulator.deepgram.injections import inject_agent_message
from simulator.deepgram.line import Counters, Line, Out
from simulator.deepgram.listening import Listening
from simulator.deepgram.manners import PESSIMISTIC, Manners
from simulator.deepgram.schema import Refused
from simulator.deepgram.speech import Job, Speaker
from simulator.deepgram.thinking import Thinker
from simulator.deepgram.turns import Turns
from simulator.deepgram.updates import apply_update
from simulator.deepgram.wire import (
    ClientMessage,
    ForceEndTurn,
    FunctionCallResponse,
    InjectAgentMessage,
    InjectUserMessage,
    KeepAlive,
    Reader,
    Settings,
    Update,
)

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

_TIMEOUT: Final = "We waited too long for a websocket message. "
_SEND_SETTINGS: Final = _TIMEOUT + "Please send a Settings message at the start of the session."
_SEND_AUDIO: Final = _TIMEOUT + "Please send binary messages that contain the user's speech."


class Session:
    """`agents`: stored agent configurations by their UUID. `hosted`: answers of functions with an endpoint, by name."""

    def __init__(
        self,
        brain: Brain,
        manners: Manners = PESSIMISTIC,
        *,
        now_ms: int,
        request_id: str = "00000000-0000-4000-8000-000000000001",
        agents: Mapping[str, Mapping[str, Any]] = NOTHING,
        hosted: Mapping[str, str] = NOTHING,
        worker: bool = False,
    ) -> None:
        self._brain = brain
        self._line = Line(manners, request_id, now_ms)
        self._reader = Reader(manners)
        self._speaker = Speaker(self._line, None if worker else brain.voice)
        self._thinker = Thinker(self._line, brain.mind, self._speaker)
        self._functions = Functions(self._line, hosted, self._thinker.go_on)
        self._thinker.functions = self._functions
        self._turns = Turns(self._line, self._thinker, self._speaker)
        self._listening = Listening(self._line, brain.ears, self._turns)
        self._handshake = Handshake(self._line, brain.mind, self._speaker, self._listening, agents)
        self._heard_from_ms = now_ms
        self._ears_open = True
        self._open()

    # --- for a shell

    def receive(self, frame: str | bytes, now_ms: int) -> None:
        """One frame of the client. Never raises, whatever the frame holds."""
        self.poll(now_ms)
        if self._line.over:
            return
        try:
            if isinstance(frame, bytes):
                self._audio(frame)
            else:
                self._message(self._reader.read(frame))
        except Refused as fault:
            self._line.fail(fault.code, fault.description)
        self.poll(now_ms)

    def poll(self, now_ms: int) -> None:
        """Let time pass: run every timer that fell due, and ask the ears."""
        self._line.run(now_ms)
        if self._handshake.applied:
            self._listening.poll()
            self._line.run(now_ms)
        if self._line.over:
            self._close_ears()

    def outgoing(self) -> list[Out]:
        """What is to be sent, in order; Close is the last thing that ever comes."""
        return self._line.take()

    def next_due_ms(self) -> int | None:
        return self._line.next_due_ms

    def job(self) -> Job | None:
        """With `worker=True`: the text that the speaker waits for; the same one until it was spoken or dropped."""
        return self._speaker.job()

    def spoken(self, number: int, ulaw: bytes, now_ms: int) -> None:
        self._line.run(now_ms)
        self._speaker.spoken(number, ulaw)
        self.poll(now_ms)

    def closed(self, now_ms: int) -> None:
        """The client closed, or is gone: nothing more is sent."""
        self._line.run(now_ms)
        self._line.hang_up()
        self._close_ears()

    # --- for tests

    @property
    def counters(self) -> Counters:
        return self._line.counters

    @property
    def request_id(self) -> str:
        return self._line.request_id

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings in force, with every update; empty before Settings."""
        return self._line.settings

    @property
    def over(self) -> bool:
        return self._line.over

    # --- inside

    def _open(self) -> None:
        line, manners = self._line, self._line.manners
        line.reached("open")
        line.send("Welcome", request_id=line.request_id)
        line.later(
            manners.scaled(manners.settings_timeout_ms),
            lambda: line.fail("CLIENT_MESSAGE_TIMEOUT", _SEND_SETTINGS),
            "handshake",
        )
        line.later(
            manners.scaled(manners.session_warning_ms),
            lambda: line.warn("MAXIMUM_SESSION_LENGTH_APPROACHING", "The session ends in five minutes."),
            "limits",
        )
        line.later(
            manners.scaled(manners.session_ms),
            lambda: line.fail("MAXIMUM_SESSION_LENGTH_REACHED", "The session has reached its maximum length."),
            "limits",
        )

    def _audio(self, frame: bytes) -> None:
        self._line.counters.early_audio += not self._handshake.applied
        if not self._handshake.accepted:
            if self._line.manners.early_audio == "refused":
                raise _before_settings()
            return
        self._heard_from_ms = self._line.now_ms
        self._listening.frame(frame)

    def _message(self, message: ClientMessage) -> None:
        if isinstance(message, Settings):
            self._settings(message)
            return
        if not (self._handshake.applied or (self._handshake.accepted and isinstance(message, KeepAlive))):
            raise _before_settings()
        if not isinstance(message, KeepAlive) or self._line.manners.keepalive_counts:
            self._heard_from_ms = self._line.now_ms
        match message:
            case InjectUserMessage(content):
                self._turns.inject(content)
            case InjectAgentMessage():
                inject_agent_message(message, self._line, self._turns, self._thinker, self._speaker)
            case FunctionCallResponse():
                self._functions.answer(message)
            case Update():
                apply_update(message, self._line, self._brain.mind)
            case ForceEndTurn():
                self._force_end_turn()
            case _:
                pass

    def _settings(self, message: Settings) -> None:
        if self._handshake.accepted:
            code, description = "SETTINGS_ALREADY_APPLIED", "Settings were already applied; use the Update messages."
            if self._line.manners.second_settings_closes:
                raise Refused(code, description)
            self._line.send("Error", code=code, description=description)
            return
        self._line.cancel("handshake")
        self._handshake.accept(message.body)
        self._heard_from_ms = self._line.now_ms
        self._watch_idle()

    def _watch_idle(self) -> None:
        """Look again when the client could have been silent for too long."""
        limit_ms = self._line.manners.scaled(self._line.manners.idle_ms)
        left_ms = self._heard_from_ms + limit_ms - self._line.now_ms
        if left_ms <= 0:
            self._line.fail("CLIENT_MESSAGE_TIMEOUT", _SEND_AUDIO)
        else:
            self._line.later(left_ms, self._watch_idle, "limits")

    def _force_end_turn(self) -> None:
        if not self._line.flux:
            self._line.warn("FORCE_END_TURN_UNSUPPORTED", "ForceEndTurn needs a v2 listen provider.")
            return
        self._turns.force()
        if self._turns.speaking and isinstance(self._brain.ears, Forcible):
            self._turns.take(self._brain.ears.force_end(self._line.now_ms))

    def _close_ears(self) -> None:
        if self._ears_open:
            self._ears_open = False
            self._brain.ears.close()


def _before_settings() -> Refused:
    return Refused("NON_SETTINGS_MESSAGE_BEFORE_SETTINGS", "Received a message before Settings were applied.")
