"""One video stream: fragments that a call's producer writes and readers follow. A core without I/O."""

from __future__ import annotations

import hashlib
import random
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from simulator.kvs import mkv
from simulator.kvs.faults import BodyFault, Corrupted, Cut, Fault, InBand, KvsRefusal, NoFragment, Refusal, Refused
from simulator.kvs.fragment import Fragment, Part
from simulator.kvs.habits import Delivery, Habits, LastTags, TrackOrder

BLOCK_SAMPLES = 512  # 64 ms: what Connect puts into one SimpleBlock
BLOCK_MS = 64
BLOCK_BYTES = BLOCK_SAMPLES * 2
BLOCKS_A_FRAGMENT = 16  # for each track: fragments of 1,024 ms
FIRST_NUMBER = 91343852333181432392682062607743920146159169392  # the shape of real ones: 47 digits
FURTHEST_MS = 32_767  # a block's timecode is a signed 16-bit number
CONNECTIONS = 3  # to one stream at a time; a fourth client is rejected (Kinesis Video Streams quotas)
OPENINGS_A_SECOND = 5  # of GetMedia to one stream
SILENCE = bytes(BLOCK_BYTES)
NOT_FOUND_IN_BAND = InBand(4000, "FRAGMENT_NOT_FOUND")

__all__ = ["BLOCK_MS", "BLOCK_SAMPLES", "Delivery", "Fragment", "Habits", "NoFragment", "Reader", "Stream"]


