"""Leaving the call: a state, not an act.

A request to end or to transfer is answered at once; the agent speaks its last words; they are heard to the
end; only then the flow is told. A new turn of the caller, or the agent's own cancellation, takes it back as
long as the flow has not taken the action.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

QUIET_MS = 300  # agent audio may follow an AgentAudioDone; after so long it does not (observed live)
LONGEST_MS = 15_000  # last words, drained or not, from the request or from their first sample
UTMOST_MS = 45_000  # and all in all: a flow may take long to play them
NO_WORDS_MS = 4000  # the agent may say nothing at all: no audio for so long after the answer
# An AgentAudioDone may still be that of the sentence before the request; last words were seen to begin 0.2 to
# 0.7 s after the answer.
FIRST_WORD_MS = 1500
# The caller's words are one to two seconds away: so much of their audio after the last word is waited for, at most
# so long.
GRACE_MS = 500
LATE_MS = 3000
HELD_MS = 20_000  # a sound that is neither a turn nor over after so long is not the caller's speech


@dataclass(frozen=True, slots=True)
class Leave:
    """What was asked for. `queue` is empty for a goodbye.

    `reason` is a short snake_case word for record and log; `why` and `summary` are the model's own words, for the
    human alone, as are `intent` and `sentiment`, which are out of lists. `firm`: a new turn of the caller does not take
    it back.
    """

    reason: str
    queue: str = ""
    summary: str = field(default="", repr=False)
    function_id: str = ""
    why: str = field(default="", repr=False)
    firm: bool = False
    intent: str = ""
    sentiment: str = ""


class Step(Enum):
    NOT = auto()
    LAST_WORDS = auto()
    ACTING = auto()  # the leg was told; the flow has not taken it
    TAKEN = auto()


@dataclass(slots=True)
class Ending:
    step: Step = Step.NOT
    leave: Leave | None = None
    interrupted: bool = False  # the caller began to speak after it was asked for
    _asked_ms: int = 0
    _resumed: bool = False
    _spoke: bool = False
    _audio_done_ms: int | None = None
    _playing: bool = False
    _started_ms: int = 0
    _heard_at_ms: int | None = None  # when the caller had heard the last of what was played
    _media_ms: int = 0  # up to when we know what the caller said
    _held_until_ms: int | None = None  # the caller makes a sound: wait for what it was

    def ask(self, leave: Leave, now_ms: int, *, playing: bool) -> bool:
        """Begin to leave; False when it has begun already."""
        if self.step is not Step.NOT:
            return False
        self.step, self.leave = Step.LAST_WORDS, leave
        self._asked_ms, self._playing, self._started_ms = now_ms, playing, 0
        self._spoke, self._audio_done_ms, self._heard_at_ms = False, None, None
        self.interrupted, self._held_until_ms, self._resumed = False, None, False
        return True

    def resume(self, leave: Leave, now_ms: int) -> None:
        """It was asked for in another gateway, which died before it was done."""
        self.ask(leave, now_ms, playing=False)
        self._resumed = True

    def asked_again(self, leave: Leave, now_ms: int) -> bool:
        """The agent asks once more for what was resumed, as it does when its question is put again: its last words
        are still to come. False: it asks for the same twice."""
        if self.step is not Step.LAST_WORDS or not self._resumed or self._spoke:
            return False
        self.leave, self._asked_ms, self._resumed = leave, now_ms, False
        return True

    def agent_audio(self) -> None:
        """The agent speaks. Runs for every frame."""
        self._spoke = True
        self._playing = True
        self._audio_done_ms = None

    @property
    def asked_ms(self) -> int:
        """When it was asked for, of this gateway."""
        return self._asked_ms

    @property
    def spoke(self) -> bool:
        """The agent has said something since it was asked for."""
        return self._spoke

    @property
    def all_came(self) -> bool:
        """No more audio of the agent's is on its way, as it says or as it seems."""
        return self._audio_done_ms is not None

    @property
    def resumed(self) -> bool:
        """The agent of another gateway asked for it, and the one of this gateway did not."""
        return self._resumed

    def replayed(self) -> None:
        """What a cough cut off is played on: all of it is there, and no AgentAudioDone will follow."""
        self._playing = True
        if self._audio_done_ms is None:
            self._audio_done_ms = self._asked_ms

    def audio_done(self, now_ms: int) -> None:
        self._audio_done_ms = now_ms

    def speech_over(self, now_ms: int) -> None:
        """No audio has come for so long that its AgentAudioDone is not waited for any more."""
        if self._audio_done_ms is None:
            self._audio_done_ms = now_ms

    def playback_started(self, at_ms: int) -> None:
        self._started_ms = at_ms

    def playback_finished(self, at_ms: int) -> None:
        self._playing = False
        self._heard_at_ms = at_ms

    def caller_heard(self, media_ms: int) -> None:
        """The caller's audio up to `media_ms` is known. Runs for every frame."""
        self._media_ms = media_ms

    def hold(self, now_ms: int) -> None:
        """The caller began to speak: do nothing until `release`, or for `HELD_MS`."""
        self.interrupted = True
        self._held_until_ms = now_ms + HELD_MS

    def reconsider(self) -> bool:
        """The caller makes a sound, and the flow has not taken the action: it waits for what the sound was. False:
        there is nothing to take back for so long."""
        if self.step is not Step.ACTING or self.leave is None or self.leave.firm:
            return False
        self.step = Step.LAST_WORDS
        return True

    def release(self) -> None:
        self._held_until_ms = None

    def cancel(self) -> Leave | None:
        """Stay; returns what was taken back, None when there was nothing or the flow has it already."""
        if self.step in (Step.NOT, Step.TAKEN):
            return None
        leave, self.leave = self.leave, None
        self.step = Step.NOT
        return leave

    def returned(self) -> None:
        """The transfer did not happen: the caller is back."""
        self.step, self.leave = Step.NOT, None

    def taken(self) -> None:
        self.step = Step.TAKEN

    def act(self) -> Leave | None:
        """Without waiting any longer; None when there is nothing to do, or it was done."""
        if self.step is not Step.LAST_WORDS:
            return None
        self.step = Step.ACTING
        return self.leave

    def due(self, now_ms: int) -> Leave | None:
        """What must be done now, once."""
        due = self.next_due_ms()
        return None if due is None or now_ms < due else self.act()

    def next_due_ms(self) -> int | None:
        if self.step is not Step.LAST_WORDS:
            return None
        return max(self._last_word_ms(), self._caller_known_ms(), self._held_until_ms or 0)

    @property
    def _latest_ms(self) -> int:
        longest = max(self._asked_ms, self._started_ms) + LONGEST_MS
        return min(longest, self._asked_ms + UTMOST_MS)

    def _caller_known_ms(self) -> int:
        """When it is known whether the caller said something into the last words."""
        if self._playing or self._heard_at_ms is None or self._media_ms >= self._heard_at_ms + GRACE_MS:
            return 0
        return min(self._heard_at_ms + LATE_MS, self._latest_ms)

    def _last_word_ms(self) -> int:
        """When the last word will have been heard, as far as is known now."""
        latest = self._latest_ms
        if self._playing:
            return latest
        if self._audio_done_ms is None:
            return latest if self._spoke else self._asked_ms + NO_WORDS_MS
        quiet = self._audio_done_ms + QUIET_MS
        return min(latest, quiet if self._spoke else max(quiet, self._asked_ms + FIRST_WORD_MS))
