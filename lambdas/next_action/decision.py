"""What to answer to the flow, or how long to wait before looking again. A core without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contract.actions import Numbered, Outcome, Play, Returned
from contract.call import CALLER_GONE, CallState, Head, Result
from lambdas.next_action.limits import Limits


@dataclass(frozen=True, slots=True)
class View:
    """All that one look at a call shows.

    `log` holds the actions from `head.loaded` on. `ahead` and `returned` are of the request; `asked_at_ms` is
    when it came, and `moved_at_ms` when the head was last seen moving.
    """

    head: Head
    log: Sequence[Numbered]
    request_id: str
    ahead: bool
    returned: Returned
    asked_at_ms: int
    moved_at_ms: int
    now_ms: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again after so many milliseconds."""

    ms: int


@dataclass(frozen=True, slots=True)
class Listen:
    """Nothing to do; `previous` is what became of the loaded action."""

    previous: Outcome


@dataclass(frozen=True, slots=True)
class Give:
    """The next action of the log."""

    numbered: Numbered
    previous: Outcome


@dataclass(frozen=True, slots=True)
class FailOver:
    """No voice agent serves the caller: to the default queue."""

    reason: str
    previous: Outcome


@dataclass(frozen=True, slots=True)
class Leave:
    """The call is over: disconnect."""

    reason: str
    previous: Outcome


Decision = Wait | Listen | Give | FailOver | Leave


def decide(view: View, limits: Limits) -> Decision:
    """Decide on one look at the call.

    An action is given when the one before it is over, whatever became of its gateway: what the agent has said
    is still to be heard. Only then does it matter whether anybody serves the call.
    """
    head = view.head
    if head.waiter != view.request_id:
        return Listen(Outcome.NONE)  # a newer request waits; nobody reads this answer
    clip_ends_ms = _clip_ends_ms(view, limits)
    playing = view.now_ms < clip_ends_ms
    cut = playing and _is_cut(head)
    previous = _previous(view, playing, cut)
    if head.disconnected_at_ms:
        return Leave(CALLER_GONE, previous)
    if playing and not cut:
        return _wait(view, limits, previous, clip_ends_ms)
    following = _following(view)
    if following is not None:
        return Give(following, previous)
    if cut:
        return Listen(previous)  # at once, so that the flow leaves the prompt
    return _ended(view, previous) or _unserved(view, limits, previous) or _wait(view, limits, previous, clip_ends_ms)


def unowned(head: Head, now_ms: int) -> bool:
    """Nobody serves the call at this moment."""
    if head.state is CallState.ACTIVE:
        return head.lease_until_ms <= now_ms
    return head.state is CallState.WAITING


def _clip_ends_ms(view: View, limits: Limits) -> int:
    """When what the flow plays while it asks will be over; 0 when nothing plays."""
    head = view.head
    if not view.ahead or head.ended is not Outcome.NONE:
        return 0
    duration_ms = head.opening_ms if head.loaded == head.base_seq else _clip_ms(view)
    if not duration_ms:
        return 0
    if head.heard_seq == head.loaded > head.base_seq:
        return head.heard_at_ms + duration_ms + limits.heard_margin_ms
    return head.loaded_at_ms + head.start_delay_ms + duration_ms + limits.margin_ms


def _clip_ms(view: View) -> int:
    for numbered in view.log:
        if numbered.seq == view.head.loaded and isinstance(numbered.action, Play):
            return numbered.action.duration_ms
    return 0


def _is_cut(head: Head) -> bool:
    """The caller has begun to speak. The end of a call cancels everything too, but the last words are played."""
    if head.state is CallState.ENDED:
        return False
    return head.opening_cancelled if head.loaded == head.base_seq else head.cancelled_up_to >= head.loaded


def _previous(view: View, playing: bool, cut: bool) -> Outcome:
    if cut:
        return Outcome.CUT
    head = view.head
    if playing or head.ended is not Outcome.NONE:
        return head.ended
    nothing = head.loaded == head.base_seq and not (view.ahead and head.opening_ms)
    return Outcome.NONE if nothing else Outcome.COMPLETED


def _following(view: View) -> Numbered | None:
    """The next action that may start."""
    after = max(view.head.loaded, view.head.cancelled_up_to)
    return next((numbered for numbered in view.log if numbered.seq > after), None)


def _ended(view: View, previous: Outcome) -> Decision | None:
    head = view.head
    if head.state is not CallState.ENDED:
        return None
    if head.result is Result.ENDED:
        return Leave(head.reason, previous)
    if view.returned is not Returned.NONE and head.failed_over_at_ms:
        return Leave("no_human", previous)  # we sent the caller there already: never in a circle
    return FailOver(head.reason or "call_ended", previous)


def _unserved(view: View, limits: Limits, previous: Outcome) -> Decision | None:
    """The dead man's switch. `lease_until_ms` is 0 until a gateway took the call."""
    head = view.head
    if not head.lease_until_ms:
        late = view.now_ms - head.started_at_ms >= limits.no_gateway_ms
        return FailOver("no_gateway", previous) if late else None
    lost = view.now_ms - head.lease_until_ms >= limits.lost_ms
    return FailOver("gateway_lost", previous) if lost else None


def _wait(view: View, limits: Limits, previous: Outcome, clip_ends_ms: int) -> Decision:
    left_ms = view.asked_at_ms + limits.block_ms - view.now_ms
    if left_ms <= 0:
        return Listen(previous)
    quiet_since_ms = max(view.moved_at_ms, clip_ends_ms)
    fast = view.now_ms - quiet_since_ms < limits.fast_for_ms
    step_ms = limits.fast_ms if fast else limits.slow_ms
    until_clip_ends_ms = clip_ends_ms - view.now_ms if view.now_ms < clip_ends_ms else step_ms
    return Wait(min(step_ms, left_ms, until_clip_ends_ms))
