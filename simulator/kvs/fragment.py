"""One fragment of a stream, and when what of it can be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from simulator.kvs.habits import Delivery

BYTES_A_MS = 16  # 8 kHz, 16 bit


class Part(NamedTuple):
    written_ms: int
    data: bytes
    ends_ms: int  # media time


@dataclass(slots=True)
class Fragment:
    """`producer_ms` is the media time of the first block, `end_ms` that of the end of the last one."""

    number: int
    contact_id: str
    producer_ms: int
    server_ms: int
    uid: bytes
    tracks: tuple[str, ...]
    opened_ms: int
    tags: bytes = b""  # of the contact, after the last block
    parts: list[Part] = field(default_factory=list)
    closed_ms: int | None = None

    @property
    def blocks(self) -> int:
        """Of each track; the first part is the head."""
        return len(self.parts) - 1

    @property
    def end_ms(self) -> int:
        return self.parts[-1].ends_ms

    @property
    def closed(self) -> bool:
        return self.closed_ms is not None

    def add(self, media_ms: int, length: int, data: bytes, now_ms: int) -> None:
        """A block of each track: `length` bytes of audio, `data` as written."""
        self.parts.append(Part(now_ms, data, media_ms + length // BYTES_A_MS))

    def cut(self, now_ms: int) -> None:
        """Nothing is written after `now_ms`."""
        self.parts = [part for part in self.parts if part.written_ms <= now_ms]
        self.closed_ms = now_ms if self.closed_ms is None else min(self.closed_ms, now_ms)

    def readable(self, now_ms: int, delivery: Delivery) -> int:
        """How many parts the service has to give."""
        if delivery.per_fragment:
            return len(self.parts) if self.complete(now_ms, delivery) else 0
        return sum(part.written_ms + delivery.delay_ms <= now_ms for part in self.parts)

    def complete(self, now_ms: int, delivery: Delivery) -> bool:
        return self.closed_ms is not None and self.closed_ms + delivery.delay_ms <= now_ms
