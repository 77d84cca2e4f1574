"""What the caller hears, to the packet: agent speech in, one frame of 20 ms for each beat out. No I/O.

A stretch ends once: when its last packet is out, or at the packet after `clear`. What was sent is what was heard, but
for the way to the caller's ear. While there is nothing to say, silence is sent: a line without packets is a dead one
to session border controllers, and to the peer's own clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from contract.audio import BYTES_PER_MS, ULAW_SILENCE
from contract.turns import HeardSource
from gateway.legs.leg import HeardMeasured, LegEvent, PlaybackFinished, PlaybackStarted
from gateway.legs.sip.rtp import FRAME_BYTES, FRAME_MS

SILENT_FRAME = ULAW_SILENCE * FRAME_BYTES


@dataclass(slots=True)
class Playout:
    """`stretch` counts from 1; 0 is the opening, if we play it. `starved`: frames of silence within a stretch."""

    starved: int = 0
    cleared_ms: int = 0  # when `clear` last stopped something
    silent_after_ms: int = 0  # and how long after it the first silent packet went out; the longest of the call
    sent: bytes = SILENT_FRAME  # the last frame
    _queue: bytearray = field(default_factory=bytearray)
    _tone: bytearray = field(default_factory=bytearray)
    _stretch: int | None = None
    _stretches: int = 0
    _complete: bool = False
    _begun: bool = False
    _sent_bytes: int = 0
    _awaits_silence: bool = False
    _events: list[LegEvent] = field(default_factory=list)

    def opening(self, ulaw: bytes) -> None:
        """The first sentence, rendered beforehand."""
        self._stretch, self._complete = 0, True
        self._queue += ulaw

    def tone(self, ulaw: bytes) -> None:
        """Something to hear that is no speech of the agent's, as long as there is none; "" ends it."""
        self._tone[:] = ulaw

    def speak(self, ulaw: bytes) -> int:
        """Runs for every frame of agent audio; returns its stretch."""
        if self._stretch is None:
            self._stretches += 1
            self._stretch = self._stretches
            self._begun, self._sent_bytes = False, 0
        self._complete = False
        self._tone.clear()
        self._queue += ulaw
        return self._stretch

    def end_of_speech(self) -> None:
        self._complete = self._stretch is not None

    def clear(self, now_ms: int) -> None:
        """Barge-in: the next packet is silent."""
        if self._stretch is None:
            return
        self._queue.clear()
        self.cleared_ms, self._awaits_silence = now_ms, True
        self._finish(now_ms, interrupted=True)

    def frame(self, now_ms: int) -> tuple[bytes, bool]:
        """The next 20 ms, and whether speech begins with them. Runs for every beat."""
        self.sent, begins = self._frame(now_ms)
        return self.sent, begins

    def _frame(self, now_ms: int) -> tuple[bytes, bool]:
        if self._stretch is None:
            if self._awaits_silence:
                self._awaits_silence = False
                self.silent_after_ms = max(self.silent_after_ms, now_ms - self.cleared_ms)
            return self._not_speaking(), False
        queue = self._queue
        if not queue:
            return self._nothing(now_ms)
        ulaw = bytes(queue[:FRAME_BYTES])
        del queue[:FRAME_BYTES]
        begins = not self._begun
        if begins:
            self._begun = True
            self._events.append(PlaybackStarted(self._stretch, now_ms))
        self._sent_bytes += len(ulaw)
        if not queue and self._complete:
            self._finish(now_ms + FRAME_MS, interrupted=False)
        return ulaw + SILENT_FRAME[len(ulaw) :], begins

    def _not_speaking(self) -> bytes:
        if not self._tone:
            return SILENT_FRAME
        ulaw = bytes(self._tone[:FRAME_BYTES])
        del self._tone[:FRAME_BYTES]
        return ulaw + SILENT_FRAME[len(ulaw) :]

    def events(self) -> list[LegEvent]:
        """What has happened, in order; asking empties the list."""
        events, self._events = self._events, []
        return events

    @property
    def tone_plays(self) -> bool:
        return bool(self._tone)

    @property
    def playing(self) -> bool:
        return self._stretch is not None

    def _nothing(self, now_ms: int) -> tuple[bytes, bool]:
        """The agent's next words are not here yet, or there are none."""
        if self._complete:
            self._finish(now_ms, interrupted=False)
        else:
            self.starved += 1 if self._begun else 0
        return SILENT_FRAME, False

    def _finish(self, at_ms: int, *, interrupted: bool) -> None:
        stretch, self._stretch = self._stretch, None
        assert stretch is not None
        position = self._sent_bytes // BYTES_PER_MS
        self._begun, self._sent_bytes, self._complete = False, 0, False
        self._events.append(PlaybackFinished(stretch, position, interrupted, at_ms))
        self._events.append(HeardMeasured(stretch, position, HeardSource.PACKETS))
