"""Calls over SIP in bad weather: each line ends at one gateway, and dies with it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contract.errors import ContractError
from gateway.legs.sip.playout import Playout
from gateway.legs.sip.rtp import Outgoing
from gateway.legs.sip.stream import Stream
from simulator.connect.events import DialThirdParty
from tests.scenarios.switchboard import AGREED, BEAT_S, Line, Switchboard

if TYPE_CHECKING:
    from tests.chaos.world import ChaosWorld, Gateway

Receive = Callable[[bytes, tuple[str, int], int], None]


class ChaosLine(Line):
    """Its gateway may be frozen: beats that are more than one late are left out, as `gateway.legs.sip.pacer` does."""

    async def _beat(self, beat: Callable[[int], None]) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + BEAT_S / 2
        while not self.cut:
            await asyncio.sleep(max(0.0, due - loop.time()))
            late_s = loop.time() - due
            left_out = int(late_s / BEAT_S) if late_s >= 2 * BEAT_S else 0
            due += BEAT_S * (1 + left_out)
            beat(left_out)


@dataclass
class ChaosSwitchboard(Switchboard):
    """A call rings at one of the gateways that take calls, as a load balancer has it."""

    async def _answered(self, call: DialThirdParty) -> Line | None:
        world: ChaosWorld = self.world  # type: ignore[assignment]
        gateway = next((each for each in world.gateways if each.takes_calls), None)
        return await gateway.process.start(self._accept(gateway, call.user_to_user)) if gateway else None

    async def _accept(self, gateway: Gateway, code: str) -> Line | None:
        """As `gateway.legs.sip.endpoint` does, in that gateway."""
        world: ChaosWorld = self.world  # type: ignore[assignment]
        contact_id = await gateway.codes.claim(code, "connect")
        if contact_id is None:
            return None
        line = ChaosLine(world, len(self.lines), Stream(AGREED, Playout(), Outgoing(9, 0, 0, 0), world.clock.now_ms()))
        self.lines.append(line)
        gateway.lines.waiting[contact_id] = line
        gateway.lines.held.append(line)
        if world.weather.packets_lost.on:
            self.lose(line)
        answered = False
        with contextlib.suppress(ContractError):
            answered = await gateway.service.answer(contact_id)
        if answered:
            return line
        gateway.lines.waiting.pop(contact_id, None)
        line.hang_up()
        return None

    def lose(self, line: Line) -> None:
        """From now on this line's packets pass the weather."""
        line.lossy = functools.partial(self._pass, line.stream.receive)

    def _pass(self, receive: Receive, packet: bytes, peer: tuple[str, int], now_ms: int) -> None:
        weather = self.world.weather  # type: ignore[attr-defined]
        if not weather.hits(weather.packets_lost):
            receive(packet, peer, now_ms)


@dataclass
class GatewayLines:
    """The lines that end at one gateway: those that it is to serve, and all that it has held."""

    switchboard: ChaosSwitchboard
    waiting: dict[str, Line] = field(default_factory=dict)
    held: list[Line] = field(default_factory=list)

    def has(self, contact_id: str) -> bool:
        return contact_id in self.waiting

    def taken(self, contact_id: str) -> Callable[[], None]:
        line = self.waiting.get(contact_id)

        def release() -> None:
            if line is not None:
                line.hang_up()
                if self.waiting[contact_id] is line:
                    del self.waiting[contact_id]

        return release

    def give_back(self, record: str) -> None:
        self.switchboard.give_back(record)

    def cut(self) -> None:
        """Their gateway is dead: no packet and no BYE comes any more."""
        for line in self.held:
            line.cut = True
            line.close()
