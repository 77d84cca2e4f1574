"""A callback: at the number that the caller calls from, once they agreed, or at one that they type.

It goes into the queue that the contact is set to (flow language reference, CreateCallbackContact: without a queue
the contact's current one).
"""

from __future__ import annotations

from flows import wire
from flows.actions import Compare, Menu, MessageParticipant, StorePhoneNumber, UpdateContactAttributes
from flows.language import Flow, When
from flows.parameters import FlowParameters
from flows.prompts import Text
from flows.returning import after_callback, without_human
from flows.routing import CreateCallbackContact, UpdateContactCallbackNumber
from flows.spoken import said

OFFER_S = 5

CALLBACK = "Is there a number to call back"
_CONFIRM = "Confirm the number"
_OWN = "Callback number"
_TYPE = "Type another number"
_AGAIN = "Type it once more"
_MARK = "Remember the callback"
_CREATE = "Create the callback"
_PROMISED = "Promise the callback"
_NO_CALLBACK = "No callback possible"


def offer(words: Text, declined: str) -> Menu:
    """The question whether the caller wants to be called back."""
    keys = (("1", CALLBACK),)
    return Menu(words, OFFER_S, keys, otherwise=declined, timed_out=declined, failed=declined)


def add_callback(flow: Flow, parameters: FlowParameters) -> None:
    """Add everything from `CALLBACK` to the end of the flow; who leads there has set the queue."""
    flow.add(CALLBACK, Compare(wire.CALLER, (When("+", _CONFIRM, "TextStartsWith"),), otherwise=_TYPE))
    # No key is a yes: they have said already that they want to be called back.
    keys = (("1", _OWN), ("2", _TYPE))
    confirm = Menu(said("callback_confirm"), OFFER_S, keys, otherwise=_OWN, timed_out=_OWN, failed=_OWN)
    flow.add(_CONFIRM, confirm)
    flow.add(_OWN, UpdateContactCallbackNumber(wire.CALLER, then=_MARK, invalid=_TYPE, not_dialable=_TYPE))
    _typed(flow, parameters, _TYPE, "callback_type", wrong=_AGAIN)
    _typed(flow, parameters, _AGAIN, "callback_type_again", wrong=_NO_CALLBACK)
    flow.add(_MARK, UpdateContactAttributes({"va_result": "callback"}, then=_CREATE, failed=_CREATE))
    flow.add(_CREATE, CreateCallbackContact("", then=_PROMISED, failed=_NO_CALLBACK))
    promised, alone = after_callback(parameters), without_human(parameters)
    flow.add(_PROMISED, MessageParticipant(said("callback_promised"), then=promised, failed=promised))
    flow.add(_NO_CALLBACK, MessageParticipant(said("no_callback"), then=alone, failed=alone))


def _typed(flow: Flow, parameters: FlowParameters, place: str, sentence: str, wrong: str) -> None:
    """One try at typing a number; whoever types nothing is told that there will be no callback."""
    pressed, set_it = f"{place} - was a key pressed", f"{place} - set it"
    asked = StorePhoneNumber(
        said(sentence),
        parameters.country,
        parameters.collect_timeout_s,
        then=pressed,
        invalid=wrong,
        failed=_NO_CALLBACK,
    )
    flow.add(place, asked)
    flow.add(pressed, Compare(wire.KEYS_PRESSED, (When(wire.TIMED_OUT, _NO_CALLBACK),), otherwise=set_it))
    number = UpdateContactCallbackNumber(wire.KEYS_PRESSED, then=_MARK, invalid=wrong, not_dialable=wrong)
    flow.add(set_it, number)
