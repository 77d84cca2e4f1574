"""The actions of the flow language that our flows use, with the parameter and branch names that the service takes.

Every class names its edges by what happens: `then` on success, `failed` on NoMatchingError, others after their
branch. Where the service also wants a NextAction on a branching action, it is the target of the fallback branch,
as the console writes it (CreateContactFlow refuses a non-terminal action without NextAction).
Names that differ between the reference pages and the live service follow console exports: `TimeLimitSeconds`,
`ThirdPartyConnectionTimeLimitSeconds`, `LambdaInvocationAttributes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from flows.language import NO_MATCHING_CONDITION, NO_MATCHING_ERROR, Transitions, When
from flows.prompts import Prompt

INVOCATION_ID = "$.LambdaInvocation.InvocationId"


class Plain:
    """An action without parameters, and with nothing to tell the designer."""

    __slots__ = ()

    def parameters(self) -> dict[str, Any]:
        return {}

    def designer(self) -> dict[str, Any]:
        return {}


def simple(then: str, failed: str) -> Transitions:
    """The two edges of most actions: success, and NoMatchingError."""
    return Transitions(then, errors=((NO_MATCHING_ERROR, failed),))


@dataclass(frozen=True, slots=True)
class UpdateFlowLoggingBehavior(Plain):
    """Flow log on or off; later segments of the contact inherit it. Has no error branch."""

    type_name: ClassVar[str] = "UpdateFlowLoggingBehavior"
    enabled: bool
    then: str

    def parameters(self) -> dict[str, Any]:
        return {"FlowLoggingBehavior": "Enabled" if self.enabled else "Disabled"}

    def transitions(self) -> Transitions:
        return Transitions(self.then)


@dataclass(frozen=True, slots=True)
class UpdateContactTextToSpeechVoice(Plain):
    """The voice of texts. The engine is not checked at creation: a wrong one takes the error branch in the call."""

    type_name: ClassVar[str] = "UpdateContactTextToSpeechVoice"
    voice: str
    engine: str
    style: str
    language: str
    then: str
    failed: str

    def parameters(self) -> dict[str, Any]:
        return {
            "TextToSpeechVoice": self.voice,
            "TextToSpeechEngine": self.engine,
            "TextToSpeechStyle": self.style,
        }

    def transitions(self) -> Transitions:
        return simple(self.then, self.failed)

    def designer(self) -> dict[str, Any]:
        return {"parameters": {"TextToSpeechVoice": {"languageCode": self.language}}, "overrideConsoleVoice": True}


@dataclass(frozen=True, slots=True)
class UpdateContactMediaStreamingBehavior(Plain):
    """Start or stop the caller's audio to Kinesis Video Streams: `From` the caller, `To` the caller."""

    type_name: ClassVar[str] = "UpdateContactMediaStreamingBehavior"
    enabled: bool
    then: str
    failed: str
    directions: tuple[str, ...] = ("From", "To")

    def parameters(self) -> dict[str, Any]:
        return {
            "MediaStreamingState": "Enabled" if self.enabled else "Disabled",
            "MediaStreamType": "Audio",
            "Participants": [{"ParticipantType": "Customer", "MediaDirections": list(self.directions)}],
        }

    def transitions(self) -> Transitions:
        return simple(self.then, self.failed)


@dataclass(frozen=True, slots=True)
class MessageParticipant(Plain):
    """Play prompt. The service lets the error branch go; here it is always there."""

    type_name: ClassVar[str] = "MessageParticipant"
    prompt: Prompt
    then: str
    failed: str

    def parameters(self) -> dict[str, Any]:
        return self.prompt.parameters()

    def transitions(self) -> Transitions:
        return simple(self.then, self.failed)


@dataclass(frozen=True, slots=True)
class LoopPrompts(Plain):
    """MessageParticipantIteratively: prompts over and over, left after every so many seconds; queue flows only."""

    type_name: ClassVar[str] = "MessageParticipantIteratively"
    prompts: tuple[Prompt, ...]
    every_s: int
    interrupted: str
    failed: str

    def parameters(self) -> dict[str, Any]:
        messages = [prompt.parameters() for prompt in self.prompts]
        return {"Messages": messages, "InterruptFrequencySeconds": str(self.every_s)}

    def transitions(self) -> Transitions:
        errors = ((NO_MATCHING_ERROR, self.failed),)
        return Transitions(self.failed, (When("MessagesInterrupted", self.interrupted),), errors)


