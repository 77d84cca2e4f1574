"""The transcript: who said what, when, and how much of it was heard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from contract.audio import BYTES_PER_MS
from contract.turns import HeardSource, Role, Turn
from gateway.conversation.ending import LONGEST_MS
from gateway.conversation.spoken import TORN, Speech, Voice
from gateway.legs.leg import PlaybackFinished
from gateway.telemetry.bounds import Bound, reached

OPENING_STRETCH = 0
TEXT_AHEAD_MS = 1000  # a sentence may come so long before its own audio
MOST_TURNS = 2000  # of one call; half an hour of talk has some two hundred
TEXT_CHARACTERS = 16_384  # of one turn; the record keeps as many bytes
REPLY_GAP_MS = 1500  # audio comes in bursts; after so long without any the reply is complete, whatever was announced
STALL_MS = 8000  # a voice that has stopped in mid-reply for so long does not go on with it
MORE_MS = 300  # audio may follow an AgentAudioDone, so soon (observed live)
CUT_AHEAD_MS = 1000  # an AgentAudioDone may come so long before the UserStartedSpeaking that is its reason
NEARLY = 0.9  # of that time: less, where the session breaks right after an AgentAudioDone, is more likely not all of it


def _bounded(text: str, before: int) -> str:
    """As much of `text` as a turn has room for after so many characters."""
    room = max(0, TEXT_CHARACTERS - before)
    if len(text) > room:
        reached(Bound.TURN_TEXT)
    return text[:room]


class Turns:
    """Numbers turns from 1 and remembers what changed until `changed` is asked.

    `earlier`: the turns of this contact before this gateway had the call; numbers go on after them.
    """

    def __init__(self, first_number: int = 1, earlier: Iterable[Turn] = ()) -> None:
        self._all: dict[int, Turn | Speech] = {turn.number: turn for turn in earlier}
        self._next = max([first_number, *(number + 1 for number in self._all)])
        self._speeches: dict[int, list[Speech]] = {}  # by stretch: mostly one, more where a reply follows a torn one
        self._speech: Speech | None = None  # what the agent says now
        self._changed: set[int] = set()
        self._voice = Voice()
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
        if isinstance(last, Speech):
            turns[-1] = last.remembered(self._voice)
        elif last is not None and TORN in last.marks:
            turns[-1] = replace(last, heard_text="")
        return turns

    @property
    def torn(self) -> bool:
        """The agent's last reply was torn and is still on its way to the caller."""
        last = self._all[max(self._all)] if self._all else None
        return isinstance(last, Speech) and last.torn and not last.finished

    @property
    def last_caller_ms(self) -> int:
        """When the caller's last turn was over; 0 before their first."""
        return max((turn.ended_at_ms for turn in self.all() if turn.role is Role.CALLER), default=0)

    def heard_out(self, since_ms: int) -> bool:
        """Whether the last that the agent said came later than `since_ms`, was all there, and was heard to its end."""
        last = self._last_of_agent()
        if isinstance(last, Speech):
            return 0 < last.last_audio_ms >= since_ms and last.heard_out(self._voice)
        whole = last is not None and last.heard_text == last.text and not last.interrupted
        return last is not None and whole and 0 < last.ended_at_ms >= since_ms

    def is_all_there(self, since_ms: int) -> bool:
        """Whether that came later than `since_ms` and is all there, no more than last words may be, wherever the
        caller is in it."""
        last = self._last_of_agent()
        if not isinstance(last, Speech) or last.last_audio_ms < since_ms:
            return False
        return last.is_all(self._voice) and last.received_bytes <= LONGEST_MS * BYTES_PER_MS

    def _last_of_agent(self) -> Turn | Speech | None:
        said = (self._all[number] for number in sorted(self._all, reverse=True))
        return next((each for each in said if isinstance(each, Speech) or each.role is Role.VOICE_AGENT), None)

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
        self.left_behind()

    def agent_said(self, text: str, now_ms: int, *, goes_on: bool = False) -> None:
        """A sentence of the agent, before, with or after its audio; one that `goes_on` is of the reply before it."""
        speech = self._speech
        if speech is None or (speech.finished and not goes_on and not self._stalls(speech, now_ms)):
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
            return
        speech.over, self._speech = True, None
        if self._is_torn(speech, now_ms):
            speech.torn, speech.sure_texts = True, None
            self._unlearn(speech)
            self._touch(speech)

    def _is_torn(self, speech: Speech, now_ms: int) -> bool:
        """Whether more audio of it was still to come."""
        told_whole = speech.is_told_whole(self._voice)
        if told_whole and speech.is_short(self._voice.without(*speech.taught)):
            return not (speech.interrupted or speech.stopped)  # however long ago: a line may have been dead for a while
        if speech.finished:
            return self._stalls(speech, now_ms)
        if told_whole:
            return self._is_doubtful(speech, now_ms)
        return speech.lacks_audio(self._voice) or now_ms - speech.last_audio_ms < REPLY_GAP_MS

    def cut(self, now_ms: int) -> None:
        """The caller began to speak: the flow is told to leave what the agent says. What was said to be all of it a
        moment before may be what the voice agent had sent when it heard them."""
        speech = self._speech or self._under_way()
        if speech is None:
            return
        speech.cut_ms = now_ms
        if now_ms - speech.sure_ms <= CUT_AHEAD_MS and speech.is_short(self._voice):
            speech.sure_texts = None

    def _under_way(self) -> Speech | None:
        """What the caller still hears of a session that is lost."""
        last = self._last_of_agent()
        return last if isinstance(last, Speech) and last.over and not last.finished else None

    def agent_audio_dropped(self, length: int) -> None:
        """Audio of a cancelled reply that nobody hears; it still counts for the share that was heard."""
        if self._speech is not None:
            self._speech.received_bytes += length
            self._touch(self._speech)

    # -- what is heard ---------------------------------------------------------------------------------------

    def playback_started(self, stretch: int, at_ms: int) -> None:
        for speech in self._parts(stretch):
            speech.started(at_ms + speech.before_ms)
            self._touch(speech)

    def playback_finished(self, stretch: int, position_ms: int, *, interrupted: bool, at_ms: int) -> None:
        parts = self._parts(stretch)
        for speech in parts:
            ahead_ms = 0 if speech is parts[-1] else max(0, position_ms - speech.until_ms)  # heard of those after it
            speech.ended_ms = at_ms - ahead_ms
            speech.reached(position_ms - ahead_ms)
            speech.interrupted = interrupted and not ahead_ms
            speech.finished = True
            if stretch != OPENING_STRETCH:
                self._learn(speech)
            self._touch(speech)

    def handed_on(self, end: PlaybackFinished | None) -> None:
        """Another gateway goes on: `end` is how what is said now ends for the caller; what of it they will not hear is
        torn away."""
        last = self._last_of_agent()
        under_way = isinstance(last, Speech) and not last.finished
        if end is not None:
            self.playback_finished(end.stretch, end.position_ms, interrupted=end.interrupted, at_ms=end.at_ms)
        if isinstance(last, Speech) and under_way and last.lacks_hearing and not last.interrupted:
            last.torn = True
            self._touch(last)

    def _learn(self, speech: Speech) -> None:
        """How the voice speaks, from a reply that is over."""
        told_before = self._voice.tells_ends
        if speech.is_told_whole(self._voice):
            speech.taught = len(speech.text), speech.received_bytes // BYTES_PER_MS
            self._voice.heard(speech.text, speech.taught[1])
            self._voice.told += 1
        elif speech.sure_texts is None and not (speech.interrupted or speech.torn or speech.stopped):
            self._voice.untold += 1
            speech.untold = True
        if told_before != self._voice.tells_ends:  # what was heard of the replies before looks different now
            self._changed.update(speech.number for parts in self._speeches.values() for speech in parts)

    def measured(self, stretch: int, position_ms: int, source: HeardSource) -> None:
        """A better measure of what was heard of a stretch that is over. What was heard beyond its end came after it."""
        parts = self._parts(stretch)
        for speech in parts:
            before_ms = speech.position_ms
            speech.reached(position_ms if speech is parts[-1] else min(position_ms, speech.until_ms))
            if speech.ended_ms:
                speech.ended_ms += max(0, speech.position_ms - before_ms)
            speech.source = source
            self._touch(speech)

    def replayed(self, stretch: int, of_stretch: int, from_ms: int) -> None:
        """What was left of `of_stretch` from `from_ms` on is played as `stretch`: the same turns go on."""
        parts = self._parts(of_stretch)
        left = [each for each in parts if each.until_ms > from_ms] or parts[-1:] or [self._begin(stretch)]
        for speech in left:
            speech.stretch = stretch
            speech.offset_ms += max(0, from_ms - speech.before_ms)
            speech.before_ms = max(0, speech.before_ms - from_ms)
            speech.finished = speech.interrupted = False
            self._unlearn(speech)
            speech.stopped = speech.stopped or (bool(speech.cut_ms) and speech.sure_texts is None)
            speech.cut_ms = 0
            self._touch(speech)
        self._speeches[stretch], self._speech = left, left[-1]

    def _unlearn(self, speech: Speech) -> None:
        """It was not over."""
        self._voice = self._voice.without(*speech.taught)
        self._voice.untold -= speech.untold
        speech.taught, speech.untold = (0, 0), False

    def left_behind(self) -> None:
        """The caller comes back from where they heard nothing of the agent: what it says now is a turn of its own."""
        if self._speech is not None and self._speech.stretch is None:
            self._never_played(self._speech)
        self._speech = None

    def _never_played(self, speech: Speech) -> None:
        """A text whose audio does not come any more."""
        speech.interrupted, self._speech = True, None
        self._touch(speech)

    def _parts(self, stretch: int) -> list[Speech]:
        """The turns whose present stretch this is, in their order; what is said of an older one of the same turn comes
        too late."""
        return [speech for speech in self._speeches.get(stretch, ()) if speech.stretch == stretch]

    def _belongs(self, stretch: int, now_ms: int) -> Speech:
        """The turn of a stretch from which audio came while something else was the present turn."""
        before, present = self._speeches.get(stretch, []), self._speech
        speech = before[-1] if before and not before[-1].over else None
        if speech is None and present is not None and present.stretch is None:
            speech = self._join(present, stretch, now_ms)
        elif speech is None and present is not None and self._stalls(present, now_ms):
            speech = present
            self.replayed(stretch, present.stretch or 0, present.until_ms)
        elif speech is None:
            speech = self._join(self._begin(None), stretch, now_ms)
            if present is not None and now_ms - present.last_text_ms <= TEXT_AHEAD_MS:
                self._move_unspoken(present, speech)
        self._speech = speech
        return speech

    def _join(self, speech: Speech, stretch: int, now_ms: int) -> Speech:
        """Its audio is part of this stretch from here on, behind that of others."""
        parts = self._speeches.setdefault(stretch, [])
        speech.stretch = stretch
        if parts:
            speech.before_ms = parts[-1].until_ms
            if parts[0].started_ms:
                speech.started(max(now_ms, parts[0].started_ms + speech.before_ms))
        parts.append(speech)
        return speech

    def _stalls(self, speech: Speech, now_ms: int) -> bool:
        """The voice fell silent in mid-reply, so that the caller has heard all there was: what comes goes on with
        it."""
        if not speech.finished or speech.interrupted or speech.torn or speech.stopped:
            return False
        if speech.is_told_whole(self._voice):
            return self._is_doubtful(speech, now_ms)
        return now_ms - speech.last_audio_ms < STALL_MS and speech.lacks_audio(self._voice)

    def _is_doubtful(self, speech: Speech, now_ms: int) -> bool:
        """Whether more may follow what was just said to be all. A voice in real time sends the next frame when the last
        one is over."""
        lately = now_ms - speech.sure_ms < MORE_MS + speech.last_frame_ms
        all_told = len(speech.texts) == speech.sure_texts  # else a sentence came, ahead of its audio
        return lately and all_told and speech.is_short(self._voice.without(*speech.taught), NEARLY)

    def _move_unspoken(self, before: Speech, speech: Speech) -> None:
        """Sentences after the last audio of the stretch before came ahead of their own audio, which is this one."""
        if before.sure_texts is not None and before.texts[before.sure_texts :]:
            speech.texts = before.texts[before.sure_texts :]
            del before.texts[before.sure_texts :]
            self._touch(before)
            self._touch(speech)

    def _begin(self, stretch: int | None) -> Speech:
        speech = Speech(self._next, stretch)
        self._next += 1
        self._speech = self._all[speech.number] = speech
        if stretch is not None:
            self._speeches[stretch] = [speech]
        return speech

    def _touch(self, speech: Speech) -> None:
        self._changed.add(speech.number)

    def _turn(self, number: int) -> Turn:
        turn = self._all[number]
        return turn.turn(self._voice) if isinstance(turn, Speech) else turn
