"""RTP as a voice connector sends and takes it: µ-law, 20 ms, key presses by RFC 4733. No I/O; times in ms.

It plays what it gets from a queue of its own: two frames before it begins, and what is missing is silence.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass, field

FRAME_MS = 20
FRAME = 160
SILENCE = b"\xff" * FRAME
KEYS = "0123456789*#"
EVENTS = 101
LEAD = 2  # frames in hand before it plays
KEY_PACKETS = 5  # a press of 100 ms
GAP_FRAMES = 4
PAUSE_FRAMES = 38  # a comma: 750 ms (flow language reference)


@dataclass(slots=True)
class Microphone:
    """What is sent: speech, and while keys are pressed, those instead."""

    ssrc: int
    sequence: int = 1
    timestamp: int = 0
    _keys: deque[bytes | None] = field(default_factory=deque)  # payloads of events; None for a pause
    _begun: int = 0

    def press(self, keys: str) -> None:
        """Queue key presses; a comma is a pause."""
        for key in keys:
            if key == ",":
                self._keys.extend([None] * PAUSE_FRAMES)
            else:
                event = KEYS.index(key)
                lengths = [FRAME * (number + 1) for number in range(KEY_PACKETS)]
                self._keys.extend(struct.pack("!BBH", event, 10, length) for length in lengths)
                self._keys.extend([struct.pack("!BBH", event, 0x80 | 10, lengths[-1])] * 3)
                self._keys.extend([None] * GAP_FRAMES)

    def frame(self, ulaw: bytes) -> bytes:
        """The packet of these 20 ms."""
        event = self._keys.popleft() if self._keys else None
        if event is None:
            self._begun = 0
            packet = self._packet(0, self.timestamp, ulaw)
        else:
            first = not self._begun
            self._begun = self._begun or self.timestamp or 1
            packet = self._packet(EVENTS, self._begun, event, marker=first)
            if event[1] & 0x80 and (not self._keys or self._keys[0] is None):
                self._begun = 0
        self.timestamp = (self.timestamp + FRAME) & 0xFFFFFFFF
        return packet

    def _packet(self, kind: int, timestamp: int, payload: bytes, *, marker: bool = False) -> bytes:
        head = struct.pack("!BBHII", 0x80, kind | 0x80 * marker, self.sequence, timestamp, self.ssrc)
        self.sequence = (self.sequence + 1) & 0xFFFF
        return head + payload


@dataclass(slots=True)
class Earpiece:
    """What is heard. `missing` counts frames of silence in the midst of packets, `gaps` holes in the sequence."""

    received: int = 0
    gaps: int = 0
    missing: int = 0
    _queue: deque[bytes] = field(default_factory=deque)
    _playing: bool = False
    _next: int | None = None

    def packet(self, data: bytes) -> None:
        if len(data) < 12 or data[0] != 0x80 or data[1] & 0x7F != 0:
            return
        (sequence,) = struct.unpack_from("!H", data, 2)
        if self._next is not None and sequence != self._next:
            self.gaps += 1
        self._next = (sequence + 1) & 0xFFFF
        self.received += 1
        self._queue.append(data[12:])

    def frame(self) -> bytes:
        """The next 20 ms, µ-law."""
        if not self._playing:
            self._playing = len(self._queue) >= LEAD
        if not self._playing:
            return SILENCE
        if not self._queue:
            self.missing += 1
            self._playing = False
            return SILENCE
        return self._queue.popleft()
