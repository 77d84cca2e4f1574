"""One agent turn while it grows, the pace of the voice that speaks it, and how much of its text was heard."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from contract.audio import BYTES_PER_MS
from contract.turns import HeardSource, Role, Turn

CHARACTER_MS = 65  # about 150 words a minute, until the voice is known better
UNHEARD_MS = 100  # less than a sound of a word: so much may be missing at the end of what was heard whole
TORN = "torn"  # a mark of a turn of which more was to come, and never did: the next session has to say it again
HALF = 0.5
ENOUGH = 0.7  # of the time that a text takes at the voice's pace: less audio cannot be all of it
IMPOSSIBLE = 0.3  # of that time: nobody speaks so fast, whoever said that this was all


def heard_share(text: str, position_ms: int, total_ms: int) -> str:
    """The part of `text` that was heard, by the share of its audio, cut after a whole word; all of it where less is
    missing than a sound of its last one."""
    if total_ms <= 0 or position_ms <= 0:
        return ""
    if position_ms + UNHEARD_MS >= total_ms:
        return text
    end = len(text) * position_ms // total_ms
    while end and not text[end].isspace():
        end -= 1
    return text[:end].rstrip()


@dataclass(slots=True)
class Voice:
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

    def without(self, characters: int, ms: int) -> Voice:
        """As it was known before a reply of so many characters and ms was taken for whole."""
        return Voice(self.characters - characters, self.ms - ms, self.told - bool(characters), self.untold)

    @property
    def character_ms(self) -> float:
        return self.ms / self.characters if self.characters else CHARACTER_MS

    @property
    def tells_ends(self) -> bool:
        """An AgentAudioDone follows every reply, as is documented; until two replies more went without than with."""
        return self.untold <= self.told + 1


@dataclass(slots=True)
class Speech:
    """An agent turn that grows: one stretch of audio and the sentences that came with it.

    `offset_ms`: where in this turn the stretch begins, above 0 for one that goes on after a cough. `before_ms`: how
    much of the stretch is another turn's, which it follows without a pause. `sure_texts`:
    how many sentences there were when the agent said that all audio so far was sent, at `sure_ms`, None while audio
    comes. `last_frame_ms`: how much audio came last. `torn`: its session was lost while its audio came. `over`: its
    session is lost, nothing more comes of it. `cut_ms`: when the caller spoke into it, 0 before. `stopped`: the voice
    agent sent no more of it because of what was a cough.
    """

    number: int
    stretch: int | None
    texts: list[str] = field(default_factory=list)
    received_bytes: int = 0
    started_ms: int = 0
    ended_ms: int = 0
    offset_ms: int = 0
    before_ms: int = 0
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
    untold: bool = False  # it was counted as a reply whose end nobody told
    torn: bool = False
    over: bool = False
    cut_ms: int = 0
    stopped: bool = False
    marks: dict[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    @property
    def until_ms(self) -> int:
        """Where in its stretch the audio of this turn ends, as far as it has come."""
        return self.before_ms + self.received_bytes // BYTES_PER_MS - self.offset_ms

    def started(self, at_ms: int) -> None:
        """The caller hears its first sample."""
        if not self.started_ms:
            self.started_ms = self.marks["heard_by_caller"] = at_ms

    def reached(self, position_ms: int) -> None:
        """Its stretch is over, or measured: so much of it was heard."""
        self.position_ms = self.offset_ms + max(0, position_ms - self.before_ms)
        if not self.position_ms and self.before_ms:
            self.started_ms = self.ended_ms = 0
            self.marks.pop("heard_by_caller", None)

    def remembered(self, voice: Voice) -> Turn:
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

    def is_short(self, voice: Voice, share: float = ENOUGH) -> bool:
        """What came is too short for the text."""
        expected_ms = len(self.text) * voice.character_ms
        return self.received_bytes < share * expected_ms * BYTES_PER_MS

    def is_told_whole(self, voice: Voice) -> bool:
        """The voice agent said that what came was all, and that may be true."""
        return self.sure_texts is not None and not self.is_short(voice.without(*self.taught), IMPOSSIBLE)

    def lacks_audio(self, voice: Voice) -> bool:
        """Nobody said that what came was all, though this voice agent does so, or it is too short for the text."""
        return not self.is_told_whole(voice) and (voice.tells_ends or self.is_short(voice))

    def is_all(self, voice: Voice) -> bool:
        """Nothing suggests that more was to come: of a voice that tells the end of its replies, that it did not; of any
        other, that half of it is missing, since a short text may be spoken much faster than usual; a third where no
        reply was ever heard to its end."""
        if self.torn or self.sure_texts is not None:
            return not self.torn
        tells_ends = voice.told >= max(1, voice.untold)  # this one may be among the untold
        known = voice.untold > self.untold
        return not tells_ends and not self.is_short(voice, HALF if known else ENOUGH)

    def heard_out(self, voice: Voice) -> bool:
        """All of it came, and was heard to its end."""
        return self.finished and self.is_all(voice) and not self.lacks_hearing

    @property
    def lacks_hearing(self) -> bool:
        """More of it came than was heard."""
        return self.position_ms + UNHEARD_MS < self.received_bytes // BYTES_PER_MS

    def turn(self, voice: Voice) -> Turn:
        text = self.text
        total_ms = self.received_bytes // BYTES_PER_MS
        lacks_audio = self.lacks_audio(voice)
        if (self.interrupted or self.torn or lacks_audio) and not self.is_told_whole(voice):
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
            interrupted=self.interrupted or self.torn or (self.stopped and lacks_audio),
            marks=self.marks | ({TORN: max(self.ended_ms, self.last_audio_ms, self.last_text_ms)} if self.torn else {}),
        )
