"""What each operation of the store does to a head and to the log of actions. A core without I/O.

Both stores apply these functions; they differ only in where the result is kept and in how they make sure that
nobody changed the head in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from contract.actions import Action, Collect, End, Numbered, Outcome, Play, Request, Returned, Transfer
from contract.call import EXPECTED_MS, LEASE_MS, Call, CallState, FlowForm, Head, Lease, Result
from contract.errors import CallEnded, CallNotFound, CallTaken, LeaseLost, RecordTooLarge
from contract.injections import MOST, MOST_CHARACTERS
from contract.turns import FunctionEntry

# So little of a clip may be missing that it counts as heard: the one after it is in the log by then.
ALMOST_MS = 1000

# A call that nobody serves counts so long after it was last served: the flow has sent the caller away by then.
DEAD_AFTER_MS = 20_000

STARTED = (Outcome.COMPLETED, Outcome.CUT, Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class Asked:
    """The head after a request of the flow, and what it says about earlier sequences."""

    head: Head
    outcomes: Mapping[int, Outcome]


def first_attempt(call: Call) -> Head:
    """The head of a new call."""
    return Head(
        contact_id=call.contact_id,
        attempt=call.attempt,
        state=CallState.EXPECTED if call.form is FlowForm.SIP else CallState.WAITING,
        started_at_ms=call.started_at_ms,
        opening_ms=call.opening.duration_ms if call.opening else 0,
    )


def next_attempt(head: Head, call: Call) -> Head:
    """The flow brought the caller to the agent once more: a new beginning after the same sequence numbers."""
    fresh = first_attempt(call)
    return replace(
        fresh,
        last_seq=head.last_seq,
        base_seq=head.last_seq,
        cancelled_up_to=head.last_seq,
        loaded=head.last_seq,
        offered=head.offered,
        offered_at_ms=head.offered_at_ms,
        leaving=head.leaving,
        epoch=head.epoch,
        start_delay_ms=head.start_delay_ms,
        language=head.language,
        injections=head.injections,
        injected=head.injected,
    )


def asked(head: Head, request: Request, request_id: str, now_ms: int, log: Sequence[Numbered]) -> Asked:
    """Apply a request. `log` holds at least the actions from `head.loaded` to what the request says is loaded.

    Raises:
        CallNotFound: the request belongs to an attempt that nobody recorded.
    """
    if request.attempt > head.attempt:
        raise CallNotFound(request.contact_id)
    loaded = loaded_by(head, request)
    late = request.attempt < head.attempt or loaded < head.loaded
    again = head.waiter == request_id and loaded == head.loaded  # delivered twice: it says nothing new
    if late or again:
        return Asked(head, {})
    head = replace(head, waiter=request_id, asked_at_ms=max(now_ms, head.asked_at_ms))
    return _took(head, request, loaded, log) if loaded > head.loaded else _same(head, request, log)


def loaded_by(head: Head, request: Request) -> int:
    """The sequence that a request means: a new attempt counts from 0 again, and nobody loads what is not there."""
    return min(max(request.loaded, head.base_seq), head.last_seq)


def _took(head: Head, request: Request, loaded: int, log: Sequence[Numbered]) -> Asked:
    """The flow took another sequence since it last asked."""
    action = _find(log, loaded)
    plays = request.ahead and isinstance(action, Play)
    outcomes = {n.seq: Outcome.CANCELLED for n in log if head.loaded < n.seq < loaded}
    if head.loaded > head.base_seq and head.ended is Outcome.NONE:
        cut = Outcome.CUT if head.loaded <= head.cancelled_up_to else Outcome.COMPLETED
        outcomes[head.loaded] = request.ended if plays and request.ended in STARTED else cut
    begun_ms = head.offered_at_ms if head.offered == loaded else head.asked_at_ms
    ended = Outcome.NONE if plays else _finished(action, request, head.asked_at_ms - begun_ms)
    if not plays:
        outcomes[loaded] = ended
    elif head.state is CallState.ENDED:
        outcomes[loaded] = Outcome.CUT
    after = replace(
        head,
        loaded=loaded,
        loaded_at_ms=head.asked_at_ms,
        ended=ended,
        returned=request.returned,
        digits=request.digits,
    )
    if isinstance(action, Collect):
        after = replace(after, keys_seq=loaded, keys=request.digits, keys_ended=ended)
    return Asked(after, outcomes)


def _same(head: Head, request: Request, log: Sequence[Numbered]) -> Asked:
    """The flow asks again with the sequence that it had loaded before."""
    opening = head.loaded == head.base_seq
    ended = head.ended
    if ended is Outcome.NONE and (not request.ahead or _can_be(head, request.ended, _find(log, head.loaded))):
        ended = request.ended if request.ended in STARTED else Outcome.NONE
    if ended is Outcome.NONE and not opening and not request.ahead:
        ended = _finished(_find(log, head.loaded), request, head.asked_at_ms - head.loaded_at_ms)
    outcomes = {} if opening or ended is head.ended else {head.loaded: ended}
    after = replace(
        head,
        ended=ended,
        loaded_at_ms=head.loaded_at_ms or head.asked_at_ms,
        returned=head.returned if request.returned is Returned.NONE else request.returned,
        digits=request.digits or head.digits,
    )
    return Asked(after, outcomes)


def _can_be(head: Head, ended: Outcome, action: Action | None) -> bool:
    """Whether this is said of what plays now. A request that Connect sends again, with another id, since a Lambda
    failed, still speaks of the clip before: the one that plays must not be over by it."""
    if ended is Outcome.CUT:
        return head.opening_cancelled if head.loaded == head.base_seq else head.cancelled_up_to >= head.loaded
    duration_ms = head.opening_ms if head.loaded == head.base_seq else _duration_ms(action)
    return head.asked_at_ms - head.loaded_at_ms >= duration_ms


def _duration_ms(action: Action | None) -> int:
    return action.duration_ms if isinstance(action, Play) else 0


def _finished(action: Action | None, request: Request, for_ms: int) -> Outcome:
    """What became of an action during which the flow does not ask: it asks again, `for_ms` after it had it, so it is
    over. A flow that asked ahead and was failed by its Lambda has left the clip, and does not know when."""
    if isinstance(action, Transfer) and request.returned is not Returned.NONE:
        return Outcome.FAILED
    if request.ended is Outcome.NONE and for_ms < _duration_ms(action) - ALMOST_MS:
        return Outcome.FAILED
    if request.ended is Outcome.FAILED or (request.ended is Outcome.CUT and not request.ahead):
        return request.ended
    return Outcome.COMPLETED


def _find(log: Iterable[Numbered], seq: int) -> Action | None:
    return next((numbered.action for numbered in log if numbered.seq == seq), None)


def may_overwrite(outcome: Outcome) -> tuple[Outcome, ...]:
    """Which recorded outcomes a new one replaces: that something started is better known than that it never did."""
    return (Outcome.NONE,) if outcome is Outcome.CANCELLED else (Outcome.NONE, Outcome.CANCELLED)


def closing(head: Head, log: Iterable[Numbered]) -> dict[int, Outcome]:
    """An outcome for every sequence that has none, when nothing more will happen to it."""
    return {n.seq: _last_outcome(head, n) for n in log if n.outcome is Outcome.NONE}


def _last_outcome(head: Head, numbered: Numbered) -> Outcome:
    if is_final(numbered.action) and (numbered.seq <= head.loaded or numbered.seq == head.leaving):
        return Outcome.COMPLETED
    if numbered.seq > head.loaded:
        return Outcome.CANCELLED
    # A transfer or an end is offered when what came before it is over.
    return Outcome.COMPLETED if numbered.seq < head.leaving else Outcome.CUT


def is_final(action: Action) -> bool:
    """After a transfer or an end the flow does not ask again, unless the transfer did not happen."""
    return isinstance(action, (Transfer, End))


def offered(head: Head, request_id: str, seq: int, now_ms: int, final: bool) -> Head | None:
    """The head with `seq` offered, or None when it must not be answered."""
    startable = max(head.cancelled_up_to, head.loaded) < seq <= head.last_seq
    if head.state is CallState.ENDED or head.waiter != request_id or not startable:
        return None
    leaving = seq if final else head.leaving
    return replace(head, offered=seq, offered_at_ms=max(now_ms, head.offered_at_ms), leaving=leaving)


def failed_over(head: Head, reason: str, now_ms: int, seen: Head | None) -> Head | None:
    """The head after a Lambda helped itself, or None when ownership changed since `seen`."""
    if head.state is CallState.ENDED:
        return replace(head, failed_over_at_ms=head.failed_over_at_ms or now_ms)
    if seen is not None and _ownership(seen) != _ownership(head):
        return None
    return replace(_ended(head, Result.FAILED, reason), failed_over_at_ms=now_ms)


def left(head: Head, result: Result, reason: str, now_ms: int) -> Head | None:
    """The head after the end of a contact that nobody serves, or None where somebody does, or has."""
    if not is_free(head, now_ms):
        return None
    return replace(_ended(head, result, reason), failed_over_at_ms=now_ms)


def _ownership(head: Head) -> tuple[int, CallState, int, int]:
    return head.attempt, head.state, head.epoch, head.lease_until_ms


def _ended(head: Head, result: Result, reason: str) -> Head:
    return replace(head, state=CallState.ENDED, result=result, reason=reason, cancelled_up_to=head.last_seq)


def disconnected(head: Head, now_ms: int) -> Head:
    """Connect reported the end of the contact; the first report counts."""
    return replace(head, disconnected_at_ms=head.disconnected_at_ms or now_ms)


def taken(head: Head, owner: str, now_ms: int, lease_ms: int) -> Head:
    """Raises CallEnded, CallTaken."""
    if head.state is CallState.ENDED:
        raise CallEnded(head.contact_id)
    if not is_free(head, now_ms):
        raise CallTaken(head.contact_id, head.owner)
    return replace(
        head,
        state=CallState.ACTIVE,
        owner=owner,
        epoch=head.epoch + 1,
        lease_until_ms=now_ms + lease_ms,
        moves=head.moves + (1 if head.lease_until_ms else 0),
    )


def fence(head: Head, lease: Lease) -> None:
    """Raises LeaseLost unless the lease is the head's."""
    if (head.epoch, head.owner) != (lease.epoch, lease.owner):
        raise LeaseLost(lease.contact_id, lease.epoch)


