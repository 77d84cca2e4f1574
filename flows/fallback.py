"""The fallback: what failed on our side ends in the default queue, and where that is impossible in a callback.

Merely unstaffed, the caller waits in the default queue: somebody may log in. Closed or full, nobody can take the
call; the caller is asked whether to be called back, and hears a last sentence before the line is closed.
"""

from __future__ import annotations

from flows import places, wire
from flows.actions import Menu, MessageParticipant, UpdateContactAttributes
from flows.handover import add_leaving, leaving
from flows.language import Flow
from flows.parameters import FlowParameters
from flows.prompts import Text
from flows.returning import after_callback, without_human
from flows.routing import (
    CheckHoursOfOperation,
    CreateCallbackContact,
    UpdateContactCallbackNumber,
    UpdateContactTargetQueue,
)

_APOLOGY = "Apologize"
_OPEN = "Is the default queue open"
_LEAVE = "To the default queue"
_OFFER_CLOSED = "Closed - offer a callback"
_OFFER_FULL = "Full - offer a callback"
_NUMBER = "Callback number"
_CALLBACK = "Create the callback"
_PROMISED = "Promise the callback"
_NO_CALLBACK = "No callback possible"
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
        MessageParticipant(parameters.apology, then=places.DEFAULT_QUEUE, failed=places.DEFAULT_QUEUE),
    )
    queue = UpdateContactTargetQueue(parameters.default_queue_arn, then=_OPEN, failed=_NO_HUMAN)
    flow.add(places.DEFAULT_QUEUE, queue)
    leave = leaving(_LEAVE)
    flow.add(_OPEN, CheckHoursOfOperation(is_open=leave, closed=_OFFER_CLOSED, failed=leave))
    add_leaving(flow, parameters, _LEAVE, full=_OFFER_FULL, failed=_NO_HUMAN)
    _callback(flow, parameters)


def _callback(flow: Flow, parameters: FlowParameters) -> None:
    sentences = parameters.sentences
    for name, offer in ((_OFFER_CLOSED, sentences.callback_closed), (_OFFER_FULL, sentences.callback_full)):
        flow.add(
            name,
            Menu(
                Text(offer),
                time_limit_s=5,
                keys=(("1", _NUMBER),),
                otherwise=_GOODBYE,
                timed_out=_GOODBYE,
                failed=_GOODBYE,
            ),
        )
    number = UpdateContactCallbackNumber(wire.CALLER, then=_CALLBACK, invalid=_NO_CALLBACK, not_dialable=_NO_CALLBACK)
    flow.add(_NUMBER, number)
    flow.add(
        _CALLBACK,
        CreateCallbackContact(parameters.default_queue_arn, then=_PROMISED, failed=_NO_CALLBACK),
    )
    alone = without_human(parameters)
    last_words = {
        _PROMISED: (sentences.callback_promised, after_callback(parameters)),
        _NO_CALLBACK: (sentences.no_callback, alone),
        _GOODBYE: (sentences.goodbye, alone),
        _NO_HUMAN: (sentences.no_human, alone),
    }
    for name, (words, end) in last_words.items():
        flow.add(name, MessageParticipant(Text(words), then=end, failed=end))
