"""One session of the Deepgram Voice Agent as a state machine without I/O.

    connecting ──Welcome──► welcomed ──SettingsApplied──► applied ──Error, close──► closing ──► closed

The shell hands in what it received and the time, takes out what to send, and obeys `ended`. States only move
forward. Rules and where they come from:

- Settings go out when Welcome has arrived: the documented order, which costs nothing, as Welcome directly follows
  the upgrade. A Welcome that is missing or unreadable delays them by one second and no more; many clients send
  Settings without looking at Welcome, and the service takes it.
- Exactly one Settings, and nothing else before SettingsApplied: messages wait, audio is dropped and counted.
  Caller audio from before ("hello?", ring tone) would come as a burst and interrupt the greeting.
- The greeting's text and audio may arrive before SettingsApplied (seen live); they are passed on in any state.
- KeepAlive after 5 s without a frame of ours. The idle limit is not documented; 10 s is the least that was seen.
- Every Error ends the session. The server is given a second to close, since the socket is all that is left of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, Final

from contract.audio import BYTES_PER_MS
from gateway.telemetry.bounds import Bound, reached
from gateway.voice_agent import treatment
from gateway.voice_agent.counts import Counts
from gateway.voice_agent.errors import ConnectionFailed, UpgradeRefused
from gateway.voice_agent.messages import (
    ClientMessage,
    Error,
    FunctionCallCancelled,
    FunctionCallRequest,
    FunctionCallResponse,
    KeepAlive,
    LatencyReport,
    Malformed,
    ServerMessage,
    Settings,
    SettingsApplied,
    Unknown,
    Warning_,
    Welcome,
)
from gateway.voice_agent.outbox import Outbox
from gateway.voice_agent.parsing import parse
from gateway.voice_agent.treatment import SessionEnded

WELCOME_WAIT_MS: Final = 1_000
HANDSHAKE_MS: Final = 10_000
KEEPALIVE_MS: Final = 5_000
SEND_STALL_MS: Final = 10_000
ERROR_GRACE_MS: Final = 1_000
AUDIO_BACKLOG_MS: Final = 1_000
LAST_WARNING_MS: Final = 5 * 60_000  # the warning comes at 1:55 of 2 hours
MOST_OPEN_CALLS: Final = 64  # functions that wait for an answer; of more, the oldest get none
_LONGEST_NUMBER: Final = 16
MOST_TYPES: Final = 32  # unknown types that are told apart; the rest share one entry
_KEEPALIVE: Final = KeepAlive().to_json()
# What the service sends tens of times a second, as it spells it: read without a JSON parser.
_STT_HEAD: Final = '{"type":"LatencyReport","stt_latency":'


class State(IntEnum):
    CONNECTING = 0
    WELCOMED = 1
    APPLIED = 2
    CLOSING = 3
    CLOSED = 4


class Protocol:
    """One session. Times are epoch ms and come from the caller; nothing in here waits."""

    def __init__(self, settings: Mapping[str, object], audio_bytes_per_ms: int = BYTES_PER_MS) -> None:
        """`settings`: the Settings message, with its type or without. Tell `opened` when the socket is there.

        Raises:
            ValueError, TypeError: `settings` cannot be written as JSON.
        """
        self.state = State.CONNECTING
        self.counts = Counts()
        self.request_id = ""
        self.ended: SessionEnded | None = None
        """Set once: nothing more will come of the session, and the shell closes the socket."""
        self.ends_at_ms: int | None = None
        """When the service will end the session, once it has warned of that."""
        self._settings = Settings(settings).to_json()
        self._settings_sent = False
        self._welcomed = False
        self._opened_at_ms: int | None = None
        self._applied_at_ms: int | None = None
        self._outbox = Outbox(AUDIO_BACKLOG_MS * audio_bytes_per_ms)
        self._open_calls: dict[str, None] = {}  # in the order of asking
        self._error: Error | None = None
        self._error_at_ms = 0
        self._quiet_since_ms = 0
        self._sending_since_ms: int | None = None

    # ---- from the socket ----

    def opened(self, now_ms: int) -> None:
        """The upgrade has succeeded; the handshake's time begins."""
        self._opened_at_ms = now_ms

    def open_failed(self, failure: ConnectionFailed, now_ms: int) -> None:
        """The upgrade has not succeeded, and the session ends before it began."""
        code, treated = treatment.treat_failure(failure)
        if self.ended is None:
            self.ended = SessionEnded(
                treatment=treated,
                code=code,
                description=str(failure),
                detail=failure.code if isinstance(failure, UpgradeRefused) else str(failure),
                request_id=failure.request_id if isinstance(failure, UpgradeRefused) else "",
                retry_after_ms=failure.retry_after_ms if isinstance(failure, UpgradeRefused) else 0,
            )
        self.state = State.CLOSED

    def receive_text(self, text: str, now_ms: int) -> ServerMessage | None:
        """What a text frame tells the call; None where it is of no use to it (counted). Never raises.

        Reports of nothing but `stt_latency` come tens of times a second: they are counted here and wake nobody up.
        """
        if self.state is State.CLOSED:
            return None
        if text.startswith(_STT_HEAD) and self._stt_report(text):
            return None
        message = parse(text)
        if isinstance(message, Malformed):
            self.counts.malformed[message.type] += 1
            return None
        handle = _HANDLERS.get(type(message))
        return message if handle is None else handle(self, message, now_ms)

    def receive_audio(self, audio: bytes) -> bytes | None:
        """Agent audio, passed on in every state but `closed`; None for an empty frame."""
        return audio if audio and self.state is not State.CLOSED else None

    def connection_ended(self, close_code: int, now_ms: int) -> SessionEnded:
        """The socket is gone. The end is what was decided before, else the last Error's, else a lost connection."""
        ended = self._end_by_error(now_ms, close_code) or self._end(treatment.CONNECTION_LOST, now_ms, close_code)
        self.state = State.CLOSED
        return ended

    # ---- from the call ----

    def send(self, message: ClientMessage) -> bool:
        """Queue a message; before SettingsApplied it waits. False: it will not be sent.

        That is the case in a closing session, where too many wait already, and for the answer to a function call that
        the server did not ask us for, that was answered before, or that it has cancelled.
        """
        if self._outbox.full:
            reached(Bound.SESSION_MESSAGES)
            self.counts.refused += 1
            return False
        if self.state >= State.CLOSING or not self._may_answer(message):
            self.counts.refused += 1
            return False
        self._outbox.put_message(message.to_json())
        return True

    def send_audio(self, audio: bytes) -> bool:
        """Queue caller audio. False: dropped, because the session is not there yet or no more, or it is empty.

        Empty frames end the stream on Deepgram's transcription socket; here nobody has tried them (unconfirmed).
        """
        if self.state is State.APPLIED and audio:
            self._outbox.put_audio(audio)
            return True
        if self.state < State.APPLIED:
            self.counts.audio_before_applied += len(audio)
        return False

    def close(self, now_ms: int) -> None:
        """We want no more of it; there is no message for that but the socket's own close frame.

        An Error that came before stays the reason of the end.
        """
        if self._end_by_error(now_ms) is None:
            self._end(treatment.CLOSED, now_ms)

    # ---- to the socket ----

    @property
    def dropped_bytes(self) -> int:
        """Caller audio that was dropped because the socket stalled."""
        return self._outbox.dropped_bytes

    def next_frame(self, now_ms: int) -> str | bytes | None:
        """The next frame for the socket; None when there is nothing to send. Tell `frame_sent` when it is out."""
        frame = self._outbox.pop() if self.state is State.APPLIED else self._settings_frame(now_ms)
        if frame is not None:
            self._quiet_since_ms = now_ms
            self._sending_since_ms = now_ms
        return frame

    def frame_sent(self) -> None:
        self._sending_since_ms = None

    # ---- time ----

    def next_deadline_ms(self) -> int | None:
        """When `timeout` must be called at the latest; None: never."""
        if self.ended is not None:
            return None
        if self.state is State.CLOSING:
            return self._error_at_ms + ERROR_GRACE_MS
        if self.state is State.APPLIED:
            deadline = self._quiet_since_ms + KEEPALIVE_MS
        elif self._opened_at_ms is None:
            return None
        else:
            deadline = self._opened_at_ms + (HANDSHAKE_MS if self._settings_sent else WELCOME_WAIT_MS)
        if self._sending_since_ms is None:
            return deadline
        return min(deadline, self._sending_since_ms + SEND_STALL_MS)

    def timeout(self, now_ms: int) -> None:
        """Do what is due by `now_ms`; then `next_frame`, `ended` and `next_deadline_ms` may have changed."""
        if self.ended is not None:
            return
        if self.state is State.CLOSING:
            if now_ms >= self._error_at_ms + ERROR_GRACE_MS:
                self._end_by_error(now_ms)
        elif self._sending_since_ms is not None and now_ms >= self._sending_since_ms + SEND_STALL_MS:
            self._end(treatment.SEND_STALLED, now_ms)
        elif self.state is State.APPLIED:
            self._keep_alive(now_ms)
        elif self._opened_at_ms is not None and now_ms >= self._opened_at_ms + HANDSHAKE_MS:
            self._end(treatment.HANDSHAKE_TIMEOUT, now_ms)

    # ---- inside ----

    def _settings_frame(self, now_ms: int) -> str | None:
        if self._settings_sent or self._opened_at_ms is None or self.state >= State.CLOSING:
            return None
        if self.state is State.CONNECTING and now_ms < self._opened_at_ms + WELCOME_WAIT_MS:
            return None
        self._settings_sent = True
        return self._settings

    def _keep_alive(self, now_ms: int) -> None:
        if now_ms < self._quiet_since_ms + KEEPALIVE_MS:
            return
        self._quiet_since_ms = now_ms
        if not self._outbox:  # else the socket stalls, and what waits will do as well
            self._outbox.put_message(_KEEPALIVE)
            self.counts.keepalives += 1

    def _may_answer(self, message: ClientMessage) -> bool:
        if type(message) is not FunctionCallResponse:
            return True
        if message.id not in self._open_calls:
            return False
        del self._open_calls[message.id]
        return True

    def _stt_report(self, text: str) -> bool:
        number = text[len(_STT_HEAD) : -1]
        if not text.endswith("}") or len(number) > _LONGEST_NUMBER or not number.replace(".", "", 1).isdecimal():
            return False  # other fields follow, or it is no number
        self._note_stt(float(number))
        return True

    def _note_stt(self, seconds: float) -> None:
        counts = self.counts
        counts.stt_reports += 1
        counts.stt_latency_s = seconds
        counts.stt_latency_max_s = max(counts.stt_latency_max_s, seconds)

    def _end_by_error(self, now_ms: int, close_code: int = 0) -> SessionEnded | None:
        error = self._error
        if error is None:
            return None
        return self._end(treatment.plain_code(error.code), now_ms, close_code, error)

    def _end(self, code: str, now_ms: int, close_code: int = 0, error: Error | None = None) -> SessionEnded:
        if self.ended is None:
            applied = self._applied_at_ms is not None
            description = error.description if error else ""
            self.ended = SessionEnded(
                treatment=treatment.treat_error(code, applied) if error else treatment.ENDS[code],
                code=code,
                description=description,
                detail=treatment.named_field(description),
                request_id=self.request_id,
                lived_ms=max(0, now_ms - self._applied_at_ms) if self._applied_at_ms is not None else 0,
                close_code=close_code,
            )
            self.state = max(self.state, State.CLOSING)
        return self.ended

    # ---- messages that mean something to the session itself ----

    def _on_welcome(self, message: Welcome, now_ms: int) -> ServerMessage | None:
        if self._welcomed:
            self.counts.out_of_order += 1
            return None
        self._welcomed = True
        self.request_id = message.request_id
        self.state = max(self.state, State.WELCOMED)
        return message

    def _on_settings_applied(self, message: SettingsApplied, now_ms: int) -> ServerMessage | None:
        if self.state >= State.APPLIED or not self._settings_sent:
            self.counts.out_of_order += 1
            return None
        self.state = State.APPLIED
        self._applied_at_ms = now_ms
        return message

    def _on_latency(self, message: LatencyReport, now_ms: int) -> ServerMessage | None:
        stt = message.values.get("stt_latency")
        if stt is None:
            return message
        self._note_stt(stt)
        return message if len(message.values) > 1 else None

    def _on_function_calls(self, message: FunctionCallRequest, now_ms: int) -> ServerMessage:
        self._open_calls.update((call.id, None) for call in message.functions if call.client_side)
        while len(self._open_calls) > MOST_OPEN_CALLS:
            reached(Bound.OPEN_FUNCTIONS)
            del self._open_calls[next(iter(self._open_calls))]
        return message

    def _on_cancelled(self, message: FunctionCallCancelled, now_ms: int) -> ServerMessage:
        for call_id in message.ids:
            self._open_calls.pop(call_id, None)
        return message

    def _on_error(self, message: Error, now_ms: int) -> ServerMessage:
        self._error = message
        if self.state < State.CLOSING:
            self.state = State.CLOSING
            self._error_at_ms = now_ms
        return message

    def _on_warning(self, message: Warning_, now_ms: int) -> ServerMessage:
        known = message.code if message.code in treatment.WARNINGS else "other"
        self.counts.warnings[known] += 1
        if message.code == "MAXIMUM_SESSION_LENGTH_APPROACHING":
            self.ends_at_ms = now_ms + LAST_WARNING_MS
        return message

    def _on_unknown(self, message: Unknown, now_ms: int) -> None:
        unknown = self.counts.unknown
        unknown[message.type if message.type in unknown or len(unknown) < MOST_TYPES else "other"] += 1


_HANDLERS: Final[Mapping[type, Callable[[Protocol, Any, int], ServerMessage | None]]] = {
    Welcome: Protocol._on_welcome,
    SettingsApplied: Protocol._on_settings_applied,
    LatencyReport: Protocol._on_latency,
    FunctionCallRequest: Protocol._on_function_calls,
    FunctionCallCancelled: Protocol._on_cancelled,
    Error: Protocol._on_error,
    Warning_: Protocol._on_warning,
    Unknown: Protocol._on_unknown,
}
