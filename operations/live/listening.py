"""Following the test call's audio: when it arrives, which fragment is its first, and what the caller hears."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Protocol

from contract.call import MediaStream
from contract.clock import Clock
from operations.errors import MediaUnreadable
from operations.live.media import FROM, TO, Block, Fragment, Reader
from operations.live.tones import Line

EARLIER_MS = 1000  # GetMedia is asked for what begins so long before the call's first fragment
TOGETHER_MS = 15  # blocks that arrive so close to each other came together


class Body(Protocol):
    """The answer to one GetMedia."""

    async def read(self) -> bytes:
        """The next bytes as soon as there are any; b"" when it has ended. Raises MediaUnreadable."""
        ...

    async def close(self) -> None: ...


class Media(Protocol):
    """Kinesis Video Streams."""

    async def open(self, stream_arn: str, start_ms: int) -> Body:
        """GetMedia from a producer's time on. Raises MediaUnreadable."""
        ...


@dataclass(slots=True)
class Listening:
    """What is known of a call's audio so far."""

    contact_id: str
    line: Line = field(default_factory=Line)
    first_fragment: str = ""
    delays_ms: list[int] = field(default_factory=list)
    together: int = 0  # blocks of the caller's track that came with the one before
    apart: int = 0
    own_segment: bytes = b""
    other_segments: set[bytes] = field(default_factory=set)
    token_last: bool = True
    _last: Block | None = None

    async def follow(self, media: Media, stream: MediaStream, clock: Clock) -> None:
        """Read until cancelled; a body that ends is asked for again from where it was.

        Raises:
            MediaUnreadable: it cannot be read.
        """
        reader = Reader()
        from_ms = stream.start_timestamp_ms - EARLIER_MS
        body = await media.open(stream.stream_arn, from_ms)
        try:
            while True:
                data = await body.read()
                if not data:
                    raise MediaUnreadable("GetMedia ended its answer while the call lasted")
                for fragment in reader.feed(data, clock.now_ms()):
                    self._whole(fragment)
                self._coming(reader.open)
        finally:
            await body.close()

    def _coming(self, fragment: Fragment) -> None:
        """A fragment of which some has arrived, and whose contact may not be told yet."""
        if fragment.contact == self.contact_id or self.own_segment == fragment.segment != b"":
            self._blocks(fragment)

    def _whole(self, fragment: Fragment) -> None:
        ours = fragment.contact == self.contact_id or (not fragment.contact and fragment.segment == self.own_segment)
        if not ours:
            self.other_segments.add(fragment.segment)
            return
        if not self.first_fragment:
            self.first_fragment = fragment.number
        self.own_segment = fragment.segment
        self.token_last &= fragment.last_tag == "AWS_KINESISVIDEO_CONTINUATION_TOKEN"
        self._blocks(fragment)

    def _blocks(self, fragment: Fragment) -> None:
        for block in fragment.blocks:
            if block.track == TO:
                self.line.add(block.at_ms, block.pcm)
            elif block.track == FROM:
                self._note(block)
        fragment.blocks.clear()

    def _note(self, block: Block) -> None:
        self.delays_ms.append(block.arrived_ms - block.ends_ms)
        if self._last is not None:
            together = block.arrived_ms - self._last.arrived_ms <= TOGETHER_MS
            self.together += together
            self.apart += not together
        self._last = block

    # -- what was measured -----------------------------------------------------------------------------------

    @property
    def delay_ms(self) -> tuple[int, int]:
        """Median and 95th percentile of the age of the caller's audio when it can be read; the first two seconds,
        which are older because they wait for the reader, left out."""
        ages = sorted(self.delays_ms[32:]) or [0]
        return round(statistics.median(ages)), ages[min(len(ages) - 1, len(ages) * 95 // 100)]

    @property
    def by_fragment(self) -> bool:
        """Audio comes a fragment at a time, not block by block."""
        return self.together > self.apart

    @property
    def segment_of_its_own(self) -> bool | None:
        """Whether this contact's SegmentUID is no other contact's; None when none was seen."""
        return self.own_segment not in self.other_segments if self.other_segments else None
