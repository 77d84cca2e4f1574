"""Values that CreateContactFlow refuses, type by type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simulator.connect import paths
from simulator.connect.flow_file import NO_MATCHING_CONDITION, Action
from simulator.connect.phone_numbers import COUNTRIES
from simulator.connect.schema import MESSAGE, NUMERIC

METRICS = frozenset(
    {
        "NumberOfAgentsAvailable",
        "NumberOfAgentsStaffed",
        "NumberOfAgentsOnline",
        "OldestContactInQueueAgeSeconds",
        "NumberOfContactsInQueue",
    }
)
HOOKS = frozenset(
    {
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
    }
)
KEYS = frozenset("0123456789*#")
SYNC_LIMIT_S = 8
ASYNC_LIMIT_S = 60


def value_problems(path: str, action: Action) -> Iterator[str]:
    """What is wrong with the values, given that the names are right."""
    check = _CHECKS.get(action.type)
    if check is not None:
        for where, why in check(action):
            yield f"Invalid Action property value. Path: {path}.{where} ({why})"


Problems = Iterator[tuple[str, str]]


def _one(parameters: Mapping[str, Any], name: str, allowed: frozenset[str] | set[str]) -> Problems:
    value = parameters.get(name)
    if value is not None and value not in allowed:
        yield f"Parameters.{name}", f"found {value!r}, expected one of {sorted(allowed)}"


def _whole(parameters: Mapping[str, Any], name: str, least: int, most: int, dynamic: bool = False) -> Problems:
    value = parameters.get(name)
    if value is None or (dynamic and isinstance(value, str) and paths.is_reference(value)):
        return
    if not isinstance(value, str) or not value.isdecimal() or not least <= int(value) <= most:
        yield f"Parameters.{name}", f"found {value!r}, expected a string of digits from {least} to {most}"


def _reference(parameters: Mapping[str, Any], name: str) -> Problems:
    value = parameters.get(name)
    if not isinstance(value, str) or not paths.is_reference(value):
        yield f"Parameters.{name}", f"found {value!r}, expected exactly one JSONPath"


def _texts(parameters: Mapping[str, Any], name: str) -> Problems:
    value = parameters.get(name, {})
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        yield f"Parameters.{name}", "expected an object of strings"


def _logging(action: Action) -> Problems:
    yield from _one(action.parameters, "FlowLoggingBehavior", {"Enabled", "Disabled"})


def _streaming(action: Action) -> Problems:
    yield from _one(action.parameters, "MediaStreamingState", {"Enabled", "Disabled"})
    yield from _one(action.parameters, "MediaStreamType", {"Audio"})
    participants = action.parameters.get("Participants")
    if not isinstance(participants, list) or len(participants) != 1 or not isinstance(participants[0], dict):
        yield "Parameters.Participants", "expected one participant"
        return
    directions = participants[0].get("MediaDirections")
    good = isinstance(directions, list) and directions and set(directions) <= {"From", "To"}
    if participants[0].get("ParticipantType") != "Customer" or not good:
        yield "Parameters.Participants[0]", "expected the Customer and From or To or both"


def _message(action: Action) -> Problems:
    yield from _media(action.parameters)
    yield from _one(action.parameters, "SkipWhenDTMFBufferEnabled", {"true", "false"})


def _media(parameters: Mapping[str, Any], where: str = "Parameters") -> Problems:
    media = parameters.get("Media")
    if media is None:
        return
    if not isinstance(media, dict) or set(media) != {"Uri", "SourceType", "MediaType"}:
        yield f"{where}.Media", "expected Uri, SourceType and MediaType"
    elif media["SourceType"] != "S3" or media["MediaType"] != "Audio":
        yield f"{where}.Media", "expected SourceType S3 and MediaType Audio"


def _messages(action: Action) -> Problems:
    messages = action.parameters.get("Messages")
    if not isinstance(messages, list) or not messages:
        yield "Parameters.Messages", "expected at least one message"
        return
    for index, message in enumerate(messages):
        # Block guides say that queue flows play library prompts only; the newest page does not (unconfirmed).
        if not isinstance(message, dict) or len(message) != 1 or not set(message) <= MESSAGE - {"Media"}:
            yield f"Parameters.Messages[{index}]", "expected one of Text, SSML, PromptId"
    yield from _whole(action.parameters, "InterruptFrequencySeconds", 1, 3600)
    wanted = {"MessagesInterrupted"} if "InterruptFrequencySeconds" in action.parameters else set()
    if {c.operand for c in action.conditions} != wanted:
        yield "Transitions.Conditions", f"expected {sorted(wanted)}"


def _input(action: Action) -> Problems:
    yield from _media(action.parameters)
    yield from _one(action.parameters, "StoreInput", {"True", "False"})
    yield from _whole(action.parameters, "InputTimeLimitSeconds", 1, 180)
    yield from (_stored if action.parameters.get("StoreInput") == "True" else _menu)(action)


def _menu(action: Action) -> Problems:
    for name in ("InputValidation", "DTMFConfiguration"):
        if name in action.parameters:
            yield f"Parameters.{name}", "not supported without StoreInput"
    if set(action.errors) != {"NoMatchingError", "InputTimeLimitExceeded", NO_MATCHING_CONDITION}:
        yield "Transitions.Errors", "expected InputTimeLimitExceeded, NoMatchingCondition and NoMatchingError"
    if not {c.operand for c in action.conditions} <= KEYS:
        yield "Transitions.Conditions", "expected one key each"


def _stored(action: Action) -> Problems:
    validation = action.parameters.get("InputValidation")
    phone = isinstance(validation, dict) and "PhoneNumberValidation" in validation
    wanted = {"NoMatchingError", *(["InvalidPhoneNumber"] if phone else [])}
    if set(action.errors) != wanted or action.conditions:
        yield "Transitions", f"expected {' and '.join(sorted(wanted))} and no conditions"
    if not isinstance(validation, dict) or len(validation) != 1:
        yield "Parameters.InputValidation", "expected CustomValidation or PhoneNumberValidation"
    elif phone:
        yield from _phone(validation["PhoneNumberValidation"])
    else:
        yield from _custom(validation.get("CustomValidation"))
    keypad = action.parameters.get("DTMFConfiguration", {})
    if not isinstance(keypad, dict):
        yield "Parameters.DTMFConfiguration", "expected an object"
        return
    yield from _one(keypad, "DisableCancelKey", {"True", "False"})
    yield from _whole(keypad, "InterdigitTimeLimitSeconds", 1, 20)
    ending = keypad.get("InputTerminationSequence", "#")
    if not isinstance(ending, str) or not 1 <= len(ending) <= 5 or not set(ending) <= KEYS:
        yield "Parameters.DTMFConfiguration.InputTerminationSequence", "expected one to five keys"


def _custom(custom: object) -> Problems:
    if not isinstance(custom, dict):
        yield "Parameters.InputValidation", "expected CustomValidation with MaximumLength"
        return
    for where, why in _whole(custom, "MaximumLength", 1, 128):
        yield where.replace("Parameters", "Parameters.InputValidation.CustomValidation"), why


def _phone(phone: object) -> Problems:
    where = "Parameters.InputValidation.PhoneNumberValidation"
    if not isinstance(phone, dict) or not set(phone) <= {"NumberFormat", "CountryCode"}:
        yield where, "expected NumberFormat and CountryCode"
        return
    if phone.get("NumberFormat") not in ("Local", "E164"):
        yield f"{where}.NumberFormat", "expected Local or E164"
    country = phone.get("CountryCode", "")
    if phone.get("NumberFormat") == "Local" and not (isinstance(country, str) and country in COUNTRIES):
        yield f"{where}.CountryCode", f"expected a country that is simulated: {', '.join(COUNTRIES)}"


def _invoke(action: Action) -> Problems:
    kind = action.parameters.get("InvocationType", "SYNCHRONOUS")
    yield from _one(action.parameters, "InvocationType", {"SYNCHRONOUS", "ASYNCHRONOUS"})
    limit = ASYNC_LIMIT_S if kind == "ASYNCHRONOUS" else SYNC_LIMIT_S
    yield from _whole(action.parameters, "InvocationTimeLimitSeconds", 1, limit)
    yield from _texts(action.parameters, "LambdaInvocationAttributes")
    validation = action.parameters.get("ResponseValidation", {"ResponseType": "STRING_MAP"})
    if not isinstance(validation, dict) or validation.get("ResponseType") not in ("STRING_MAP", "JSON"):
        yield "Parameters.ResponseValidation", "expected ResponseType STRING_MAP or JSON"


def _load(action: Action) -> Problems:
    yield from _reference(action.parameters, "LambdaInvocationId")


def _attributes(action: Action) -> Problems:
    yield from _one(action.parameters, "TargetContact", {"Current", "Related"})
    yield from _texts(action.parameters, "Attributes")


def _flow_attributes(action: Action) -> Problems:
    values = action.parameters.get("FlowAttributes")
    for name, value in values.items() if isinstance(values, dict) else [("", None)]:
        if not isinstance(value, dict) or not set(value) <= {"Value", "Type"} or "Value" not in value:
            yield f"Parameters.FlowAttributes.{name}", 'expected {"Value": "..."}'


def _compare(action: Action) -> Problems:
    yield from _reference(action.parameters, "ComparisonValue")
    if not action.conditions:
        yield "Transitions.Conditions", "expected at least one"


def _loop(action: Action) -> Problems:
    yield from _whole(action.parameters, "LoopCount", 0, 100, dynamic=True)


def _wait(action: Action) -> Problems:
    parameters = action.parameters
    yield from _whole(parameters, "TimeLimitSeconds", 1, 604_800)
    events = parameters.get("Events", [])
    if not isinstance(events, list) or not set(map(str, events)) <= {"CustomerReturned", "BotParticipantDisconnected"}:
        yield "Parameters.Events", "expected CustomerReturned or BotParticipantDisconnected"
        return
    wanted = {"WaitCompleted", *events}
    if "ContinueExecution" in parameters:
        yield from _one(parameters, "ContinueExecution", {"TRUE"})
        yield from _whole(parameters, "MinimumWaitTimeSeconds", 1, 604_800)
        wanted.add("Continue")
        if "MinimumWaitTimeSeconds" not in parameters:
            yield "Parameters.MinimumWaitTimeSeconds", "required with ContinueExecution"
    hooks = parameters.get("InterruptibleEvents", {})
    wanted |= set(hooks) if isinstance(hooks, dict) else set()
    if not isinstance(hooks, dict) or not all(_lambda_hook(name, hook) for name, hook in hooks.items()):
        yield "Parameters.InterruptibleEvents", "expected AsyncLambdaCompletionEvent with an Identifier"
    if {c.operand for c in action.conditions} != wanted:
        yield "Transitions.Conditions", f"expected {sorted(wanted)}"


def _lambda_hook(name: str, hook: object) -> bool:
    if not isinstance(hook, dict) or set(hook) != {"AsyncLambdaCompletionEvent"} or len(name) > 100:
        return False
    inner = hook["AsyncLambdaCompletionEvent"]
    return isinstance(inner, dict) and set(inner) == {"Identifier"} and paths.is_reference(str(inner["Identifier"]))


def _metric(action: Action) -> Problems:
    yield from _one(action.parameters, "MetricType", METRICS)
    if not action.conditions:
        yield "Transitions.Conditions", "expected at least one"
    people = str(action.parameters.get("MetricType")).startswith("NumberOfAgents")
    for condition in action.conditions:
        if condition.operator not in NUMERIC or not condition.operand.isdecimal():
            yield "Transitions.Conditions", "expected a comparison of numbers"
        elif people and (condition.operator, condition.operand) != ("NumberGreaterThan", "0"):
            yield "Transitions.Conditions", "only NumberGreaterThan 0 is supported for people"


def _hooks(action: Action) -> Problems:
    hooks = action.parameters.get("EventHooks")
    if not isinstance(hooks, dict) or len(hooks) != 1 or not set(hooks) <= HOOKS:
        yield "Parameters.EventHooks", f"expected exactly one of {sorted(HOOKS)}"


def _view(action: Action) -> Problems:
    yield from _whole(action.parameters, "InvocationTimeLimitSeconds", 1, 604_800)
    resource = action.parameters.get("ViewResource")
    if not isinstance(resource, dict) or "Id" not in resource or not set(resource) <= {"Id", "Version"}:
        yield "Parameters.ViewResource", "expected an Id, and perhaps a Version"
    if "ViewData" in action.parameters:
        yield from _texts(action.parameters, "ViewData")


def _routing(action: Action) -> Problems:
    yield from _whole(action.parameters, "QueuePriority", 1, 9_223_372_036_854_775_807)
    yield from _whole(action.parameters, "QueueTimeAdjustmentSeconds", 0, 604_800)


def _contact_data(action: Action) -> Problems:
    if not set(action.parameters) - {"TargetContact"}:
        yield "Parameters", "expected at least one field"


def _callback_number(action: Action) -> Problems:
    yield from _reference(action.parameters, "CallbackNumber")


def _third_party(action: Action) -> Problems:
    parameters = action.parameters
    yield from _whole(parameters, "ThirdPartyConnectionTimeLimitSeconds", 0, 600, dynamic=True)
    yield from _one(parameters, "ContinueFlowExecution", {"True", "False"})
    wanted = {"NoMatchingError"}
    if parameters.get("ContinueFlowExecution") == "True":
        wanted |= {"CallFailed", "ConnectionTimeLimitExceeded"}
    if set(action.errors) != wanted:
        yield "Transitions.Errors", f"expected {sorted(wanted)}"
    connector = parameters.get("VoiceConnector")
    if connector is not None:
        yield from _connector(connector)


def _connector(connector: object) -> Problems:
    known = {"VoiceConnectorType", "VoiceConnectorArn", "ToUser", "FromUser", "UserToUserInformation"}
    if not isinstance(connector, dict) or not {"VoiceConnectorType", "VoiceConnectorArn"} <= set(connector) <= known:
        yield "Parameters.VoiceConnector", f"expected VoiceConnectorType and VoiceConnectorArn, of {sorted(known)}"
    elif connector["VoiceConnectorType"] != "CallTransferConnector":
        yield "Parameters.VoiceConnector.VoiceConnectorType", "expected CallTransferConnector"


_CHECKS: Mapping[str, Callable[[Action], Problems]] = {
    "UpdateFlowLoggingBehavior": _logging,
    "UpdateContactMediaStreamingBehavior": _streaming,
    "MessageParticipant": _message,
    "MessageParticipantIteratively": _messages,
    "GetParticipantInput": _input,
    "InvokeLambdaFunction": _invoke,
    "LoadLambdaFunctionResult": _load,
    "UpdateContactAttributes": _attributes,
    "UpdateFlowAttributes": _flow_attributes,
    "Compare": _compare,
    "Loop": _loop,
    "Wait": _wait,
    "CheckMetricData": _metric,
    "UpdateContactEventHooks": _hooks,
    "ShowView": _view,
    "UpdateContactRoutingBehavior": _routing,
    "UpdateContactData": _contact_data,
    "UpdateContactCallbackNumber": _callback_number,
    "TransferParticipantToThirdParty": _third_party,
}
