"""A line on real sockets: its RTP at every beat, the keys that are typed into it, and how it ends. A shell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from contract.call import CODE_DIGITS
from contract.clock import Clock
from gateway.legs.sip.admission import CodeByKeys
from gateway.legs.sip.dialog import DialogId
from gateway.legs.sip.line import BROKE
from gateway.legs.sip.sockets import Beats, MediaSocket, MediaSockets
from gateway.legs.sip.stream import Stream
from gateway.legs.sip.user_agent import UserAgent

log = structlog.get_logger()

KEYS_S = 15.0  # eight keys take Connect four seconds, a caller's patience not much more
CONFIRM_S = 33.0  # the user agent gives up after 32 s by itself


class Side(Protocol):
    """What a line has of the gateway's SIP side."""

    clock: Clock
    agent: UserAgent
    sockets: MediaSockets
    beats: Beats

    def hang_up(self, id_: DialogId) -> None: ...


@dataclass(eq=False, repr=False)  # asyncio logs the owner of a callback that raises: here stand audio and numbers
class SipLine:
    """A line on real sockets; see `gateway.legs.sip.line.Line`."""

    side: Side
    id: DialogId
    media: MediaSocket
    name: str
    confirmed: asyncio.Future[bool]
    over: asyncio.Future[str]
    typed: asyncio.Future[str]
    keys: CodeByKeys = field(default_factory=lambda: CodeByKeys(CODE_DIGITS))
    stream_: Stream | None = None
    served: bool = False  # a leg has it
    master: bytes = field(default=b"", repr=False)  # of SRTP, should it be agreed upon
    _number: int | None = None
    _beat: Callable[[int], None] | None = None
    _closed: bool = False

    @property
    def stream(self) -> Stream:
        assert self.stream_ is not None
        return self.stream_

    @property
    def record(self) -> str:
        record = self.side.agent.record(self.id)
        return record.to_json() if record is not None else ""

    async def stands(self) -> bool:
        """Waits for the ACK; False when the call was over before, or none came."""
        try:
            async with asyncio.timeout(CONFIRM_S):
                return await self.confirmed
        except TimeoutError:
            return False

    async def code(self) -> str | None:
        """Waits for the code that is typed; None when none came. Where no key can come nobody waits: each second is the
        caller's."""
        if self.stream.takes_keys:
            await asyncio.wait((self.typed, self.over), timeout=KEYS_S, return_when=asyncio.FIRST_COMPLETED)
        return self.typed.result() if self.typed.done() else None

    def start(self, beat: Callable[[int], None]) -> None:
        self._beat = beat
        if self._number is None and not self._closed:
            self._number = self.side.beats.join(self._serve)

    def send(self, packet: bytes) -> None:
        self.media.send(packet, self.stream.destination)

    async def ended(self) -> str:
        return await asyncio.shield(self.over)

    def hang_up(self) -> None:
        self.side.hang_up(self.id)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._leave()
        self.side.sockets.close(self.media)

    def _leave(self) -> None:
        if self._number is not None:
            self.side.beats.leave(self._number)

    def _serve(self, left_out: int) -> None:
        """Every 20 ms. The other calls have the same timer: what breaks here is this line's end alone."""
        try:
            self._serve_media(left_out)
        except Exception:
            log.exception(BROKE)
            self._leave()
            settle(self.over, BROKE)

    def _serve_media(self, left_out: int) -> None:
        now = self.side.clock.now_ms()
        assert self._beat is not None
        self._beat(left_out)
        report = self.stream.report(now, self.name)
        if report is not None:
            self.media.send_report(report, self.stream.destination)

    def listen(self, left_out: int) -> None:
        """The beat before there is a leg: silence to the caller, and the keys that Connect types."""
        packet = self.stream.packet(self.side.clock.now_ms(), left_out)
        if packet is not None:
            self.send(packet)
        self.stream.caller()
        for key in self.stream.pressed():
            code = self.keys.key(key)
            if code is not None:
                settle(self.typed, code)


def settle(future: asyncio.Future[bool] | asyncio.Future[str], value: bool | str) -> None:
    """The first word counts."""
    if not future.done():
        future.set_result(value)  # type: ignore[arg-type]  # each with a value of its own kind
