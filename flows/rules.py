"""The table of rules: what each action type takes. Where each rule comes from stands in `flows.sources`.

Types and parameters are those that probes of CreateContactFlow were accepted with, or that stand in console
exports; where the reference pages spell a name differently, the live spelling is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.kinds import Choice, Dialled, Kind, ListOf, Map, Number, Opaque, Reference, Shape, Static, Text

CONTACT_FLOW = "CONTACT_FLOW"
AGENT_TRANSFER = "AGENT_TRANSFER"
QUEUE_TRANSFER = "QUEUE_TRANSFER"
CUSTOMER_QUEUE = "CUSTOMER_QUEUE"
MODULE = "MODULE"
WHISPERS = frozenset({"AGENT_WHISPER", "CUSTOMER_WHISPER", "OUTBOUND_WHISPER"})
HOLDS = frozenset({"AGENT_HOLD", "CUSTOMER_HOLD"})
ROUTING = frozenset({CONTACT_FLOW, AGENT_TRANSFER, QUEUE_TRANSFER, MODULE})
ROUTING_OR_QUEUE = ROUTING | {CUSTOMER_QUEUE}
NOT_HOLDS = ROUTING_OR_QUEUE | WHISPERS
ALL = NOT_HOLDS | HOLDS

EQUALS = frozenset({"Equals"})
OPERATORS = EQUALS | {
    "TextStartsWith",
    "TextEndsWith",
    "TextContains",
    "NumberGreaterThan",
    "NumberGreaterOrEqualTo",
    "NumberLessThan",
    "NumberLessOrEqualTo",
}
NO_MATCHING_ERROR = frozenset({"NoMatchingError"})
NO_MATCHING_CONDITION = frozenset({"NoMatchingCondition"})


@dataclass(frozen=True, slots=True)
class Conditions:
    """Which branches an action has: `exactly` these operands, or any of kind `operand`, `least` of them."""

    exactly: frozenset[str] | None = frozenset()
    operators: frozenset[str] = EQUALS
    operand: Kind = field(default_factory=Text)
    least: int = 0


@dataclass(frozen=True, slots=True)
class Form:
    """One form of an action type."""

    parameters: Shape = field(default_factory=lambda: Shape({}))
    errors: frozenset[str] = NO_MATCHING_ERROR
    optional_errors: frozenset[str] = frozenset()
    conditions: Conditions = field(default_factory=Conditions)
    flow_types: frozenset[str] = ALL
    terminal: bool = False
    next_optional: bool = False


def exactly(*operands: str) -> Conditions:
    """All of these branches, and no others."""
    return Conditions(frozenset(operands))


def words(*each: str) -> Choice:
    """One of these, and static."""
    return Choice(frozenset(each))


BOOLEAN = words("True", "False", "TRUE", "FALSE", "true", "false")
_SPOKEN = Text(6000)
_MEDIA = Shape(
    {"Uri": Text(), "SourceType": words("S3"), "MediaType": words("Audio")},
    frozenset({"Uri", "SourceType", "MediaType"}),
)
MESSAGE: dict[str, Kind] = {"Text": _SPOKEN, "SSML": _SPOKEN, "PromptId": Reference(), "Media": _MEDIA}
MESSAGE_KEYS = frozenset(MESSAGE)


def shape(required: Mapping[str, Kind], optional: Mapping[str, Kind] | None = None, *one_of: frozenset[str]) -> Shape:
    """Required keys, optional keys, and groups of which exactly one is there."""
    return Shape({**required, **(optional or {})}, frozenset(required), one_of)


_STREAMING = Shape(
    {"ParticipantType": words("Customer"), "MediaDirections": ListOf(words("From", "To"))},
    frozenset({"ParticipantType", "MediaDirections"}),
)
_HOOKS = [
    "AgentHold",
    "AgentWhisper",
    "CustomerHold",
    "CustomerQueue",
    "CustomerRemaining",
    "CustomerWhisper",
    "DefaultAgentUI",
    "DisconnectAgentUI",
    "PauseContact",
    "ResumeContact",
]


def _hooks() -> Kind:
    return Shape(dict.fromkeys(_HOOKS, Reference()), one_of=(frozenset(_HOOKS),))


_METRICS = words(
    "NumberOfAgentsAvailable",
    "NumberOfAgentsStaffed",
    "NumberOfAgentsOnline",
    "OldestContactInQueueAgeSeconds",
    "NumberOfContactsInQueue",
)


def lambda_form(parameters: Mapping[str, Any]) -> Form:
    """1 to 8 s, or 1 to 60 s when the flow does not wait for the answer."""
    longest = 60 if parameters.get("InvocationType") == "ASYNCHRONOUS" else 8
    response = Shape({"ResponseType": words("STRING_MAP", "JSON")}, frozenset({"ResponseType"}))
    return Form(
        shape(
            {"LambdaFunctionARN": Reference(), "InvocationTimeLimitSeconds": Number(1, longest)},
            {
                "InvocationType": words("SYNCHRONOUS", "ASYNCHRONOUS"),
                "LambdaInvocationAttributes": Map(Text()),
                "ResponseValidation": response,
            },
        )
    )


def input_form(parameters: Mapping[str, Any]) -> Form:
    """The menu form branches on one key; the store form keeps many and has no branches."""
    basics: dict[str, Kind] = {"StoreInput": words("True", "False"), "InputTimeLimitSeconds": Number(1, 180)}
    if parameters.get("StoreInput") != "True":
        key = Conditions(None, operand=Static("[0-9*#]"))
        errors = NO_MATCHING_ERROR | NO_MATCHING_CONDITION | {"InputTimeLimitExceeded"}
        return Form(shape(basics, MESSAGE, MESSAGE_KEYS), errors, conditions=key, flow_types=ROUTING_OR_QUEUE)
    custom = Shape({"MaximumLength": Number(1, 20)}, frozenset({"MaximumLength"}))
    phone = Shape(
        {"NumberFormat": words("Local", "E164"), "CountryCode": Static("[A-Z]{2}")}, frozenset({"NumberFormat"})
    )
    checks: dict[str, Kind] = {"CustomValidation": custom, "PhoneNumberValidation": phone}
    keys = Shape(
        {
            "InputTerminationSequence": Static("[0-9*#]{1,5}"),
            "DisableCancelKey": words("True", "False"),
            "InterdigitTimeLimitSeconds": Number(1, 20),
        }
    )
    encryption = Shape({"EncryptionKeyId": Text(), "Key": Text()}, frozenset({"EncryptionKeyId", "Key"}))
    validation = parameters.get("InputValidation")
    with_phone = isinstance(validation, Mapping) and "PhoneNumberValidation" in validation
    return Form(
        shape(
            {**basics, "InputValidation": Shape(checks, one_of=(frozenset(checks),))},
            {**MESSAGE, "DTMFConfiguration": keys, "InputEncryption": encryption},
            MESSAGE_KEYS,
        ),
        NO_MATCHING_ERROR | ({"InvalidPhoneNumber"} if with_phone else frozenset()),
        flow_types=ROUTING_OR_QUEUE,
    )


def wait_form(parameters: Mapping[str, Any]) -> Form:
    """The form for voice goes on while it waits, and ends at an event; the other one is for chats and tasks."""
    if "ContinueExecution" in parameters or "InterruptibleEvents" in parameters:
        events = parameters.get("InterruptibleEvents")
        named = list(events) if isinstance(events, Mapping) else []
        goes_on = ["Continue"] if str(parameters.get("ContinueExecution")).upper() == "TRUE" else []
        event = Shape({"AsyncLambdaCompletionEvent": Shape({"Identifier": Reference()}, frozenset({"Identifier"}))})
        needed: dict[str, Kind] = {"TimeLimitSeconds": Number(1, 604_800, dynamic=True)}
        more: dict[str, Kind] = {"ContinueExecution": BOOLEAN, "InterruptibleEvents": Map(event)}
        minimum: dict[str, Kind] = {"MinimumWaitTimeSeconds": Number(1, 604_800)}
        known = shape({**needed, **minimum}, more) if goes_on else shape(needed, {**minimum, **more})
        return Form(known, conditions=exactly("WaitCompleted", *goes_on, *named), flow_types=frozenset({CONTACT_FLOW}))
    listed = parameters.get("Events")
    events_named = [event for event in listed if isinstance(event, str)] if isinstance(listed, list) else []
    errors = NO_MATCHING_ERROR | ({"ParticipantNotFound"} if "BotParticipantDisconnected" in events_named else set())
    limit: dict[str, Kind] = {"TimeLimitSeconds": Number(1, 604_800, dynamic=True)}
    known = shape(limit, {"Events": ListOf(words("CustomerReturned", "BotParticipantDisconnected"))})
    return Form(known, errors, conditions=exactly("WaitCompleted", *events_named))


def metric_form(parameters: Mapping[str, Any]) -> Form:
    """Numbers of agents can only be compared with "greater than 0"."""
    agents = str(parameters.get("MetricType")).startswith("NumberOfAgents")
    numeric = frozenset(operator for operator in OPERATORS if operator.startswith("Number")) | EQUALS
    some = Conditions(
        None,
        frozenset({"NumberGreaterThan"}) if agents else numeric,
        Number(0, 0) if agents else Number(0, 999_999_999),
        least=1,
    )
    known = shape({"MetricType": _METRICS}, {"QueueId": Reference()})
    return Form(known, NO_MATCHING_ERROR | NO_MATCHING_CONDITION, conditions=some, flow_types=ROUTING_OR_QUEUE)


def third_party_form(parameters: Mapping[str, Any]) -> Form:
    """Coming back into the flow has two more error branches; without, the service refuses them."""
    comes_back = parameters.get("ContinueFlowExecution") == "True"
    connector = shape(
        {
            "VoiceConnectorType": words("CallTransferConnector"),
            "VoiceConnectorArn": Reference(),
            "ToUser": Text(),
            "FromUser": Text(),
        },
        {"UserToUserInformation": Text()},
    )
    known = shape(
        {
            "ThirdPartyConnectionTimeLimitSeconds": Number(0, 600, dynamic=True),
            "ContinueFlowExecution": words("True", "False"),
        },
        {
            "ThirdPartyPhoneNumber": Reference(),
            "VoiceConnector": connector,
            "ThirdPartyDTMFDigits": Dialled(),
            "CallerId": Shape({"Name": Text(), "Number": Text()}),
        },
        frozenset({"ThirdPartyPhoneNumber", "VoiceConnector"}),
    )
    errors = NO_MATCHING_ERROR | ({"CallFailed", "ConnectionTimeLimitExceeded"} if comes_back else set())
    return Form(known, errors, flow_types=ROUTING_OR_QUEUE - {MODULE})


def iteratively_form(parameters: Mapping[str, Any]) -> Form:
    """Loop prompts: the only branch is that of the interruption, where one is asked for."""
    interrupted = ["MessagesInterrupted"] if "InterruptFrequencySeconds" in parameters else []
    message = Shape(MESSAGE, one_of=(MESSAGE_KEYS,))
    return Form(
        shape({"Messages": ListOf(message)}, {"InterruptFrequencySeconds": Number(1, 999_999)}),
        conditions=exactly(*interrupted),
        flow_types=HOLDS | {CUSTOMER_QUEUE, MODULE},
        next_optional=True,
    )


_FLOW_VALUE = shape({"Value": Text()}, {"Type": words("String")})
_LEX: dict[str, Kind] = {
    "LexV2Bot": Opaque(),
    "LexBot": Opaque(),
    "LexSessionAttributes": Map(Text()),
    "LexTimeoutSeconds": Opaque(),
    "LexInitializationData": Opaque(),
}
_ONE_OF_QUEUE = frozenset({"QueueId", "AgentId"})
_ONE_OF_PRIORITY = frozenset({"QueuePriority", "QueueTimeAdjustmentSeconds"})
_CONTACT_DATA: dict[str, Kind] = dict.fromkeys(("Name", "Description", "LanguageCode", "CustomerId"), Text())
_TASK: dict[str, Kind] = dict.fromkeys(("Description", "DelaySeconds", "ScheduledTime", "TaskTemplateId"), Text())
_TASK_MORE: dict[str, Kind] = {"Attributes": Map(Text()), "References": Opaque()}

FORMS: dict[str, Form | Callable[[Mapping[str, Any]], Form]] = {
    "UpdateFlowLoggingBehavior": Form(shape({"FlowLoggingBehavior": words("Enabled", "Disabled")}), frozenset()),
    "UpdateContactTextToSpeechVoice": Form(
        shape(
            {"TextToSpeechVoice": Reference()},
            {
                "TextToSpeechEngine": Reference(),
                "TextToSpeechStyle": Choice(frozenset({"None", "Conversational", "Newscaster"}), dynamic=True),
                "ExternalCredentialSecretARN": Reference(),
            },
        )
    ),
    "UpdateContactMediaStreamingBehavior": Form(
        shape(
            {
                "MediaStreamingState": words("Enabled", "Disabled"),
                "MediaStreamType": words("Audio"),
                "Participants": ListOf(_STREAMING),
            }
        ),
        flow_types=NOT_HOLDS,
    ),
    "MessageParticipant": Form(
        shape({}, {**MESSAGE, "SkipWhenDTMFBufferEnabled": BOOLEAN}, MESSAGE_KEYS),
        frozenset(),
        NO_MATCHING_ERROR,
        flow_types=NOT_HOLDS,
    ),
    "MessageParticipantIteratively": iteratively_form,
    "GetParticipantInput": input_form,
    "ConnectParticipantWithLexBot": Form(
        shape({}, {**MESSAGE, **_LEX}, frozenset({*MESSAGE_KEYS, "LexInitializationData"})),
        NO_MATCHING_ERROR | NO_MATCHING_CONDITION,
        frozenset({"InputTimeLimitExceeded"}),
        Conditions(None),
        ROUTING_OR_QUEUE,
    ),
    "InvokeLambdaFunction": lambda_form,
    "LoadLambdaFunctionResult": Form(shape({"LambdaInvocationId": Reference()}), NO_MATCHING_ERROR | {"InProgress"}),
    "UpdateContactAttributes": Form(
        shape({"Attributes": Map(Text())}, {"TargetContact": words("Current", "Related")}),
    ),
    "UpdateFlowAttributes": Form(shape({"FlowAttributes": Map(_FLOW_VALUE)})),
    "UpdateContactData": Form(shape({}, {**_CONTACT_DATA, "TargetContact": words("Current", "Related")})),
    "Compare": Form(
        shape({"ComparisonValue": Reference(required=True)}),
        NO_MATCHING_CONDITION,
        conditions=Conditions(None, OPERATORS, least=1),
    ),
    "ShowView": Form(
        shape(
            {
                "ViewResource": shape({"Id": Reference()}, {"Version": Text()}),
                "InvocationTimeLimitSeconds": Number(1, 604_800),
            },
            {
                "ViewData": Map(Text()),
                "SensitiveDataConfiguration": shape({"HideResponseOn": ListOf(words("TRANSCRIPT"))}),
            },
        ),
        NO_MATCHING_ERROR | NO_MATCHING_CONDITION | {"TimeLimitExceeded"},
        conditions=Conditions(None),
        flow_types=frozenset({CONTACT_FLOW, CUSTOMER_QUEUE}),
    ),
    "Loop": Form(
        shape({"LoopCount": Number(0, 100, dynamic=True)}),
        frozenset(),
        NO_MATCHING_ERROR,
        exactly("ContinueLooping", "DoneLooping"),
    ),
    "Wait": wait_form,
    "CheckHoursOfOperation": Form(
        shape({}, {"HoursOfOperationId": Reference()}),
        conditions=exactly("True", "False"),
        flow_types=ROUTING_OR_QUEUE,
    ),
    "CheckMetricData": metric_form,
    "GetMetricData": Form(shape({}, {"QueueId": Reference(), "QueueChannel": Static(), "AgentId": Reference()})),
    "UpdateContactTargetQueue": Form(
        shape({}, {"QueueId": Reference(), "AgentId": Reference()}, _ONE_OF_QUEUE), flow_types=ROUTING
    ),
    "TransferContactToQueue": Form(errors=NO_MATCHING_ERROR | {"QueueAtCapacity"}, flow_types=ROUTING),
    "DequeueContactAndTransferToQueue": Form(
        shape({"QueueId": Reference()}),
        NO_MATCHING_ERROR | {"QueueAtCapacity"},
        flow_types=frozenset({CUSTOMER_QUEUE, MODULE}),
    ),
    "TransferContactToAgent": Form(
        errors=frozenset(), flow_types=frozenset({AGENT_TRANSFER, QUEUE_TRANSFER}), terminal=True
    ),
    "TransferToFlow": Form(shape({"ContactFlowId": Reference()}), flow_types=ROUTING),
    "TransferParticipantToThirdParty": third_party_form,
    "InvokeFlowModule": Form(
        shape({"FlowModuleId": Reference()}),
        conditions=Conditions(None),
        flow_types=frozenset({CONTACT_FLOW, MODULE}),
    ),
    "UpdateContactCallbackNumber": Form(
        shape({"CallbackNumber": Reference(required=True)}),
        frozenset({"InvalidCallbackNumber", "CallbackNumberNotDialable"}),
        flow_types=ROUTING_OR_QUEUE,
    ),
    "CreateCallbackContact": Form(
        shape(
            {},
            {
                "QueueId": Reference(),
                "InitialCallDelaySeconds": Number(1, 604_800),
                "MaximumConnectionAttempts": Number(1, 100),
                "RetryDelaySeconds": Number(1, 604_800),
                "ContactFlowId": Reference(),
                "CallerId": Opaque(),
            },
        ),
        flow_types=ROUTING_OR_QUEUE,
    ),
    "UpdateContactRoutingBehavior": Form(
        shape(
            {},
            {
                "QueuePriority": Number(1, 999_999_999),
                "QueueTimeAdjustmentSeconds": Number(0, 999_999_999),
            },
            _ONE_OF_PRIORITY,
        ),
        frozenset(),
        flow_types=frozenset({CONTACT_FLOW, MODULE}),
    ),
    "UpdateContactRecordingBehavior": Form(
        shape({}, {"RecordingBehavior": Opaque(), "AnalyticsBehavior": Opaque()}), frozenset()
    ),
    "UpdateContactRecordingAndAnalyticsBehavior": Form(
        shape({}, dict.fromkeys(("VoiceBehavior", "ChatBehavior", "ScreenRecordingBehavior"), Opaque())),
        NO_MATCHING_ERROR | {"ChannelMismatch"},
    ),
    "UpdateContactEventHooks": Form(shape({"EventHooks": _hooks()}, {"EventHooksConfiguration": Opaque()})),
    "CreateTask": Form(shape({}, {"ContactFlowId": Reference(), "Name": Text(), **_TASK, **_TASK_MORE})),
    "CreateWisdomSession": Form(
        shape({"WisdomAssistantArn": Reference()}, {"OrchestrationAIAgentConfiguration": Opaque()})
    ),
    "DisconnectParticipant": Form(errors=frozenset(), flow_types=ROUTING_OR_QUEUE, terminal=True),
    "EndFlowExecution": Form(errors=frozenset(), flow_types=WHISPERS | {CUSTOMER_QUEUE, MODULE}, terminal=True),
    "EndFlowModuleExecution": Form(errors=frozenset(), flow_types=frozenset({MODULE}), terminal=True),
}


def form_of(type_name: str, parameters: Mapping[str, Any]) -> Form | None:
    """The form that an action of this type and these parameters must have; None for a type nobody knows."""
    found = FORMS.get(type_name)
    return found(parameters) if callable(found) else found