class Stream:
    """Holds what several contacts wrote, one after the other: streams are reused between callers."""

    def __init__(self, arn: str, instance_id: str, delivery: Delivery, habits: Habits | None = None) -> None:
        self.arn = arn
        self.instance_id = instance_id
        self.delivery = delivery
        self.habits = habits or Habits()
        self.fragments: list[Fragment] = []
        self.last_write_ms = 0
        seed = f"{arn} {self.habits.seed}".encode()
        self._chance = random.Random(seed)
        self._turn = hashlib.md5(seed, usedforsecurity=False).digest()[0] % 2
        self._contact_id = ""  # who is streaming
        self._grid_ms: int | None = None  # media time of the session's next block; None before its first
        self._sessions = 0
        self._forgotten = FIRST_NUMBER - 1  # number of the newest fragment that is gone
        self._next_number = FIRST_NUMBER
        self._faults: deque[Fault] = deque()
        self._readers: list[Reader] = []
        self._openings: deque[int] = deque(maxlen=OPENINGS_A_SECOND)

    # -- what Connect does -----------------------------------------------------------------------------------

    @property
    def next_number(self) -> int:
        """Of the fragment that will be opened next. Numbers grow, and nothing else can be said about them."""
        return self._next_number

    @property
    def last_number(self) -> int:
        """Of the newest fragment; before the first one a number that no fragment has."""
        return self.fragments[-1].number if self.fragments else self._forgotten

    def begin(self, contact_id: str, now_ms: int) -> None:
        """A contact starts streaming; what one that has stopped would still have written is not written."""
        self.stop(now_ms)
        while self.fragments and self.fragments[-1].opened_ms > now_ms:
            self._next_number = self.fragments.pop().number
        if self.fragments:
            self.fragments[-1].cut(now_ms)
        self._contact_id = contact_id
        self._sessions += 1

    def write(self, contact_id: str, media_ms: int, caller: bytes | None, heard: bytes | None, now_ms: int) -> Fragment:
        """Add one block for each track that streams: 16-bit PCM, usually 1,024 bytes; None: no such track."""
        audio = {name: pcm for name, pcm in ((mkv.FROM_CUSTOMER, caller), (mkv.TO_CUSTOMER, heard)) if pcm is not None}
        if self._contact_id != contact_id:
            self.begin(contact_id, now_ms)
        fragment = self._open(media_ms, frozenset(audio), now_ms)
        relative = media_ms - fragment.producer_ms
        data = b"".join(mkv.block(number, relative, audio[name]) for number, name in enumerate(fragment.tracks, 1))
        fragment.add(media_ms, max(map(len, audio.values())), data, now_ms)
        self.last_write_ms = now_ms
        self._grid_ms = media_ms + BLOCK_MS
        if fragment.blocks == BLOCKS_A_FRAGMENT:
            self._close(fragment, now_ms)
        return fragment

    def stop(self, now_ms: int, caller: bytes = b"", heard: bytes = b"") -> None:
        """The contact stops streaming. What was said and heard since the last block is written as a short one."""
        if self._grid_ms is None:
            self._contact_id = ""
            return
        before = self.fragments[-1]
        given_away = before.closed  # its tags may have been read
        if self.habits.short_end and (caller or heard):
            self._end_short({mkv.FROM_CUSTOMER: caller, mkv.TO_CUSTOMER: heard}, before.tracks, self._grid_ms, now_ms)
        last = self.fragments[-1]
        if not last.closed:
            self._close(last, max(now_ms, self.last_write_ms))
        if last is not before or not given_away:
            last.tags = self._tags(last, self.habits.last_tags)
        self._contact_id, self._grid_ms = "", None

    def _end_short(self, left: Mapping[str, bytes], tracks: Sequence[str], media_ms: int, now_ms: int) -> None:
        """The short block at once, those of silence when their time has come."""
        for index in range(1 + self.habits.blocks_after):
            audio = {name: left[name] if index == 0 else SILENCE for name in tracks}
            caller, heard = audio.get(mkv.FROM_CUSTOMER), audio.get(mkv.TO_CUSTOMER)
            written_ms = now_ms if index == 0 else max(now_ms, media_ms + BLOCK_MS)
            self.write(self._contact_id, media_ms, caller, heard, written_ms)
            media_ms += BLOCK_MS

    def _open(self, media_ms: int, names: frozenset[str], now_ms: int) -> Fragment:
        """The fragment for a block: the one that is open, if the block can be a part of it."""
        last = self.fragments[-1] if self.fragments else None
        if last is not None and not last.closed:
            if frozenset(last.tracks) == names and 0 <= media_ms - last.producer_ms <= FURTHEST_MS:
                return last
            self._close(last, now_ms)
        self._forget(now_ms)
        server_ms = now_ms + self.habits.server_clock_ms
        tracks = self._order(names)
        fragment = Fragment(self._next_number, self._contact_id, media_ms, server_ms, self._uid(), tracks, now_ms)
        fragment.tags = self._tags(fragment, LastTags.ALL)
        before = fragment.tags if self.habits.tags_first else b""
        start = mkv.head(fragment.uid, tracks, str(fragment.number), media_ms, server_ms, before)
        fragment.parts.append(Part(now_ms, start, media_ms))
        self.fragments.append(fragment)
        self._next_number += self._chance.randrange(10**18, 10**19)
        return fragment

    def _close(self, fragment: Fragment, now_ms: int) -> None:
        fragment.closed_ms = now_ms

    def _forget(self, now_ms: int) -> None:
        while self.fragments and self.fragments[0].end_ms < now_ms - self.habits.retention_ms:
            self._forgotten = self.fragments.pop(0).number

    def _uid(self) -> bytes:
        session = self._sessions if self.habits.uid_per_session else 0
        return hashlib.md5(f"{self.arn} {session}".encode(), usedforsecurity=False).digest()

    def _order(self, names: frozenset[str]) -> tuple[str, ...]:
        turned = {
            TrackOrder.CALLER_FIRST: False,
            TrackOrder.PROMPTS_FIRST: True,
            TrackOrder.BY_SESSION: (self._turn + self._sessions) % 2 == 1,
            TrackOrder.BY_FRAGMENT: self._next_number % 2 == 1,
        }[self.habits.track_order]
        return tuple(name for name in (mkv.BOTH[::-1] if turned else mkv.BOTH) if name in names)

    def _tags(self, fragment: Fragment, which: LastTags) -> bytes:
        if which is LastTags.NONE:
            return b""
        contact_id = fragment.contact_id if which is LastTags.ALL else ""
        return mkv.contact_tags(contact_id, self.instance_id, fragment.tracks)

    # -- what GetMedia does ----------------------------------------------------------------------------------

    @property
    def readers(self) -> list[Reader]:
        """The bodies that are open."""
        self._readers = [reader for reader in self._readers if not reader.ended]
        return self._readers

    def plant(self, *faults: Fault) -> None:
        """Each of the next openings gets one of these; see `Reader.plant` for a body that is open."""
        self._faults += faults

    def reader(self, selector: Mapping[str, object], now_ms: int) -> Reader:
        """GetMedia.

        Raises:
            KvsRefusal: planted, too many openings or connections, or the selector is none.
            NoFragment: the selector names what the stream has not (unless that is told in band).
        """
        self._admit(now_ms)
        fault = self._faults.popleft() if self._faults else None
        if isinstance(fault, Refused):
            raise KvsRefusal(fault.refusal, "planted")
        try:
            reader = Reader(self, self._start(selector, now_ms), now_ms)
        except NoFragment:
            if not self.habits.missing_in_band:
                raise
            reader = Reader(self, self.last_number, now_ms)
            reader.plant(NOT_FOUND_IN_BAND)
        if fault is not None:
            reader.plant(fault)
        self._readers.append(reader)
        return reader

    def after(self, number: int) -> Fragment | None:
        """The first fragment behind that number."""
        index = bisect_right(self.fragments, number, key=lambda fragment: fragment.number)
        return self.fragments[index] if index < len(self.fragments) else None

    def _admit(self, now_ms: int) -> None:
        full = len(self._openings) == OPENINGS_A_SECOND
        if full and now_ms - self._openings[0] < 1000:
            raise KvsRefusal(Refusal.CLIENT_LIMIT, f"more than {OPENINGS_A_SECOND} calls a second")
        self._openings.append(now_ms)
        if len(self.readers) >= CONNECTIONS:
            raise KvsRefusal(Refusal.CONNECTION_LIMIT, f"more than {CONNECTIONS} connections to this stream")

    def _start(self, selector: Mapping[str, object], now_ms: int) -> int:
        """The number after which reading begins."""
        match str(selector.get("StartSelectorType")):
            case "EARLIEST":
                return self._forgotten
            case "NOW":
                return self._before_newest(now_ms)
            case "FRAGMENT_NUMBER":
                return self._known(_number(selector, "AfterFragmentNumber"))
            case "CONTINUATION_TOKEN":
                token = _number(selector, "ContinuationToken")
                return self._known(token) - self.habits.token_repeats
            case "PRODUCER_TIMESTAMP" | "SERVER_TIMESTAMP" as kind:
                return self._before(_epoch_ms(selector), by_server=kind == "SERVER_TIMESTAMP")
            case unknown:
                raise KvsRefusal(Refusal.INVALID_ARGUMENT, f"StartSelectorType {unknown}")

    def _before_newest(self, now_ms: int) -> int:
        """Before the latest fragment of which the service has something."""
        for fragment in reversed(self.fragments):
            if fragment.readable(now_ms, self.delivery):
                return fragment.number - 1
        return self.last_number

    def _known(self, number: int) -> int:
        """A fragment that is there, or the newest one that is gone, or the one to come."""
        there = self.after(number - 1)
        if (there is not None and there.number == number) or number in (self._forgotten, self._next_number):
            return number
        raise NoFragment(number)

    def _before(self, at_ms: int, *, by_server: bool) -> int:
        """Before the fragment that contains this time, or the first one after it."""
        for fragment in self.fragments:
            shift_ms = fragment.server_ms - fragment.producer_ms if by_server else 0
            if fragment.closed_ms is None or fragment.end_ms + shift_ms > at_ms:
                return fragment.number - 1
        return self.last_number


