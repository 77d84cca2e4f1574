"""What the caller heard of each stretch, as the AUDIO_TO_CUSTOMER track shows it. A core without I/O.

A stretch is several clips; what was heard of it is known when the last of those that the flow took is over, and
told after the stretch has been reported as finished.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from contract.audio import BYTES_PER_MS
from contract.turns import HeardSource
from gateway.legs.kvs.clips import Clip
from gateway.legs.kvs.heard import Found, Heard, HeardTrack, Missing, StartDelays, Stays
from gateway.legs.leg import HeardMeasured

UNREAD_MS = 2000  # the track comes by the fragment, and the last one may be lost
MOST_STRETCHES = 32  # stretches of agent speech that are remembered; what was heard is told seconds after one


@dataclass(frozen=True, slots=True)
class NotHeard:
    """A clip of `stretch` was never played: earlier ones of this call were found in the track, or other sound, such
    as the opening, and then nothing where the clip should have been. `silent`: nor anything else in its place."""

    stretch: int
    seq: int
    clip: Clip
    silent: bool = False


HearingEvent = Found | HeardMeasured | NotHeard


@dataclass(slots=True)
class _Stretch:
    """`sought`: clips that are being looked for. `heard`: bytes of the stretch, None while nothing was measured."""

    sought: int = 0
    heard: int | None = None
    over: bool = False
    cut_ms: int | None = None


@dataclass(slots=True)
class Hearing:
    delays: StartDelays = field(default_factory=StartDelays)
    _track: HeardTrack = field(default_factory=HeardTrack)
    _given: dict[int, tuple[int, Clip]] = field(default_factory=dict)  # by sequence: stretch and clip, not yet taken
    _sought: dict[int, tuple[int, Clip]] = field(default_factory=dict)  # the same, looked for in the track
    _stretches: dict[int, _Stretch] = field(default_factory=dict)
    _proven: bool = False  # the track shows what is played

    def expects(self, stretch: int) -> None:
        """A clip of it is about to be in the log: what becomes of the stretch counts from now on."""
        self._stretches.setdefault(stretch, _Stretch())
        if len(self._stretches) > MOST_STRETCHES:
            self._forget()

    def given(self, seq: int, stretch: int, clip: Clip) -> None:
        """A clip is in the log."""
        self.expects(stretch)
        self._given[seq] = stretch, clip

    def _forget(self) -> None:
        """What is over and was told, or is so old that nothing will be heard of it any more."""
        wanted = {number for number, _ in (*self._given.values(), *self._sought.values())}
        for number in list(self._stretches)[: -MOST_STRETCHES // 2]:
            if number not in wanted:
                del self._stretches[number]

    def taken(self, seq: int, since_ms: int) -> None:
        """The flow has the clip since `since_ms`; look for it in the track. Only the first time counts."""
        if seq not in self._given:
            return
        number, clip = self._given[seq]
        stretch = self._stretches[number]
        if self._track.offered(seq, clip.ulaw, since_ms, stretch.cut_ms):
            stretch.sought += 1
            self._sought[seq] = number, clip
        # The flow never goes back: what it skipped will not be played.
        self._given = {later: given for later, given in self._given.items() if later > seq}

    def completed(self, seq: int) -> list[HeardMeasured]:
        """The flow has played the clip to its end, by its own word. News of one that was withdrawn, and taken all the
        same by a flow that asks in turn: that one says so only then."""
        if seq not in self._given:
            return []
        number, clip = self._given[seq]
        self._given = {later: given for later, given in self._given.items() if later > seq}
        over = self._stretches[number].over  # else the playout clock counts it
        return [HeardMeasured(number, clip.end // BYTES_PER_MS, HeardSource.ESTIMATED)] if over else []

    def cut(self, stretch: int, now_ms: int) -> None:
        """The flow was told to leave what plays of this stretch."""
        if stretch in self._stretches:
            self._stretches[stretch].cut_ms = now_ms
        self._track.cut(now_ms)

    def left(self, now_ms: int) -> None:
        """The flow has gone on to a queue or to the end."""
        self._track.left(now_ms)

    def ended(self, there_ms: int) -> list[HeardMeasured]:
        """The call is over, and with it the track: what was not found in it was not heard. Unless the flow was there,
        at `there_ms`, long after the newest block: then the track was not read to its end."""
        if not self._proven or there_ms > self._track.end_ms + UNREAD_MS:
            return []
        return [
            event for heard in self._track.ended() for event in self._over(heard) if isinstance(event, HeardMeasured)
        ]

    def finished(self, stretch: int) -> list[HeardMeasured]:
        """The stretch was reported as finished."""
        known = self._stretches.get(stretch)
        if known is None:
            return []
        known.over = True
        return self._told(stretch, known)

    def block(self, media_ms: int, pcm: bytes) -> list[HearingEvent]:
        """A block of the track, 16-bit PCM, 8 kHz."""
        events: list[HearingEvent] = []
        for measured in self._track.block(media_ms, pcm):
            if isinstance(measured, Found):
                self._proven = True
                self.delays.add(measured.delay_ms)
                events.append(measured)
            elif isinstance(measured, Stays):
                number, clip = self._sought[measured.seq]
                events.append(HeardMeasured(number, clip.end // BYTES_PER_MS, HeardSource.ESTIMATED))
            else:
                events.extend(self._over(measured))
        return events

    def _over(self, measured: Heard | Missing) -> list[HearingEvent]:
        """A clip that was looked for is not looked for any more."""
        number, clip = self._sought.pop(measured.seq)
        stretch = self._stretches[number]
        stretch.sought -= 1
        events: list[HearingEvent] = []
        if isinstance(measured, Heard):
            whole = measured.heard_bytes == len(clip.ulaw)
            if measured.heard_bytes or stretch.heard is None:  # else there is a gap before this clip
                stretch.heard = clip.end if whole else clip.start + measured.heard_bytes
        elif not measured.cut and (self._proven or measured.silent):
            events.append(NotHeard(number, measured.seq, clip, measured.silent))
        events.extend(self._told(number, stretch))
        return events

    def _told(self, number: int, stretch: _Stretch) -> list[HeardMeasured]:
        if not stretch.over or stretch.sought or stretch.heard is None:
            return []
        return [HeardMeasured(number, stretch.heard // BYTES_PER_MS, HeardSource.MEASURED)]
