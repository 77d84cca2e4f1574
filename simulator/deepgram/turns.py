"""The caller's turns: begun, probably over, confirmed, or gone on with.

UserStartedSpeaking comes at the start of every utterance, also while the agent is silent. A reply is begun before the
end of the turn is certain; until then the user's text and all agent audio are held back, function calls are not.
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.deepgram.brain import Heard, SpeechStarted
from simulator.deepgram.line import Line
from simulator.deepgram.speech import Speaker
from simulator.deepgram.thinking import Thinker


class Turns:
    def __init__(self, line: Line, thinker: Thinker, speaker: Speaker) -> None:
        self._line = line
        self._thinker = thinker
        self._speaker = speaker
        self._speaking = False
        self._before = ""
        self._probable: str | None = None
        self._trigger = "model"

    @property
    def open(self) -> bool:
        """Whether the caller is in the middle of a turn."""
        return self._speaking or self._probable is not None

    @property
    def speaking(self) -> bool:
        return self._speaking

    def take(self, events: Iterable[Heard]) -> None:
        for event in events:
            if self._line.over:
                return
            if isinstance(event, SpeechStarted):
                self._started()
            else:
                self._ended(event.text.strip(), event.trigger)

    def force(self) -> None:
        """The open turn is over, whatever the model believes: of a probable end this is the confirmation."""
        if self._probable is not None:
            self._trigger = "manual"
            self._line.cancel("confirm")
            self._confirm()

    def inject(self, text: str) -> None:
        """A line as if the caller had said it: an interruption where agent audio is being sent."""
        manners = self._line.manners
        if self._probable is not None:
            self._line.cancel("confirm")
            self._confirm()
        unanswered = self._thinker.continues and manners.drops_line_after_answer
        if self._speaker.busy:
            self._line.send("AgentAudioDone")
            self._speaker.stop(done_told=True)
            if manners.injection_starts_speaking:
                self._line.send("UserStartedSpeaking")
        self._thinker.abandon(tell=manners.injection_tells_cancelled)
        self._tell(text, "manual")
        if not unanswered and not self._line.over:
            self._thinker.turn(text, confirmed=True)

    def _started(self) -> None:
        self._line.send("UserStartedSpeaking")
        self._speaking = True
        if self._probable is not None:
            self._line.cancel("confirm")
            self._before, self._probable = self._probable, None
            self._thinker.abandon(tell=True, withdrawn=True)
            return
        self._speaker.stop()
        self._thinker.abandon(tell=True)

    def _ended(self, text: str, trigger: str) -> None:
        self._speaking = False
        whole = f"{self._before} {text}".strip()
        self._before = ""
        if not whole:
            return
        self._trigger = trigger
        self._probable = whole
        wait = self._line.manners.speculation_ms
        if wait and trigger != "manual":
            self._line.later(wait, self._confirm, "confirm")
            self._thinker.turn(whole, confirmed=False)
            return
        self._tell_probable()
        if not self._line.over:
            self._thinker.turn(whole, confirmed=True)

    def _confirm(self) -> None:
        self._tell_probable()
        self._thinker.confirm()

    def _tell_probable(self) -> None:
        assert self._probable is not None
        whole, self._probable = self._probable, None
        self._tell(whole, self._trigger)

    def _tell(self, text: str, trigger: str) -> None:
        self._line.counters.caller_turns += 1
        self._line.conversation("user", text)
        if self._line.flux:
            self._line.send("EndOfTurn", trigger=trigger)
        self._line.reached("turn")
