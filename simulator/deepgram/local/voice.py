"""A voice that really speaks: hibari in a process of its own, and a cache of what it said before."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

import structlog

from contract.audio import BYTES_PER_MS, ULAW_SILENCE
from simulator.deepgram.local.errors import WorkerFailed

log = structlog.get_logger()

Synthesise = Callable[[bytes], Future[bytes]]
"""UTF-8 text in, µ-law later."""

MOST_CACHED_BYTES = 16_000_000
SILENCE_PER_CHARACTER_MS = 60
"""What stands in for speech that could not be made lasts about as long as the words would."""


class Cache:
    """Speech by its text, the least recently used dropped first. For one thread at a time."""

    def __init__(self, most_bytes: int = MOST_CACHED_BYTES) -> None:
        self._most_bytes = most_bytes
        self._entries: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def get(self, text: str) -> bytes | None:
        if text in self._entries:
            self._entries.move_to_end(text)
        return self._entries.get(text)

    def put(self, text: str, ulaw: bytes) -> None:
        self._bytes += len(ulaw) - len(self._entries.pop(text, b""))
        self._entries[text] = ulaw
        while self._bytes > self._most_bytes:
            self._bytes -= len(self._entries.popitem(last=False)[1])


class LocalVoice:
    """`speak` blocks for some 30 ms a sentence: it is called from worker threads, of several sessions at once."""

    def __init__(self, synthesise: Synthesise, cache: Cache | None = None) -> None:
        self._synthesise = synthesise
        self._cache = cache or Cache()
        self._lock = threading.Lock()

    def speak(self, text: str) -> bytes:
        """µ-law of the whole text; silence of about its length where the voice fails, so that the call goes on."""
        said = " ".join(text.split())
        if not said:
            return b""
        with self._lock:
            known = self._cache.get(said)
        if known is not None:
            return known
        try:
            ulaw = self._synthesise(said.encode()).result()
        except WorkerFailed as error:
            log.warning("sentence_not_spoken", problem=str(error), characters=len(said))
            return ULAW_SILENCE * (len(said) * SILENCE_PER_CHARACTER_MS * BYTES_PER_MS)
        with self._lock:
            self._cache.put(said, ulaw)
        return ulaw
