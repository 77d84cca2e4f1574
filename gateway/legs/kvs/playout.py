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
    ready_ms: int
    offered_ms: int | None = None
    started_ms: int | None = None
    ended_ms: int | None = None
    outcome: Outcome = Outcome.NONE
    known: bool = False  # the start is better known than by the offer


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
    """The flow said that a clip did not play."""

    seq: int
    clip: Clip


PlayoutEvent = Started | Finished | Failed


@dataclass(slots=True)
class Playout:
    """One stretch after the other. `cuts_prompts`: the flow leaves a prompt that plays (interruptible flow).

    `reaction_ms` is how long the caller still hears a clip after it was withdrawn.
    """

    cuts_prompts: bool
    start_delay_ms: int = 400
    reaction_ms: int = 150
    clips: list[Planned] = field(default_factory=list)
    _ending: Ending = Ending.OPEN
    _started: bool = False
    _finish_at_ms: int | None = None
    _finish_position: int = 0

    @property
    def open(self) -> bool:
        """Something of the present stretch was appended and has not been reported as finished."""
        return bool(self.clips)

    @property
    def waiting(self) -> bool:
        """A clip was appended that the flow has not been offered yet."""
        return any(planned.offered_ms is None and planned.outcome is Outcome.NONE for planned in self.clips)

    def appended(self, seq: int, clip: Clip, now_ms: int, offered_ms: int | None = None) -> None:
        """A clip is in the log. The opening counts as sequence 0 that was offered by `start_call`."""
        planned = Planned(seq, clip, now_ms)
        self.clips.append(planned)
        if offered_ms is not None:
            self._offer(planned, offered_ms)

    def complete(self) -> None:
        """All of the stretch has been appended."""
        if self._ending is Ending.OPEN:
            self._ending = Ending.COMPLETE

    def resume(self) -> None:
        """More of the stretch comes after all."""
        if self._ending is Ending.COMPLETE:
            self._ending = Ending.OPEN

    @property
    def cut(self) -> bool:
        """The stretch was interrupted and the caller still hears the rest of a clip."""
        return self._ending is Ending.CUT

    def head(self, head: Head, now_ms: int) -> list[PlayoutEvent]:
        """Look at a newer head: what was offered, what became of it."""
        self.start_delay_ms = head.start_delay_ms
        events: list[PlayoutEvent] = []
        self._took(head)
        for planned in self.clips:
            if planned.offered_ms is None and planned.seq <= max(head.offered, head.loaded):
                self._offer(planned, head.offered_at_ms if planned.seq == head.offered else now_ms)
            over = planned.seq == head.loaded and head.ended in (Outcome.COMPLETED, Outcome.FAILED)
            if over and planned.outcome is Outcome.NONE:
                planned.outcome = head.ended
                # The flow's word beats the estimate: a prompt that is over cannot end later.
                planned.ended_ms = min(planned.ended_ms or now_ms, now_ms)
                if head.ended is Outcome.FAILED:
                    events.append(Failed(planned.seq, planned.clip))
        return events + self.due(now_ms)

    def began(self, seq: int, at_ms: int) -> None:
        """The clip was found in what Connect plays to the caller: no estimate is needed any more."""
        for planned in self.clips:
            if planned.seq == seq and planned.outcome is Outcome.NONE:
                planned.known = True
                planned.started_ms = at_ms
                planned.ended_ms = at_ms + planned.clip.duration_ms

    def clear(self, now_ms: int) -> list[PlayoutEvent]:
        """Barge-in. A flow that cannot cut plays the clip to its end, and the stretch ends there."""
        if not self.clips or self._ending is Ending.CUT:
            return self.due(now_ms)
        self._ending = Ending.CUT
        playing = next((planned for planned in self.clips if self._plays(planned, now_ms)), None)
        for planned in self.clips:
            if planned.offered_ms is None:
                planned.outcome = Outcome.CANCELLED
        if playing is None or playing.ended_ms is None or playing.started_ms is None:
            self._finish_at_ms, self._finish_position = now_ms, self.position(now_ms)
        elif self.cuts_prompts:
            playing.outcome = Outcome.CUT
            stop_ms = max(playing.started_ms, min(now_ms + self.reaction_ms, playing.ended_ms))
            playing.ended_ms = stop_ms
            self._finish_at_ms, self._finish_position = stop_ms, self.position(stop_ms)
        else:
            self._finish_at_ms, self._finish_position = playing.ended_ms, self.position(playing.ended_ms)
        return self.due(now_ms)

    def needed_at_ms(self) -> int | None:
        """When the last clip in the log will have been heard; None while that cannot be told."""
        return self.clips[-1].ended_ms if self.clips else None

    def position(self, now_ms: int) -> int:
        """Bytes of the stretch that were heard at `now_ms`."""
        heard = 0
        for planned in self.clips:
            if planned.started_ms is None or planned.ended_ms is None or now_ms <= planned.started_ms:
                continue
            if planned.outcome is Outcome.FAILED:
                continue
            played = min(now_ms, planned.ended_ms) - planned.started_ms
            whole = played >= planned.clip.duration_ms
            heard = planned.clip.end if whole else planned.clip.start + played * BYTES_PER_MS
        return heard

    def next_due_ms(self) -> int | None:
        """When `due` has something to say without a newer head."""
        if not self.clips:
            return None
        first = self.clips[0].started_ms
        if not self._started and first is not None:
            return first
        if self._ending is Ending.CUT:
            return self._finish_at_ms
        return self.clips[-1].ended_ms if self._ending is Ending.COMPLETE else None

    def due(self, now_ms: int) -> list[PlayoutEvent]:
        """What has happened by `now_ms`."""
        events: list[PlayoutEvent] = []
        if not self.clips:
            return events
        first = self.clips[0].started_ms
        if not self._started and first is not None and first <= now_ms:
            self._started = True
            events.append(Started(first))
        if self._ending is Ending.CUT and self._finish_at_ms is not None and self._finish_at_ms <= now_ms:
            events.append(Finished(self._finish_position // BYTES_PER_MS, interrupted=True, at_ms=self._finish_at_ms))
            self._reset()
        elif self._ending is Ending.COMPLETE:
            last = self.clips[-1].ended_ms
            if last is not None and last <= now_ms:
                events.append(Finished(self.position(now_ms) // BYTES_PER_MS, interrupted=False, at_ms=last))
                self._reset()
        return events

    def _offer(self, planned: Planned, offered_ms: int) -> None:
        previous = [other.ended_ms for other in self.clips if other.seq < planned.seq and other.ended_ms is not None]
        planned.offered_ms = offered_ms
        planned.started_ms = max([offered_ms + self.start_delay_ms, *previous])
        planned.ended_ms = planned.started_ms + planned.clip.duration_ms

    def _took(self, head: Head) -> None:
        """A flow that asks ahead says that it took a clip in the moment before it plays it."""
        if not self.cuts_prompts or not head.loaded_at_ms:
            return
        for planned in self.clips:
            if planned.seq == head.loaded and not planned.known and head.ended is Outcome.NONE:
                self._offer(planned, head.loaded_at_ms)
                planned.known = True

    def _plays(self, planned: Planned, now_ms: int) -> bool:
        """Offered, and not over: it is heard, or will be in a moment whatever we do."""
        return planned.offered_ms is not None and planned.ended_ms is not None and now_ms < planned.ended_ms

    def _reset(self) -> None:
        self.clips.clear()
        self._ending = Ending.OPEN
        self._started = False
        self._finish_at_ms = None
        self._finish_position = 0
