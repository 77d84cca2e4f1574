"""From Matroska events to the caller's audio: which blocks belong to our contact, in which direction, once each.

A Kinesis video stream is used by one caller after another, and the producer writes the ContactId of a
fragment mostly after its audio. So a fragment's audio is held back until it is known whose it is: at the
start, after each reconnect, once somebody says that the contact may have ended, after a gap in the media, and
where the SegmentUID changes (seen in captures of real Connect streams: it stays the same as long as one producer
session lasts; that each contact has its own is unconfirmed).
After a confirmed fragment the next ones are delivered block by block, since holding back costs a second.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gateway.legs.kvs.blocks import CallerBlock, ContactEnded, Direction, Position, direction_of
from gateway.legs.kvs.errors import StreamFailed
from gateway.legs.kvs.matroska import (
    Block,
    ClusterStart,
    DocumentStart,
    Event,
    Limits,
    MatroskaReader,
    SegmentInfo,
    Tags,
    Tracks,
)
from gateway.telemetry.bounds import Bound, reached

AWS_FRAGMENT_NUMBER = "AWS_KINESISVIDEO_FRAGMENT_NUMBER"
AWS_SERVER_TIMESTAMP = "AWS_KINESISVIDEO_SERVER_TIMESTAMP"
AWS_PRODUCER_TIMESTAMP = "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP"
AWS_MILLIS_BEHIND_NOW = "AWS_KINESISVIDEO_MILLIS_BEHIND_NOW"
AWS_CONTINUATION_TOKEN = "AWS_KINESISVIDEO_CONTINUATION_TOKEN"  # noqa: S105 - the name of a tag
AWS_ERROR_CODE = "AWS_KINESISVIDEO_ERROR_CODE"
AWS_ERROR_ID = "AWS_KINESISVIDEO_ERROR_ID"
CONTACT_ID = "ContactId"

# A fragment that every reconnect reads again lies at most seconds back; a fragment is about one second.
REMEMBERED_FRAGMENTS = 256
MOST_BLOCKS = 4096  # of one fragment whose repeats are noticed; Connect writes 32 a second, the service ends it at 10 s
MAX_HELD_BYTES = 512 * 1024
# The next caller does not begin where the one before was cut off: streaming has to be started for him.
_GAP_MS = 1_500
# So many changes of SegmentUID within our own contact, and the UID says nothing about who speaks.
_TELLING_UID_CHANGES = 2


@dataclass(slots=True)
class FragmentCounters:
    """`foreign` counts fragments of other contacts, the others count blocks."""

    delivered: int = 0
    foreign: int = 0
    unidentified: int = 0
    duplicates: int = 0
    unknown_track: int = 0
    overflowed: int = 0


@dataclass(slots=True)
class _Fragment:
    uid: bytes = b""
    number: str = ""
    server_ms: int = 0
    producer_ms: int = 0
    starts_ms: int = 0  # timecode of its first cluster
    contact_id: str = ""
    settled: bool = False  # its contact was decided, by a tag or for lack of one
    closed: bool = False
    already: bool = False  # delivered whole before
    names: Mapping[int, str] = field(default_factory=dict)
    hints: dict[Direction, str] = field(default_factory=dict)  # the AUDIO_* tags: direction to track number
    directions: dict[int, Direction | None] = field(default_factory=dict)
    delivered: set[tuple[int, int]] = field(default_factory=set)  # track and timecode
    held: deque[Block] = field(default_factory=deque)
    held_bytes: int = 0


def _nothing_open() -> _Fragment:
    return _Fragment(settled=True, closed=True)


class FragmentReader:
    """Feed it the bytes of one GetMedia body after the other; it keeps what must be known across reconnects.

    `max_held_bytes` bounds the audio that is held back (a fragment of Connect's holds 32 KiB); beyond it the
    oldest is dropped.
    """

    def __init__(self, contact_id: str, *, limits: Limits | None = None, max_held_bytes: int = MAX_HELD_BYTES) -> None:
        self.counters = FragmentCounters()
        self.millis_behind_now = 0
        self.ended = False
        self._contact_id = contact_id
        self._limits = limits
        self._max_held = max_held_bytes
        self._reader = MatroskaReader(limits)
        self._now = _nothing_open()
        self._confirmed = False  # the next fragment is ours unless it says otherwise
        self._may_have_ended = False
        self._owner = ""  # contact of the last fragment whose contact is known, and its SegmentUID
        self._uid = b""
        self._uid_changes = 0
        self._newest_ms = -1  # start of our newest fragment; -1 before the first
        self._last_number = ""
        self._last_token = ""
        self._media_ms = 0
        self._done: OrderedDict[str, None] = OrderedDict()
        self._partial_number = ""
        self._partial: set[tuple[int, int]] = set()

    @property
    def position(self) -> Position:
        """How far reading has come."""
        return Position(
            self._last_number, self._last_token, "" if self._now.closed else self._now.number, self._media_ms
        )

    def restart(self) -> None:
        """A new body begins: identities are to be proved again, and what is read twice is delivered once."""
        self._keep_partial()
        self._reader = MatroskaReader(self._limits)
        self._now = _nothing_open()
        self._confirmed = False

    def contact_may_have_ended(self) -> None:
        """Hold every fragment back from now on until it is known to be ours."""
        self._may_have_ended = True
        self._confirmed = False

    def feed(self, data: bytes) -> Iterator[CallerBlock | ContactEnded]:
        """Take the next bytes and iterate over what they complete; nothing comes after ContactEnded.

        Raises:
            MatroskaError: the bytes are not Matroska; what came before was delivered.
            StreamFailed: the service reports an error instead of media.
        """
        return iter(()) if self.ended else self._read(self._reader.feed(data))

    def _read(self, events: Iterator[Event]) -> Iterator[CallerBlock | ContactEnded]:
        for event in events:
            if isinstance(event, Block):
                if (ours := self._on_block(event)) is not None:
                    yield ours
            elif isinstance(event, Tags):
                yield from self._on_tags(event.values)
            elif isinstance(event, DocumentStart):
                yield from self._close()
                self._open()
            elif isinstance(event, SegmentInfo):
                self._now.uid = event.uid
            elif isinstance(event, Tracks):
                self._now.names = event.names
                self._now.directions.clear()
            else:
                yield from self._on_cluster(event)
            if self.ended:
                return

    def _open(self) -> None:
        self._keep_partial()
        # Of use only for tracks without a name: their tags come after the audio, so the last ones must do.
        hints = dict(self._now.hints) if self._confirmed else {}
        self._now = _Fragment(hints=hints)

    def _on_cluster(self, event: ClusterStart) -> Iterator[ContactEnded]:
        self._now.starts_ms = self._now.starts_ms or event.timecode_ms
        yield from self._place()

    def _on_block(self, block: Block) -> CallerBlock | None:
        fragment = self._now
        if fragment.already or (block.track_number, block.timecode_ms) in fragment.delivered:
            self.counters.duplicates += 1
        elif fragment.contact_id == self._contact_id or (not fragment.settled and self._trusts(fragment)):
            return self._deliver(block)
        elif not fragment.settled:
            self._hold(block)
        return None

    def _trusts(self, fragment: _Fragment) -> bool:
        return self._confirmed and self._same_session(fragment) and fragment.starts_ms <= self._media_ms + _GAP_MS

    def _same_session(self, fragment: _Fragment) -> bool:
        """Nothing suggests that another contact began since the last fragment whose contact is known."""
        telling = self._owner != self._contact_id or self._uid_changes < _TELLING_UID_CHANGES
        return fragment.uid == self._uid or not telling

    def _hold(self, block: Block) -> None:
        fragment = self._now
        fragment.held.append(block)
        fragment.held_bytes += len(block.payload)
        while fragment.held_bytes > self._max_held or len(fragment.held) > MOST_BLOCKS:
            fragment.held_bytes -= len(fragment.held.popleft().payload)
            self.counters.overflowed += 1
            reached(Bound.HELD_FRAGMENT)

    def _deliver(self, block: Block) -> CallerBlock | None:
        fragment = self._now
        track = block.track_number
        if track not in fragment.directions:
            fragment.directions[track] = direction_of(track, fragment.names, fragment.hints)
        direction = fragment.directions[track]
        fragment.delivered.add((track, block.timecode_ms))
        if len(fragment.delivered) > MOST_BLOCKS:  # no fragment of a telephone call: what comes twice is not noticed
            fragment.delivered.clear()
            reached(Bound.FRAGMENT_BLOCKS)
        pcm = block.payload[:-1] if len(block.payload) & 1 else block.payload
        if direction is None:
            self.counters.unknown_track += 1
            return None
        if not pcm:
            return None
        self.counters.delivered += 1
        self._media_ms = max(self._media_ms, block.timecode_ms)
        return CallerBlock(block.timecode_ms, pcm, direction, fragment.number, fragment.server_ms, fragment.producer_ms)

    def _on_tags(self, tags: Mapping[str, str]) -> Iterator[CallerBlock | ContactEnded]:
        fragment = self._now
        if AWS_ERROR_ID in tags or AWS_ERROR_CODE in tags:
            number = tags.get(AWS_FRAGMENT_NUMBER, fragment.number)
            raise StreamFailed(_integer(tags.get(AWS_ERROR_ID, "")), tags.get(AWS_ERROR_CODE, ""), number)
        if AWS_FRAGMENT_NUMBER in tags:
            self._name(tags)
        for direction in Direction:
            if direction in tags:
                fragment.hints[direction] = tags[direction]
                fragment.directions.clear()
        if tags.get(CONTACT_ID):
            yield from self._settle(tags[CONTACT_ID])
        if AWS_MILLIS_BEHIND_NOW in tags:
            self.millis_behind_now = _integer(tags[AWS_MILLIS_BEHIND_NOW])
        if AWS_CONTINUATION_TOKEN in tags:
            # The service writes this one last: a fragment without a ContactId need not wait for the next one.
            yield from self._close(tags[AWS_CONTINUATION_TOKEN])

    def _name(self, tags: Mapping[str, str]) -> None:
        fragment = self._now
        fragment.number = tags[AWS_FRAGMENT_NUMBER]
        fragment.server_ms = _milliseconds(tags.get(AWS_SERVER_TIMESTAMP, ""))
        fragment.producer_ms = _milliseconds(tags.get(AWS_PRODUCER_TIMESTAMP, ""))
        fragment.already = fragment.number in self._done
        if fragment.number == self._partial_number:
            fragment.delivered |= self._partial

    def _settle(self, contact_id: str) -> Iterator[CallerBlock | ContactEnded]:
        """The open fragment is known to be of `contact_id`."""
        fragment = self._now
        if fragment.contact_id == contact_id:
            return
        fragment.settled = True
        fragment.contact_id = contact_id
        if contact_id == self._contact_id:
            if self._owner == contact_id and fragment.uid != self._uid:
                self._uid_changes += 1
            self._confirmed = not self._may_have_ended
        else:
            self.counters.foreign += 1
            fragment.held.clear()
            self._confirmed = False
        self._owner, self._uid = contact_id, fragment.uid
        yield from self._place()
        yield from self._release()

    def _place(self, last_chance: bool = False) -> Iterator[ContactEnded]:
        """Whose the open fragment is and when it was, if both are known: our newest, or the end of ours.

        What is older than our newest audio is the caller before us, read again from an early start.
        """
        fragment = self._now
        starts_ms = fragment.starts_ms or fragment.producer_ms
        if fragment.contact_id == self._contact_id:
            self._newest_ms = max(self._newest_ms, starts_ms)
        elif fragment.contact_id and self._newest_ms >= 0:
            later = starts_ms >= self._newest_ms or (last_chance and not starts_ms)
            if later and not self.ended:
                self.ended = True
                yield ContactEnded(self._media_ms)

    def _release(self) -> Iterator[CallerBlock]:
        fragment = self._now
        fragment.held_bytes = 0
        while fragment.held:
            if (ours := self._deliver(fragment.held.popleft())) is not None:
                yield ours

    def _close(self, token: str = "") -> Iterator[CallerBlock | ContactEnded]:
        """The open fragment is complete; without a ContactId it belongs to whom the one before belonged to.

        Seen in captures of real Connect streams: the last fragments of a contact may lack the producer's tags.
        """
        fragment = self._now
        if fragment.closed or self.ended:
            return
        fragment.closed = True
        # What is older than our newest was read again after later fragments: nothing of it was before it.
        follows = fragment.starts_ms >= self._newest_ms
        if not fragment.settled and self._owner and follows and self._same_session(fragment):
            yield from self._settle(self._owner)
        elif not fragment.settled:
            fragment.settled = True
            self.counters.unidentified += len(fragment.held)
            fragment.held.clear()
        yield from self._place(last_chance=True)
        if fragment.contact_id == self._contact_id and fragment.number and not fragment.already:
            self._finish(fragment.number, token)

    def _finish(self, number: str, token: str) -> None:
        self._last_number, self._last_token = number, token
        self._done[number] = None
        if len(self._done) > REMEMBERED_FRAGMENTS:
            self._done.popitem(last=False)
        if number == self._partial_number:
            self._partial_number, self._partial = "", set()

    def _keep_partial(self) -> None:
        """Remember what was delivered of a fragment that was not read to its end."""
        fragment = self._now
        if fragment.number and fragment.delivered and fragment.number not in self._done:
            self._partial_number, self._partial = fragment.number, fragment.delivered


def _integer(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _milliseconds(text: str) -> int:
    """ "1726677687.758" is 1726677687758; 0 where it is not a time."""
    try:
        return max(0, round(float(text) * 1000))
    except (ValueError, OverflowError):
        return 0
