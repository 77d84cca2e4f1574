"""What each action type must and may have, as a table.

Sources: the flow language pages of the Connect developer guide, console exports that run in public projects,
and projects that report what CreateContactFlow accepted and refused. Where pages and live reports differ, the
live report is followed (e.g. Wait has TimeLimitSeconds, TransferContactToQueue takes no QueueId).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.connect.flow_file import NO_MATCHING_CONDITION, NO_MATCHING_ERROR

INBOUND = frozenset({"CONTACT_FLOW", "AGENT_TRANSFER", "QUEUE_TRANSFER"})
QUEUE = "CUSTOMER_QUEUE"
HOLDS = frozenset({"CUSTOMER_HOLD", "AGENT_HOLD"})
WHISPERS = frozenset({"AGENT_WHISPER", "CUSTOMER_WHISPER", "OUTBOUND_WHISPER"})
SPEAKING = INBOUND | {QUEUE}
ALL = SPEAKING | WHISPERS | HOLDS

MESSAGE = frozenset({"Text", "SSML", "PromptId", "Media"})
NUMERIC = frozenset({"NumberGreaterThan", "NumberGreaterOrEqualTo", "NumberLessThan", "NumberLessOrEqualTo"})
OPERATORS = NUMERIC | {"Equals", "TextStartsWith", "TextEndsWith", "TextContains"}


@dataclass(frozen=True, slots=True)
class Shape:
    """`one_of`: exactly one of these parameters. `errors` must be there, `may_err` may. `conditions` is the exact
    set of operands of `Equals`; None where a check of its own decides (`check.py`)."""

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    one_of: frozenset[str] = frozenset()
    errors: frozenset[str] = frozenset({NO_MATCHING_ERROR})
    may_err: frozenset[str] = frozenset()
    conditions: frozenset[str] | None = frozenset()
    flow_types: frozenset[str] = ALL
    terminal: bool = False
    needs_next: bool = True


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


NOTHING = frozenset[str]()

SHAPES: Mapping[str, Shape] = {
    "UpdateFlowLoggingBehavior": Shape(_set("FlowLoggingBehavior"), errors=NOTHING),
    "UpdateContactTextToSpeechVoice": Shape(
        _set("TextToSpeechVoice"), _set("TextToSpeechEngine TextToSpeechStyle ExternalCredentialSecretARN")
    ),
    "UpdateContactData": Shape(optional=_set("Name Description LanguageCode CustomerId TargetContact")),
    "UpdateContactMediaStreamingBehavior": Shape(
        _set("MediaStreamingState MediaStreamType Participants"), flow_types=SPEAKING | WHISPERS
    ),
    "MessageParticipant": Shape(
        optional=_set("SkipWhenDTMFBufferEnabled"),
        one_of=MESSAGE,
        errors=NOTHING,
        may_err=_set(NO_MATCHING_ERROR),
        flow_types=SPEAKING | WHISPERS,
    ),
    "MessageParticipantIteratively": Shape(
        _set("Messages"),
        _set("InterruptFrequencySeconds"),
        conditions=None,
        flow_types=HOLDS | {QUEUE},
        needs_next=False,
    ),
    "GetParticipantInput": Shape(
        _set("StoreInput InputTimeLimitSeconds"),
        _set("InputValidation DTMFConfiguration"),
        one_of=MESSAGE,
        errors=_set(NO_MATCHING_ERROR),
        may_err=_set("InputTimeLimitExceeded NoMatchingCondition InvalidPhoneNumber"),
        conditions=None,
        flow_types=SPEAKING,
    ),
    "InvokeLambdaFunction": Shape(
        _set("LambdaFunctionARN InvocationTimeLimitSeconds"),
        _set("InvocationType LambdaInvocationAttributes ResponseValidation"),
    ),
    "LoadLambdaFunctionResult": Shape(_set("LambdaInvocationId"), errors=_set("NoMatchingError InProgress")),
    "UpdateContactAttributes": Shape(_set("Attributes"), _set("TargetContact")),
    "UpdateFlowAttributes": Shape(_set("FlowAttributes")),
    "Compare": Shape(_set("ComparisonValue"), errors=_set(NO_MATCHING_CONDITION), conditions=None),
    "Loop": Shape(
        _set("LoopCount"),
        errors=NOTHING,
        may_err=_set(NO_MATCHING_ERROR),
        conditions=_set("ContinueLooping DoneLooping"),
    ),
    "Wait": Shape(
        _set("TimeLimitSeconds"),
        _set("Events MinimumWaitTimeSeconds ContinueExecution InterruptibleEvents"),
        conditions=None,
        flow_types=SPEAKING,
    ),
    "CheckHoursOfOperation": Shape(
        optional=_set("HoursOfOperationId"), conditions=_set("True False"), flow_types=SPEAKING
    ),
    "CheckMetricData": Shape(
        _set("MetricType"),
        _set("QueueId"),
        errors=_set("NoMatchingError NoMatchingCondition"),
        conditions=None,
        flow_types=SPEAKING,
    ),
    "GetMetricData": Shape(optional=_set("QueueId QueueChannel")),
    "UpdateContactTargetQueue": Shape(_set("QueueId"), flow_types=INBOUND),
    "UpdateContactEventHooks": Shape(_set("EventHooks"), _set("EventHooksConfiguration")),
    "UpdateContactRoutingBehavior": Shape(
        one_of=_set("QueuePriority QueueTimeAdjustmentSeconds"), errors=NOTHING, flow_types=_set("CONTACT_FLOW")
    ),
    "ShowView": Shape(
        _set("ViewResource InvocationTimeLimitSeconds"),
        _set("ViewData SensitiveDataConfiguration"),
        errors=_set("NoMatchingError NoMatchingCondition TimeLimitExceeded"),
        conditions=None,
        flow_types=_set("CONTACT_FLOW CUSTOMER_QUEUE"),
    ),
    "TransferContactToQueue": Shape(errors=_set("QueueAtCapacity NoMatchingError"), flow_types=INBOUND),
    "TransferToFlow": Shape(_set("ContactFlowId"), flow_types=INBOUND),
    "UpdateContactCallbackNumber": Shape(
        _set("CallbackNumber"), errors=_set("InvalidCallbackNumber CallbackNumberNotDialable"), flow_types=SPEAKING
    ),
    "CreateCallbackContact": Shape(
        optional=_set(
            "QueueId InitialCallDelaySeconds MaximumConnectionAttempts RetryDelaySeconds ContactFlowId CallerId"
        ),
        flow_types=SPEAKING,
    ),
    "TransferParticipantToThirdParty": Shape(
        _set("ThirdPartyConnectionTimeLimitSeconds ContinueFlowExecution"),
        _set("ThirdPartyDTMFDigits CallerId"),
        one_of=_set("ThirdPartyPhoneNumber VoiceConnector"),
        may_err=_set("CallFailed ConnectionTimeLimitExceeded"),
        flow_types=SPEAKING,
    ),
    "DisconnectParticipant": Shape(errors=NOTHING, flow_types=SPEAKING, terminal=True),
    "EndFlowExecution": Shape(errors=NOTHING, flow_types=WHISPERS | {QUEUE}, terminal=True),
}
