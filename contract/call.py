"""A call: our record of one contact, its head item, and the lease by which one gateway owns it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from contract.actions import Outcome, Returned


class FlowForm(StrEnum):
    """Which of our flows the caller is in."""

    INTERRUPTIBLE = "interruptible"
    POLLING = "polling"
    SIP = "sip"


class CallState(StrEnum):
    WAITING = "waiting"  # no gateway has taken it yet
    ACTIVE = "active"  # a gateway owns it, as long as its lease lasts
    ENDED = "ended"


class Result(StrEnum):
    """How a call ended. Each end also has a reason, a short snake_case word."""

    NONE = "none"
    TRANSFERRED = "transferred"
    ENDED = "ended"
    CALLER_HUNG_UP = "caller_hung_up"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class MediaStream:
    """Where Connect writes the caller's audio (`$.MediaStreams.Customer.Audio` of the contact).

    A fragment number is an opaque decimal string of about 47 digits, never an int in JSON.
    """

    stream_arn: str
    start_timestamp_ms: int
    start_fragment_number: str


@dataclass(frozen=True, slots=True)
class Opening:
    """The opening sentence of an agent definition, rendered beforehand in the agent's own voice."""

    url: str
    text: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Call:
    """The facts of a call that do not change while it lasts."""

    contact_id: str
    attempt: int
    agent: str
    form: FlowForm
    instance_arn: str
    media: MediaStream
    started_at_ms: int
    caller_number: str = ""
    system_number: str = ""
    language: str = ""
    initial_contact_id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    opening: Opening | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The small item that flow and gateway both look at all the time.

    `flow_*` fields are written by the flow's Lambdas, the others by the gateway; both are guarded by
    conditions. `loaded` never goes back. `offered` is the last sequence that `next_action` answered with, and
    `offered_at_ms` when: the playout clock starts there, since the polling flow says `loaded` only when the
    clip is over.
    """

    contact_id: str
    attempt: int
    state: CallState
    started_at_ms: int
    last_seq: int = 0
    cancelled_up_to: int = 0
    owner: str = ""
    epoch: int = 0
    lease_until_ms: int = 0
    moves: int = 0
    start_delay_ms: int = 400
    result: Result = Result.NONE
    reason: str = ""
    opening_cancelled: bool = False
    # what the flow told us
    offered: int = 0
    offered_at_ms: int = 0
    waiter: str = ""
    loaded: int = 0
    ended: Outcome = Outcome.NONE
    returned: Returned = Returned.NONE
    digits: str = ""
    asked_at_ms: int = 0
    disconnected_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to a call: every write names the epoch and is refused when another owner has a newer one."""

    contact_id: str
    owner: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Wakeup:
    """A message that asks for a gateway. `receipt` is the queue's handle for deleting it."""

    contact_id: str
    receipt: str = ""
