"""Caller audio on its way to the voice agent, at the pace at which it was spoken. A core without I/O.

Kinesis gives blocks of 64 ms one by one, or a fragment of a second at once, or eight seconds after a reconnect;
a voice agent takes turns by the clock and wants none of that. The pacer sends a block at its media time plus one
delay for all, the longest that a block of the last 1.2 s of media needed to get here: smooth within a fragment,
and no later than it must be. What is later than that is backlog. It leaves at one and a half times real time at
most, pauses in it are cut to 200 ms, and what is more than 8 s behind the newest block is left out.

What is missing is silence. A hole in the timecodes becomes silence of its length. When nothing comes, silence
is sent from 1.5 s on, in real time; that is owed, and paid back by leaving out as much of a hole, of old
audio, or of a later pause.

Lengths and times are counted in samples (8 a millisecond), so that nothing is rounded: conserved is
sent + in hand = received + inserted - dropped.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from contract.audio import BYTES_PER_MS, ULAW_SILENCE, lin2ulaw
from gateway.legs.kvs.blocks import CallerBlock, Direction
from gateway.legs.kvs.loudness import SpeechMeter
from gateway.telemetry.bounds import Bound, reached

_MS = BYTES_PER_MS  # samples of a millisecond

SHORTEST_FRAME_MS = 20
LONGEST_FRAME_MS = 96
FILL_FRAME_MS = 64
HOLD_MS = 1_500
STALE_MS = 8_000
KEPT_PAUSE_MS = 200
"""So much of a pause stays when backlog is cut: enough to tell two words apart."""
TURN_PAUSE_MS = 1_000
"""So much of a pause stays when silence is paid back on a live line: the agent has seen the end of the turn."""
DELAY_WINDOW_MS = 1_200
"""Media over which the longest delay counts: a fragment of Connect's is 1,024 ms."""
TOLERANCE_MS = 20
"""Timecodes that are off by less are contiguous."""
FASTEST = (3, 2)
"""At most three seconds of audio in two seconds."""
REPEAT_MS = 2_000
"""A block from less than this before the end of what came was read twice; from more, the clock was set back."""
_SLACK_MS = 40  # a late call may make good so much at once
_DELAYS = 128


@dataclass(frozen=True, slots=True)
class Frame:
    """µ-law, 8 kHz, 20 to 100 ms; `media_ms` is the epoch time of its first sample.

    It never goes back, unless the producer's clock does.

    `inserted`: silence of our own making; while nothing comes, `media_ms` stands at the end of what came.
    `speech`: louder than the line's noise, or in doubt.
    `delay_ms` is how old the first sample is, by the producer's clock and ours.
    """

    media_ms: int
    ulaw: bytes
    inserted: bool
    delay_ms: int
    speech: bool


@dataclass(frozen=True, slots=True)
class PacerCounters:
    """Milliseconds; all but `in_hand_ms`, `backlog_ms`, `owed_ms` and `delay_p50_ms` only grow."""

    received_ms: int
    sent_ms: int
    inserted_ms: int
    dropped_ms: int
    in_hand_ms: int
    backlog_ms: int
    max_backlog_ms: int
    owed_ms: int
    delay_p50_ms: int


class _Piece(NamedTuple):
    media: int
    ulaw: bytes
    speech: bool
    inserted: bool


