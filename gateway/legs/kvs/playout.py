"""The playout clock: what the caller has heard of a stretch of agent speech. A core without I/O.

Connect tells nobody when a prompt starts or ends. What is known is when `next_action` offered a clip to the
flow and how long a prompt takes to be heard after that; everything here is an estimate from those two, until
the AUDIO_TO_CUSTOMER track says better.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from contract.actions import Outcome
from contract.audio import BYTES_PER_MS
from contract.call import Head
from gateway.legs.kvs.clips import Clip


class Ending(StrEnum):
    """How the present stretch ends."""

    OPEN = "open"  # more audio may come
    COMPLETE = "complete"  # all of it was appended
    CUT = "cut"  # barge-in


@dataclass(slots=True)
class Planned:
    """A clip that was appended to the log. Times are epoch ms, None where it has not happened."""

    seq: int
    clip: Clip
    offered_ms: int | None = None
    started_ms: int | None = None
    ended_ms: int | None = None
    outcome: Outcome = Outcome.NONE
    known: bool = False  # the start is better known than by the offer

    @property
    def silent(self) -> bool:
        """Nothing of it was heard, nor will be."""
        return self.outcome in (Outcome.FAILED, Outcome.CANCELLED)

    def heard(self, now_ms: int) -> int | None:
        """Bytes of the stretch up to which it was heard at `now_ms`; None before its first sample."""
        if self.outcome is Outcome.COMPLETED:
            return self.clip.end
        if self.silent or self.started_ms is None or self.ended_ms is None or now_ms <= self.started_ms:
            return None
        played = min(now_ms, self.ended_ms) - self.started_ms
        whole = played >= self.clip.duration_ms
        return self.clip.end if whole else self.clip.start + played * BYTES_PER_MS

    def over(self, outcome: Outcome, now_ms: int) -> None:
        """The flow's word beats the estimate: a prompt that is over cannot end later."""
        self.outcome = outcome
        self.ended_ms = now_ms if self.ended_ms is None else min(self.ended_ms, now_ms)
        begun_ms = max(self.offered_ms or 0, self.ended_ms - self.clip.duration_ms)
        self.started_ms = begun_ms if self.started_ms is None else min(self.started_ms, begun_ms)