@dataclass(frozen=True, slots=True)
class StoreInput(Plain):
    """GetParticipantInput that stores key presses in `$.StoredCustomerInput`; without any, success with "Timeout".

    The limits must be static numbers (flow language reference, GetParticipantInput).
    """

    type_name: ClassVar[str] = "GetParticipantInput"
    prompt: Prompt
    maximum_length: int
    time_limit_s: int
    then: str
    failed: str
    terminator: str = "#"
    interdigit_s: int = 5

    def parameters(self) -> dict[str, Any]:
        return {
            **self.prompt.parameters(),
            "InputTimeLimitSeconds": str(self.time_limit_s),
            "StoreInput": "True",
            "InputValidation": {"CustomValidation": {"MaximumLength": str(self.maximum_length)}},
            "DTMFConfiguration": {
                "InputTerminationSequence": self.terminator,
                "DisableCancelKey": "True",
                "InterdigitTimeLimitSeconds": str(self.interdigit_s),
            },
        }

    def transitions(self) -> Transitions:
        return simple(self.then, self.failed)


@dataclass(frozen=True, slots=True)
class StorePhoneNumber(Plain):
    """GetParticipantInput that takes a phone number as it is dialled in one country, and stores it in
    `$.StoredCustomerInput` so that it can be called; without any key, success with "Timeout".

    `country`: ISO 3166, two letters.
    """

    type_name: ClassVar[str] = "GetParticipantInput"
    prompt: Prompt
    country: str
    time_limit_s: int
    then: str
    invalid: str
    failed: str

    def parameters(self) -> dict[str, Any]:
        return {
            **self.prompt.parameters(),
            "InputTimeLimitSeconds": str(self.time_limit_s),
            "StoreInput": "True",
            "InputValidation": {"PhoneNumberValidation": {"NumberFormat": "Local", "CountryCode": self.country}},
        }

    def transitions(self) -> Transitions:
        errors = (("InvalidPhoneNumber", self.invalid), (NO_MATCHING_ERROR, self.failed))
        return Transitions(self.then, errors=errors)


@dataclass(frozen=True, slots=True)
class Menu(Plain):
    """GetParticipantInput that branches on one key: 0 to 9, * or #."""

    type_name: ClassVar[str] = "GetParticipantInput"
    prompt: Prompt
    time_limit_s: int
    keys: tuple[tuple[str, str], ...]
    otherwise: str
    timed_out: str
    failed: str

    def parameters(self) -> dict[str, Any]:
        limit = {"InputTimeLimitSeconds": str(self.time_limit_s), "StoreInput": "False"}
        return {**self.prompt.parameters(), **limit}

    def transitions(self) -> Transitions:
        errors = (
            ("InputTimeLimitExceeded", self.timed_out),
            (NO_MATCHING_CONDITION, self.otherwise),
            (NO_MATCHING_ERROR, self.failed),
        )
        return Transitions(self.otherwise, tuple(When(key, then) for key, then in self.keys), errors)


@dataclass(frozen=True, slots=True)
class InvokeLambdaFunction(Plain):
    """Invoke a Lambda. Synchronous: 1 to 8 s, the answer is `$.External`. Asynchronous: the flow goes on at once,
    limit 1 to 60 s, the answer is there after LoadLambdaFunctionResult."""

    type_name: ClassVar[str] = "InvokeLambdaFunction"
    function_arn: str
    time_limit_s: int
    attributes: Mapping[str, str]
    then: str
    failed: str
    asynchronous: bool = False

    def parameters(self) -> dict[str, Any]:
        return {
            "LambdaFunctionARN": self.function_arn,
            "InvocationTimeLimitSeconds": str(self.time_limit_s),
            "InvocationType": "ASYNCHRONOUS" if self.asynchronous else "SYNCHRONOUS",
            "LambdaInvocationAttributes": dict(self.attributes),
            "ResponseValidation": {"ResponseType": "JSON"},
        }

    def transitions(self) -> Transitions:
        return simple(self.then, self.failed)

    def designer(self) -> dict[str, Any]:
        dynamic = {key: value.startswith("$.") for key, value in self.attributes.items()}
        uses = {key: {"useDynamic": yes} for key, yes in dynamic.items()}
        return {"parameters": {"LambdaInvocationAttributes": uses}, "dynamicMetadata": dynamic}


