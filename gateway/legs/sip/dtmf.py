"""Key presses in RTP (RFC 4733): each one once, by the first of its packets that arrives. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.legs.sip.errors import MalformedPacket
from gateway.legs.sip.rtp import Packet

KEYS = "0123456789*#ABCD"
SEGMENT = 0xFFFF  # units: a longer press goes on in another segment, which begins where this one ended (2.5.1.3)


@dataclass(slots=True)
class KeyEvents:
    """All packets of one press carry the timestamp of its beginning, and its end is sent three times."""

    _pressed: tuple[int, int] | None = None  # timestamp and event of the last one

    def packet(self, packet: Packet) -> str:
        """The key, or "" for more of the same press, for an event that is no key, and for an older press.

        Raises:
            MalformedPacket
        """
        if len(packet.payload) < 4:
            raise MalformedPacket("telephone-event", "4 bytes", len(packet.payload))
        event = packet.payload[0]
        if event >= len(KEYS):
            return ""
        if self._pressed is not None:
            step = (packet.timestamp - self._pressed[0]) & 0xFFFFFFFF
            if step == 0 or step >= 0x80000000:
                return ""
            if step == SEGMENT and event == self._pressed[1] and not packet.marker:
                self._pressed = (packet.timestamp, event)
                return ""
        self._pressed = (packet.timestamp, event)
        return KEYS[event]
