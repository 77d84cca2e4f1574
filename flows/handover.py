"""The handover: what the human gets, the queue, its hours, its staffing, and the way back when nobody can be had.

There is a way back to the voice agent when it asked for the transfer itself: closed, nobody staffed and full are
said, and go back to it as `returned`; where the agent definition says so, a callback is offered first, and only a
caller who declines it goes back. There is none when the transfer came from start_call, when it says that the
call failed (va_result, or no number at all: next_action answers by itself because nobody owns the call), or when the
previous transfer came back and nothing happened in between. Then the same three end in the default queue, so that no
caller is sent round in circles; and a queue where nobody is logged in is better than no human at all, so the caller
waits there.
"""

from __future__ import annotations

from flows import places, wire
from flows.actions import (
    Compare,
    MessageParticipant,
    UpdateContactAttributes,
    UpdateContactMediaStreamingBehavior,
    UpdateFlowAttributes,
)
from flows.callback import offer
from flows.language import Flow, When
from flows.opening_hours import add_opening_hours
from flows.parameters import FlowParameters
from flows.prompts import Text
from flows.routing import (
    CheckHoursOfOperation,
    CheckStaffing,
    TransferContactToQueue,
    UpdateContactEventHooks,
    UpdateContactRoutingBehavior,
    UpdateContactTargetQueue,
)
from flows.spoken import filled_in, said
from flows.standing import FREE, add_standing
from flows.wire import NONE, answer, fresh, remembered

_ALIVE = "Did the call fail"
_TAKE = "Take the transfer"
_AGAIN = "Did a transfer just come back"
_INSTEAD = "What instead of a human"
_WAY_BACK = "The voice agent waits for the caller"
_CALLBACK_FIRST = "A callback comes first"
_NO_WAY_BACK = "Nobody waits for the caller"
_QUEUE_ONLY = "Hand over the queue alone"
_CONTEXT = "Hand over what was found out"
_REST = "Hand over the rest"
_PRIORITY = "Which priority"
_SET_QUEUE = "Set the queue"
_HOURS = "Is the queue open"
_WHEN_OPEN = "When does the queue open"
_STAFFED = "Is anybody logged in"
_LEAVE = "To the human"
_GUIDE = "What the human sees"
_CLOSED, _NOBODY, _FULL = "Closed", "Nobody there", "Full"
_CLOSED_UNTIL = "Closed until"
_OFFER = "Offer a callback instead"
_DECLINED = "No callback is wanted"
_STREAM_AGAIN = "Stream again"
_MARK_STREAM = "Remember that we stream again"
_STOPPED = "Had we stopped streaming"


def add_handover(flow: Flow, parameters: FlowParameters, back: str, *, back_once: bool = False) -> None:
    """Add the answer `transfer` and everything that follows it, up to the queue or to `back`.

    `back_once`: only in the first attempt, in a flow where each way back is an attempt of its own.
    """
    _take(flow, back_once=back_once)
    _attributes(flow)
    _priority(flow, parameters)
    _queue(flow, parameters)
    add_standing(flow, _GUIDE if parameters.guide_flow_arn else leaving(_LEAVE))
    leave = add_leaving(flow, parameters, _LEAVE, full=_way_back(_FULL), failed=places.DEFAULT_QUEUE)
    _guide(flow, parameters, leave)
    _blocked(flow, _CLOSED, "closed", said("closed"), otherwise=places.DEFAULT_QUEUE)
    _blocked(flow, _NOBODY, "no_staff", said("no_staff"), otherwise=leave)
    _blocked(flow, _FULL, "full", said("full"), otherwise=places.DEFAULT_QUEUE)
    if parameters.queue_hours_arn:
        _blocked(flow, _CLOSED_UNTIL, "closed", filled_in(), otherwise=places.DEFAULT_QUEUE)
    _instead(flow, back)


