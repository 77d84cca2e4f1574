"""How awkward the stand-in is. One switch for every behaviour that was seen on the live service or that the
documentation leaves open; the default of each is the one that is hardest on a client.

Where a default only guesses what the service does, the comment says "unconfirmed".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

Moment = Literal["open", "settings", "speech", "function", "turn", "clock"]
Blow = Literal["error", "warning", "drop", "unknown"]


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that goes wrong at a given moment of the session.

    `moment`: before Welcome, before SettingsApplied, in the middle of the `nth` agent speech, after the `nth`
    function request was sent, after the `nth` user text, or `at_ms` after the session opened (`clock`).
    """

    moment: Moment
    blow: Blow = "error"
    code: str = "INTERNAL_SERVER_ERROR"
    nth: int = 1
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Manners:
    """All times are ms. `time_scale` divides the limits (time-outs, session length), never speech or thinking."""

    time_scale: float = 1.0

    # --- handshake
    settings_timeout_ms: int = 10_000
    applied_after_ms: int = 110
    # A greeting's text was seen 100 ms before SettingsApplied; its audio was seen before its text.
    greeting_order: Literal["text-applied-audio", "applied-audio-text", "applied-text-audio"] = "text-applied-audio"
    early_audio: Literal["refused", "ignored"] = "refused"  # audio before Settings: unconfirmed
    second_settings_closes: bool = True
    # Documented is INVALID_AGENT_ID, seen was INTERNAL_SERVER_ERROR.
    unknown_agent_code: str = "INTERNAL_SERVER_ERROR"
    knows_agent_ids: bool = True  # False: a self-hosted service without authentication
    knows_defer: bool = True  # False: a service from before defer_until_eot
    refuses_agent_language: bool = True  # with Flux listen and Aura speak; seen once, contradicted once

    # --- the end
    close_code: int | None = 1005  # 1000, 1005 (no status), or None: the TCP connection drops
    close_after_ms: int = 5
    idle_ms: int = 10_000
    keepalive_counts: bool = True
    empty_frame_ends: bool = True  # an empty binary frame ends the session: unconfirmed
    session_ms: int = 7_200_000
    session_warning_ms: int = 6_900_000

    # --- agent audio
    pace: float = 8.0  # times real time
    chunk_bytes: tuple[int, ...] = (960, 4096, 1, 4801, 1600, 333)  # in turn; 70_000 makes a frame above 64 KiB
    stall_after_ms: int = 0  # of audio sent, within each piece of speech
    stall_ms: int = 0
    audio_done: Literal["once", "twice", "early", "missing"] = "twice"
    audio_done_gap_ms: int = 120  # of the second burst after the first AgentAudioDone
    text_after_audio: bool = True
    text_per_sentence: bool = True
    between_sentences_ms: int = 250
    late_frames: int = 3
    late_text: bool = True
    interrupted_done: Literal["missing", "at_once", "after_late"] = "missing"

    # --- turns
    think_ms: int = 600
    call_ms: int = 150  # from the end of a turn to a function call that nothing is said before
    speak_ms: int = 100
    after_answer_ms: int = 300
    inject_ms: int = 600
    speculation_ms: int = 250  # from the probable end of a turn to its confirmation
    agent_thinking: bool = False
    merged_latency: bool = False
    stt_floods: bool = True
    # "seen": AgentAudioDone without audio after a function's answer, nothing at all after a caller's turn.
    empty_reply: Literal["seen", "done", "nothing"] = "seen"
    mute_turns: tuple[int, ...] = ()  # 1 is the first turn of the caller; no audio ever follows
    strange_messages: bool = True

    # --- functions
    echo_answers: bool = True
    request_amid_speech: bool = False  # the request overtakes the second half of the sentence before it
    hosted_ms: int = 200
    hosted_answer_has_id: bool = False
    injection_tells_cancelled: bool = False
    injection_starts_speaking: bool = True
    drops_line_after_answer: bool = True  # a line injected before the reply to an answer gets none (half of the runs)

    # --- injections and updates
    refusal: Literal["message", "bare", "warning", "both"] = "bare"
    think_updated: bool = False  # the documented acknowledgement did not come in a live test

    # --- failures: one number for each think or speak request, how many providers fail before one succeeds
    think_failures: tuple[int, ...] = ()
    speak_failures: tuple[int, ...] = ()
    incidents: tuple[Incident, ...] = ()

    def scaled(self, limit_ms: int) -> int:
        """A limit on this stand-in's clock."""
        return max(1, round(limit_ms / self.time_scale))


PESSIMISTIC: Final = Manners()

TEXTBOOK: Final = Manners(
    greeting_order="applied-text-audio",
    unknown_agent_code="INVALID_AGENT_ID",
    refuses_agent_language=False,
    close_code=1000,
    empty_frame_ends=False,
    chunk_bytes=(1600,),
    audio_done="once",
    text_after_audio=False,
    text_per_sentence=False,
    late_frames=0,
    late_text=False,
    interrupted_done="at_once",
    speculation_ms=0,
    agent_thinking=True,
    merged_latency=True,
    stt_floods=False,
    empty_reply="done",
    strange_messages=False,
    echo_answers=False,
    hosted_answer_has_id=True,
    injection_tells_cancelled=True,
    injection_starts_speaking=False,
    drops_line_after_answer=False,
    refusal="message",
    think_updated=True,
)
"""As the documentation reads, and nothing else."""

REAL_TIME: Final = replace(PESSIMISTIC, pace=1.0)
"""Audio comes no faster than it plays, so that every interruption meets a speech that is still being sent."""

DRIBBLE: Final = replace(PESSIMISTIC, stall_after_ms=900, stall_ms=1500, audio_done="early")
"""The voice stalls in the middle of a sentence, after saying that it was done."""

GIANT: Final = replace(PESSIMISTIC, chunk_bytes=(70_000,), pace=50.0, text_after_audio=False, audio_done="missing")
"""Whole sentences in one frame, and nothing that says that they are over."""

PRESETS: Final[dict[str, Manners]] = {
    "pessimistic": PESSIMISTIC,
    "textbook": TEXTBOOK,
    "real-time": REAL_TIME,
    "dribble": DRIBBLE,
    "giant": GIANT,
}
