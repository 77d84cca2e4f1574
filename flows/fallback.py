"""The fallback: what failed on our side ends in the default queue, and where that is impossible in a callback.

Merely unstaffed, the caller waits in the default queue: somebody may log in. Closed or full, nobody can take the
call; the caller is asked whether to be called back, and hears a last sentence before the line is closed.
"""

from __future__ import annotations

from flows import places, wire
from flows.actions import MessageParticipant, UpdateContactAttributes
from flows.callback import add_callback, offer
from flows.handover import add_leaving, leaving
from flows.language import Flow
from flows.opening_hours import add_opening_hours
from flows.parameters import FlowParameters
from flows.returning import without_human
from flows.routing import (
    CheckHoursOfOperation,
    UpdateContactTargetQueue,
)
from flows.spoken import filled_in, said

_APOLOGY = "Apologize"
_OPEN = "Is the default queue open"
_LEAVE = "To the default queue"
_WHEN_OPEN = "When does the default queue open"
_OFFER_CLOSED = "Closed - offer a callback"
_OFFER_CLOSED_UNTIL = "Closed until - offer a callback"
_OFFER_FULL = "Full - offer a callback"
_GOODBYE = "Say goodbye"
_NO_HUMAN = "No human possible"


def add_fallback(flow: Flow, parameters: FlowParameters) -> None:
    """Add the way of every failure, with and without an apology, to the default queue or to a spoken end."""
    # The summary of an earlier handover of this contact stays: only the reason and the queue change.
    attributes = {
        "va_version": wire.HANDOVER_VERSION,
        "va_reason": "flow_failure",
        "va_queue": parameters.default_queue_name,
        "va_queue_arn": parameters.default_queue_arn,
    }
    flow.add(places.APOLOGIZE, UpdateContactAttributes(attributes, then=_APOLOGY, failed=_APOLOGY))
    flow.add(
        _APOLOGY,
        MessageParticipant(said("apology"), then=places.DEFAULT_QUEUE, failed=places.DEFAULT_QUEUE),
    )
    queue = UpdateContactTargetQueue(parameters.default_queue_arn, then=_OPEN, failed=_NO_HUMAN)
    flow.add(places.DEFAULT_QUEUE, queue)
    leave = leaving(_LEAVE)
    closed = _OFFER_CLOSED
    if parameters.queue_hours_arn:
        add_opening_hours(
            flow, parameters, _WHEN_OPEN, "callback_closed_until", known=_OFFER_CLOSED_UNTIL, unknown=_OFFER_CLOSED
        )
        closed = _WHEN_OPEN
    flow.add(_OPEN, CheckHoursOfOperation(is_open=leave, closed=closed, failed=leave))
    add_leaving(flow, parameters, _LEAVE, full=_OFFER_FULL, failed=_NO_HUMAN)
    _offers(flow, parameters)
    add_callback(flow, parameters)


def _offers(flow: Flow, parameters: FlowParameters) -> None:
    offers = {_OFFER_CLOSED: said("callback_closed"), _OFFER_FULL: said("callback_full")}
    if parameters.queue_hours_arn:
        offers[_OFFER_CLOSED_UNTIL] = filled_in()
    for name, words in offers.items():
        flow.add(name, offer(words, declined=_GOODBYE))
    end = without_human(parameters)
    for name, sentence in ((_GOODBYE, "goodbye"), (_NO_HUMAN, "no_human")):
        flow.add(name, MessageParticipant(said(sentence), then=end, failed=end))