@dataclass(frozen=True, slots=True)
class LoadLambdaFunctionResult(Plain):
    """Put the answer of the last asynchronous invocation into `$.External`."""

    type_name: ClassVar[str] = "LoadLambdaFunctionResult"
    then: str
    in_progress: str
    failed: str

    def parameters(self) -> dict[str, Any]:
        return {"LambdaInvocationId": INVOCATION_ID}

    def transitions(self) -> Transitions:
        errors = ((NO_MATCHING_ERROR, self.failed), ("InProgress", self.in_progress))
        return Transitions(self.then, errors=errors)


@dataclass(frozen=True, slots=True)
class UpdateContactAttributes(Plain):
    """Contact attributes, all or none of them; they stay with the contact and are seen by humans."""

    type_name: ClassVar[str] = "UpdateContactAttributes"
    attributes: Mapping[str, str]
    then: str
    failed: str

    def parameters(self) -> dict[str, Any]:
        return {"Attributes": dict(self.attributes), "TargetContact": "Current"}

    def transitions(self) -> Transitions:
        return simple(self.then, self.failed)


@dataclass(frozen=True, slots=True)
class UpdateFlowAttributes(Plain):
    """Flow attributes: gone when the flow is left, and in no record. The right place for the state of a loop."""

    type_name: ClassVar[str] = "UpdateFlowAttributes"
    attributes: Mapping[str, str]
    then: str
    failed: str

    def parameters(self) -> dict[str, Any]:
        return {"FlowAttributes": {key: {"Value": value} for key, value in self.attributes.items()}}

    def transitions(self) -> Transitions:
        return simple(self.then, self.failed)


@dataclass(frozen=True, slots=True)
class Compare(Plain):
    """Branch on one reference. Comparisons are case sensitive; a value that is not there matches nothing."""

    type_name: ClassVar[str] = "Compare"
    value: str
    conditions: tuple[When, ...]
    otherwise: str

    def parameters(self) -> dict[str, Any]:
        return {"ComparisonValue": self.value}

    def transitions(self) -> Transitions:
        return Transitions(self.otherwise, self.conditions, ((NO_MATCHING_CONDITION, self.otherwise),))


@dataclass(frozen=True, slots=True)
class WaitForLambda(Plain):
    """Wait, in the form for voice: runs the `goes_on` branch until the asynchronous Lambda has returned.

    The branch name `LambdaReturned` and the spelling `TRUE` are those of an export that works on a phone call.
    """

    type_name: ClassVar[str] = "Wait"
    time_limit_s: int
    goes_on: str
    returned: str
    completed: str
    failed: str
    minimum_s: int = 1

    def parameters(self) -> dict[str, Any]:
        return {
            "TimeLimitSeconds": str(self.time_limit_s),
            "MinimumWaitTimeSeconds": str(self.minimum_s),
            "ContinueExecution": "TRUE",
            "InterruptibleEvents": {"LambdaReturned": {"AsyncLambdaCompletionEvent": {"Identifier": INVOCATION_ID}}},
        }

    def transitions(self) -> Transitions:
        conditions = (
            When("Continue", self.goes_on),
            When("LambdaReturned", self.returned),
            When("WaitCompleted", self.completed),
        )
        return Transitions(self.failed, conditions, ((NO_MATCHING_ERROR, self.failed),))

    def designer(self) -> dict[str, Any]:
        units = {"TimeLimitSeconds": {"unit": 1}, "MinimumWaitTimeSeconds": {"unit": 1}}
        return {"parameters": units, "timeoutUnit": {"display": "Seconds", "value": "second"}}


@dataclass(frozen=True, slots=True)
class Loop(Plain):
    """Count passes, 0 to 100; the counter starts anew after the last one."""

    type_name: ClassVar[str] = "Loop"
    count: int
    again: str
    done: str

    def parameters(self) -> dict[str, Any]:
        return {"LoopCount": str(self.count)}

    def transitions(self) -> Transitions:
        return Transitions(self.done, (When("ContinueLooping", self.again), When("DoneLooping", self.done)))