def _take(flow: Flow, *, back_once: bool) -> None:
    flow.add(places.TRANSFER, Compare(answer("seq"), (When("0", _NO_WAY_BACK),), otherwise=_ALIVE))
    flow.add(_ALIVE, Compare(answer("va_result"), (When("failed", _NO_WAY_BACK),), otherwise=_TAKE))
    taken = {"loaded": answer("seq"), "ended": NONE}
    flow.add(_TAKE, UpdateFlowAttributes(taken, then=_AGAIN, failed=_NO_WAY_BACK))
    first = (wire.ATTEMPT, "1") if back_once else (remembered("returned"), NONE)
    flow.add(_AGAIN, Compare(first[0], (When(first[1], _INSTEAD),), otherwise=_NO_WAY_BACK))
    flow.add(_INSTEAD, Compare(answer("callback"), (When("true", _CALLBACK_FIRST),), otherwise=_WAY_BACK))
    # If this cannot be remembered, the value from the start stays: no way back, which cannot go in circles.
    for name, way_back in ((_WAY_BACK, "agent"), (_CALLBACK_FIRST, "callback"), (_NO_WAY_BACK, NONE)):
        state = fresh(way_back=way_back)
        flow.add(name, UpdateFlowAttributes(state, then=places.HANDOVER, failed=places.HANDOVER))


def _attributes(flow: Flow) -> None:
    """In three parts: an update is all or nothing, and a contact's attributes share 32 KB. The second part is what
    version 2 of the contract added, so that a Lambda of the previous release cannot keep the first from the human."""
    essential = {key: answer(key) for key in wire.ESSENTIAL}
    queue = {"va_queue_arn": answer("queueArn")}
    flow.add(
        places.HANDOVER,
        UpdateContactAttributes({**essential, **queue}, then=_CONTEXT, failed=_QUEUE_ONLY),
    )
    flow.add(
        _QUEUE_ONLY,
        UpdateContactAttributes({**queue, "va_reason": answer("reason")}, then=_PRIORITY, failed=places.DEFAULT_QUEUE),
    )
    context = {key: answer(key) for key in wire.CONTEXT}
    flow.add(_CONTEXT, UpdateContactAttributes(context, then=_REST, failed=_REST))
    rest = {key: answer(key) for key in wire.REST}
    flow.add(_REST, UpdateContactAttributes(rest, then=_PRIORITY, failed=_PRIORITY))


def _priority(flow: Flow, parameters: FlowParameters) -> None:
    """One block for each priority, since it must be static; one that this flow does not know changes nothing."""
    names = {priority: f"Priority {priority}" for priority in parameters.priorities}
    branches = tuple(When(str(priority), name) for priority, name in names.items())
    # Without any priority there is still a block, so that what leads here is the same in every deployment.
    flow.add(_PRIORITY, Compare(answer("priority"), branches or (When(NONE, _SET_QUEUE),), otherwise=_SET_QUEUE))
    for priority, name in names.items():
        flow.add(name, UpdateContactRoutingBehavior(priority, then=_SET_QUEUE))


def _queue(flow: Flow, parameters: FlowParameters) -> None:
    """Set the queue and look whether it can take the caller; what cannot be found out does not keep them out.

    The hours are those of the queue just set: a queue that is known only in the call has no static hours to name
    (an export shows CheckHoursOfOperation without parameters; unconfirmed on the live service).
    """
    flow.add(_SET_QUEUE, UpdateContactTargetQueue(wire.QUEUE_ARN, then=_HOURS, failed=places.DEFAULT_QUEUE))
    closed = _way_back(_CLOSED)
    if parameters.queue_hours_arn:
        known = _way_back(_CLOSED_UNTIL)
        add_opening_hours(flow, parameters, _WHEN_OPEN, "closed_until", known=known, unknown=closed)
        closed = _WHEN_OPEN
    flow.add(_HOURS, CheckHoursOfOperation(is_open=_STAFFED, closed=closed, failed=_STAFFED))
    flow.add(_STAFFED, CheckStaffing(staffed=FREE, nobody=_way_back(_NOBODY), failed=FREE))