@dataclass(frozen=True, slots=True)
class Started:
    """The first sample of the stretch was heard at `at_ms`."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The stretch is over: `position_ms` of it were heard."""

    position_ms: int
    interrupted: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The flow said that a clip did not play. The stretch stays open for another attempt, until `complete`."""

    seq: int
    clip: Clip


PlayoutEvent = Started | Finished | Failed


@dataclass(slots=True)
class Playout:
    """One stretch after the other.

    `cuts_prompts`: the flow leaves a prompt that plays, because it asks again in the moment before it plays it
    (interruptible flow); what it was offered and has not taken does not play. An interruptible flow that had to go
    on as the polling one is recognised by what it says. `reaction_ms` is how long the caller still hears a clip
    after it was withdrawn.
    """

    cuts_prompts: bool
    start_delay_ms: int = 400
    reaction_ms: int = 150
    clips: list[Planned] = field(default_factory=list)
    asks_ahead: bool = field(init=False)  # as long as nothing fails
    _ending: Ending = Ending.OPEN
    _started: bool = False
    _cut_ms: int = 0
    _left: Planned | None = None  # the clip that the caller still heard when the stretch was cut

    def __post_init__(self) -> None:
        self.asks_ahead = self.cuts_prompts

    @property
    def open(self) -> bool:
        """Something of the present stretch was appended and has not been reported as finished."""
        return bool(self.clips)

    @property
    def cut(self) -> bool:
        """The stretch was interrupted and the caller still hears the rest of a clip."""
        return self._ending is Ending.CUT

    def appended(self, seq: int, clip: Clip, offered_ms: int | None = None) -> None:
        """A clip is in the log. The opening counts as sequence 0 that was offered by `start_call`."""
        planned = Planned(seq, clip)
        self.clips.append(planned)
        if offered_ms is not None:
            self._offer(planned, offered_ms)

    def complete(self) -> None:
        """All of the stretch has been appended."""
        if self._ending is Ending.OPEN:
            self._ending = Ending.COMPLETE

    def resume(self) -> None:
        """More of the stretch comes after all. Runs for every frame of agent audio."""
        if self._ending is Ending.COMPLETE:
            self._ending = Ending.OPEN

    # -- what is known of the flow ---------------------------------------------------------------------------

    def head(self, head: Head, now_ms: int) -> list[PlayoutEvent]:
        """Look at a newer head: what was offered, what became of it."""
        self.start_delay_ms = head.start_delay_ms
        events: list[PlayoutEvent] = []
        self._took(head)
        begun = head.loaded if self.cuts_prompts else max(head.offered, head.loaded)
        for planned in self.clips:
            if planned.offered_ms is None and planned.seq <= begun:
                self._offer(planned, head.offered_at_ms if planned.seq == head.offered else now_ms)
            outcome = _outcome(planned, head)
            if planned.outcome is Outcome.NONE and outcome is not Outcome.NONE:
                planned.over(outcome, now_ms)
                if outcome is Outcome.FAILED and self._ending is not Ending.CUT:
                    self.resume()
                    events.append(Failed(planned.seq, planned.clip))
        return events + self.due(now_ms)

    def began(self, seq: int, at_ms: int) -> None:
        """The clip was found in what Connect plays to the caller: no estimate is needed any more."""
        for planned in self.clips:
            if planned.seq == seq and planned.outcome is Outcome.NONE:
                planned.known = True
                planned.started_ms = at_ms
                planned.ended_ms = at_ms + planned.clip.duration_ms

    def _took(self, head: Head) -> None:
        """A flow that asks ahead says that it took a clip in the moment before it plays it; one that polls, when
        the clip is over."""
        for planned in self.clips:
            if planned.seq != head.loaded or planned.outcome is not Outcome.NONE or not head.loaded_at_ms:
                continue
            if head.ended is not Outcome.NONE:
                self.cuts_prompts = self.cuts_prompts and planned.known
            elif self.asks_ahead and not planned.known:
                self.cuts_prompts = planned.known = True
                self._offer(planned, head.loaded_at_ms)

    def _offer(self, planned: Planned, offered_ms: int) -> None:
        previous = [other.ended_ms for other in self.clips if other.seq < planned.seq and other.ended_ms is not None]
        planned.offered_ms = offered_ms
        planned.started_ms = max([offered_ms + self.start_delay_ms, *previous])
        planned.ended_ms = planned.started_ms + planned.clip.duration_ms

    # -- barge-in --------------------------------------------------------------------------------------------

    def clear(self, now_ms: int) -> list[PlayoutEvent]:
        """Barge-in. A flow that cannot cut plays the clip to its end, and the stretch ends there."""
        if self.clips and self._ending is not Ending.CUT:
            self._ending, self._cut_ms = Ending.CUT, now_ms
            playing = [planned for planned in self.clips if _plays(planned, now_ms)]
            if self.cuts_prompts:
                self._left = playing[0] if playing else None
                for planned in playing:
                    _leave(planned, now_ms + self.reaction_ms)
            else:
                self._left = playing[-1] if playing else None
            for planned in self.clips:
                if planned.offered_ms is None:
                    planned.outcome = Outcome.CANCELLED
        return self.due(now_ms)

    def abandon(self, now_ms: int) -> list[PlayoutEvent]:
        """The caller is gone, and the present stretch with them."""
        if not self.clips:
            return []
        position_ms = self.position(now_ms) // BYTES_PER_MS
        self._reset()
        return [Finished(position_ms, interrupted=True, at_ms=now_ms)]

    def forecast(self, now_ms: int) -> Finished | None:
        """How the present stretch ends if nothing more is appended or withdrawn; None where there is none."""
        if not self.clips:
            return None
        if self.cut:
            over_ms = self._over_ms() or now_ms
            return Finished(self.position(over_ms) // BYTES_PER_MS, interrupted=True, at_ms=over_ms)
        heard = [planned for planned in self.clips if not planned.silent]
        waiting_ms = sum(planned.clip.duration_ms for planned in heard if planned.ended_ms is None)
        over_ms = max([now_ms, *(planned.ended_ms for planned in heard if planned.ended_ms is not None)]) + waiting_ms
        position = max((planned.clip.end for planned in heard), default=0)
        return Finished(position // BYTES_PER_MS, interrupted=False, at_ms=over_ms)

    # -- time ------------------------------------------------------------------------------------------------

    def needed_at_ms(self) -> int | None:
        """When the last clip in the log will have been heard; None while that cannot be told."""
        return self.clips[-1].ended_ms if self.clips else None

    def position(self, now_ms: int) -> int:
        """Bytes of the stretch that were heard at `now_ms`."""
        return max((heard for planned in self.clips if (heard := planned.heard(now_ms)) is not None), default=0)

    def next_due_ms(self) -> int | None:
        """When `due` has something to say without a newer head."""
        dues = [self._over_ms(), None if self._started else self._first_sample_ms()]
        return min((due for due in dues if due is not None), default=None)

    def due(self, now_ms: int) -> list[PlayoutEvent]:
        """What has happened by `now_ms`."""
        events: list[PlayoutEvent] = []
        first_ms, over_ms = self._first_sample_ms(), self._over_ms()
        if not self._started and first_ms is not None and first_ms <= now_ms:
            self._started = True
            events.append(Started(first_ms))
        if over_ms is not None and over_ms <= now_ms:
            position_ms = self.position(over_ms) // BYTES_PER_MS
            events.append(Finished(position_ms, interrupted=self._ending is Ending.CUT, at_ms=over_ms))
            self._reset()
        return events

    def _first_sample_ms(self) -> int | None:
        return next((planned.started_ms for planned in self.clips if not planned.silent), None)

    def _over_ms(self) -> int | None:
        """When the stretch is over, as far as that is known; None as long as it is open."""
        if self._ending is Ending.CUT:
            return self._left.ended_ms if self._left is not None else self._cut_ms
        if self._ending is Ending.COMPLETE and self.clips:
            return self.clips[-1].ended_ms
        return None

    def _reset(self) -> None:
        self.clips.clear()
        self._ending = Ending.OPEN
        self._started = False
        self._cut_ms = 0
        self._left = None


def _outcome(planned: Planned, head: Head) -> Outcome:
    """What the flow says of a clip: it never goes back to one that it has left."""
    if planned.seq < head.loaded:
        return Outcome.COMPLETED
    if planned.seq == head.loaded and head.ended in (Outcome.COMPLETED, Outcome.FAILED):
        return head.ended
    return Outcome.NONE


def _plays(planned: Planned, now_ms: int) -> bool:
    """Offered, and not over: it is heard, or will be in a moment whatever we do."""
    return planned.outcome is Outcome.NONE and planned.ended_ms is not None and now_ms < planned.ended_ms


def _leave(planned: Planned, at_ms: int) -> None:
    """The flow leaves a clip that plays, at its beginning if it has not begun by then."""
    assert planned.started_ms is not None
    assert planned.ended_ms is not None
    planned.outcome = Outcome.CUT
    planned.ended_ms = max(planned.started_ms, min(at_ms, planned.ended_ms))
