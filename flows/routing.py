"""The actions of the flow language that send the caller somewhere: queues, hours, other flows, phones, callbacks.

Edges are named as in `flows.actions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from flows.actions import Plain, simple
from flows.language import NO_MATCHING_CONDITION, NO_MATCHING_ERROR, Transitions, When


@dataclass(frozen=True, slots=True)
class CheckHoursOfOperation(Plain):
    """Open or closed; without `hours_id` the hours of the queue that was set before."""

    type_name: ClassVar[str] = "CheckHoursOfOperation"
    is_open: str
    closed: str
    failed: str
    hours_id: str = ""

    def parameters(self) -> dict[str, Any]:
        return {"HoursOfOperationId": self.hours_id} if self.hours_id else {}

    def transitions(self) -> Transitions:
        conditions = (When("True", self.is_open), When("False", self.closed))
        return Transitions(self.closed, conditions, ((NO_MATCHING_ERROR, self.failed),))


@dataclass(frozen=True, slots=True)
class CheckStaffing(Plain):
    """CheckMetricData: is anybody logged in for the queue that was set before, on a call or not."""

    type_name: ClassVar[str] = "CheckMetricData"
    staffed: str
    nobody: str
    failed: str
    metric: str = "NumberOfAgentsStaffed"

    def parameters(self) -> dict[str, Any]:
        return {"MetricType": self.metric}

    def transitions(self) -> Transitions:
        errors = ((NO_MATCHING_CONDITION, self.nobody), (NO_MATCHING_ERROR, self.failed))
        return Transitions(self.failed, (When("0", self.staffed, "NumberGreaterThan"),), errors)


@dataclass(frozen=True, slots=True)
class CheckQueue(Plain):
    """CheckMetricData: in which band is a number of the queue that was set before.

    `bands` are pairs of the most that belongs to a band, rising, and where it leads; `more` is above all of them.
    """

    type_name: ClassVar[str] = "CheckMetricData"
    metric: str
    bands: tuple[tuple[str, str], ...]
    more: str
    failed: str

    def parameters(self) -> dict[str, Any]:
        return {"MetricType": self.metric}

    def transitions(self) -> Transitions:
        conditions = tuple(When(limit, then, "NumberLessOrEqualTo") for limit, then in self.bands)
        errors = ((NO_MATCHING_CONDITION, self.more), (NO_MATCHING_ERROR, self.failed))
        return Transitions(self.failed, conditions, errors)


@dataclass(frozen=True, slots=True)
class GetMetricData(Plain):
    """Fill `$.Metrics.*` for a queue; the numbers are five to ten seconds old."""

    type_name: ClassVar[str] = "GetMetricData"
    queue_id: str
    then: str
    failed: str

    def parameters(self) -> dict[str, Any]:
        return {"QueueId": self.queue_id, "QueueChannel": "Voice"}

    def transitions(self) -> Transitions:
        return simple(self.then, self.failed)


@dataclass(frozen=True, slots=True)
class UpdateContactTargetQueue(Plain):
    """Set the queue by ARN or id, or by one reference that holds it."""

    type_name: ClassVar[str] = "UpdateContactTargetQueue"
    queue_id: str
    then: str
    failed: str

    def parameters(self) -> dict[str, Any]:
        return {"QueueId": self.queue_id}

    def transitions(self) -> Transitions:
        return simple(self.then, self.failed)


@dataclass(frozen=True, slots=True)
class UpdateContactEventHooks(Plain):
    """Which flow runs at an event of the contact; one hook for each action."""

    type_name: ClassVar[str] = "UpdateContactEventHooks"
    hook: str
    flow_arn: str
    then: str
    failed: str

    def parameters(self) -> dict[str, Any]:
        return {"EventHooks": {self.hook: self.flow_arn}}

    def transitions(self) -> Transitions:
        return simple(self.then, self.failed)


@dataclass(frozen=True, slots=True)
class UpdateContactRoutingBehavior(Plain):
    """The contact's priority in its queue, 1 being the highest; it must be static, and has no error branch (flow
    language reference, UpdateContactRoutingBehavior)."""

    type_name: ClassVar[str] = "UpdateContactRoutingBehavior"
    priority: int
    then: str

    def parameters(self) -> dict[str, Any]:
        return {"QueuePriority": str(self.priority)}

    def transitions(self) -> Transitions:
        return Transitions(self.then)


@dataclass(frozen=True, slots=True)
class TransferContactToQueue(Plain):
    """Into the queue that was set before; takes no parameters. On success the flow is over."""

    type_name: ClassVar[str] = "TransferContactToQueue"
    full: str
    failed: str

    def transitions(self) -> Transitions:
        return Transitions(self.failed, errors=(("QueueAtCapacity", self.full), (NO_MATCHING_ERROR, self.failed)))


@dataclass(frozen=True, slots=True)
class TransferToFlow(Plain):
    """Into another flow; contact attributes go along, flow attributes do not."""

    type_name: ClassVar[str] = "TransferToFlow"
    flow_id: str
    failed: str

    def parameters(self) -> dict[str, Any]:
        return {"ContactFlowId": self.flow_id}

    def transitions(self) -> Transitions:
        return simple(self.failed, self.failed)


@dataclass(frozen=True, slots=True)
class DisconnectParticipant(Plain):
    type_name: ClassVar[str] = "DisconnectParticipant"

    def transitions(self) -> Transitions:
        return Transitions()


@dataclass(frozen=True, slots=True)
class ShowView(Plain):
    """Show a view in the agent workspace and branch on what is chosen in it; for the chat contact of a guide only."""

    type_name: ClassVar[str] = "ShowView"
    view_arn: str
    data: Mapping[str, str]
    time_limit_s: int
    actions: tuple[When, ...]
    otherwise: str
    timed_out: str
    failed: str

    def parameters(self) -> dict[str, Any]:
        return {
            "ViewResource": {"Id": self.view_arn},
            "InvocationTimeLimitSeconds": str(self.time_limit_s),
            "ViewData": dict(self.data),
            "SensitiveDataConfiguration": {"HideResponseOn": ["TRANSCRIPT"]},
        }

    def transitions(self) -> Transitions:
        errors = (
            (NO_MATCHING_CONDITION, self.otherwise),
            (NO_MATCHING_ERROR, self.failed),
            ("TimeLimitExceeded", self.timed_out),
        )
        return Transitions(self.otherwise, self.actions, errors)


@dataclass(frozen=True, slots=True)
class EndFlowExecution(Plain):
    """The flow is over and the caller stays where they are: in a queue flow, in the queue."""

    type_name: ClassVar[str] = "EndFlowExecution"

    def transitions(self) -> Transitions:
        return Transitions()


@dataclass(frozen=True, slots=True)
class ToNumber:
    """A phone number, or one reference that holds it (a static one is checked against the instance at creation).
    In `dtmf`, a comma is a pause of 750 ms."""

    number: str
    dtmf: str = ""
    caller_id_name: str = ""
    caller_id_number: str = "$.SystemEndpoint.Address"

    def parameters(self) -> dict[str, Any]:
        digits = {"ThirdPartyDTMFDigits": self.dtmf} if self.dtmf else {}
        caller_id = {"CallerId": {"Name": self.caller_id_name, "Number": self.caller_id_number}}
        return {"ThirdPartyPhoneNumber": self.number, **digits, **(caller_id if self.caller_id_name else {})}


@dataclass(frozen=True, slots=True)
class ToConnector:
    """A SIP voice connector: the user part of both sides, and user-to-user information where given.

    The side that calls is our own number: the caller's may be withheld, and whether the block takes an empty one is not
    documented. start_call knows it already.
    """

    connector_arn: str
    to_user: str
    from_user: str = "$.SystemEndpoint.Address"
    user_to_user: str = ""

    def parameters(self) -> dict[str, Any]:
        connector = {
            "VoiceConnectorType": "CallTransferConnector",
            "VoiceConnectorArn": self.connector_arn,
            "ToUser": self.to_user,
            "FromUser": self.from_user,
        }
        if self.user_to_user:
            connector["UserToUserInformation"] = self.user_to_user
        return {"VoiceConnector": connector}


@dataclass(frozen=True, slots=True)
class TransferParticipantToThirdParty(Plain):
    """Call somebody outside and come back to `then` when they hang up; the caller's hang-up ends the contact."""

    type_name: ClassVar[str] = "TransferParticipantToThirdParty"
    to: ToNumber | ToConnector
    time_limit_s: int
    then: str
    call_failed: str
    not_answered: str
    failed: str

    def parameters(self) -> dict[str, Any]:
        limit = {"ThirdPartyConnectionTimeLimitSeconds": str(self.time_limit_s), "ContinueFlowExecution": "True"}
        return {**self.to.parameters(), **limit}

    def transitions(self) -> Transitions:
        errors = (
            ("CallFailed", self.call_failed),
            ("ConnectionTimeLimitExceeded", self.not_answered),
            (NO_MATCHING_ERROR, self.failed),
        )
        return Transitions(self.then, errors=errors)


