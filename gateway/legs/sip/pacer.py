"""One beat of 20 ms for all calls: who is due when. No I/O; times in ms, with fractions.

The beat is divided into slots, and each call is served in the slot that has the fewest, so that fifty calls do not
send in the same instant. Deadlines are absolute. A loop that was held up does not catch up in a burst, which would
only overrun the peer's jitter buffer: beats that are more than one late are left out, and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.legs.sip.rtp import FRAME_MS

SLOTS = 10
SLOT_MS = FRAME_MS / SLOTS

Beat = Callable[[int], None]  # takes how many beats were left out before this one


@dataclass(slots=True)
class Slot:
    due_ms: float
    beats: dict[int, Beat] = field(default_factory=dict)


@dataclass(slots=True)
class Pacer:
    """`left_out`: beats that were more than one late, over all calls; `latest_ms`: the most that one was late."""

    now_ms: float
    left_out: int = 0
    latest_ms: float = 0.0
    _slots: list[Slot] = field(init=False)
    _members: dict[int, int] = field(default_factory=dict)
    _number: int = 0

    def __post_init__(self) -> None:
        self._slots = [Slot(self.now_ms + SLOT_MS * number) for number in range(SLOTS)]

    def join(self, beat: Beat, now_ms: float) -> int:
        """Serve this call from the next beat of its slot on; returns its number."""
        place = min(range(SLOTS), key=lambda index: len(self._slots[index].beats))
        slot = self._slots[place]
        if not slot.beats:
            behind = now_ms - slot.due_ms
            if behind > 0:
                slot.due_ms += -(-behind // FRAME_MS) * FRAME_MS
        self._number += 1
        slot.beats[self._number] = beat
        self._members[self._number] = place
        return self._number

    def leave(self, number: int) -> None:
        place = self._members.pop(number, None)
        if place is not None:
            del self._slots[place].beats[number]

    def serve(self, now_ms: float) -> None:
        """Every beat that is due."""
        for slot in self._slots:
            if slot.beats and slot.due_ms <= now_ms:
                self._serve(slot, now_ms)

    def next_due_ms(self) -> float | None:
        """When somebody is due; None without calls."""
        return min((slot.due_ms for slot in self._slots if slot.beats), default=None)

    def _serve(self, slot: Slot, now_ms: float) -> None:
        late = now_ms - slot.due_ms
        self.latest_ms = max(self.latest_ms, late)
        left_out = int(late // FRAME_MS) if late >= 2 * FRAME_MS else 0
        slot.due_ms += FRAME_MS * (1 + left_out)
        self.left_out += left_out * len(slot.beats)
        for beat in list(slot.beats.values()):
            beat(left_out)
