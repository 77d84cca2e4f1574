"""The media of one call: packets in, caller audio out; agent speech in, packets out. No I/O; times in ms.

RTP is symmetric: packets go to where the description says until the first one arrives, then to where that came from,
which is the way through the peer's firewall. Another source is taken only when the one that we know has been silent
for a while, so that nobody can talk into a call by knowing its port. Where media are protected, a packet counts for
nothing before it has proved genuine.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from gateway.legs.sip import rtcp, rtp
from gateway.legs.sip.dtmf import KeyEvents
from gateway.legs.sip.errors import MalformedPacket, PacketRefused
from gateway.legs.sip.jitter import Frame, JitterBuffer
from gateway.legs.sip.playout import Playout
from gateway.legs.sip.rtp import ALAW_TO_ULAW, FRAME_MS, ULAW_TO_ALAW, Incoming, Outgoing, Packet
from gateway.legs.sip.sdp import Agreed, Direction
from gateway.legs.sip.srtp import Receiver, Sender

FIRST_PACKET_MS = 30_000  # as the best gateways have it: a slow bridge is no dead one
NEXT_PACKET_MS = 15_000
OTHER_SOURCE_MS = 500
DELAYS = 250  # frames of which the median delay is told

Address = tuple[str, int]


@dataclass(slots=True)
class Stream:
    """`master` is key and salt of what we send, where media are protected.

    `refused` counts packets of other sources, `malformed` those that are none, `unknown` other payload types, `forged`
    those that are not genuine or came again.
    """

    agreed: Agreed
    playout: Playout
    out: Outgoing
    started_ms: int
    master: bytes = field(default=b"", repr=False)
    jitter: JitterBuffer = field(default_factory=JitterBuffer)
    malformed: int = 0
    refused: int = 0
    unknown: int = 0
    forged: int = 0
    restarts: int = 0
    reported_lost: int = 0  # by the peer, of what we sent
    _heard: Incoming | None = None
    _keys: KeyEvents = field(default_factory=KeyEvents)
    _pressed: str = ""
    _source: Address | None = None
    _last_packet_ms: int = 0
    _next_report_ms: int = 0
    _delays: deque[int] = field(default_factory=lambda: deque(maxlen=DELAYS))
    _held_ms: int = 0
    _sender: Sender | None = None
    _receiver: Receiver | None = None

    def __post_init__(self) -> None:
        self._protect()

    def _protect(self) -> None:
        """With the peer's key; the same one again goes on where it was."""
        crypto, known = self.agreed.crypto, self._receiver
        if crypto is None:
            return
        if known is None or (known.master, known.suite) != (crypto.master, crypto.suite):
            self._receiver = Receiver(crypto.master, crypto.suite)
        self._sender = self._sender or Sender(self.master, crypto.suite)
        self._sender.use(crypto.suite)

    # -- in --------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, source: Address, now_ms: int) -> None:
        """Runs for every packet; never raises."""
        try:
            if self._receiver is not None:
                data = self._receiver.unprotect(data)
            packet = rtp.parse(data)
            if self._admit(source, now_ms):
                self._take(packet, now_ms)
        except MalformedPacket:
            self.malformed += 1
        except PacketRefused:
            self.forged += 1

    def receive_report(self, data: bytes) -> None:
        """An RTCP packet; never raises."""
        try:
            if self._receiver is not None:
                data = self._receiver.unprotect_report(data)
            for report in rtcp.parse(data):
                if report.ssrc == self.out.ssrc:
                    self.reported_lost = report.lost
        except MalformedPacket:
            self.malformed += 1
        except PacketRefused:
            self.forged += 1

    def _admit(self, source: Address, now_ms: int) -> bool:
        if source != self._source:
            if self._source is not None and now_ms - self._last_packet_ms < OTHER_SOURCE_MS:
                self.refused += 1
                return False
            self._source = source
        self._last_packet_ms = now_ms
        return True

    def _take(self, packet: Packet, now_ms: int) -> None:
        if self._heard is None or packet.ssrc != self._heard.ssrc or not self._heard.count(packet, now_ms):
            self.restarts += self._heard is not None
            self._heard = Incoming.of(packet)
            self._heard.count(packet, now_ms)
        agreed = self.agreed
        if packet.payload_type == agreed.payload_type:
            self.jitter.push(self._in_ulaw(packet) if agreed.alaw else packet)
        elif packet.payload_type == agreed.events:
            self._pressed += self._keys.packet(packet)
        else:
            self.unknown += 1

    @staticmethod
    def _in_ulaw(packet: Packet) -> Packet:
        ulaw = packet.payload.translate(ALAW_TO_ULAW)
        return Packet(packet.payload_type, packet.sequence, packet.timestamp, packet.ssrc, packet.marker, ulaw)

    # -- out -------------------------------------------------------------------------------------------------

    def caller(self) -> Frame:
        """What the caller said in these 20 ms. Runs for every beat."""
        frame = self.jitter.pull()
        self._delays.append(frame.delay_ms)
        return frame

    def packet(self, now_ms: int, left_out: int) -> bytes | None:
        """What the caller hears next, as a packet; None while we are on hold. Runs for every beat.

        `left_out`: beats before this one that could not be served.
        """
        if left_out:
            self.out.skip(left_out)
        if self.agreed.held:
            self.out.skip(1)
            return None
        ulaw, begins = self.playout.frame(now_ms)
        packet = self.out.packet(ulaw.translate(ULAW_TO_ALAW) if self.agreed.alaw else ulaw, marker=begins)
        return packet if self._sender is None else self._sender.protect(packet)

    def report(self, now_ms: int, name: str) -> bytes | None:
        """An RTCP report, when it is time for one."""
        if now_ms < self._next_report_ms:
            return None
        self._next_report_ms = now_ms + rtcp.EVERY_MS
        report = rtcp.report(self.out, self._heard, now_ms, name)
        return report if self._sender is None else self._sender.protect_report(report)

    @property
    def destination(self) -> Address:
        """Where packets go."""
        return self._source or (self.agreed.address, self.agreed.port)

    # -- the rest --------------------------------------------------------------------------------------------

    def change(self, agreed: Agreed, now_ms: int) -> None:
        """The peer has moved, or holds the call, or comes back to it."""
        moved = (agreed.address, agreed.port) != (self.agreed.address, self.agreed.port)
        self.agreed = agreed
        self._protect()
        self.out.payload_type = agreed.payload_type
        self._held_ms = now_ms  # silence before it says nothing about what comes after
        if moved:
            self._source = None

    @property
    def takes_keys(self) -> bool:
        """Keys can come: the peer's description has telephone-event (RFC 4733)."""
        return self.agreed.events is not None

    def pressed(self) -> str:
        """Keys since this was last asked."""
        keys, self._pressed = self._pressed, ""
        return keys

    def silent(self, now_ms: int) -> bool:
        """Nothing has come for so long that nobody is there. A peer that holds the call need not send anything."""
        if self.agreed.direction is not Direction.BOTH:
            return False
        since = max(self._last_packet_ms, self._held_ms) or self.started_ms
        return now_ms - since >= (NEXT_PACKET_MS if self._last_packet_ms else FIRST_PACKET_MS)

    def figures(self) -> dict[str, int]:
        """Measures for the call's last log line; the first four are those of every leg."""
        heard, jitter = self._heard, self.jitter
        delays = sorted(self._delays) or [0]
        return {
            "kvs_delay_ms_p50": delays[len(delays) // 2],
            "backlog_ms_max": jitter.deepest_ms,
            "inserted_ms": (jitter.inserted + jitter.concealed) * FRAME_MS,
            "dropped_ms": (jitter.left_out + jitter.late) * FRAME_MS,
            "rtp_received": heard.received if heard else 0,
            "rtp_lost": max(0, heard.lost) if heard else 0,
            "rtp_late": jitter.late,
            "rtp_concealed": jitter.concealed,
            "rtp_jitter_ms": round(heard.jitter / 8) if heard else 0,
            "rtp_sent": self.out.packets,
            "rtp_sent_lost": max(0, self.reported_lost),
            "rtp_refused": self.refused,
            "rtp_malformed": self.malformed,
            "rtp_forged": self.forged,
            "starved_ms": self.playout.starved * FRAME_MS,
            "silent_after_ms": self.playout.silent_after_ms,
        }