@dataclass(frozen=True, slots=True)
class UpdateContactCallbackNumber(Plain):
    """The number of a later callback, by reference; has no NoMatchingError (the service refuses it)."""

    type_name: ClassVar[str] = "UpdateContactCallbackNumber"
    number: str
    then: str
    invalid: str
    not_dialable: str

    def parameters(self) -> dict[str, Any]:
        return {"CallbackNumber": self.number}

    def transitions(self) -> Transitions:
        errors = (("InvalidCallbackNumber", self.invalid), ("CallbackNumberNotDialable", self.not_dialable))
        return Transitions(self.then, errors=errors)


@dataclass(frozen=True, slots=True)
class CreateCallbackContact(Plain):
    """Put a callback into a queue, without `queue_id` into the contact's own; the caller may hang up."""

    type_name: ClassVar[str] = "CreateCallbackContact"
    queue_id: str
    then: str
    failed: str
    delay_s: int = 5
    attempts: int = 1
    retry_delay_s: int = 600

    def parameters(self) -> dict[str, Any]:
        return {
            **({"QueueId": self.queue_id} if self.queue_id else {}),
            "InitialCallDelaySeconds": str(self.delay_s),
            "MaximumConnectionAttempts": str(self.attempts),
            "RetryDelaySeconds": str(self.retry_delay_s),
        }

    def transitions(self) -> Transitions:
        return simple(self.then, self.failed)
