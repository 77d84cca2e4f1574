"""The stretch of agent speech that the caller hears or will hear: what of it is kept, and when it is complete."""

from __future__ import annotations

from dataclasses import dataclass, field

from contract.audio import BYTES_PER_MS
from contract.turns import HeardSource
from gateway.conversation.turns import OPENING_STRETCH
from gateway.telemetry.bounds import Bound, reached

SPEECH_OVER_MS = 300  # audio within so long after an AgentAudioDone belongs to the same reply
SPEECH_LOST_MS = 4000  # an AgentAudioDone may never come
# A clip that is heard 0.7 s after it was withdrawn seems to stay. One that is left within 1 s is known to have been
# left after 0.2 s of silence, half a second later in the track, which may come by the fragment, a second at once.
SURE_MS = 1500
KEPT_BYTES = 120_000 * BYTES_PER_MS  # at most two minutes of one stretch are kept for after a cough


@dataclass(slots=True)
class Tail:
    """What a cough cut off: the rest of `stretch` from `from_ms` on, µ-law. `heard_ms`: up to where it was heard, as
    far as is known by now. `sure_ms`: when it is sure, at the latest: a clip that seems to be played to its end may
    still be left."""

    stretch: int
    from_ms: int
    ulaw: bytes = field(repr=False)
    heard_ms: int = 0
    sure_ms: int = 0

    def heard(self, position_ms: int, source: HeardSource, now_ms: int) -> None:
        """The leg says up to where it was heard: as it seems, or as it was measured."""
        self.heard_ms = position_ms
        self.sure_ms = now_ms + SURE_MS if source is HeardSource.ESTIMATED else 0

    def left(self) -> Tail | None:
        """What was not heard; None where that is nothing."""
        more_ms = max(0, self.heard_ms - self.from_ms)
        rest = self.ulaw[more_ms * BYTES_PER_MS :]
        return Tail(self.stretch, self.from_ms + more_ms, rest) if rest else None


@dataclass(slots=True)
class AgentSpeech:
    """`stretch`: what is played or waits to be; None while the caller hears nothing of the agent's."""

    stretch: int | None = None
    _kept: list[bytes] = field(default_factory=list)
    _kept_bytes: int = 0
    _last_audio_ms: int | None = None
    _over_ms: int | None = None  # the voice agent said that it was all, or its session was lost

    @property
    def playing(self) -> bool:
        return self.stretch is not None

    @property
    def over(self) -> bool:
        """Nothing is played, and nothing more is on its way."""
        return self.stretch is None and self._last_audio_ms is None

    @property
    def coming(self) -> bool:
        """More of the reply may be on its way: audio may follow an AgentAudioDone, too."""
        return self._last_audio_ms is not None

    def opening(self) -> None:
        self.stretch = OPENING_STRETCH

    def received(self, now_ms: int) -> None:
        """Audio came in that is to be played. Runs for every frame."""
        self._last_audio_ms = now_ms
        self._over_ms = None

    def queued(self, stretch: int, ulaw: bytes) -> bool:
        """Audio was queued as part of `stretch`; True when that is a new one. Runs for every frame."""
        new = stretch != self.stretch
        if new:
            self.stretch = stretch
            self._kept, self._kept_bytes = [], 0
        if self._kept_bytes < KEPT_BYTES:
            self._kept.append(ulaw)
            self._kept_bytes += len(ulaw)
        else:
            reached(Bound.KEPT_SPEECH)
        return new

    def finished(self, stretch: int, position_ms: int) -> Tail | None:
        """Playback of the present stretch is over; returns what was not heard of it, if anything."""
        rest = b"".join(self._kept)[position_ms * BYTES_PER_MS :]
        self.stretch, self._kept, self._kept_bytes = None, [], 0
        return Tail(stretch, position_ms, rest) if rest else None

    def audio_done(self, now_ms: int) -> None:
        self._over_ms = now_ms

    def session_lost(self, now_ms: int) -> None:
        """What came is all there is: no AgentAudioDone need be waited for."""
        if self._last_audio_ms is not None:
            self._over_ms = now_ms

    def next_due_ms(self) -> int | None:
        if self._last_audio_ms is None:
            return None
        if self._over_ms is not None:
            return self._over_ms + SPEECH_OVER_MS
        return self._last_audio_ms + SPEECH_LOST_MS

    def is_over(self, now_ms: int) -> bool:
        """Whether all audio of the reply has come; once for each reply."""
        due = self.next_due_ms()
        if due is None or now_ms < due:
            return False
        self._last_audio_ms = None
        return True
