"""The third flow: the call is transferred to the gateway over SIP, and comes back when the gateway hangs up.

While it is there, caller and agent hear each other with nothing in between; this flow waits in one block. When the
call comes back, next_action knows what the agent decided, and everything goes the same way as in the other flows.
A transfer that fails, or that nobody answers in time, gives the caller to a human.

There is no way to tell whether the gateway hung up or its call broke: both take the branch of success, and in both
next_action knows what to do. A human who could not be had is said, and the call is transferred once more, with a new
code; the second time the caller gets the default queue, or a callback.
"""

from __future__ import annotations

from flows import places
from flows.actions import UpdateFlowAttributes
from flows.answers import add_answers
from flows.fallback import add_fallback
from flows.handover import add_handover
from flows.language import Flow
from flows.parameters import FlowParameters, SipTransfer
from flows.polling import add_polling
from flows.routing import ToConnector, ToNumber, TransferParticipantToThirdParty
from flows.start import add_start_of_transfer
from flows.wire import answer, fresh

FORM = "sip"

_TRANSFER = "Transfer to the voice agent"
_BACK = "The caller is back"


def sip(parameters: FlowParameters) -> Flow:
    """The whole flow."""
    flow = Flow("voice-agent-sip", "A voice agent that the call is transferred to.")
    add_start_of_transfer(flow, parameters, FORM, then=_TRANSFER)
    flow.add(
        _TRANSFER,
        TransferParticipantToThirdParty(
            _destination(parameters.sip),
            parameters.sip.time_limit_s,
            then=_BACK,
            call_failed=places.APOLOGIZE,
            not_answered=places.APOLOGIZE,
            failed=places.APOLOGIZE,
        ),
    )
    flow.add(_BACK, UpdateFlowAttributes(fresh(), then=places.POLL, failed=places.POLL))
    add_polling(flow, parameters)
    add_answers(flow, parameters, places.POLL)
    add_handover(flow, parameters, places.START_CALL, back_once=True)
    add_fallback(flow, parameters)
    return flow


def _destination(to: SipTransfer) -> ToNumber | ToConnector:
    """By reference where the service would check a static value against the instance when the flow is created."""
    if to.connector_arn:
        return ToConnector(to.connector_arn, to.to_user, user_to_user=answer("sipCode"))
    return ToNumber(answer("sipNumber"), dtmf=answer("sipDigits"), caller_id_name=to.caller_id_name)
