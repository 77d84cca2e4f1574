"""Latencies and barge-ins: what the record says happened, timed on the recording. All times are epoch ms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from contract.actions import Play
from contract.turns import Role, Turn
from simulator.phone.facts import Facts

SIP = "sip"  # the agent is on the line itself: there are no prompts to look at
PACKETS_MS = 600  # packets that are under way, and the next reply comes later
NEAR_MS = 1500  # the record's time of a moment and the moment itself are no farther apart


@dataclass(frozen=True, slots=True)
class Answered:
    """A caller's turn that the agent answered. `received_ms`: the gateway had the first of the agent's audio."""

    caller: Turn
    agent: Turn
    stopped_ms: int
    received_ms: int
    heard_ms: int


@dataclass(frozen=True, slots=True)
class BargeIn:
    """The caller spoke into the agent's words; `silent_ms` is the last of them that the caller heard.

    `noticed_ms`: UserStartedSpeaking; `told_ms`: the flow learned that there is nothing more to play. 0: never.
    """

    turn: Turn
    onset_ms: int
    noticed_ms: int
    told_ms: int
    silent_ms: int


def answered(facts: Facts, now_ms: int | None = None) -> Iterator[Answered]:
    """Each caller turn with the first agent turn after it that was heard; `now_ms` while the call goes on."""
    caller: Turn | None = None
    for turn in facts.turns:
        if turn.role is Role.CALLER:
            caller = turn
        elif caller is not None and turn.marks.get("heard_by_caller"):
            if began := began_ms(facts, turn, now_ms):
                received = turn.marks.get("agent_audio_received", 0)
                yield Answered(caller, turn, _stopped(facts, caller), received, began)
            caller = None


def barge_ins(facts: Facts) -> Iterator[BargeIn]:
    """Caller turns that began into the agent's words."""
    for turn in facts.turns:
        estimated = turn.marks.get("barge_in", 0)
        if turn.role is not Role.CALLER or not estimated:
            continue
        onset = _onset(facts, estimated)
        noticed = turn.marks.get("user_started_speaking", 0)
        told = 0 if facts.form == SIP else _told(facts, noticed)
        yield BargeIn(turn, onset, noticed, told, _silent(facts, onset, noticed))


def _told(facts: Facts, noticed_ms: int) -> int:
    return next((e.at_ms for e in facts.flow if e.kind == "lambda_returned" and e.at_ms >= noticed_ms), 0)


def first_word_ms(facts: Facts) -> int:
    """When the caller heard the first sound; 0 for never."""
    return facts.heard.first_sound_ms(facts.started_ms) or 0


def began_ms(facts: Facts, turn: Turn, now_ms: int | None = None) -> int:
    """The first sample of an agent turn's first prompt; 0 as long as nobody knows.

    The record estimates it. With `now_ms` the call goes on, and the prompt may be about to begin.
    """
    estimated = turn.marks.get("heard_by_caller", turn.started_at_ms)
    if estimated and facts.form == SIP:
        return facts.heard.first_sound_ms(estimated, estimated + NEAR_MS) or estimated
    speech = [prompt for prompt in facts.played if prompt.speech]
    prompt = min(speech, key=lambda one: abs(one.started_ms - estimated), default=None)
    if estimated and prompt is not None and abs(prompt.started_ms - estimated) <= NEAR_MS:
        sound = facts.heard.first_sound_ms(prompt.started_ms, prompt.ended_ms)
        if sound is not None:
            return sound
    return 0 if now_ms is not None and now_ms - estimated < NEAR_MS else estimated


def understood_ms(facts: Facts, turn: Turn, now_ms: int) -> int:
    """When a caller's turn, which is in the record since about now, was understood: before what follows from it."""
    followed = (entry.entered_at_ms for entry in facts.functions if entry.entered_at_ms > turn.ended_at_ms)
    return min(now_ms, *followed, now_ms)


def _onset(facts: Facts, estimated_ms: int) -> int:
    """The first sample of what the caller said about then."""
    spoken = min(facts.spoken, key=lambda one: abs(one[1] - estimated_ms), default=None)
    if spoken is None or abs(spoken[1] - estimated_ms) > NEAR_MS:
        return estimated_ms
    return facts.said.first_sound_ms(spoken[1], spoken[2]) or estimated_ms


def _stopped(facts: Facts, turn: Turn) -> int:
    """The last sample of what the caller said."""
    spoken = min(facts.spoken, key=lambda one: abs(one[2] - turn.ended_at_ms), default=None)
    if spoken is None or abs(spoken[2] - turn.ended_at_ms) > NEAR_MS:
        return turn.ended_at_ms
    return facts.said.last_sound_ms(spoken[1], spoken[2]) or turn.ended_at_ms


def _silent(facts: Facts, onset_ms: int, noticed_ms: int) -> int:
    """The last sound of the prompts that there were when the caller was noticed; the onset itself without any."""
    if facts.form == SIP:
        return facts.heard.last_sound_ms(onset_ms, noticed_ms + PACKETS_MS) or onset_ms
    ready = {n.action.prompt_url: n.appended_at_ms for n in facts.actions if isinstance(n.action, Play)}
    ends = [
        min(prompt.ended_ms, last)
        for prompt in facts.played
        if prompt.speech and prompt.ended_ms > onset_ms and ready.get(prompt.uri, 0) <= noticed_ms
        if (last := facts.heard.last_sound_ms(max(prompt.started_ms, onset_ms), prompt.ended_ms)) is not None
    ]
    return max(ends, default=onset_ms)
