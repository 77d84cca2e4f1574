"""RTP packets (RFC 3550 section 5.1): read, written, and counted as RFC 3550 appendix A does. No I/O.

Audio is G.711 at 8,000 Hz: 8 timestamp units a millisecond, 160 bytes and 160 units a packet of 20 ms.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from contract.audio import BYTES_PER_MS, audioop
from gateway.legs.sip.errors import MalformedPacket

FRAME_MS = 20
FRAME_BYTES = FRAME_MS * BYTES_PER_MS
HEADER = struct.Struct("!BBHII")
VERSION = 0x80
MAX_BYTES = 1500
MAX_DROPOUT = 3000  # RFC 3550 appendix A.1
MAX_MISORDER = 100

ALAW_TO_ULAW = audioop.lin2ulaw(audioop.alaw2lin(bytes(range(256)), 2), 2)
ULAW_TO_ALAW = audioop.lin2alaw(audioop.ulaw2lin(bytes(range(256)), 2), 2)


@dataclass(frozen=True, slots=True)
class Packet:
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    marker: bool
    payload: bytes = field(repr=False)


def header_bytes(data: bytes) -> int:
    """Where the payload begins; perhaps behind the end of what is cut short. Raises MalformedPacket."""
    if not 12 <= len(data) <= MAX_BYTES:
        raise MalformedPacket("size", f"12 to {MAX_BYTES} bytes", len(data))
    first = data[0]
    if first & 0xC0 != VERSION:
        raise MalformedPacket("version", "2", first >> 6)
    start = 12 + 4 * (first & 0x0F)
    if first & 0x10:  # an extension header
        if len(data) < start + 4:
            raise MalformedPacket("extension", "a header of 4 bytes", len(data) - start)
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    return start


def parse(data: bytes) -> Packet:
    """Runs for every packet. Raises MalformedPacket."""
    start, end = header_bytes(data), len(data)
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    if first & 0x20:  # padding
        end -= data[-1] or end
    if end < start:
        raise MalformedPacket("payload", f"to begin within {end} bytes", start)
    return Packet(second & 0x7F, sequence, timestamp, ssrc, bool(second & 0x80), data[start:end])


@dataclass(slots=True)
class Outgoing:
    """The packets that we send. Each frame advances the timestamp by its length, a skipped one too."""

    ssrc: int
    payload_type: int
    sequence: int
    timestamp: int
    packets: int = 0
    octets: int = 0

    def packet(self, payload: bytes, *, marker: bool = False) -> bytes:
        """Runs for every packet."""
        second = self.payload_type | (0x80 if marker else 0)
        head = HEADER.pack(VERSION, second, self.sequence, self.timestamp, self.ssrc)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + len(payload)) & 0xFFFFFFFF
        self.packets += 1
        self.octets += len(payload)
        return head + payload

    def skip(self, frames: int) -> None:
        """So many frames are not sent: to the receiver a gap of silence, not a loss."""
        self.timestamp = (self.timestamp + frames * FRAME_BYTES) & 0xFFFFFFFF


@dataclass(slots=True)
class Incoming:
    """What has arrived from one source (RFC 3550 appendices A.1, A.3 and A.8); `jitter` in timestamp units."""

    ssrc: int
    base: int
    highest: int = 0  # extended by the number of cycles
    received: int = 0
    jitter: float = 0.0
    _transit: int | None = None
    _expected_before: int = 0
    _received_before: int = 0

    @classmethod
    def of(cls, packet: Packet) -> Incoming:
        return cls(packet.ssrc, packet.sequence, packet.sequence)

    def count(self, packet: Packet, now_ms: int) -> bool:
        """False for a packet whose sequence belongs to nothing that we know: the source has started anew."""
        step = (packet.sequence - self.highest) & 0xFFFF
        if MAX_DROPOUT <= step < 0x10000 - MAX_MISORDER:
            return False
        if step < MAX_DROPOUT:
            self.highest += step
        self.received += 1
        transit = (now_ms * BYTES_PER_MS - packet.timestamp) & 0xFFFFFFFF
        if self._transit is not None:
            change = (transit - self._transit) & 0xFFFFFFFF
            self.jitter += (min(change, 0x100000000 - change) - self.jitter) / 16
        self._transit = transit
        return True

    @property
    def expected(self) -> int:
        return self.highest - self.base + 1

    @property
    def lost(self) -> int:
        """Packets that never came; copies of others can make it negative."""
        return self.expected - self.received

    def fraction_lost(self) -> int:
        """Since the last time that this was asked, in 256ths."""
        expected, received = self.expected - self._expected_before, self.received - self._received_before
        self._expected_before, self._received_before = self.expected, self.received
        return 0 if expected <= 0 or received >= expected else ((expected - received) << 8) // expected
