"""The gateway's SIP side: takes calls, finds out whose they are, and gives each to the service as a line.

A call comes with its code in the INVITE, or types it as key presses after the answer. The code is claimed, once, and
names the contact; the service takes the contact's record, and opens the leg on the line that waits here. A call that
cannot be matched is refused, or hung up if it had to be answered to hear its keys.
"""

from __future__ import annotations

import asyncio
import functools
import random
import secrets
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from contract.clock import Clock
from contract.errors import ContractError
from contract.store import GatewayStore
from gateway.legs.sip import admission
from gateway.legs.sip.admission import AllowList
from gateway.legs.sip.codes import Codes
from gateway.legs.sip.dialog import DialogId, DialogRecord
from gateway.legs.sip.errors import MalformedMessage, NoPortFree
from gateway.legs.sip.load import Load
from gateway.legs.sip.playout import Playout
from gateway.legs.sip.ports import Ports
from gateway.legs.sip.rtp import Outgoing
from gateway.legs.sip.sdp import Agreed, Local
from gateway.legs.sip.settings import SipSettings
from gateway.legs.sip.signals import Changed, Confirmed, Ended, Invited, Signal
from gateway.legs.sip.socket_line import SipLine, settle
from gateway.legs.sip.sockets import Beats, MediaSockets
from gateway.legs.sip.srtp import MASTER_BYTES
from gateway.legs.sip.stream import Stream
from gateway.legs.sip.transactions import Hop
from gateway.legs.sip.transport import Transport
from gateway.legs.sip.user_agent import UserAgent

log = structlog.get_logger()

LEAVE_S = 2.0


class Calls(Protocol):
    """The service that serves the calls."""

    limit: int

    @property
    def taken(self) -> int: ...

    @property
    def stopping(self) -> bool: ...

    async def answer(self, contact_id: str) -> bool:
        """Take a call and open its leg; False when it is not to be had."""
        ...


@dataclass
class Counters:
    """Calls: `calls` that came, `no_port` that found no RTP port free, `foreign_byes` of gateways that are gone, ended
    from here."""

    calls: int = 0
    no_port: int = 0
    foreign_byes: int = 0


