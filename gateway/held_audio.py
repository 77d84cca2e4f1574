"""Caller audio between the leg and the voice agent's session: nothing said while there is none is lost.

A new session hears the open turn from half a second before it began. What has piled up goes out with the frames
that come, at one and a half times real time at most: faster audio is not understood (seen on the live service:
a clip sent at once was recognised in its first word only). The leg may be catching up at the same pace, so the
allowance is earned by the time that passes and not by the frames. Pauses in what has piled up are left out but for
200 ms: words said into a long outage are answered when the session is there, and not half a minute later. A core
without I/O.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from contract.audio import BYTES_PER_MS
from gateway.telemetry.bounds import Bound, reached

LONGEST_MS = 25_000  # a dead connection is found after 20 s at the latest, and then a session is opened
BEFORE_MS = 500
KEPT_PAUSE_MS = 200
FASTEST = (3, 2)
SLACK_MS = 150  # what may be saved up: a frame and a half


class _Frame(NamedTuple):
    media_ms: int
    ulaw: bytes
    speech: bool


class HeldAudio:
    """Push every frame; `due` gives what the session is to get now."""

    def __init__(self) -> None:
        self._frames: deque[_Frame] = deque()
        self._unsent = 0  # how many of the newest frames the present session has not had
        self._allowance = 0  # bytes
        self._earned_ms = 0  # up to when it was
        self._pause_ms = 0  # of what was sent last
        self._ms = 0
        self.sent_ms: int | None = None  # media time of the newest frame that was sent

    @property
    def backlog_ms(self) -> int:
        """Audio that waits for the session."""
        waiting = list(self._frames)[len(self._frames) - self._unsent :]
        return sum(len(frame.ulaw) for frame in waiting) // BYTES_PER_MS

    def push(self, media_ms: int, ulaw: bytes, *, speech: bool) -> None:
        self._frames.append(_Frame(media_ms, ulaw, speech))
        self._unsent += 1
        self._ms += len(ulaw) // BYTES_PER_MS
        while self._ms > LONGEST_MS:
            self._ms -= len(self._frames.popleft().ulaw) // BYTES_PER_MS
            if self._unsent > len(self._frames):
                reached(Bound.HELD_AUDIO)
            self._unsent = min(self._unsent, len(self._frames))

    def lost(self, from_ms: int) -> None:
        """The session is gone: the next one gets everything again that was heard since half a second before
        `from_ms`, where the open turn began."""
        since = sum(frame.media_ms >= from_ms - BEFORE_MS for frame in self._frames)
        self._unsent = max(self._unsent, since)

    def due(self, now_ms: int) -> list[bytes]:
        """Frames to send now, oldest first."""
        if self._unsent == 1:  # nothing has piled up: the usual case
            self._unsent = 0
            self.wait(now_ms)
            return [self._sent(self._frames[-1])]
        self._earn(now_ms)
        due: list[bytes] = []
        while self._unsent:
            frame = self._frames[-self._unsent]
            if self._is_superfluous(frame):
                self._unsent -= 1
                continue
            if len(frame.ulaw) > self._allowance:
                break
            self._allowance -= len(frame.ulaw)
            self._unsent -= 1
            due.append(self._sent(frame))
        return due

    def wait(self, now_ms: int) -> None:
        """There is no session to send to: what is pushed stays, and no allowance is earned."""
        self._allowance = 0
        self._earned_ms = now_ms

    def _earn(self, now_ms: int) -> None:
        passed_ms = now_ms - self._earned_ms
        self._earned_ms = now_ms
        earned = self._allowance + passed_ms * BYTES_PER_MS * FASTEST[0] // FASTEST[1]
        self._allowance = min(earned, SLACK_MS * BYTES_PER_MS)

    def _is_superfluous(self, frame: _Frame) -> bool:
        """Part of a pause that is long enough already; the newest frame and the one before a word are not."""
        if frame.speech or self._pause_ms < KEPT_PAUSE_MS or self._unsent == 1:
            return False
        return not self._frames[1 - self._unsent].speech

    def _sent(self, frame: _Frame) -> bytes:
        self.sent_ms = frame.media_ms
        self._pause_ms = 0 if frame.speech else self._pause_ms + len(frame.ulaw) // BYTES_PER_MS
        return frame.ulaw