def _guide(flow: Flow, parameters: FlowParameters, then: str) -> None:
    """The handover in the workspace of whoever takes the call; without it the human reads the attributes."""
    if parameters.guide_flow_arn:
        flow.add(_GUIDE, UpdateContactEventHooks("DefaultAgentUI", parameters.guide_flow_arn, then=then, failed=then))


def _way_back(what: str) -> str:
    return f"{what} - is there a way back"


def _blocked(flow: Flow, what: str, returned: str, sentence: Text, otherwise: str) -> None:
    """What prevented the transfer is said; then a callback is offered, or it is remembered and goes back."""
    say, remember, offer = f"{what} - say so", f"{what} - tell the voice agent", f"{what} - say so before the offer"
    flow.add(
        _way_back(what),
        Compare(remembered("way_back"), (When("agent", say), When("callback", offer)), otherwise=otherwise),
    )
    flow.add(say, MessageParticipant(sentence, then=remember, failed=remember))
    flow.add(offer, MessageParticipant(sentence, then=_OFFER, failed=_OFFER))
    # A voice agent that does not learn why the caller is back would wait for ever: then rather a human.
    flow.add(
        remember, UpdateFlowAttributes({"returned": returned, "way_back": NONE}, then=_STOPPED, failed=places.APOLOGIZE)
    )


def _instead(flow: Flow, back: str) -> None:
    """A callback in the queue that was set, or back to the voice agent.

    A full queue is known only after streaming has stopped, and the voice agent must hear again.
    """
    flow.add(_OFFER, offer(said("callback"), declined=_DECLINED))
    flow.add(
        _DECLINED,
        UpdateFlowAttributes({"returned": "declined", "way_back": NONE}, then=_STOPPED, failed=places.APOLOGIZE),
    )
    flow.add(_STOPPED, Compare(wire.STREAMING, (When("stopped", _STREAM_AGAIN),), otherwise=back))
    flow.add(
        _STREAM_AGAIN,
        UpdateContactMediaStreamingBehavior(enabled=True, then=_MARK_STREAM, failed=places.DEFAULT_QUEUE),
    )
    flow.add(_MARK_STREAM, UpdateContactAttributes({"va_streaming": "ours"}, then=back, failed=back))


def leaving(prefix: str) -> str:
    """The first block of `add_leaving` with the same prefix."""
    return f"{prefix} - what is heard in the queue"


def add_leaving(flow: Flow, parameters: FlowParameters, prefix: str, full: str, failed: str) -> str:
    """Add the way out of the flow: queue flow, streaming off if it is ours, transfer. Returns its first block.

    Nothing on the way keeps the caller from the human: a queue with the default music, or with streaming left on,
    is better than none.
    """
    first, ours = leaving(prefix), f"{prefix} - is our streaming on"
    stop, mark, transfer = f"{prefix} - stop streaming", f"{prefix} - remember the stop", f"{prefix} - into the queue"
    spoken = f"{prefix} - which language" if len(parameters.languages) > 1 else ours
    if parameters.customer_queue_flow_arn:
        flow.add(
            first,
            UpdateContactEventHooks("CustomerQueue", parameters.customer_queue_flow_arn, then=spoken, failed=ours),
        )
        if spoken != ours:
            flow.add(spoken, UpdateContactAttributes({"va_language": remembered("language")}, then=ours, failed=ours))
        flow.add(ours, Compare(wire.STREAMING, (When("ours", stop),), otherwise=transfer))
    else:
        flow.add(first, Compare(wire.STREAMING, (When("ours", stop),), otherwise=transfer))
    flow.add(stop, UpdateContactMediaStreamingBehavior(enabled=False, then=mark, failed=transfer))
    flow.add(mark, UpdateContactAttributes({"va_streaming": "stopped"}, then=transfer, failed=transfer))
    flow.add(transfer, TransferContactToQueue(full=full, failed=failed))
    return first