def renewed(head: Head, lease: Lease, now_ms: int, lease_ms: int, start_delay_ms: int) -> Head:
    """A call that has ended stays as it is. Raises LeaseLost."""
    fence(head, lease)
    if head.state is CallState.ENDED:
        return head
    return replace(head, lease_until_ms=now_ms + lease_ms, start_delay_ms=start_delay_ms)


def given_away(head: Head, lease: Lease) -> Head:
    """Free for the next owner. `lease_until_ms` stays: it tells when the caller was last served. Again, while nobody
    has taken it, changes nothing. Raises LeaseLost."""
    if (head.epoch, head.owner, head.state) == (lease.epoch, "", CallState.WAITING):
        return head
    fence(head, lease)
    return head if head.state is CallState.ENDED else replace(head, state=CallState.WAITING, owner="")


def appended(head: Head, lease: Lease) -> Head:
    """Raises LeaseLost, CallEnded."""
    fence(head, lease)
    if head.state is CallState.ENDED:
        raise CallEnded(head.contact_id)
    return replace(head, last_seq=head.last_seq + 1)


def cancelled(head: Head, lease: Lease, up_to: int) -> Head:
    """A transfer or an end on its way to the flow is left alone until the flow says that it has loaded it."""
    fence(head, lease)
    up_to = min(up_to, head.last_seq)
    if head.loaded < head.leaving <= up_to:
        up_to = head.leaving - 1
    return replace(head, cancelled_up_to=max(up_to, head.cancelled_up_to))


