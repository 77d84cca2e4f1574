"""What a contact is told (events) and what it asks for (commands). Times are epoch ms, audio is µ-law 8 kHz."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from contract.call import MediaStream


class LambdaFailure(StrEnum):
    """Why an invocation brought no payload."""

    THROTTLED = "throttled"  # 429: retried
    SERVICE = "service"  # 5xx of the Lambda service: retried
    FUNCTION = "function"  # the handler raised
    TIMEOUT = "timeout"
    CRASHED = "crashed"  # the process ended
    NOT_FOUND = "not_found"


class DisconnectReason(StrEnum):
    """`DisconnectReason` of a contact record (admin guide, contact records data model)."""

    CUSTOMER = "CUSTOMER_DISCONNECT"
    HUMAN = "AGENT_DISCONNECT"
    THIRD_PARTY = "THIRD_PARTY_DISCONNECT"
    FLOW = "CONTACT_FLOW_DISCONNECT"
    API = "API"


class ThirdPartyOutcome(StrEnum):
    """How a leg to a third party ended."""

    COMPLETED = "completed"  # it hung up after having been connected
    CALL_FAILED = "CallFailed"
    FAILED = "NoMatchingError"


PromptKind = Literal["s3", "library", "text", "ssml"]


# Events


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class LambdaReturned:
    """An invocation came back: with a payload (whatever JSON it was), or with a failure."""

    invocation_id: str
    payload: object = None
    error: LambdaFailure | None = None


@dataclass(frozen=True, slots=True)
class PromptLoaded:
    """The samples of a prompt that was asked for."""

    prompt_id: str
    ulaw: bytes


@dataclass(frozen=True, slots=True)
class PromptEnded:
    """The samples have run out, or could not be had (`failed`)."""

    prompt_id: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Digits:
    """Keys that the caller pressed."""

    keys: str


@dataclass(frozen=True, slots=True)
class CallerHungUp:
    pass


@dataclass(frozen=True, slots=True)
class ContactStopped:
    """StopContact was called."""


@dataclass(frozen=True, slots=True)
class StreamingStarted:
    media: MediaStream


@dataclass(frozen=True, slots=True)
class StreamingFailed:
    pass


@dataclass(frozen=True, slots=True)
class ThirdPartyConnected:
    pass


@dataclass(frozen=True, slots=True)
class ThirdPartyEnded:
    outcome: ThirdPartyOutcome


@dataclass(frozen=True, slots=True)
class HumanAnswered:
    """Somebody took the contact out of its queue."""


@dataclass(frozen=True, slots=True)
class HumanHungUp:
    pass


Event = (
    Tick
    | LambdaReturned
    | PromptLoaded
    | PromptEnded
    | Digits
    | CallerHungUp
    | ContactStopped
    | StreamingStarted
    | StreamingFailed
    | ThirdPartyConnected
    | ThirdPartyEnded
    | HumanAnswered
    | HumanHungUp
)


# Commands


@dataclass(frozen=True, slots=True)
class Enter:
    """A block begins."""

    identifier: str
    type: str


@dataclass(frozen=True, slots=True)
class Log:
    """One line of the flow log, as Connect writes it to CloudWatch."""

    line: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InvokeLambda:
    """Invoke a function; the same id again is a retry. What comes later than `limit_ms` is not waited for."""

    invocation_id: str
    arn: str
    event: Mapping[str, Any]
    limit_ms: int
    asynchronous: bool


@dataclass(frozen=True, slots=True)
class PlayPrompt:
    """Get the samples of a prompt: answered by PromptLoaded, or by PromptEnded(failed=True)."""

    prompt_id: str
    kind: PromptKind
    uri_or_text: str


@dataclass(frozen=True, slots=True)
class StartPrompt:
    """The caller hears `ulaw` from `starts_at_ms` on; answered by PromptEnded when it has run out."""

    prompt_id: str
    ulaw: bytes
    starts_at_ms: int


@dataclass(frozen=True, slots=True)
class StopPrompt:
    """The caller hears no more of a prompt that was started."""

    prompt_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class StartStreaming:
    """Directions are `From` (what the caller says) and `To` (what the caller hears)."""

    directions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StopStreaming:
    directions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueueContact:
    queue_arn: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CreateCallback:
    number: str
    queue_arn: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DialThirdParty:
    """Call a number (E.164) or `to_user` at a voice connector; answered by ThirdPartyConnected and ThirdPartyEnded."""

    number: str
    connector_arn: str
    from_user: str
    dtmf: str
    limit_ms: int
    user_to_user: str = ""


@dataclass(frozen=True, slots=True)
class HangUpThirdParty:
    pass


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The contact is over."""

    reason: DisconnectReason


Command = (
    Enter
    | Log
    | InvokeLambda
    | PlayPrompt
    | StartPrompt
    | StopPrompt
    | StartStreaming
    | StopStreaming
    | QueueContact
    | CreateCallback
    | DialThirdParty
    | HangUpThirdParty
    | Disconnect
)
