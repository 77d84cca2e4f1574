"""The transcript: who said what, when, and how much of it was heard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from contract.audio import BYTES_PER_MS
from contract.turns import HeardSource, Role, Turn
from gateway.telemetry.bounds import Bound, reached

OPENING_STRETCH = 0
TEXT_AHEAD_MS = 1000  # a sentence may come so long before its own audio
MOST_TURNS = 2000  # of one call; half an hour of talk has some two hundred
TEXT_CHARACTERS = 16_384  # of one turn; the record keeps as many bytes
REPLY_GAP_MS = 1500  # audio comes in bursts; after so long without any the reply is complete, whatever was announced
CHARACTER_MS = 65  # about 150 words a minute, until the voice is known better
STALL_MS = 8000  # a voice that has stopped in mid-reply for so long does not go on with it
MORE_MS = 300  # audio may follow an AgentAudioDone, so soon (observed live)
CUT_AHEAD_MS = 1000  # an AgentAudioDone may come so long before the UserStartedSpeaking that is its reason
ENOUGH = 0.7  # of the time that a text takes at the voice's pace: less audio cannot be all of it
NEARLY = 0.9  # of that time: less, where the session breaks right after an AgentAudioDone, is more likely not all of it


def _bounded(text: str, before: int) -> str:
    """As much of `text` as a turn has room for after so many characters."""
    room = max(0, TEXT_CHARACTERS - before)
    if len(text) > room:
        reached(Bound.TURN_TEXT)
    return text[:room]


def heard_share(text: str, position_ms: int, total_ms: int) -> str:
    """The part of `text` that was heard, by the share of its audio, cut after a whole word."""
    if total_ms <= 0 or position_ms <= 0:
        return ""
    if position_ms >= total_ms:
        return text
    end = len(text) * position_ms // total_ms
    while end and not text[end].isspace():
        end -= 1
    return text[:end].rstrip()


@dataclass(slots=True)
class _Voice:
    """How the agent speaks, from what was spoken to its end: how fast, and whether it says when all was sent.

    `told`, `untold`: replies that were heard to the end of what came, with and without an AgentAudioDone after it.
    """

    characters: int = 0
    ms: int = 0
    told: int = 0
    untold: int = 0

    def heard(self, text: str, duration_ms: int) -> None:
        self.characters += len(text)
        self.ms += duration_ms

    def without(self, characters: int, ms: int) -> _Voice:
        """As it was known before a reply of so many characters and ms was taken for whole."""
        return _Voice(self.characters - characters, self.ms - ms, self.told - bool(characters), self.untold)

    @property
    def character_ms(self) -> float:
        return self.ms / self.characters if self.characters else CHARACTER_MS

    @property
    def tells_ends(self) -> bool:
        """An AgentAudioDone follows every reply, as is documented; until two replies more went without than with."""
        return self.untold <= self.told + 1


@dataclass(slots=True)
class _Speech:
    """An agent turn that grows: one stretch of audio and the sentences that came with it.

    `offset_ms`: where in this turn the stretch begins, above 0 for one that goes on after a cough. `sure_texts`:
    how many sentences there were when the agent said that all audio so far was sent, at `sure_ms`, None while audio
    comes. `last_frame_ms`: how much audio came last. `torn`: its session was lost while its audio came. `cut_ms`: when
    the caller spoke into it, 0 before.
    """

    number: int
    stretch: int | None
    texts: list[str] = field(default_factory=list)
    received_bytes: int = 0
    started_ms: int = 0
    ended_ms: int = 0
    offset_ms: int = 0
    position_ms: int = 0
    finished: bool = False
    interrupted: bool = False
    source: HeardSource = HeardSource.ESTIMATED
    sure_texts: int | None = None
    sure_ms: int = 0
    last_text_ms: int = 0
    last_audio_ms: int = 0
    last_frame_ms: int = 0
    taught: tuple[int, int] = (0, 0)  # characters and ms, of which the voice's pace was learned
    torn: bool = False
    cut_ms: int = 0
    marks: dict[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    def remembered(self, voice: _Voice) -> Turn:
        """As another session has to know it: what is on its way to the caller will be heard, and what was torn is said
        again."""
        turn = self.turn(voice)
        if self.torn:
            return replace(turn, heard_text="")
        if self.stretch is None or self.finished:
            return turn
        if not self.cut_ms:
            return replace(turn, heard_text=turn.text)
        heard_ms = self.cut_ms - self.started_ms if self.started_ms else 0
        return replace(turn, heard_text=heard_share(turn.text, heard_ms, self.received_bytes // BYTES_PER_MS))

    def is_short(self, voice: _Voice, share: float = ENOUGH) -> bool:
        """What came is too short for the text."""
        expected_ms = len(self.text) * voice.character_ms
        return self.received_bytes < share * expected_ms * BYTES_PER_MS

    def lacks_audio(self, voice: _Voice) -> bool:
        """Nobody said that what came was all, though this voice agent does so, or it is too short for the text."""
        return self.sure_texts is None and (voice.tells_ends or self.is_short(voice))

    def turn(self, voice: _Voice) -> Turn:
        text = self.text
        total_ms = self.received_bytes // BYTES_PER_MS
        if (self.interrupted or self.torn or self.lacks_audio(voice)) and self.sure_texts is None:
            # The text is there, but the voice agent stopped in the middle of its audio.
            total_ms = max(total_ms, int(len(text) * voice.character_ms))
        return Turn(
            number=self.number,
            role=Role.VOICE_AGENT,
            text=text,
            started_at_ms=self.started_ms,
            ended_at_ms=self.ended_ms,
            heard_ms=self.position_ms,
            heard_text=heard_share(text, self.position_ms, total_ms),
            heard_source=self.source,
            interrupted=self.interrupted or self.torn,
            marks=dict(self.marks),
        )


class Turns:
    """Numbers turns from 1 and remembers what changed until `changed` is asked.

    `earlier`: the turns of this contact before this gateway had the call; numbers go on after them.
    """

    def __init__(self, first_number: int = 1, earlier: Iterable[Turn] = ()) -> None:
        self._all: dict[int, Turn | _Speech] = {turn.number: turn for turn in earlier}
        self._next = max([first_number, *(number + 1 for number in self._all)])
        self._speeches: dict[int, _Speech] = {}  # by stretch
        self._speech: _Speech | None = None  # what the agent says now
        self._changed: set[int] = set()
        self._voice = _Voice()
        before = [turn for turn in self.all() if turn.role is Role.CALLER]
        self.caller_turns = len(before)
        self.last_caller_text = before[-1].text if before else ""
        self.last_agent_text = ""
        for turn in self.all():
            if turn.role is Role.VOICE_AGENT and turn.heard_text == turn.text and not turn.interrupted:
                self._voice.heard(turn.text, turn.heard_ms)

    def all(self) -> list[Turn]:
        """Every turn as it is known now, in order."""
        return [self._turn(number) for number in sorted(self._all)]

    def remembered(self) -> list[Turn]:
        """Every turn as a new session has to know it. What was torn is said again unless the caller has gone on."""
        turns = self.all()
        last = self._all[turns[-1].number] if turns else None
        if isinstance(last, _Speech):
            turns[-1] = last.remembered(self._voice)
        return turns

    @property
    def torn(self) -> bool:
        """The agent's last reply was torn and is still on its way to the caller."""
        last = self._all[max(self._all)] if self._all else None
        return isinstance(last, _Speech) and last.torn and not last.finished

    def changed(self) -> list[Turn]:
        """Turns that are new or amended since the last time."""
        if not self._changed:
            return []
        changed = [self._turn(number) for number in sorted(self._changed)]
        self._changed.clear()
        return changed

    @property
    def full(self) -> bool:
        """So many turns that this is no conversation any more."""
        return len(self._all) >= MOST_TURNS

    @property
    def reply_text(self) -> str:
        """All that the agent said in its present reply, "" when it has not said anything yet."""
        return self._speech.text if self._speech is not None else ""

    # -- what is said ----------------------------------------------------------------------------------------

    def opening(self, text: str, duration_ms: int) -> None:
        """The opening that the flow plays: a stretch whose length is known beforehand."""
        speech = self._begin(OPENING_STRETCH)
        speech.texts.append(text)
        speech.received_bytes = duration_ms * BYTES_PER_MS
        speech.sure_texts = 1
        self._voice.heard(text, duration_ms)
        self._touch(speech)

    def caller_said(self, text: str, started_ms: int, ended_ms: int, marks: dict[str, int]) -> None:
        """What the agent says from here on is a new turn."""
        number, self._next = self._next, self._next + 1
        text = _bounded(text, 0)
        self.caller_turns += 1
        self.last_caller_text = text
        heard_ms = max(0, ended_ms - started_ms)
        self._all[number] = Turn(number, Role.CALLER, text, started_ms, ended_ms, heard_ms, marks=dict(marks))
        self._changed.add(number)
        if self._speech is not None and self._speech.stretch is None:
            self._never_played(self._speech)
        self._speech = None

    def agent_said(self, text: str, now_ms: int) -> None:
        """A sentence of the agent, before, with or after its audio."""
        speech = self._speech
        if speech is None or (speech.finished and not self._stalls(speech, now_ms)):
            speech = self._begin(None)
        if text := _bounded(text, len(speech.text)):
            speech.texts.append(text)
        speech.last_text_ms = now_ms
        self.last_agent_text = text
        self._touch(speech)

    def agent_audio(self, stretch: int, length: int, now_ms: int) -> None:
        """`length` bytes were queued as part of `stretch`. Runs for every frame of agent audio."""
        speech = self._speech
        if speech is None or speech.stretch != stretch:
            speech = self._belongs(stretch, now_ms)
            speech.marks.setdefault("agent_audio_received", now_ms)
        speech.received_bytes += length
        speech.sure_texts = None
        speech.last_audio_ms, speech.last_frame_ms = now_ms, length // BYTES_PER_MS

    def agent_audio_done(self, now_ms: int) -> None:
        """All audio so far was sent: a sentence that comes now may belong to what follows. Of a reply that the caller
        spoke into it only says that no more will be sent."""
        speech = self._speech
        if speech is not None and not speech.cut_ms:
            speech.sure_texts, speech.sure_ms = len(speech.texts), now_ms

    def session_lost(self, now_ms: int) -> None:
        """The session is over; was the agent in the middle of its reply, the rest will never come."""
        speech = self._speech
        if speech is None or speech.cut_ms:
            return
        if speech.stretch is None:
            self._never_played(speech)
        elif self._is_torn(speech, now_ms):
            speech.torn, speech.sure_texts, self._speech = True, None, None
            self._touch(speech)

    def _is_torn(self, speech: _Speech, now_ms: int) -> bool:
        """Whether more audio of it was still to come."""
        if speech.finished:
            return self._stalls(speech, now_ms)
        if speech.sure_texts is not None:
            return self._is_doubtful(speech, now_ms)
        return speech.lacks_audio(self._voice) or now_ms - speech.last_audio_ms < REPLY_GAP_MS

    def cut(self, now_ms: int) -> None:
        """The caller began to speak: the flow is told to leave what the agent says. What was said to be all of it a
        moment before may be what the voice agent had sent when it heard them."""
        speech = self._speech
        if speech is None:
            return
        speech.cut_ms = now_ms
        if now_ms - speech.sure_ms <= CUT_AHEAD_MS and speech.is_short(self._voice):
            speech.sure_texts = None

    def agent_audio_dropped(self, length: int) -> None:
        """Audio of a cancelled reply that nobody hears; it still counts for the share that was heard."""
        if self._speech is not None:
            self._speech.received_bytes += length
            self._touch(self._speech)

    # -- what is heard ---------------------------------------------------------------------------------------

    def playback_started(self, stretch: int, at_ms: int) -> None:
        speech = self._present(stretch)
        if speech is not None and not speech.started_ms:
            speech.started_ms = at_ms
            speech.marks["heard_by_caller"] = at_ms
            self._touch(speech)

    def playback_finished(self, stretch: int, position_ms: int, *, interrupted: bool, at_ms: int) -> None:
        speech = self._present(stretch)
        if speech is None:
            return
        speech.position_ms, speech.ended_ms = speech.offset_ms + position_ms, at_ms
        speech.interrupted = interrupted
        speech.finished = True
        if stretch != OPENING_STRETCH:
            self._learn(speech)
        self._touch(speech)

    def _learn(self, speech: _Speech) -> None:
        """How the voice speaks, from a reply that is over."""
        told_before = self._voice.tells_ends
        if speech.sure_texts is not None:
            speech.taught = len(speech.text), speech.received_bytes // BYTES_PER_MS
            self._voice.heard(speech.text, speech.taught[1])
            self._voice.told += 1
        elif not speech.interrupted and not speech.torn:
            self._voice.untold += 1
        if told_before != self._voice.tells_ends:  # what was heard of the replies before looks different now
            self._changed.update(speech.number for speech in self._speeches.values())

    def measured(self, stretch: int, position_ms: int, source: HeardSource) -> None:
        """A better measure of what was heard of a stretch that is over."""
        speech = self._present(stretch)
        if speech is not None:
            speech.position_ms, speech.source = speech.offset_ms + position_ms, source
            self._touch(speech)

    def replayed(self, stretch: int, of_stretch: int, from_ms: int) -> None:
        """What was left of `of_stretch` from `from_ms` on is played as `stretch`: the same turn goes on."""
        speech = self._speeches.get(of_stretch) or self._begin(stretch)
        speech.stretch = stretch
        speech.offset_ms += from_ms
        speech.finished = speech.interrupted = False
        self._unlearn(speech)
        speech.cut_ms = 0
        self._speeches[stretch] = self._speech = speech
        self._touch(speech)

    def _unlearn(self, speech: _Speech) -> None:
        """It was not over."""
        self._voice = self._voice.without(*speech.taught)
        speech.taught = 0, 0

    def _never_played(self, speech: _Speech) -> None:
        """A text whose audio does not come any more."""
        speech.interrupted, self._speech = True, None
        self._touch(speech)

    def _present(self, stretch: int) -> _Speech | None:
        """The turn whose present stretch this is; what is said of an older one of the same turn comes too late."""
        speech = self._speeches.get(stretch)
        return speech if speech is not None and speech.stretch == stretch else None

    def _belongs(self, stretch: int, now_ms: int) -> _Speech:
        """The turn of a stretch from which audio came while something else was the present turn."""
        speech, present = self._speeches.get(stretch), self._speech
        if speech is None and present is not None and present.stretch is None:
            speech = present
            speech.stretch = stretch
            self._speeches[stretch] = speech
        elif speech is None and present is not None and self._stalls(present, now_ms):
            speech = present
            self.replayed(stretch, present.stretch or 0, present.received_bytes // BYTES_PER_MS - present.offset_ms)
        elif speech is None:
            speech = self._begin(stretch)
            if present is not None and now_ms - present.last_text_ms <= TEXT_AHEAD_MS:
                self._move_unspoken(present, speech)
        self._speech = speech
        return speech

    def _stalls(self, speech: _Speech, now_ms: int) -> bool:
        """The voice fell silent in mid-reply, so that the caller has heard all there was: what comes goes on with
        it."""
        if not speech.finished or speech.interrupted or speech.torn:
            return False
        if speech.sure_texts is not None:
            return self._is_doubtful(speech, now_ms)
        return now_ms - speech.last_audio_ms < STALL_MS and speech.lacks_audio(self._voice)

    def _is_doubtful(self, speech: _Speech, now_ms: int) -> bool:
        """Whether more may follow what was just said to be all. A voice in real time sends the next frame when the last
        one is over."""
        lately = now_ms - speech.sure_ms < MORE_MS + speech.last_frame_ms
        all_told = len(speech.texts) == speech.sure_texts  # else a sentence came, ahead of its audio
        return lately and all_told and speech.is_short(self._voice.without(*speech.taught), NEARLY)

    def _move_unspoken(self, before: _Speech, speech: _Speech) -> None:
        """Sentences after the last audio of the stretch before came ahead of their own audio, which is this one."""
        if before.sure_texts is not None and before.texts[before.sure_texts :]:
            speech.texts = before.texts[before.sure_texts :]
            del before.texts[before.sure_texts :]
            self._touch(before)
            self._touch(speech)

    def _begin(self, stretch: int | None) -> _Speech:
        speech = _Speech(self._next, stretch)
        self._next += 1
        self._speech = self._all[speech.number] = speech
        if stretch is not None:
            self._speeches[stretch] = speech
        return speech

    def _touch(self, speech: _Speech) -> None:
        self._changed.add(speech.number)

    def _turn(self, number: int) -> Turn:
        turn = self._all[number]
        return turn.turn(self._voice) if isinstance(turn, _Speech) else turn
