"""Lines of the flow log as Connect writes them to CloudWatch, `/aws/connect/<instance alias>`.

They carry what blocks were given and what Lambdas answered, which is why a flow that handles a conversation
switches logging off. Frame, and the blocks SetLoggingBehavior, SetAttributes, SetQueue, PlayPrompt, GetUserInput
and InvokeExternalResource: as seen in published log lines. Names of the other blocks: unconfirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.connect.envelope import iso
from simulator.connect.flow_file import Action, Flow
from simulator.connect.state import ContactState

MODULE_TYPES: Mapping[str, str] = {
    "UpdateFlowLoggingBehavior": "SetLoggingBehavior",
    "UpdateContactTextToSpeechVoice": "SetVoice",
    "UpdateContactData": "SetContactData",
    "UpdateContactMediaStreamingBehavior": "SetMediaStreamingBehavior",
    "MessageParticipant": "PlayPrompt",
    "MessageParticipantIteratively": "LoopPrompts",
    "GetParticipantInput": "GetUserInput",
    "InvokeLambdaFunction": "InvokeExternalResource",
    "LoadLambdaFunctionResult": "LoadExternalResourceResult",
    "UpdateContactAttributes": "SetAttributes",
    "UpdateFlowAttributes": "SetFlowAttributes",
    "Compare": "CheckAttribute",
    "Loop": "Loop",
    "Wait": "Wait",
    "CheckHoursOfOperation": "CheckHoursOfOperation",
    "CheckMetricData": "CheckQueueStatus",
    "GetMetricData": "GetQueueMetrics",
    "UpdateContactTargetQueue": "SetQueue",
    "UpdateContactEventHooks": "SetEventHook",
    "UpdateContactRoutingBehavior": "SetQueuePriority",
    "TransferContactToQueue": "Transfer",
    "TransferToFlow": "Transfer",
    "UpdateContactCallbackNumber": "SetCallbackNumber",
    "CreateCallbackContact": "CreateCallback",
    "TransferParticipantToThirdParty": "Transfer",
    "DisconnectParticipant": "Disconnect",
    "EndFlowExecution": "EndFlowExecution",
}


def line(
    state: ContactState,
    flow: Flow,
    action: Action,
    at_ms: int,
    parameters: Mapping[str, Any],
    results: str | None = None,
    external: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    """One entry. `results` and `external` are there where the block has them."""
    entry: dict[str, Any] = {
        "ContactId": state.contact_id,
        "ContactFlowId": flow.arn,
        "ContactFlowName": flow.name,
        "ContactFlowModuleType": MODULE_TYPES[action.type],
        "Identifier": action.identifier,
        "Timestamp": iso(at_ms),
        "Parameters": dict(parameters),
    }
    if results is not None:
        entry["Results"] = results
    if external is not None:
        entry["ExternalResults"] = dict(external)
    return entry


def lambda_parameters(action: Action, arn: str) -> Mapping[str, Any]:
    """`Parameters` of InvokeExternalResource: the limit in ms, as a string."""
    validation = action.parameters.get("ResponseValidation", {"ResponseType": "STRING_MAP"})
    return {
        "FunctionArn": arn,
        "ResponseValidation": f"ResponseType={validation['ResponseType']}",
        "TimeLimit": f"{int(action.parameters['InvocationTimeLimitSeconds']) * 1000}",
    }