@dataclass(eq=False, repr=False)
class SipEndpoint:
    """`open` it, then `run` it. `lines` are calls that a record was found for, by contact."""

    settings: SipSettings
    store: GatewayStore
    clock: Clock
    counters: Counters = field(default_factory=Counters)
    calls: Calls | None = None
    lines: dict[str, SipLine] = field(default_factory=dict)
    agent: UserAgent = field(init=False)
    sockets: MediaSockets = field(init=False)
    beats: Beats = field(init=False)
    allowed: AllowList = field(init=False)
    _transport: Transport = field(init=False)
    _open: dict[DialogId, SipLine] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _timer: asyncio.TimerHandle | None = None
    _timer_ms: int = 0
    _codes: Codes = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        self.allowed = AllowList(settings.networks)
        self._codes = Codes(self.store, self.clock)
        ports = {"udp": settings.port, "tcp": settings.port, "tls": settings.tls_port}
        words = functools.partial(secrets.token_hex, 8)
        self.agent = UserAgent(settings.public_address, ports, self._load, words, settings.profiles)
        rtp = Ports(settings.first_rtp, settings.last_rtp)
        self.sockets = MediaSockets(rtp, settings.listen, self.allowed, self.clock)
        self._transport = Transport(self.allowed, self._receive)

    def figures(self) -> dict[str, float]:
        """Counts since the start, by the names of their metrics (docs/sip.md)."""
        return {
            "SipCalls": self.counters.calls,
            "SipDropped": self.allowed.dropped,
            "SipMalformed": self.agent.malformed + self._transport.broken_streams,
            "SipUnmatched": self._codes.unmatched,
            "RtpDrained": self.sockets.drained_packets,
        }

    # -- the life of it --------------------------------------------------------------------------------------

    async def open(self, tls: ssl.SSLContext | None = None) -> None:
        """Open the signalling sockets, one for TLS where there is a context. Raises OSError."""
        self.beats = Beats()
        await self._transport.serve(self.settings.listen, self.settings.port, self.settings.tls_port, tls)
        port = self._transport.port
        self.agent.ports.update(udp=port, tcp=port, tls=self._transport.tls_port or self.settings.tls_port)
        log.info("sip_listening", port=port, tls=self._transport.tls_port, address=self.settings.public_address)

    async def run(self) -> None:
        """Drain ports, until cancelled; then give our last BYEs a moment to be answered."""
        try:
            await self.sockets.run()
        finally:
            await self._close()

    async def _close(self) -> None:
        for line in list(self._open.values()):
            line.hang_up()
        deadline = self.clock.now_ms() + LEAVE_S * 1000
        while not self.agent.idle and self.clock.now_ms() < deadline:  # noqa: ASYNC110 - twice a process
            await asyncio.sleep(0.05)
        for task in list(self._tasks):
            task.cancel()
        self.beats.close()
        if self._timer is not None:
            self._timer.cancel()
        self.sockets.close_all()
        await self._transport.close()

    def _load(self) -> Load:
        if self.calls is None:
            return Load(0, 0, draining=True)
        coming = sum(not line.served for line in self._open.values())
        return Load(self.calls.taken + coming, self.calls.limit, self.calls.stopping)

    # -- messages --------------------------------------------------------------------------------------------

    def _receive(self, data: bytes, hop: Hop) -> None:
        self.agent.receive(data, hop, self.clock.now_ms())
        self._pump()

    def hang_up(self, id_: DialogId) -> None:
        self.agent.hang_up(id_, self.clock.now_ms())
        self._pump()

    # -- what the service asks for ---------------------------------------------------------------------------

    def has(self, contact_id: str) -> bool:
        """The line of this contact ends here."""
        return contact_id in self.lines

    def taken(self, contact_id: str) -> Callable[[], None]:
        """Whatever becomes of the leg, and also when there never is one, the caller goes back to the flow."""
        line = self.lines.get(contact_id)
        if line is None:
            return lambda: None

        def release() -> None:
            self._forget(contact_id, line)
            line.hang_up()
            line.close()

        return release

    def _forget(self, contact_id: str, line: SipLine) -> None:
        """Not another line of the same contact, who came back."""
        if self.lines.get(contact_id) is line:
            del self.lines[contact_id]

    def give_back(self, record: str) -> None:
        """End the call of a gateway that is gone, so that the flow goes on."""
        try:
            dialog = DialogRecord.from_json(record)
        except MalformedMessage as error:
            log.error("dialog_not_read", why=error.where)  # what was found holds the caller's number
            return
        self.counters.foreign_byes += 1
        self.agent.hang_up_foreign(dialog, self.clock.now_ms())
        self._pump()

    def _pump(self) -> None:
        """Send what is to be sent, hear what has happened, and set the clock for what is due next."""
        try:
            for send in self.agent.sends():
                self._transport.send(send)
            for signal in self.agent.signals():
                self._guarded(signal)
            for send in self.agent.sends():
                self._transport.send(send)
        finally:
            self._arm()

    def _guarded(self, signal: Signal) -> None:
        """What breaks in one call ends it, and the signals behind it are heard."""
        try:
            self._signal(signal)
        except Exception:
            log.exception("sip_call_broke", signal=type(signal).__name__)
            self.agent.hang_up(signal.id, self.clock.now_ms())

    def _arm(self) -> None:
        due = self.agent.next_due_ms()
        if due is None or (self._timer is not None and self._timer_ms <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_ms = due
        delay = max(1, due - self.clock.now_ms()) / 1000
        self._timer = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self.agent.tick(self.clock.now_ms())
        self._pump()

    def _signal(self, signal: Signal) -> None:
        match signal:
            case Invited():
                self.counters.calls += 1
                self._spawn(self._take(signal), signal.id)
            case Confirmed(id_, agreed):
                self._stands(id_, agreed)
            case Changed(id_, agreed):
                line = self._open.get(id_)
                if line is not None and line.stream_ is not None:
                    line.stream_.change(agreed, self.clock.now_ms())
            case Ended(id_, reason):
                line = self._open.pop(id_, None)
                if line is not None:
                    settle(line.over, reason)
                    settle(line.confirmed, False)

    def _spawn(self, work: Coroutine[Any, Any, None], id_: DialogId) -> None:
        task = asyncio.get_running_loop().create_task(work, name=f"sip {id_.call_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- one call --------------------------------------------------------------------------------------------

    async def _take(self, invited: Invited) -> None:
        """From the INVITE to the leg; whatever fails refuses the call or hangs up."""
        claim = admission.claim(invited.request)
        host = invited.hop.host
        contact_id: str | None = ""
        if claim.code:
            contact_id = await self._codes.claim(claim.code, host)
            if contact_id is None or not admission.matches(claim, contact_id):
                self._refuse(invited, 403, "Forbidden", "code_unknown")
                return
        line = await self._line(invited)
        if line is None:
            return
        try:
            if not await line.stands():
                return
            if not contact_id:
                contact_id = await self._typed(line, host)
            if contact_id is not None:
                await self._serve(line, contact_id)
        finally:
            if not line.served:
                line.hang_up()
                line.close()

    async def _serve(self, line: SipLine, contact_id: str) -> None:
        """Give the line to the service, which counts it from here on."""
        assert self.calls is not None
        self.lines[contact_id] = line
        line.served, answered = True, False
        try:
            answered = await self.calls.answer(contact_id)
        except ContractError as error:
            log.error("sip_call_not_taken", contact=contact_id, why=type(error).__name__)
        finally:
            if not answered:
                line.served = False
                self._forget(contact_id, line)

    async def _line(self, invited: Invited) -> SipLine | None:
        """A port, and the 200."""
        loop = asyncio.get_running_loop()
        try:
            media = await self.sockets.open()
        except NoPortFree:
            self.counters.no_port += 1
            self._refuse(invited, 503, "Service Unavailable", "no_port")
            return None
        address, master = self.settings.public_address, secrets.token_bytes(MASTER_BYTES)
        futures = (loop.create_future(), loop.create_future(), loop.create_future())
        line = SipLine(self, invited.id, media, f"voice-agent@{address}", *futures, master=master)
        self._open[invited.id] = line
        local = Local(address, media.port, random.getrandbits(31), master=master)
        accepted = self.agent.accept(invited.id, local, self.clock.now_ms())
        self._pump()
        if not accepted:
            self._open.pop(invited.id, None)
            line.close()
            return None
        return line

    def _stands(self, id_: DialogId, agreed: Agreed) -> None:
        """The ACK has come: media can flow. Every re-INVITE is acknowledged too."""
        line = self._open.get(id_)
        if line is None or line.stream_ is not None:
            return
        now = self.clock.now_ms()
        # The first sequence number has 15 bits: SRTP's cycles begin in the middle of none (RFC 4568 section 6.4).
        out = Outgoing(random.getrandbits(32), agreed.payload_type, random.getrandbits(15), random.getrandbits(32))
        line.stream_ = Stream(agreed, Playout(), out, now, line.master)
        stream = line.stream_
        line.media.on(
            lambda data, source: stream.receive(data, source, self.clock.now_ms()),
            lambda data, source: stream.receive_report(data),
        )
        line.start(line.listen)
        settle(line.confirmed, True)

    async def _typed(self, line: SipLine, host: str) -> str | None:
        """The contact that the keys stand for."""
        code = await line.code()
        if code is None:
            self._codes.unmatched += 1
            log.warning("no_code", host=host, telephone_event=line.stream.takes_keys)
            return None
        return await self._codes.claim(code, host)

    def _refuse(self, invited: Invited, status: int, reason: str, why: str) -> None:
        log.warning("sip_call_refused", status=status, why=why)
        self.agent.refuse(invited.id, status, reason, self.clock.now_ms())
        self._pump()
