"""Caller audio between the leg and the voice agent's session: nothing said while there is none is lost.

A new session hears the open turn from half a second before it began. What has piled up goes out with the frames
that come, at one and a half times real time at most: faster audio is not understood (seen on the live service:
a clip sent at once was recognised in its first word only). A core without I/O.
"""

from __future__ import annotations

from collections import deque

from gateway.telemetry.bounds import Bound, reached

LONGEST_MS = 20_000
BEFORE_MS = 500
_PACE = (3, 2)


class HeldAudio:
    """Push every frame; `due` gives what the session is to get now."""

    def __init__(self) -> None:
        self._frames: deque[tuple[int, bytes]] = deque()  # media time of the first sample, µ-law
        self._unsent = 0  # how many of the newest frames the present session has not had
        self._allowance = 0  # bytes
        self._ms = 0

    @property
    def backlog_ms(self) -> int:
        """Audio that waits for the session."""
        waiting = list(self._frames)[len(self._frames) - self._unsent :]
        return sum(len(ulaw) for _, ulaw in waiting) // 8

    def push(self, media_ms: int, ulaw: bytes) -> None:
        self._frames.append((media_ms, ulaw))
        self._unsent += 1
        self._ms += len(ulaw) // 8
        while self._ms > LONGEST_MS:
            self._ms -= len(self._frames.popleft()[1]) // 8
            if self._unsent > len(self._frames):
                reached(Bound.HELD_AUDIO)
            self._unsent = min(self._unsent, len(self._frames))
        self._allowance += len(ulaw) * _PACE[0] // _PACE[1]

    def lost(self, from_ms: int) -> None:
        """The session is gone: the next one gets everything again that was heard since half a second before
        `from_ms`, where the open turn began."""
        since = sum(media_ms >= from_ms - BEFORE_MS for media_ms, _ in self._frames)
        self._unsent = max(self._unsent, since)

    def due(self) -> list[bytes]:
        """Frames to send now, oldest first."""
        if self._unsent == 1:  # nothing has piled up: the usual case
            self._unsent = self._allowance = 0
            return [self._frames[-1][1]]
        due: list[bytes] = []
        while self._unsent:
            ulaw = self._frames[len(self._frames) - self._unsent][1]
            if len(ulaw) > self._allowance:
                break
            self._allowance -= len(ulaw)
            self._unsent -= 1
            due.append(ulaw)
        return due

    def wait(self) -> None:
        """There is no session to send to: what is pushed stays, and earns no allowance."""
        self._allowance = 0
