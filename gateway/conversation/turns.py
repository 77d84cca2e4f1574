"""The transcript: who said what, when, and how much of it was heard."""

from __future__ import annotations

from dataclasses import dataclass, field

from contract.audio import BYTES_PER_MS
from contract.turns import HeardSource, Role, Turn

OPENING_STRETCH = 0
PLAIN_TURNS = 12


def heard_share(text: str, position_ms: int, total_ms: int) -> str:
    """The part of `text` that was heard, by the share of its audio, cut after a whole word."""
    if total_ms <= 0 or position_ms <= 0:
        return ""
    if position_ms >= total_ms:
        return text
    end = len(text) * position_ms // total_ms
    if not text[end : end + 1].isspace() and text[end : end + 1]:
        end = text.rfind(" ", 0, end) + 1
    return text[:end].rstrip()


@dataclass(slots=True)
class _Speech:
    """An agent turn that grows: one stretch of audio and the sentences that came with it."""

    number: int
    stretch: int | None
    texts: list[str] = field(default_factory=list)
    received_bytes: int = 0
    started_ms: int = 0
    ended_ms: int = 0
    position_ms: int = 0
    finished: bool = False
    interrupted: bool = False
    source: HeardSource = HeardSource.ESTIMATED
    marks: dict[str, int] = field(default_factory=dict)

    def turn(self) -> Turn:
        text = " ".join(self.texts)
        return Turn(
            number=self.number,
            role=Role.VOICE_AGENT,
            text=text,
            started_at_ms=self.started_ms,
            ended_at_ms=self.ended_ms,
            heard_ms=self.position_ms,
            heard_text=heard_share(text, self.position_ms, self.received_bytes // BYTES_PER_MS),
            heard_source=self.source,
            interrupted=self.interrupted,
            marks=self.marks,
        )


class Turns:
    """Numbers turns from 1 and remembers what changed until `changed` is asked."""

    def __init__(self, first_number: int = 1) -> None:
        self._next = first_number
        self._speeches: dict[int, _Speech] = {}  # by stretch, until amended for the last time
        self._speech: _Speech | None = None  # what the agent says now
        self._changed: dict[int, Turn] = {}
        self.caller_turns = 0
        self.last_caller_text = ""
        self.last_agent_text = ""
        self._said: list[str] = []

    def plain(self) -> str:
        """The last turns as lines of text, newest last."""
        return "\n".join(self._said[-PLAIN_TURNS:])

    def opening(self, text: str, duration_ms: int) -> None:
        """The opening that the flow plays: a stretch whose length is known beforehand."""
        speech = self._begin(OPENING_STRETCH)
        speech.texts.append(text)
        speech.received_bytes = duration_ms * BYTES_PER_MS
        self._touch(speech)

    def caller_said(self, text: str, started_ms: int, ended_ms: int, marks: dict[str, int]) -> None:
        number, self._next = self._next, self._next + 1
        self.caller_turns += 1
        self.last_caller_text = text
        self._said.append(f"Caller: {text}")
        self._changed[number] = Turn(
            number, Role.CALLER, text, started_ms, ended_ms, heard_ms=max(0, ended_ms - started_ms), marks=marks
        )

    def agent_said(self, text: str) -> None:
        """A sentence of the agent, before, with or after its audio."""
        speech = self._current()
        speech.texts.append(text)
        self.last_agent_text = text
        self._said.append(f"Agent: {text}")
        self._touch(speech)

    def agent_audio(self, stretch: int, length: int, now_ms: int) -> None:
        """`length` bytes were queued as part of `stretch`. Runs for every frame of agent audio."""
        speech = self._speech
        if speech is None or speech.stretch != stretch:
            speech = self._belongs(stretch)
            speech.marks.setdefault("agent_audio_received", now_ms)
        speech.received_bytes += length

    def agent_audio_dropped(self, length: int) -> None:
        """Audio of a cancelled reply that nobody hears; it still counts for the share that was heard."""
        if self._speech is not None:
            self._speech.received_bytes += length

    def playback_started(self, stretch: int, at_ms: int) -> None:
        speech = self._speeches.get(stretch)
        if speech is not None:
            speech.started_ms = at_ms
            speech.marks["heard_by_caller"] = at_ms
            self._touch(speech)

    def playback_finished(self, stretch: int, position_ms: int, *, interrupted: bool, at_ms: int) -> None:
        speech = self._speeches.get(stretch)
        if speech is None:
            return
        speech.position_ms, speech.ended_ms = position_ms, at_ms
        speech.interrupted = interrupted
        speech.finished = True
        self._touch(speech)

    def measured(self, stretch: int, position_ms: int, source: HeardSource) -> None:
        speech = self._speeches.get(stretch)
        if speech is not None:
            speech.position_ms, speech.source = position_ms, source
            self._touch(speech)

    def reply_over(self) -> None:
        """What the agent says from here on is a new turn: the caller spoke, or a function answered."""
        self._speech = None

    def changed(self) -> list[Turn]:
        """Turns that are new or amended since the last time."""
        changed = [self._changed[number] for number in sorted(self._changed)]
        self._changed.clear()
        return changed

    def _current(self) -> _Speech:
        if self._speech is None or self._speech.finished:
            return self._begin(None)
        return self._speech

    def _belongs(self, stretch: int) -> _Speech:
        if stretch in self._speeches:
            speech = self._speeches[stretch]
        elif self._speech is not None and self._speech.stretch is None:
            speech = self._speech
            speech.stretch = stretch
            self._speeches[stretch] = speech
        else:
            speech = self._begin(stretch)
        self._speech = speech
        return speech

    def _begin(self, stretch: int | None) -> _Speech:
        speech = _Speech(self._next, stretch)
        self._next += 1
        self._speech = speech
        if stretch is not None:
            self._speeches[stretch] = speech
        return speech

    def _touch(self, speech: _Speech) -> None:
        self._changed[speech.number] = speech.turn()
