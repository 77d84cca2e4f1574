"""What waits for the socket: messages, of which none is dropped, and caller audio, of which only the newest is kept.

Audio waits only while the socket stalls. A long backlog sent in one burst is worse than a gap: speech that comes
much faster than real time was seen to be recognised in its first word only.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from gateway.telemetry.bounds import Bound, reached

MOST_MESSAGES: Final = 64  # a conversation has a handful on the way at most


class Outbox:
    """Messages leave before audio, so that an answer to a function never queues behind a stalled second of speech."""

    __slots__ = ("_audio", "_limit", "_messages", "_waiting", "dropped_bytes")

    def __init__(self, audio_limit: int) -> None:
        """`audio_limit`: bytes of audio that may wait."""
        self._messages: deque[str] = deque()
        self._audio: deque[bytes] = deque()
        self._waiting = 0
        self._limit = audio_limit
        self.dropped_bytes = 0

    def __bool__(self) -> bool:
        return bool(self._messages or self._audio)

    @property
    def full(self) -> bool:
        """So many messages wait that something is wrong: the socket stalls, or they are made in a circle."""
        return len(self._messages) >= MOST_MESSAGES

    def put_message(self, text: str) -> None:
        self._messages.append(text)

    def put_audio(self, ulaw: bytes) -> None:
        """Queue one frame; over the limit the oldest frames go. A frame that exceeds it alone still goes out."""
        self._audio.append(ulaw)
        self._waiting += len(ulaw)
        while self._waiting > self._limit and len(self._audio) > 1:
            oldest = len(self._audio.popleft())
            self._waiting -= oldest
            self.dropped_bytes += oldest
            reached(Bound.SESSION_AUDIO)

    def pop(self) -> str | bytes | None:
        """The next frame for the socket, or None."""
        if self._messages:
            return self._messages.popleft()
        if self._audio:
            ulaw = self._audio.popleft()
            self._waiting -= len(ulaw)
            return ulaw
        return None
