"""Blocks by which the caller leaves the flow, for good or for a while."""

from __future__ import annotations

from simulator.connect.activities import Dialling
from simulator.connect.errors import Unresolved
from simulator.connect.events import CreateCallback, DialThirdParty, DisconnectReason, QueueContact
from simulator.connect.execution import Execution, Phase
from simulator.connect.flow_file import Action


def to_queue(ex: Execution, action: Action) -> str | None:
    """TransferContactToQueue: the queue that was set before. The inbound flow is over; the hook's flow begins.

    Raises:
        Unresolved: no queue was set.
    """
    queue = ex.state.queue
    if queue is None:
        raise Unresolved("the queue")
    if queue.full:
        ex.log(action, {"Queue": queue.arn}, "QueueAtCapacity")
        return action.error("QueueAtCapacity")
    ex.log(action, {"Queue": queue.arn})
    queue.depth += 1
    ex.phase = Phase.QUEUED
    ex.state.queued_at_ms = ex.now_ms
    ex.emit(QueueContact(queue.arn, dict(ex.state.attributes)))
    hook = ex.instance.flow(ex.state.hooks.get("CustomerQueue", ""))
    return None if hook is None else ex.enter_flow(hook)


def to_flow(ex: Execution, action: Action) -> str:
    """TransferToFlow.

    Raises:
        Unresolved: the instance has no such flow.
    """
    name = ex.fill(action.parameters["ContactFlowId"])
    flow = ex.instance.flow(name)
    if flow is None:
        raise Unresolved(name)
    ex.log(action, {"ContactFlowId": flow.arn})
    return ex.enter_flow(flow)


def to_third_party(ex: Execution, action: Action) -> None:
    """TransferParticipantToThirdParty, by phone or by voice connector."""
    parameters = action.parameters
    limit = ex.fill(parameters["ThirdPartyConnectionTimeLimitSeconds"])
    if not limit.isdecimal():
        raise Unresolved(f"ThirdPartyConnectionTimeLimitSeconds {limit}")
    limit_ms = int(limit) * 1000
    dtmf = ex.fill(parameters["ThirdPartyDTMFDigits"]) if "ThirdPartyDTMFDigits" in parameters else ""
    if "VoiceConnector" in parameters:
        connector = ex.filled(parameters["VoiceConnector"])
        arn, number, from_user = (connector.get(k, "") for k in ("VoiceConnectorArn", "ToUser", "FromUser"))
        uui = connector.get("UserToUserInformation", "")
    else:
        uui, arn, from_user = "", "", ex.filled(parameters.get("CallerId", {})).get("Number", "")
        number = ex.fill(parameters["ThirdPartyPhoneNumber"])
    ex.log(action, {"DestinationPhoneNumber": number})
    ex.emit(DialThirdParty(number, arn, from_user, dtmf, limit_ms, uui))
    ex.activity = Dialling(ex, action, limit_ms)


def create_callback(ex: Execution, action: Action) -> str:
    """CreateCallbackContact.

    Raises:
        Unresolved: no number was set, or no queue.
    """
    named = action.parameters.get("QueueId")
    queue = ex.instance.queue(ex.fill(named)) if named else ex.state.queue
    if queue is None or not ex.state.callback_number:
        raise Unresolved("the queue or the number of the callback")
    ex.log(action, {"Queue": queue.arn})
    ex.emit(CreateCallback(ex.state.callback_number, queue.arn, dict(ex.state.attributes)))
    return action.next


def disconnect(ex: Execution, action: Action) -> None:
    """DisconnectParticipant."""
    ex.log(action, {})
    ex.end(DisconnectReason.FLOW)


def end_flow(ex: Execution, action: Action) -> None:
    """EndFlowExecution: the contact stays in its queue, and hears nothing more."""
    ex.log(action, {})
