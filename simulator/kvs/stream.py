"""One video stream: fragments that a call's producer writes and readers follow. A core without I/O."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator.kvs import mkv

BLOCK_SAMPLES = 512  # 64 ms: what Connect puts into one SimpleBlock
BLOCK_MS = 64
BLOCKS_A_FRAGMENT = 16  # for each track: fragments of 1,024 ms
FIRST_NUMBER = 91343852333181432392682062607743920146159169392  # the shape of real ones: 47 digits
PAUSE_ENDS_MS = 3000  # GetMedia ends when the producer pauses so long


@dataclass(frozen=True, slots=True)
class Delivery:
    """When the service hands audio on: block by block, or fragment by fragment and so much later."""

    per_fragment: bool = False
    delay_ms: int = 40


@dataclass(slots=True)
class Fragment:
    number: int
    contact_id: str
    producer_ms: int
    server_ms: int
    parts: list[tuple[int, bytes]] = field(default_factory=list)  # (available at, bytes)
    blocks: int = 0
    closed: bool = False
    tail_at_ms: int = 0

    @property
    def end_ms(self) -> int:
        return self.producer_ms + self.blocks * BLOCK_MS


class NoFragment(Exception):
    """The selector names nothing that the stream has."""


class Stream:
    """Holds what several contacts wrote, one after the other: streams are reused between callers."""

    def __init__(self, arn: str, instance_id: str, delivery: Delivery) -> None:
        self.arn = arn
        self.instance_id = instance_id
        self.delivery = delivery
        self.fragments: list[Fragment] = []
        self.last_write_ms = 0
        self._tracks = (mkv.FROM_CUSTOMER, mkv.TO_CUSTOMER)

    def write(self, contact_id: str, media_ms: int, caller: bytes, heard: bytes, now_ms: int) -> Fragment:
        """Add one block for each track: 16-bit PCM, usually 1,024 bytes."""
        fragment = self._open(contact_id, media_ms, now_ms)
        relative = media_ms - fragment.producer_ms
        data = mkv.block(1, relative, caller) + mkv.block(2, relative, heard)
        fragment.parts.append((now_ms + self.delivery.delay_ms, data))
        fragment.blocks += 1
        self.last_write_ms = now_ms
        if fragment.blocks == BLOCKS_A_FRAGMENT:
            self._close(fragment, now_ms)
        return fragment

    def stop(self, now_ms: int) -> None:
        """The contact stops streaming: what is open is closed as it is."""
        if self.fragments and not self.fragments[-1].closed:
            self._close(self.fragments[-1], now_ms)

    def _open(self, contact_id: str, media_ms: int, now_ms: int) -> Fragment:
        if self.fragments and not self.fragments[-1].closed:
            return self.fragments[-1]
        number = self.fragments[-1].number + 1 if self.fragments else FIRST_NUMBER
        fragment = Fragment(number, contact_id, media_ms, now_ms)
        uid = hashlib.md5(contact_id.encode(), usedforsecurity=False).digest()
        start = mkv.head(uid, self._tracks, str(number), media_ms, now_ms)
        fragment.parts.append((now_ms, start))
        self.fragments.append(fragment)
        return fragment

    def _close(self, fragment: Fragment, now_ms: int) -> None:
        fragment.closed = True
        fragment.tail_at_ms = now_ms + self.delivery.delay_ms
        if self.delivery.per_fragment:
            fragment.parts = [(fragment.tail_at_ms, data) for _, data in fragment.parts]

    def reader(self, selector: Mapping[str, object], now_ms: int) -> Reader:
        """Raises NoFragment when the selector cannot be resolved."""
        return Reader(self, self._first(selector, now_ms))

    def _first(self, selector: Mapping[str, object], now_ms: int) -> int:
        """Index of the first fragment that a reader gets; it may be one that does not exist yet."""
        kind = selector.get("StartSelectorType")
        if kind in ("FRAGMENT_NUMBER", "CONTINUATION_TOKEN"):
            key = "AfterFragmentNumber" if kind == "FRAGMENT_NUMBER" else "ContinuationToken"
            after = int(str(selector[key]))
            if self.fragments and after < self.fragments[0].number - 1:
                raise NoFragment(str(after))
            return max(0, after - FIRST_NUMBER + 1)
        if kind in ("PRODUCER_TIMESTAMP", "SERVER_TIMESTAMP"):
            start_ms = int(float(str(selector["StartTimestamp"])) * 1000 + 0.5)
            for index, fragment in enumerate(self.fragments):
                stamp = fragment.end_ms if kind == "PRODUCER_TIMESTAMP" else fragment.server_ms
                if stamp > start_ms:
                    return index
            return len(self.fragments)
        if kind == "EARLIEST":
            return 0
        return max(0, len(self.fragments) - 1)  # NOW


class Reader:
    """One GetMedia body."""

    def __init__(self, stream: Stream, index: int) -> None:
        self._stream = stream
        self._index = index
        self._part = 0
        self._idle_since_ms: int | None = None
        self.ended = False

    def read(self, now_ms: int) -> bytes:
        """What has become available; sets `ended` when the service would end the body."""
        chunks: list[bytes] = []
        while self._index < len(self._stream.fragments):
            fragment = self._stream.fragments[self._index]
            if self._stream.delivery.per_fragment and not fragment.closed:
                break
            while self._part < len(fragment.parts) and fragment.parts[self._part][0] <= now_ms:
                chunks.append(fragment.parts[self._part][1])
                self._part += 1
            whole = self._part == len(fragment.parts) and fragment.closed and fragment.tail_at_ms <= now_ms
            if not whole:
                break
            newest = self._stream.fragments[-1]
            chunks.append(mkv.contact_tags(fragment.contact_id, self._stream.instance_id))
            chunks.append(mkv.tail(max(0, newest.end_ms - fragment.end_ms), str(fragment.number)))
            self._index += 1
            self._part = 0
        if chunks or self._idle_since_ms is None:
            self._idle_since_ms = now_ms
        elif now_ms - self._idle_since_ms > PAUSE_ENDS_MS + 2 * self._stream.delivery.delay_ms + 1024:
            self.ended = True
        return b"".join(chunks)
