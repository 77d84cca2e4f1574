"""Agent speech that is not over, and when its next clip is to be made. A core without I/O."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from contract.audio import BYTES_PER_MS
from gateway.legs.kvs.clips import Clip, ClipCutter

# A clip is made this long before the one ahead of it ends: upload, append and the flow's poll take about 200 ms.
LEAD_MS = 900
URGENT_MS = 450  # and this long before, a clip that is too short for any good cut is better than a gap
LAST_WORDS_MS = 15_000  # who leaves hears no more than this of what is still in hand
BUSY_POLL_MS = 100  # how often the head is read while something is on its way to the caller


@dataclass(slots=True)
class Stretch:
    """Audio may still come, or wait to be cut into clips."""

    number: int
    cutter: ClipCutter
    appended: int = 0  # clips
    again: deque[Clip] = field(default_factory=deque)
    failures: int = 0

    @property
    def exhausted(self) -> bool:
        """All of it has come, and nothing waits to be cut."""
        return self.cutter.finished and not self.cutter.in_hand

    @property
    def last_words(self) -> bool:
        """Something waits that the caller hears before they leave: all of the stretch has come, and not too much of it
        is left."""
        waits = self.cutter.finished and 0 < self.cutter.in_hand <= LAST_WORDS_MS * BYTES_PER_MS
        return bool(self.again) or waits

    def next_clip(self, now_ms: int, needed_ms: int | None) -> Clip | None:
        """The clip to make now. `needed_ms`: when the last one in the log will have been heard, if that is known."""
        if not self.appended:
            return self.cutter.first_clip(now_ms)
        if needed_ms is None or now_ms < needed_ms - LEAD_MS:
            return None
        return self.cutter.next_clip(urgent=now_ms >= needed_ms - URGENT_MS)

    def due_ms(self, now_ms: int, needed_ms: int | None) -> int | None:
        """When `next_clip` may have something although nothing happens."""
        if not self.appended:
            return self.cutter.first_due_ms()
        if needed_ms is None or not self.cutter.in_hand:
            return None
        return max(needed_ms - LEAD_MS, now_ms + BUSY_POLL_MS)
