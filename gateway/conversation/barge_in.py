"""A sound of the caller, as long as nobody knows whether it is a turn or only a cough."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.conversation.voice_activity import VoiceActivity

# A sound that is followed by quiet and by no turn was none. A turn is confirmed about a second after its end;
# after a long sound Flux may need up to its own time-out, 5 s by default, and to speak on sooner would be to talk
# over the caller.
COUGH_QUIET_MS = 2000
LONGEST_COUGH_MS = 1500
WORDS_QUIET_MS = 5500
LOOK_AGAIN_MS = 100


@dataclass(slots=True)
class BargeIn:
    """`onset_ms`: the caller's first sound since the last turn, 0 before it; `marks`: moments for the turn's record."""

    onset_ms: int = 0
    marks: dict[str, int] = field(default_factory=dict)
    _sound_ms: int = 0
    _due_ms: int | None = None
    _anew: bool = False  # a session hears it late

    @property
    def undecided(self) -> bool:
        return self._due_ms is not None

    def began(self, voice: VoiceActivity, now_ms: int, *, playing: bool) -> None:
        """UserStartedSpeaking; our own ear may have heard the sound a little earlier."""
        just_heard = voice.started_ms and voice.quiet_ms < COUGH_QUIET_MS
        self._sound_ms = voice.started_ms if just_heard else now_ms
        self._due_ms = now_ms + COUGH_QUIET_MS
        self.onset_ms = self.onset_ms or self._sound_ms
        self.marks.setdefault("user_started_speaking", now_ms)
        if playing:
            self.marks["barge_in"] = self._sound_ms
            self.marks["barge_in_noticed"] = now_ms

    def heard_anew(self, now_ms: int) -> None:
        """A new session hears the sound from its beginning, as fast as it can."""
        if self._due_ms is not None:
            self._due_ms, self._anew = now_ms + WORDS_QUIET_MS, True

    def over(self) -> None:
        """It is decided."""
        self.onset_ms, self.marks, self._due_ms, self._anew = 0, {}, None, False

    def is_cough(self, voice: VoiceActivity, now_ms: int, *, playing: bool) -> bool:
        """Whether it turned out to be no turn; `playing`: the caller still hears the rest of a clip."""
        if self._due_ms is None or now_ms < self._due_ms:
            return False
        short = voice.stopped_ms - self._sound_ms <= LONGEST_COUGH_MS and not self._anew
        if playing or voice.quiet_ms < (COUGH_QUIET_MS if short else WORDS_QUIET_MS):
            self._due_ms = now_ms + LOOK_AGAIN_MS
            return False
        return True

    def next_due_ms(self) -> int | None:
        return self._due_ms
