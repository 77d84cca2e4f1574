"""Watching for silence: an agent that answers nothing, and a caller who says nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

NUDGE_MS = 7000  # no agent audio after a caller turn: about one call in four of one published campaign had it
MUTE_MS = 15_000


class Mute(Enum):
    NUDGE = auto()  # ask again
    RECONNECT = auto()


@dataclass(slots=True)
class AgentWatch:
    """Counts from the end of a caller turn, or from a function's answer, until agent audio comes."""

    _since_ms: int | None = None
    _nudged: bool = False
    _owed: bool = False

    def expect(self, now_ms: int) -> None:
        self._since_ms, self._nudged, self._owed = now_ms, False, False

    def satisfied(self) -> None:
        """Runs for every frame of agent audio."""
        self._since_ms, self._owed = None, False

    def pause(self) -> None:
        """The caller makes a sound, upon which the agent stops what it was about to say."""
        self._owed = self._owed or self._since_ms is not None
        self._since_ms = None

    def resume(self, now_ms: int) -> None:
        """The sound was nothing: what the agent owed before, it owes again."""
        if self._owed:
            self.expect(now_ms)

    def next_due_ms(self) -> int | None:
        if self._since_ms is None:
            return None
        return self._since_ms + (MUTE_MS if self._nudged else NUDGE_MS)

    def due(self, now_ms: int) -> Mute | None:
        """What is to be done about a mute agent now; each step once."""
        due = self.next_due_ms()
        if due is None or now_ms < due:
            return None
        if self._nudged:
            self.satisfied()
            return Mute.RECONNECT
        self._nudged = True
        return Mute.NUDGE


@dataclass(slots=True)
class CallerWatch:
    """The idle ladder, on the time of the caller's own audio: their words are a second or two away."""

    after_ms: int
    rungs: int
    _since_media_ms: int | None = None
    _rung: int = 0
    _sounded: bool = False  # the time runs from a sound of the caller's, which may yet become a turn
    _unspoken: tuple[int, int] | None = None  # of the sentences of which nothing was spoken: the first, and its silence

    def quiet_from(self, media_ms: int) -> None:
        """Nobody speaks from here on; 0: from the caller's first audio on."""
        self._since_media_ms, self._sounded = media_ms, False

    def sound(self, media_ms: int) -> None:
        """The caller makes a sound, perhaps no word: a running time starts anew. Runs for every frame of it."""
        if self._since_media_ms is not None:
            self._since_media_ms, self._sounded = media_ms, True

    def turn(self) -> None:
        """The caller said something: it is the agent's turn, and the next silence begins at the ladder's foot."""
        self.pause()
        self._rung = 0

    def pause(self) -> None:
        """Somebody else speaks or works; the ladder keeps its rung."""
        self._since_media_ms = self._unspoken = None

    def session_lost(self) -> None:
        """Nobody has spoken, nor will, what was to be said last: it is due at once, when somebody can again, unless
        the caller made a sound."""
        if self._unspoken is not None:
            self._rung, since_media_ms = self._unspoken
            self._unspoken = None
            if not self._sounded:
                self._since_media_ms = since_media_ms

    @property
    def silent(self) -> bool:
        """The time that runs is one in which the caller made no sound."""
        return self._since_media_ms is not None and not self._sounded

    def heard(self, media_ms: int) -> int | None:
        """Caller audio up to `media_ms` was quiet; the rung that is reached now, counted from 0."""
        if self._since_media_ms == 0:
            self._since_media_ms = media_ms
        if self._since_media_ms is None or media_ms - self._since_media_ms < self.after_ms:
            return None
        if self._unspoken is None:
            self._unspoken = (self._rung, self._since_media_ms)
        rung, self._rung = self._rung, self._rung + 1
        self._since_media_ms = None
        return min(rung, self.rungs)
