"""What each block does: one function per action type, by topic.

A function gets the execution and the action and returns the identifier to go on with, or None where an
activity or a Wait was begun, or the flow is over. A `Refusal` takes the error branch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simulator.connect.actions import attributes, audio, branching, lambdas, leaving, settings
from simulator.connect.execution import Execution
from simulator.connect.flow_file import Action

Block = Callable[[Execution, Action], str | None]

BLOCKS: Mapping[str, Block] = {
    "UpdateFlowLoggingBehavior": settings.set_logging,
    "UpdateContactTextToSpeechVoice": settings.set_voice,
    "UpdateContactData": settings.set_contact_data,
    "UpdateContactEventHooks": settings.set_event_hook,
    "ShowView": settings.show_view,
    "UpdateContactRoutingBehavior": settings.set_routing,
    "UpdateContactCallbackNumber": settings.set_callback_number,
    "UpdateContactTargetQueue": settings.set_queue,
    "UpdateContactMediaStreamingBehavior": audio.stream,
    "MessageParticipant": audio.play,
    "MessageParticipantIteratively": audio.loop_prompts,
    "GetParticipantInput": audio.get_input,
    "InvokeLambdaFunction": lambdas.invoke,
    "LoadLambdaFunctionResult": lambdas.load,
    "Wait": lambdas.wait,
    "UpdateContactAttributes": attributes.set_attributes,
    "UpdateFlowAttributes": attributes.set_flow_attributes,
    "Compare": branching.compare,
    "Loop": branching.loop,
    "CheckHoursOfOperation": branching.check_hours,
    "CheckMetricData": branching.check_metric,
    "GetMetricData": branching.get_metrics,
    "TransferContactToQueue": leaving.to_queue,
    "TransferToFlow": leaving.to_flow,
    "TransferParticipantToThirdParty": leaving.to_third_party,
    "CreateCallbackContact": leaving.create_callback,
    "DisconnectParticipant": leaving.disconnect,
    "EndFlowExecution": leaving.end_flow,
}
