"""A Wait that is going on, perhaps with a Continue branch running inside it.

How a prompt of that branch is left when the event comes is the one question on which the interruptible flow
hangs, and it is unconfirmed: the preset answers it.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.connect.flow_file import Action
from simulator.connect.invocations import Invocation
from simulator.connect.presets import Preset, PromptCut

CUT_LATE_MS = {PromptCut.AFTER_500MS: 500, PromptCut.AFTER_900MS: 900}


@dataclass(frozen=True, slots=True)
class Waiting:
    """`branch` is the name of the event's branch, empty where the Wait has no event."""

    action: Action
    entered_at_ms: int
    limit_ms: int
    minimum_ms: int
    branch: str
    invocation: Invocation | None
    has_continue: bool
    preset: Preset

    @property
    def limit_at_ms(self) -> int:
        return self.entered_at_ms + self.limit_ms

    def event_at_ms(self) -> int | None:
        """When the event takes effect; None while it has not come, or never will."""
        if self.invocation is None or self.invocation.ended_at_ms is None:
            return None
        if self.invocation.failure is not None and not self.preset.event_on_failure:
            return None
        at = max(self.invocation.ended_at_ms, self.entered_at_ms)
        if self.preset.minimum_wait_holds_back:
            at = max(at, self.entered_at_ms + self.minimum_ms)
        return at

    def leaves(self, now_ms: int, playing: bool) -> str | None:
        """Where to go on, if the Wait ends now. `playing`: a prompt of the Continue branch has begun, not ended."""
        event_at = self.event_at_ms()
        if event_at is not None and self._event_leaves(event_at, now_ms, playing):
            return self.action.outcome(self.branch)
        if now_ms >= self.limit_at_ms and (self.preset.limit_cuts or not playing):
            return self._at_limit(event_at, now_ms)
        return None

    def _event_leaves(self, event_at: int, now_ms: int, playing: bool) -> bool:
        if now_ms < event_at:
            return False
        cut = self.preset.prompt_cut
        if cut is PromptCut.NEVER:
            return not self.has_continue
        if not playing or cut is PromptCut.AT_ONCE:
            return True
        return cut in CUT_LATE_MS and now_ms >= event_at + CUT_LATE_MS[cut]

    def _at_limit(self, event_at: int | None, now_ms: int) -> str:
        came = event_at is not None and event_at <= now_ms and self.preset.prompt_cut is not PromptCut.NEVER
        return self.action.outcome(self.branch if came else "WaitCompleted")

    def next_due_ms(self, now_ms: int) -> int | None:
        """The next time at which `leaves` may answer differently, if nothing else happens."""
        times = [self.limit_at_ms]
        event_at = self.event_at_ms()
        if event_at is not None:
            times += [event_at, event_at + CUT_LATE_MS.get(self.preset.prompt_cut, 0)]
        return min((at for at in times if at > now_ms), default=None)