class Pacer:
    """Push blocks as they come, and ask what is due when `next_due_ms` says so."""

    def __init__(self, stale_ms: int = STALE_MS) -> None:
        """`stale_ms`: older audio is not replayed. After a takeover it is longer than the old owner's lease."""
        self._stale_ms = stale_ms
        self._meter = SpeechMeter()
        self._queue: deque[_Piece] = deque()
        self._expected: int | None = None  # media time of the next sample to come; None before the first
        self._arrivals: deque[tuple[int, int]] = deque()  # media, delay; delays fall from left to right
        self._quickest = 0  # the shortest delay of a block's end: how far from live the stream is at best
        self._pace = _Pace()
        self._quiet = 0  # of the pause that was sent last
        self._heard_until = 0  # when what was sent last ends in real time
        self._sent_media = 0
        self._fill_at: int | None = None
        self._owed = 0
        self._received = self._sent = self._inserted = self._dropped = self._in_hand = 0
        self._backlog = self._max_backlog = 0
        self._delays: deque[int] = deque(maxlen=_DELAYS)

    def push(self, block: CallerBlock, now_ms: int) -> None:
        """Take a block. What the caller hears (AUDIO_TO_CUSTOMER) is none of the pacer's business."""
        if block.direction is not Direction.FROM_CUSTOMER:
            return
        pcm = block.pcm[:-1] if len(block.pcm) & 1 else block.pcm
        now, media, length = now_ms * _MS, block.media_ms * _MS, len(pcm) // 2
        self._received += length
        gap = 0 if self._expected is None else media - self._expected
        if gap < -REPEAT_MS * _MS:
            self._start_anew()
        elif gap < -TOLERANCE_MS * _MS:
            self._count_dropped(length)
            return
        elif gap > TOLERANCE_MS * _MS:
            self._insert_hole(gap, media)
        self._arrived(media, length, now)
        self._append(_Piece(media, lin2ulaw(pcm), self._meter.is_speech(pcm), False))
        self._expected = media + length
        self._drop_stale(now)
        self._measure(now)

    def due(self, now_ms: int) -> list[Frame]:
        """The frames to send now, oldest first; call it as often as you like."""
        now = now_ms * _MS
        self._drop_stale(now)
        frames = []
        while (at := self._next_at()) is not None and at <= now:
            if not self._is_sendable():
                frames.append(self._fill(at, now))
                continue
            piece = self._queue.popleft()
            self._in_hand -= len(piece.ulaw)
            if self._is_superfluous(piece, now):
                self._count_dropped(len(piece.ulaw))
            else:
                frames.append(self._send(piece, now))
        self._measure(now)
        return frames

    def next_due_ms(self) -> int | None:
        """When to call `due` if nothing is pushed before; None before the first block."""
        at = self._next_at()
        return None if at is None else -(-at // _MS)

    def counters(self) -> PacerCounters:
        """As of the last push or due."""
        delays = sorted(self._delays)
        return PacerCounters(
            received_ms=self._received // _MS,
            sent_ms=self._sent // _MS,
            inserted_ms=self._inserted // _MS,
            dropped_ms=self._dropped // _MS,
            in_hand_ms=self._in_hand // _MS,
            backlog_ms=self._backlog // _MS,
            max_backlog_ms=self._max_backlog // _MS,
            owed_ms=self._owed // _MS,
            delay_p50_ms=delays[len(delays) // 2] if delays else 0,
        )

    # What comes in

    def _start_anew(self) -> None:
        for piece in self._queue:
            self._count_dropped(len(piece.ulaw))
        self._queue.clear()
        self._arrivals.clear()
        self._in_hand = self._sent_media = 0
        self._expected = None

    def _insert_hole(self, gap: int, media: int) -> None:
        """Silence before `media`, less what was already sent for want of audio, and no more than would be kept."""
        paid = min(gap, self._owed)
        self._owed -= paid
        length = min(gap - paid, self._stale_ms * _MS)
        self._inserted += length
        if length:
            self._append(_Piece(media - length, ULAW_SILENCE * length, False, True))

    def _arrived(self, media: int, length: int, now: int) -> None:
        delay = now - media
        self._quickest = min(self._quickest, delay - length) if self._expected is not None else delay - length
        while self._arrivals and self._arrivals[-1][1] <= delay:
            self._arrivals.pop()
        self._arrivals.append((media, delay))
        while self._arrivals[0][0] < media - DELAY_WINDOW_MS * _MS:
            self._arrivals.popleft()

    def _append(self, piece: _Piece) -> None:
        """Queue a piece as frames: what is too short is joined with what follows, what is too long is cut evenly."""
        self._in_hand += len(piece.ulaw)
        if self._queue and len(self._queue[-1].ulaw) < SHORTEST_FRAME_MS * _MS:
            last = self._queue.pop()
            speech, inserted = last.speech or piece.speech, last.inserted and piece.inserted
            piece = _Piece(last.media, last.ulaw + piece.ulaw, speech, inserted)
        total = len(piece.ulaw)
        if total <= LONGEST_FRAME_MS * _MS:
            self._queue.append(piece)
            return
        size = -(-total // -(-total // (LONGEST_FRAME_MS * _MS)))
        for at in range(0, total, size):
            self._queue.append(piece._replace(media=piece.media + at, ulaw=piece.ulaw[at : at + size]))

    def _drop_stale(self, now: int) -> None:
        oldest = now - self._quickest - self._stale_ms * _MS
        while self._queue and self._queue[0].media < oldest:
            reached(Bound.STALE_AUDIO)
            stale = len(self._queue.popleft().ulaw)
            self._in_hand -= stale
            self._count_dropped(stale)

    def _count_dropped(self, length: int) -> None:
        self._dropped += length
        self._owed = max(0, self._owed - length)

    # What goes out

    def _next_at(self) -> int | None:
        if self._expected is None:
            return None
        if self._is_sendable():
            piece = self._queue[0]
            return max(piece.media + self._arrivals[0][1], self._pace.free_at(len(piece.ulaw)))
        if self._fill_at is not None:
            return max(self._fill_at, self._pace.free_at(FILL_FRAME_MS * _MS))
        return max(self._expected + self._arrivals[0][1], self._heard_until) + HOLD_MS * _MS

    def _is_sendable(self) -> bool:
        """A short piece at the end waits for what follows it, or for silence."""
        return len(self._queue) > 1 or (bool(self._queue) and len(self._queue[0].ulaw) >= SHORTEST_FRAME_MS * _MS)

    def _is_superfluous(self, piece: _Piece, now: int) -> bool:
        """Whether a piece that has left the queue is a part of a pause that we can do without."""
        length = len(piece.ulaw)
        follower = self._queue[0] if self._queue else None
        if piece.speech or (follower is not None and follower.speech):
            return False
        late = now - piece.media - self._arrivals[0][1]
        if late >= length and follower is not None and self._quiet >= KEPT_PAUSE_MS * _MS:
            return True
        return self._owed >= length and self._quiet >= TURN_PAUSE_MS * _MS

    def _send(self, piece: _Piece, now: int) -> Frame:
        length = len(piece.ulaw)
        self._pace.sent(length, now)
        self._sent += length
        self._quiet = 0 if piece.speech else self._quiet + length
        self._heard_until = now + length
        self._fill_at = None
        delay_ms = max(0, (now - piece.media) // _MS)
        if not piece.inserted:
            self._delays.append(delay_ms)
        self._sent_media = max(self._sent_media, piece.media)
        return Frame(self._sent_media // _MS, piece.ulaw, piece.inserted, delay_ms, piece.speech)

    def _fill(self, at: int, now: int) -> Frame:
        """One frame of silence for want of audio, after the short piece that may be left."""
        assert self._expected is not None
        left = self._queue.popleft() if self._queue else _Piece(self._expected, b"", False, True)
        length = FILL_FRAME_MS * _MS - len(left.ulaw)
        self._in_hand -= len(left.ulaw)
        self._inserted += length
        self._owed += length
        frame = self._send(left._replace(ulaw=left.ulaw + ULAW_SILENCE * length), now)
        # Real time: who comes late does not catch up with silence.
        self._fill_at = (at if now - at < FILL_FRAME_MS * _MS else now) + FILL_FRAME_MS * _MS
        return frame

    def _measure(self, now: int) -> None:
        late = now - self._queue[0].media - self._arrivals[0][1] if self._queue else 0
        self._backlog = min(max(late, 0), self._in_hand)
        self._max_backlog = max(self._max_backlog, self._backlog)


class _Pace:
    """Never more than `FASTEST`: between two frames, and over any second."""

    def __init__(self) -> None:
        self._free_at = 0
        self._recent: deque[tuple[int, int]] = deque()  # when, how much
        self._in_recent = 0

    def free_at(self, length: int) -> int:
        """The earliest time for a frame of `length` samples."""
        too_much = self._in_recent + length - 1000 * _MS * FASTEST[0] // FASTEST[1]
        at = self._free_at
        for when, how_much in self._recent:
            if too_much <= 0:
                break
            too_much -= how_much
            at = max(at, when + 1000 * _MS)
        return at

    def sent(self, length: int, now: int) -> None:
        self._free_at = max(self._free_at, now - _SLACK_MS * _MS) + -(-length * FASTEST[1] // FASTEST[0])
        self._recent.append((now, length))
        self._in_recent += length
        while self._recent[0][0] <= now - 1000 * _MS:
            self._in_recent -= self._recent.popleft()[1]
