"""The way out when nobody is left to talk to: the line is closed, or the caller goes back to the flow they came from.

A flow of ours may be entered from an IVR that has something to do after the call: a survey, a menu, a voice mail.
Wherever our flow would close the line it then transfers to that flow, and says in the contact's attributes what
happened. Failures and the switch keep their own way, to the default queue: an IVR whose author did not think of
them must not cost a caller the human.

Two ends stay as they are, because Connect has no TransferToFlow there: the last sentence within a Continue branch,
and the queue flow (flow language reference, supported flow types).
"""

from __future__ import annotations

from flows import places, wire
from flows.actions import (
    Compare,
    MessageParticipant,
    UpdateContactAttributes,
    UpdateContactMediaStreamingBehavior,
)
from flows.language import Flow, When
from flows.parameters import FlowParameters
from flows.routing import DisconnectParticipant, TransferToFlow
from flows.spoken import said
from flows.wire import NONE, answer

_DONE = "Tell the other flow how it ended"
_CALLBACK = "Tell the other flow of the callback"
_NO_HUMAN = "Tell the other flow that no human came"
_OURS = "Is our streaming on before the return"
_STOP = "Stop streaming before the return"
_MARK = "Remember the stop before the return"
_RETURN = "Back to the other flow"
_FAREWELL = "Say farewell"


def after_end(parameters: FlowParameters) -> str:
    """Where the agent's own end of a call leads, after its last word."""
    return _DONE if parameters.return_flow_arn else places.HANG_UP


def after_callback(parameters: FlowParameters) -> str:
    """Where a caller goes who will be called back."""
    return _CALLBACK if parameters.return_flow_arn else places.HANG_UP


def without_human(parameters: FlowParameters) -> str:
    """Where a caller goes for whom there is neither a human nor a callback."""
    return _NO_HUMAN if parameters.return_flow_arn else places.HANG_UP


def add_way_out(flow: Flow, parameters: FlowParameters) -> None:
    """Add the ends that the three functions above name, and the disconnect."""
    if parameters.return_flow_arn:
        _tell(flow)
        _give_back(flow, parameters)
    flow.add(places.HANG_UP, DisconnectParticipant())


def _tell(flow: Flow) -> None:
    """The attributes keep the keys of a handover. A caller whose IVR is told nothing goes back to it all the same."""
    same = {"va_version": wire.HANDOVER_VERSION}
    outcomes = {
        _DONE: {**same, "va_result": "ended", "va_reason": answer("reason"), "va_queue": NONE},
        _CALLBACK: {**same, "va_result": "callback"},
        _NO_HUMAN: {**same, "va_result": "no_human"},
    }
    for name, attributes in outcomes.items():
        flow.add(name, UpdateContactAttributes(attributes, then=_OURS, failed=_OURS))


def _give_back(flow: Flow, parameters: FlowParameters) -> None:
    """What the caller says in the other flow is none of the voice agent's business: our streaming is stopped first."""
    flow.add(_OURS, Compare(wire.STREAMING, (When("ours", _STOP),), otherwise=_RETURN))
    flow.add(_STOP, UpdateContactMediaStreamingBehavior(enabled=False, then=_MARK, failed=_RETURN))
    flow.add(_MARK, UpdateContactAttributes({"va_streaming": "stopped"}, then=_RETURN, failed=_RETURN))
    flow.add(_RETURN, TransferToFlow(parameters.return_flow_arn, failed=_FAREWELL))
    farewell = MessageParticipant(said("farewell"), then=places.HANG_UP, failed=places.HANG_UP)
    flow.add(_FAREWELL, farewell)