class Reader:
    """One GetMedia body. `broken`: it ended without a proper end. `struck`: which of the planted faults have."""

    def __init__(self, stream: Stream, after: int, now_ms: int) -> None:
        self.ended = False
        self.broken = False
        self.struck: list[BodyFault] = []
        self._stream = stream
        self._after = after  # number of the last fragment that was given whole
        self._part = 0
        self._opened_ms = self._last_byte_ms = now_ms
        self._given = 0  # bytes
        self._error: InBand | None = None
        self._corrupt: list[tuple[int, Corrupted]] = []  # where
        self._cut: tuple[int, Cut] | None = None

    def plant(self, fault: BodyFault) -> None:
        """Bytes count from here on; an error in band comes before the next fragment."""
        if isinstance(fault, InBand):
            self._error = fault
        elif isinstance(fault, Corrupted):
            self._corrupt.append((self._given + fault.after_bytes, fault))
        else:
            self._cut = (self._given + fault.after_bytes, fault)

    def close(self) -> None:
        """The client closes its connection."""
        self.ended = True

    def read(self, now_ms: int) -> bytes:
        """What has become available; sets `ended` when the service ends the body."""
        if self.ended:
            return b""
        data = self._spoilt(b"".join(self._available(now_ms)))
        habits = self._stream.habits
        if data:
            self._last_byte_ms = now_ms
        elif habits.pause_ends_ms is not None and now_ms - self._last_byte_ms >= habits.pause_ends_ms:
            self.ended = True
        if now_ms - self._opened_ms >= habits.session_ms:
            self.ended = True
        return data

    def _available(self, now_ms: int) -> Iterator[bytes]:
        delivery = self._stream.delivery
        while True:
            if self._error is not None and self._part == 0:
                yield self._fail(self._error)
                return
            fragment = self._stream.after(self._after)
            if fragment is None:
                return
            readable = fragment.readable(now_ms, delivery)
            yield from (part.data for part in fragment.parts[self._part : readable])
            self._part = readable
            if not fragment.complete(now_ms, delivery):
                return
            yield self._end_of(fragment)
            self._after, self._part = fragment.number, 0

    def _end_of(self, fragment: Fragment) -> bytes:
        habits = self._stream.habits
        behind_ms = max(0, self._stream.fragments[-1].end_ms - fragment.end_ms)
        token = "FRAGMENT_NUMBER" if habits.literal_token else str(fragment.number)
        return (b"" if habits.tags_first else fragment.tags) + mkv.tail(behind_ms, token)

    def _fail(self, error: InBand) -> bytes:
        self.ended = True
        self.struck.append(error)
        return mkv.error(bytes(16), error.error_id, error.code)

    def _spoilt(self, data: bytes) -> bytes:
        """What faults were planted for these bytes."""
        if self._cut is not None and self._given + len(data) >= self._cut[0]:
            data = data[: self._cut[0] - self._given]
            self.ended, self.broken = True, self._cut[1].broken
            self.struck.append(self._cut[1])
        spoilt = bytearray(data)
        for at, fault in self._corrupt:
            if self._given <= at < self._given + len(data):
                spoilt[at - self._given] ^= fault.mask
                self.struck.append(fault)
        self._given += len(data)
        return bytes(spoilt)


def _number(selector: Mapping[str, object], key: str) -> int:
    """Fragment numbers and tokens: decimal digits (a token may be other text, which means nothing to us)."""
    text = str(selector.get(key, ""))
    if not (text.isascii() and text.isdigit()):
        raise KvsRefusal(Refusal.INVALID_ARGUMENT, f"{key} {text!r}")
    return int(text)


def _epoch_ms(selector: Mapping[str, object]) -> int:
    """StartTimestamp: epoch seconds, whole ones from boto3."""
    try:
        return round(float(str(selector.get("StartTimestamp"))) * 1000)
    except (ValueError, OverflowError):
        raise KvsRefusal(Refusal.INVALID_ARGUMENT, "StartTimestamp is not a time") from None
