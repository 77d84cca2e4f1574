"""What the caller really heard: clips found again in the AUDIO_TO_CUSTOMER track. A core without I/O.

The track carries everything that Connect plays, on the same clock as the caller's audio. A clip is recognised
by its loudness over time, in steps of 8 ms: robust against whatever codec lies in between, and cheap enough,
since every step of the track is looked at once, and only places where silence turns into sound are compared.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from contract.audio import BYTES_PER_MS, rms, ulaw2lin

HOP_MS = 8
_PCM_BYTES_PER_MS = 16
_HOP_PCM = HOP_MS * _PCM_BYTES_PER_MS
_HOP_ULAW = HOP_MS * BYTES_PER_MS
LOUD = 250
COMPARED_HOPS = 60  # about half a second from the onset
APART = 0.15  # distance of two loudness curves: of recorded sentences up to 0.11 to themselves, from 0.18 to others
QUIET_BEFORE_HOPS = 4
NEAR_HOPS = 5  # a clip that follows another one without a pause begins within so much of its end
STAYS_MS = 700  # a clip that is heard so long after the flow was told to leave it is heard to its end
GONE_HOPS = 25  # 200 ms of a clip's sound that are silent on the line: it was left
KEPT_HOPS = 30_000 // HOP_MS
MISSING_MS = 6000  # a clip that does not show up so long after it was offered has not been played
CUT_MISSING_MS = 1500  # nor does one that was withdrawn before, so long after that
EARLIEST_MS = 60  # nothing that was offered is heard sooner
LATEST_MS = 200  # nothing begins so long after the flow has gone on to a queue or to the end
SOUND_MS = 500  # of sound that nobody knows: the track carries what Connect plays
LONGEST_DELAY_MS = 2000  # more is not how a prompt starts, but a flow that was busy, or a clip mistaken for another
CLOCK_SET_BACK_MS = 2000  # blocks that go back further are not repeats


@dataclass(frozen=True, slots=True)
class Found:
    """A clip began at `at_ms`, `delay_ms` after it was offered."""

    seq: int
    at_ms: int
    delay_ms: int


@dataclass(frozen=True, slots=True)
class Heard:
    """Of a clip, `heard_bytes` reached the caller. Follows Found."""

    seq: int
    heard_bytes: int


@dataclass(frozen=True, slots=True)
class Missing:
    """A clip was offered and never showed up. `cut`: it was withdrawn, perhaps before it could be recognised.
    `silent`: nothing at all was played in its place, though there had been sound in the track before."""

    seq: int
    cut: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Stays:
    """The flow was told to leave a clip, and plays it on. Heard follows at its end."""

    seq: int


Measured = Found | Heard | Missing | Stays


@dataclass(slots=True)
class StartDelays:
    """How long the clips of one call took to be heard."""

    _delays: deque[int] = field(default_factory=lambda: deque(maxlen=40))

    def add(self, delay_ms: int) -> None:
        if delay_ms <= LONGEST_DELAY_MS:
            self._delays.append(delay_ms)

    def p95(self, unknown: int) -> int:
        """`unknown` until something was measured."""
        if not self._delays:
            return unknown
        ordered = sorted(self._delays)
        return ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]


def loudness(pcm: bytes) -> list[int]:
    """RMS of each whole 8 ms of 16-bit PCM."""
    return [rms(pcm[at : at + _HOP_PCM]) for at in range(0, len(pcm) - _HOP_PCM + 1, _HOP_PCM)]


@dataclass(slots=True)
class _Sought:
    """A clip that is looked for, then followed. Hops of the clip count from 0, hops of the track from its start."""

    seq: int
    curve: list[int]
    onset: int  # first loud hop
    offered_ms: int
    length: int
    stopped_ms: int | None
    until_ms: int | None = None  # it does not begin later
    candidate: int = 0  # next hop of the track to be compared with the onset
    start: int | None = None  # hop of the track at which the clip began
    followed: int = 0  # hops of the clip that were looked at on the line
    heard: int = 0  # hops of the clip up to the last one that is loud on the line, too
    gone: int = 0  # loud hops in a row that are silent on the line
    stays: bool = False  # it is heard although it was withdrawn long ago
    told: bool = False  # that it stays

    def heard_bytes(self) -> int:
        """All of it, if nothing but silence can be missing: the line may be a hop or two off."""
        last_loud = max(index for index, level in enumerate(self.curve) if level > LOUD)
        return self.length if self.heard + 1 >= last_loud else self.heard * _HOP_ULAW


@dataclass(slots=True)
class HeardTrack:
    """Feed it blocks of the track and what was offered; it says what it finds, clip by clip in their order."""

    _levels: list[int] = field(default_factory=list)  # the newest hops of the track
    _first: int = 0  # number of the first of them, counted from the start of the track
    _rest: bytes = b""  # less than a hop
    _end_ms: int = 0  # of the track so far
    _loud: int = 0  # hops with sound in the whole track
    _previous_end: int | None = None  # hop at which the clip before was over
    _sought: deque[_Sought] = field(default_factory=deque)

    @property
    def end_ms(self) -> int:
        """Time of its newest block's end, 0 before the first."""
        return self._end_ms

    def offered(self, seq: int, ulaw: bytes, offered_ms: int, stopped_ms: int | None = None) -> bool:
        """Look out for a clip; False for one that makes no sound. `stopped_ms`: it was withdrawn already."""
        curve = loudness(ulaw2lin(ulaw))
        onset = next((index for index, level in enumerate(curve) if level > LOUD), None)
        if onset is None:
            return False
        for before in self._sought:  # a flow that has the next one plays none that was withdrawn before
            if before.stopped_ms is not None and before.until_ms is None:
                before.until_ms = offered_ms + EARLIEST_MS
        self._sought.append(_Sought(seq, curve, onset, offered_ms, len(ulaw), stopped_ms))
        return True

    def cut(self, now_ms: int) -> None:
        """The flow was told to leave what plays: what is silent on the line from now on was not heard."""
        for sought in self._sought:
            if sought.stopped_ms is None:
                sought.stopped_ms = now_ms

    def left(self, now_ms: int) -> None:
        """The flow plays none of these any more: what begins from now on are sentences of its own, and music."""
        for sought in self._sought:
            if sought.until_ms is None:
                sought.until_ms = now_ms + LATEST_MS

    def ended(self) -> list[Heard]:
        """The track is over, and with it the call: of what is still looked for no more was heard."""
        heard = [Heard(each.seq, 0 if each.start is None else each.heard_bytes()) for each in self._sought]
        self._sought.clear()
        return heard

    def block(self, media_ms: int, pcm: bytes) -> list[Measured]:
        """The next block of the track; 16-bit PCM, 8 kHz. Times of a hole are silence, repeats are left out."""
        gap_ms = media_ms - self._end_ms
        if not self._end_ms or gap_ms < -CLOCK_SET_BACK_MS:
            self._first = self._end
            self._levels.clear()
            self._rest = b""
        elif gap_ms > HOP_MS:
            self._levels.extend([0] * min(KEPT_HOPS, gap_ms // HOP_MS))
            self._rest = b""
        elif gap_ms < -HOP_MS:
            pcm = pcm[-gap_ms * _PCM_BYTES_PER_MS :]
            media_ms = self._end_ms
        audio = self._rest + pcm
        hops = loudness(audio)
        self._levels.extend(hops)
        self._loud += sum(level > LOUD for level in hops)
        self._rest = audio[len(hops) * _HOP_PCM :]
        self._end_ms = max(media_ms, 1) + len(pcm) // _PCM_BYTES_PER_MS
        self._forget()
        return self._look() if self._sought else []

    def _forget(self) -> None:
        if len(self._levels) > 2 * KEPT_HOPS:
            self._first += len(self._levels) - KEPT_HOPS
            del self._levels[:-KEPT_HOPS]

    @property
    def _end(self) -> int:
        return self._first + len(self._levels)

    def _time_of(self, hop: int) -> int:
        return self._end_ms - len(self._rest) // _PCM_BYTES_PER_MS - (self._end - hop) * HOP_MS

    def _hop_at(self, time_ms: int) -> int:
        """The first hop that begins at this time or later."""
        return self._end - (self._time_of(self._end) - time_ms) // HOP_MS

    def _level(self, hop: int) -> int:
        return self._levels[hop - self._first] if hop >= self._first else 0

    # -- one clip after the other ----------------------------------------------------------------------------

    def _look(self) -> list[Measured]:
        """What the newest hops say about the clip that is due, and about the one after it if that is over."""
        found: list[Measured] = []
        while self._sought:
            sought = self._sought[0]
            if sought.start is None and (start := self._search(sought)) is not None:
                sought.start = start
                at_ms = self._time_of(start)
                found.append(Found(sought.seq, at_ms, at_ms - sought.offered_ms))
            over = self._over(sought)
            if over is None:
                if sought.stays and not sought.told:
                    sought.told = True
                    found.append(Stays(sought.seq))
                break
            found.append(over)
            self._sought.popleft()
        return found

    def _over(self, sought: _Sought) -> Heard | Missing | None:
        """How the clip ended, None while it has not."""
        if sought.start is None:
            return self._missing(sought) if self._is_missing(sought) else None
        if not self._follow(sought, sought.start):
            return None
        self._previous_end = sought.start + (sought.heard if sought.gone >= GONE_HOPS else sought.followed)
        return Heard(sought.seq, sought.heard_bytes())

    def _missing(self, sought: _Sought) -> Missing:
        loud = sum(level > LOUD for level in self._between(self._hop_at(sought.offered_ms), self._end))
        silent = loud * HOP_MS < SOUND_MS <= (self._loud - loud) * HOP_MS
        return Missing(sought.seq, sought.stopped_ms is not None, silent)

    def _is_missing(self, sought: _Sought) -> bool:
        if self._end_ms > sought.offered_ms + MISSING_MS:
            return True
        if sought.stopped_ms is None:
            return False
        # A flow that has to play its silence to the end takes a clip long after it was withdrawn, and plays it.
        return self._end_ms > max(sought.stopped_ms, sought.offered_ms) + CUT_MISSING_MS

    def _search(self, sought: _Sought) -> int | None:
        """The hop at which the clip began: its first sounds are compared with every place, not looked at before,
        where silence turns into sound."""
        needed = min(COMPARED_HOPS, len(sought.curve) - sought.onset)
        pattern = sought.curve[sought.onset : sought.onset + needed]
        earliest = max(self._first, self._hop_at(sought.offered_ms + EARLIEST_MS) + sought.onset)
        if self._previous_end is not None:
            earliest = max(earliest, self._previous_end + sought.onset - NEAR_HOPS)
        past = self._end - needed
        if sought.until_ms is not None:
            past = min(past, self._hop_at(sought.until_ms) + sought.onset)
        for hop in range(max(sought.candidate, earliest), past):
            sought.candidate = hop + 1
            if self._level(hop) > LOUD and self._may_begin(hop, sought):
                # The hops of clip and track need not coincide: which of them is the first loud one may differ by one.
                for begin in (hop, hop - 1, hop + 1):
                    if _alike(pattern, self._between(begin, begin + needed)):
                        return begin - sought.onset
        return None

    def _between(self, first: int, past: int) -> list[int]:
        return self._levels[max(0, first - self._first) : past - self._first]

    def _may_begin(self, hop: int, sought: _Sought) -> bool:
        """After silence, or right where the clip before ended."""
        if all(self._level(before) <= LOUD for before in range(hop - QUIET_BEFORE_HOPS, hop)):
            return True
        return self._previous_end is not None and abs(hop - sought.onset - self._previous_end) <= NEAR_HOPS

    def _follow(self, sought: _Sought, start: int) -> bool:
        """Whether the clip is over: by its length, or because it was left."""
        while sought.followed < len(sought.curve):
            hop = start + sought.followed
            if hop >= self._end:
                return False
            since_ms = None if sought.stopped_ms is None else self._time_of(hop) - sought.stopped_ms
            if sought.curve[sought.followed] > LOUD:
                loud = self._level(hop) > LOUD
                sought.gone = 0 if loud else sought.gone + 1
                if loud:
                    sought.heard = sought.followed + 1
                    left_ms = min(since_ms or 0, sought.followed * HOP_MS)  # it may have begun after that
                    sought.stays = sought.stays or left_ms >= STAYS_MS
            if since_ms is not None and since_ms >= 0 and sought.gone >= GONE_HOPS:
                return True
            sought.followed += 1
        return True


def _alike(clip: list[int], track: list[int]) -> bool:
    """Whether two loudness curves have the same length and shape, whatever their level."""
    if len(clip) != len(track):
        return False
    of_clip, of_track = sum(clip), sum(track)
    apart = sum(abs(a * of_track - b * of_clip) for a, b in zip(clip, track, strict=True))
    return of_track > 0 and apart <= APART * 2 * of_clip * of_track
