"""Calls transferred over SIP, without SIP: the gateway's leg and media core, Connect's RTP, one jumping clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contract.audio import lin2ulaw
from gateway.legs.sip.line import BROKE
from gateway.legs.sip.playout import Playout
from gateway.legs.sip.rtp import Outgoing
from gateway.legs.sip.sdp import Agreed, Direction
from gateway.legs.sip.stream import Stream
from simulator.connect.events import DialThirdParty, ThirdPartyOutcome
from simulator.sip.media import Earpiece, Microphone

if TYPE_CHECKING:
    from tests.scenarios.world import World

RING_S = 0.3
BEAT_S = 0.02
PEER = ("192.0.2.10", 6000)
AGREED = Agreed(*PEER, 0, False, 101, Direction.BOTH, 0)


@dataclass(eq=False)
class Line:
    """A line as the leg has it, and somebody else on the caller's line."""

    world: World
    number: int
    stream: Stream
    microphone: Microphone = field(default_factory=lambda: Microphone(1))
    earpiece: Earpiece = field(default_factory=Earpiece)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    broken: asyncio.Event = field(default_factory=asyncio.Event)
    reason: str = ""
    cut: bool = False  # its gateway is dead
    lossy: Callable[[bytes, tuple[str, int], int], None] | None = None  # a way of the packets that loses some
    _beating: asyncio.Task[None] | None = None

    @property
    def record(self) -> str:
        return json.dumps({"line": self.number})

    def start(self, beat: Callable[[int], None]) -> None:
        self._beating = asyncio.ensure_future(self._beat(beat))

    async def _beat(self, beat: Callable[[int], None]) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + BEAT_S / 2
        while not self.cut:
            await asyncio.sleep(max(0.0, due - loop.time()))
            due += BEAT_S
            beat(0)

    def send(self, packet: bytes) -> None:
        self.earpiece.packet(packet)

    async def ended(self) -> str:
        waiting = [asyncio.ensure_future(each.wait()) for each in (self.over, self.broken)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
        return self.reason or BROKE

    def broke(self) -> None:
        """It still stands, and nothing is sent or heard any more."""
        self.close()
        self.broken.set()

    def hang_up(self) -> None:
        if not self.cut:
            self.end("hung_up")

    def end(self, reason: str) -> None:
        self.reason = self.reason or reason
        self.over.set()

    def close(self) -> None:
        if self._beating is not None:
            self._beating.cancel()

    # -- on the caller's line

    def heard(self) -> bytes:
        return self.earpiece.frame()

    def said(self, pcm: bytes) -> None:
        packet = self.microphone.frame(lin2ulaw(pcm))
        if not self.over.is_set():
            (self.lossy or self.stream.receive)(packet, PEER, self.world.clock.now_ms())

    def pressed(self, keys: str) -> None:
        self.microphone.press(keys)


@dataclass
class Switchboard:
    """Connect's third parties, and the gateways' lines."""

    world: World
    agreed: Agreed = AGREED
    lines: list[Line] = field(default_factory=list)
    waiting: dict[str, Line] = field(default_factory=dict)

    async def dial(self, call: DialThirdParty, connected: Callable[[], None]) -> ThirdPartyOutcome:
        await asyncio.sleep(RING_S)
        line = await self._answered(call)
        if line is None:
            return ThirdPartyOutcome.CALL_FAILED
        connected()
        self.world.exchange.line.other = line
        try:
            await line.over.wait()
        finally:
            self.world.exchange.line.other = None
            line.end("bye")
        return ThirdPartyOutcome.COMPLETED

    async def _answered(self, call: DialThirdParty) -> Line | None:
        world = self.world
        contact_id = await world.store.claim_code(call.user_to_user, world.clock.now_ms())
        service = next((each for each in world.alive if not each.stopping), None)
        if contact_id is None or service is None:
            return None
        now = world.clock.now_ms()
        line = Line(world, len(self.lines), Stream(self.agreed, Playout(), Outgoing(9, 0, 0, 0), now))
        self.lines.append(line)
        self.waiting[contact_id] = line
        return line if await service.answer(contact_id) else None

    def has(self, contact_id: str) -> bool:
        return contact_id in self.waiting

    def taken(self, contact_id: str) -> Callable[[], None]:
        line = self.waiting.get(contact_id)

        def release() -> None:
            if line is not None:
                line.hang_up()
                if self.waiting.get(contact_id) is line:
                    del self.waiting[contact_id]

        return release

    def give_back(self, record: str) -> None:
        self.lines[json.loads(record)["line"]].end("bye of another gateway")

    def cut(self) -> None:
        """Their gateway is dead: no packet and no BYE comes any more."""
        for line in self.lines:
            line.cut = True
            line.close()
