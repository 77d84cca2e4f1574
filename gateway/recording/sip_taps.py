"""Taps on the line of a SIP call: what the caller said and pressed, beat by beat, and what they heard.

It is the leg's side of the media core that is heard, not the network's: no addresses, no keys of SRTP, and nothing of a
secret. While one is typed the tape gets silence and zeros, which make the same call again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from contract.call import Call
from gateway.legs.leg import Question
from gateway.legs.sip.jitter import Frame
from gateway.legs.sip.keypad import TERMINATOR
from gateway.legs.sip.leg import SipLeg
from gateway.legs.sip.line import Line
from gateway.legs.sip.playout import SILENT_FRAME, Playout
from gateway.legs.sip.services import SipServices
from gateway.legs.sip.stream import Stream
from gateway.recording.tape import Audio, Tape

LINE, OPENING, FUNCTIONS = "line", "opening", "functions"
MASK = "0"


def tapped_sip(services: SipServices, tape: Tape, owner: Callable[[], SipLeg]) -> SipServices:
    """The same services for one call. `owner`: its leg, once there is one."""

    async def opening(url: str) -> bytes:
        number = tape.asked(OPENING, "read", url)
        ulaw = await services.opening(url)
        tape.audio(OPENING, Audio.PROMPTS, ulaw)
        tape.answered(OPENING, number, len(ulaw))
        return ulaw

    async def pass_on(call: Call, question: Question, digits: str) -> str:
        number = tape.asked(FUNCTIONS, "pass_on", question.name)
        told = await services.pass_on(call, question, digits)
        tape.answered(FUNCTIONS, number, told)
        return told

    return SipServices(
        services.store,
        services.clock,
        lambda contact_id: TappedLine(services.line(contact_id), tape, owner),
        opening,
        pass_on,
    )


class TappedLine:
    """`gateway.legs.sip.line.Line`, heard by a tape."""

    def __init__(self, inner: Line, tape: Tape, owner: Callable[[], SipLeg]) -> None:
        self._inner = inner
        self._tape = tape
        self._playout = inner.stream.playout = _Playout(tape)
        self._stream = _Stream(inner.stream, tape, owner)

    @property
    def stream(self) -> Stream:
        return cast(Stream, self._stream)

    @property
    def record(self) -> str:
        number = self._tape.asked(LINE, "record")
        self._tape.answered(LINE, number, self._inner.record)
        return self._inner.record

    def start(self, beat: Callable[[int], None]) -> None:
        self._playout.heard = True
        self._inner.start(beat)

    def send(self, packet: bytes) -> None:
        self._inner.send(packet)

    async def ended(self) -> str:
        return await _ended(self._inner.ended(), self._tape)

    def hang_up(self) -> None:
        self._tape.asked(LINE, "hang_up")
        self._inner.hang_up()

    def close(self) -> None:
        self._inner.close()


async def _ended(waiting: Awaitable[str], tape: Tape) -> str:
    number = tape.asked(LINE, "ended")
    reason = await waiting
    tape.answered(LINE, number, reason)
    return reason


class _Stream:
    """What the leg asks of `gateway.legs.sip.stream.Stream`; everything else is the stream's own affair."""

    def __init__(self, inner: Stream, tape: Tape, owner: Callable[[], SipLeg]) -> None:
        self._inner = inner
        self._tape = tape
        self._owner = owner
        self._left_out = 0

    @property
    def playout(self) -> Playout:
        return self._inner.playout

    def packet(self, now_ms: int, left_out: int) -> bytes | None:
        self._left_out = left_out
        return self._inner.packet(now_ms, left_out)

    def caller(self) -> Frame:
        frame = self._inner.caller()
        heard = SILENT_FRAME if self._owner().deaf else frame.ulaw
        beat: dict[str, Any] = {"delay": frame.delay_ms}
        beat |= {"left_out": self._left_out} if self._left_out else {}
        beat |= {"made_up": True} if frame.made_up else {}
        beat |= {"held": True} if self._inner.agreed.held else {}
        self._tape.audio(LINE, Audio.LINE, heard, **beat)
        return frame

    @property
    def takes_keys(self) -> bool:
        takes = self._inner.takes_keys
        if not takes:
            self._tape.asked(LINE, "no_keys")
        return takes

    def pressed(self) -> str:
        keys = self._inner.pressed()
        if keys:
            shown = keys if self._owner().asks_openly else "".join(_masked(key) for key in keys)
            self._tape.asked(LINE, "pressed", shown)
        return keys

    def silent(self, now_ms: int) -> bool:
        silent = self._inner.silent(now_ms)
        if silent:
            self._tape.asked(LINE, "silent")
        return silent

    def figures(self) -> Mapping[str, int]:
        return self._inner.figures()


def _masked(key: str) -> str:
    return key if key == TERMINATOR else MASK


class _Playout(Playout):
    """What the caller hears goes to the tape, frame by frame, from the first beat of the leg on: before it, the line
    is served by who waits for the leg."""

    def __init__(self, tape: Tape) -> None:
        super().__init__()
        self.heard = False
        self._tape = tape

    def frame(self, now_ms: int) -> tuple[bytes, bool]:
        ulaw, begins = super().frame(now_ms)
        if self.heard:
            self._tape.audio(f"{LINE}.sent", Audio.HEARD, ulaw)
        return ulaw, begins
