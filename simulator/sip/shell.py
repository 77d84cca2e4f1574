"""Calls of the pretended Connect over real sockets on the loopback; audio from and to the caller's line."""

from __future__ import annotations

import asyncio
import functools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from contract.audio import lin2ulaw
from contract.clock import Clock
from simulator.connect.events import DialThirdParty, ThirdPartyOutcome
from simulator.sip.call import OutboundCall, State, connector_headers
from simulator.sip.media import SILENCE, Earpiece, Microphone

TICK_S = 0.02
LEAVE_S = 3.0
HOST = "127.0.0.1"


@dataclass(slots=True)
class Audio:
    """Both directions of a leg, as the line gives and takes them: 20 ms at a time."""

    microphone: Microphone
    earpiece: Earpiece = field(default_factory=Earpiece)
    send: Callable[[bytes], None] | None = None

    def heard(self) -> bytes:
        """What the caller hears, µ-law."""
        return self.earpiece.frame()

    def said(self, pcm: bytes) -> None:
        """What the caller said, 16-bit PCM."""
        if self.send is not None:
            self.send(self.microphone.frame(lin2ulaw(pcm) if pcm else SILENCE))

    def pressed(self, keys: str) -> None:
        self.microphone.press(keys)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, receive: Callable[[bytes], None]) -> None:
        self._receive = receive

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._receive(data)


@dataclass
class SipThirdParties:
    """`ThirdParties` of the seams, for one contact. `attach` puts a leg's audio on the caller's line, None takes it
    off. `target` is host:port of the gateway."""

    target: str
    contact_id: str
    clock: Clock
    attach: Callable[[Audio | None], None]
    legs: list[Audio] = field(default_factory=list)

    async def dial(self, call: DialThirdParty, connected: Callable[[], None]) -> ThirdPartyOutcome:
        loop = asyncio.get_running_loop()
        leg = Audio(Microphone(ssrc=uuid.uuid4().int & 0xFFFFFFFF))
        self.legs.append(leg)
        rtp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(leg.earpiece.packet), local_addr=(HOST, 0))
        messages: list[bytes] = []
        sip, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(messages.append), local_addr=(HOST, 0))
        out = self._call(call, sip.get_extra_info("sockname")[1], rtp.get_extra_info("sockname")[1])
        host, _, port = self.target.partition(":")

        def pump() -> None:
            now = self.clock.now_ms()
            while messages:
                out.receive(messages.pop(0), now)
            out.tick(now)
            for data in out.sent:
                sip.sendto(data, (host, int(port)))
            out.sent.clear()

        out.start(self.clock.now_ms())
        try:
            while out.state is not State.OVER:
                pump()
                if out.state is State.STANDING and leg.send is None and out.remote is not None:
                    leg.send = functools.partial(rtp.sendto, addr=out.remote)
                    leg.microphone.press(call.dtmf)
                    self.attach(leg)
                    connected()
                await asyncio.sleep(TICK_S / 4)
        finally:
            self.attach(None)
            out.hang_up(self.clock.now_ms())
            deadline = self.clock.now_ms() + LEAVE_S * 1000
            while out.state is not State.OVER and self.clock.now_ms() < deadline:
                pump()
                await asyncio.sleep(TICK_S)
            pump()
            sip.close()
            rtp.close()
        return ThirdPartyOutcome.COMPLETED if out.remote is not None else ThirdPartyOutcome.CALL_FAILED

    def _call(self, call: DialThirdParty, port: int, media_port: int) -> OutboundCall:
        headers = connector_headers(self.contact_id, call.user_to_user) if call.connector_arn else ()
        user = call.number.lstrip("+") or "voice-agent"
        return OutboundCall(
            word=uuid.uuid4().hex,
            address=HOST,
            port=port,
            media_port=media_port,
            target=self.target,
            user=user,
            caller=call.from_user.lstrip("+") or "anonymous",
            headers=headers,
        )
