"""The jitter buffer: packets as they come in, one frame of 20 ms for each beat out. No I/O; times in ms.

The buffer plays along the sender's timestamps. What is missing at its beat is concealed: the last frame again, each
time quieter, then silence. A sender that is silent sends nothing (DTX), and its timestamps jump: the beats in between
are silence, and the next packet is there in time.

A packet that comes too late says that more delay is needed. With nothing else in hand it is played all the same and
everything after it later by as much; else it is lost, and the delay grows where the caller is quiet. Nothing waits
longer than `MOST_MS`. Delay that was not needed for a while is taken back, a quiet frame at a time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from contract.audio import BYTES_PER_MS, ULAW_SILENCE, audioop
from gateway.legs.sip.rtp import FRAME_BYTES, FRAME_MS, Packet

FIRST_MS = 40
LEAST_MS = 20
MOST_MS = 120
RESET_MS = 3000  # a timestamp so far away is another stream, not a gap
CONCEALED_FRAMES = 3
FADE = (0.7, 0.4, 0.2)
CALM_FRAMES = 100  # so many beats with more in hand than needed, before a frame is left out
LATE_FRAMES = 10  # nothing in time for so many beats: the way has become longer for good
QUIET_RMS = 200
SILENT_FRAME = ULAW_SILENCE * FRAME_BYTES


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms µ-law. `made_up`: not what was sent, but concealment or silence; `delay_ms` is what is in hand."""

    ulaw: bytes
    made_up: bool
    delay_ms: int


@dataclass(slots=True)
class JitterBuffer:
    """`late` packets, `concealed`, `inserted` and `left_out` frames, `resets`: for the figures of the call."""

    late: int = 0
    concealed: int = 0
    inserted: int = 0
    left_out: int = 0
    resets: int = 0
    deepest_ms: int = 0
    _held: dict[int, bytes] = field(default_factory=dict)  # by distance from the first timestamp, in units
    _origin: int = 0
    _next: int | None = None  # the distance that is played next; None before the first packet
    _newest: int = 0
    _last: bytes = SILENT_FRAME
    _missing: int = CONCEALED_FRAMES
    _owed: int = 0  # frames of delay to be added
    _beats: int = 0
    _late_since: int | None = None  # the beat of the first late packet after which none was in time
    _least: deque[int] = field(default_factory=lambda: deque(maxlen=CALM_FRAMES))

    def push(self, packet: Packet) -> None:
        """One packet of µ-law audio, in whatever order. Runs for every packet."""
        if not packet.payload:
            return
        if self._next is None:
            self._begin(packet)
        at = self._distance(packet.timestamp)
        if abs(at - self._position) > RESET_MS * BYTES_PER_MS:
            self.resets += 1
            self._begin(packet)
            at = 0
        elif at + len(packet.payload) <= self._position and not self._came_late(packet, at):
            return
        else:
            self._late_since = None
            at = self._distance(packet.timestamp)
        self._held[at] = packet.payload
        self._newest = max(self._newest, at + len(packet.payload))

    def pull(self) -> Frame:
        """What is played now; call it every 20 ms. Runs for every beat."""
        if self._next is None:
            return Frame(SILENT_FRAME, True, 0)
        self._beats += 1
        depth = self._depth_ms
        self.deepest_ms = max(self.deepest_ms, depth)
        self._least.append(depth)
        if self._owed and self._is_quiet(self._next):
            self._owed -= 1
            self.inserted += 1
            return Frame(SILENT_FRAME, True, depth)
        if self._can_leave_out(depth):
            self._next += FRAME_BYTES
            self.left_out += 1
            self._least.clear()
        ulaw = self._take(self._next)
        self._next += FRAME_BYTES
        if ulaw is None:
            return Frame(self._conceal(), True, depth)
        self._last, self._missing = ulaw, 0
        return Frame(ulaw, False, depth)

    @property
    def _position(self) -> int:
        assert self._next is not None
        return self._next

    @property
    def _depth_ms(self) -> int:
        """What has come and was not played yet."""
        return max(0, self._newest - self._position) // BYTES_PER_MS

    def _begin(self, packet: Packet) -> None:
        """The first packet waits as long as we start with; what arrives meanwhile is in time."""
        self._held.clear()
        self._origin, self._newest, self._owed = packet.timestamp, 0, 0
        self._next = -FIRST_MS * BYTES_PER_MS
        self._late_since = None
        self._least.clear()

    def _distance(self, timestamp: int) -> int:
        """From the first timestamp, signed: the 32 bits wrap around."""
        near = (self._origin + self._position) & 0xFFFFFFFF
        step = (timestamp - near) & 0xFFFFFFFF
        return self._position + (step if step < 0x80000000 else step - 0x100000000)

    def _came_late(self, packet: Packet, at: int) -> bool:
        """Whether a packet behind its beat is played all the same."""
        self.late += 1
        if self._late_since is None:
            self._late_since = self._beats
        behind_ms = (self._position - at) // BYTES_PER_MS
        if self._beats - self._late_since >= LATE_FRAMES:
            self.resets += 1
            self._begin(packet)
            return True
        if behind_ms > MOST_MS - FIRST_MS:
            return False
        if self._depth_ms:
            frames = -(-behind_ms // FRAME_MS)
            self._owed = max(self._owed, min(frames, (MOST_MS - self._depth_ms) // FRAME_MS))
            return False
        self._next = at
        return True

    def _can_leave_out(self, depth: int) -> bool:
        """There was more in hand than needed at every beat for a while, and what goes is quiet."""
        spare = len(self._least) == CALM_FRAMES and min(self._least) >= LEAST_MS + 2 * FRAME_MS
        return spare and depth >= 2 * FRAME_MS and self._is_quiet(self._position)

    def _is_quiet(self, at: int) -> bool:
        frame = self._peek(at)
        return frame is not None and audioop.rms(audioop.ulaw2lin(frame, 2), 2) < QUIET_RMS

    def _peek(self, at: int) -> bytes | None:
        frame = self._held.get(at)
        return frame if frame is not None and len(frame) == FRAME_BYTES else None

    def _take(self, at: int) -> bytes | None:
        """20 ms from `at` on. Most senders send exactly that in one packet; others are put together."""
        whole = self._held.pop(at, None)
        if whole is not None and len(whole) == FRAME_BYTES:
            return whole
        if whole is not None:
            self._held[at] = whole
        return self._assemble(at)

    def _assemble(self, at: int) -> bytes | None:
        end = at + FRAME_BYTES
        frame, found = bytearray(SILENT_FRAME), False
        for begin in [key for key in self._held if key < end]:
            payload = self._held[begin]
            first, last = max(begin, at), min(begin + len(payload), end)
            if first < last:
                frame[first - at : last - at] = payload[first - begin : last - begin]
                found = True
            if begin + len(payload) <= end:
                del self._held[begin]
        return bytes(frame) if found else None

    def _conceal(self) -> bytes:
        """The last frame again, quieter each time; a longer gap is silence, as between the words of a DTX sender."""
        if self._missing >= CONCEALED_FRAMES:
            return SILENT_FRAME
        self.concealed += 1
        faded = audioop.mul(audioop.ulaw2lin(self._last, 2), 2, FADE[self._missing])
        self._missing += 1
        return audioop.lin2ulaw(faded, 2)