def heard(head: Head, lease: Lease, seq: int, at_ms: int) -> Head:
    """Raises LeaseLost."""
    fence(head, lease)
    return replace(head, heard_seq=seq, heard_at_ms=at_ms)


def dialog_noted(head: Head, lease: Lease, dialog: str) -> Head:
    """Raises LeaseLost."""
    fence(head, lease)
    return replace(head, dialog=dialog)


def language_noted(head: Head, lease: Lease, language: str) -> Head:
    """Raises LeaseLost."""
    fence(head, lease)
    return replace(head, language=language)


def brought_in(head: Head, text: str) -> Head:
    """The head with one more sentence or note. Raises CallEnded, RecordTooLarge."""
    if head.state is CallState.ENDED:
        raise CallEnded(head.contact_id)
    if len(text) > MOST_CHARACTERS:
        raise RecordTooLarge("text", MOST_CHARACTERS, len(text))
    if head.injections >= MOST:
        raise RecordTooLarge("texts of one call", MOST, head.injections + 1)
    return replace(head, injections=head.injections + 1)


def injected(head: Head, lease: Lease, number: int) -> Head:
    """Raises LeaseLost."""
    fence(head, lease)
    return replace(head, injected=max(number, head.injected))


def opening_cancelled(head: Head, lease: Lease) -> Head:
    """Raises LeaseLost."""
    fence(head, lease)
    return replace(head, opening_cancelled=True)


def ended(head: Head, lease: Lease, result: Result, reason: str) -> Head:
    """A call ends once; what comes later changes nothing. Raises LeaseLost."""
    fence(head, lease)
    return head if head.state is CallState.ENDED else _ended(head, result, reason)


def claimed(code: Mapping[str, object], now_ms: int) -> str | None:
    """The contact that a code stood for, if it was there and has not expired."""
    until, contact_id = code.get("expires_at_ms"), code.get("contact_id")
    valid = isinstance(until, int) and isinstance(contact_id, str) and now_ms < until
    return str(contact_id) if valid else None


def is_live(head: Head) -> bool:
    """Waiting or active: what the index of live calls holds."""
    return head.state is not CallState.ENDED


def is_free(head: Head, now_ms: int) -> bool:
    """What a gateway may take; an expected call by the gateway that it comes to, at any time."""
    return is_live(head) and (head.state is not CallState.ACTIVE or head.lease_until_ms <= now_ms)


def served_until_ms(head: Head) -> int:
    """Where a live call stands in the index: somebody has to look after it from then on, unless it is served.

    An active one by its lease, one that waits since it waits, one that is expected when it should have come.
    """
    if head.state is CallState.EXPECTED:
        return head.started_at_ms + EXPECTED_MS
    if head.state is CallState.ACTIVE or not head.lease_until_ms:
        return head.lease_until_ms or head.started_at_ms
    return head.lease_until_ms - LEASE_MS


def counts(head: Head, now_ms: int) -> bool:
    """The call has a session of the voice agent, or is about to get one."""
    return is_live(head) and served_until_ms(head) > now_ms - DEAD_AFTER_MS


def in_order(entries: Iterable[FunctionEntry]) -> list[FunctionEntry]:
    """The ledger in the order of entering."""
    return sorted(entries, key=lambda entry: (entry.entered_at_ms, entry.key))
