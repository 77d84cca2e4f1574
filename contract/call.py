"""A call: our record of one contact, its head item, and the lease by which one gateway owns it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from contract.actions import Outcome, Returned

LEASE_MS = 8000  # how long a gateway owns a call after each renewal
RENEW_EVERY_MS = 2000
CODE_DIGITS = 8  # of the single-use code that a SIP call is known by
EXPECTED_MS = 120_000  # a transfer that has not reached a gateway by then never will
CALLER_GONE = "caller_gone"  # the reason of a call whose caller hung up while nobody served them
MOST_MOVES = 3  # what loses its gateway more often may be the reason for it


class FlowForm(StrEnum):
    """Which of our flows the caller is in."""

    INTERRUPTIBLE = "interruptible"
    POLLING = "polling"
    SIP = "sip"


class CallState(StrEnum):
    WAITING = "waiting"  # no gateway has taken it yet
    EXPECTED = "expected"  # it will come to a gateway by itself, over SIP
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
    returned: Returned = Returned.NONE  # why a transfer to a human did not happen, after which this attempt began


@dataclass(frozen=True, slots=True)
class Head:
    """The small item that flow and gateway both look at all the time.

    Lambdas and the gateway both write it, each change on condition that nobody changed it in between.
    `loaded`, `cancelled_up_to`, `offered` and `last_seq` never go back.

    - `offered`: the last sequence that `next_action` answered with, and `offered_at_ms` when: the playout clock
      starts there, since the polling flow says `loaded` only when the clip is over.
    - `leaving`: the last transfer or end that was offered: on its way to the caller, no longer to be cancelled.
    - `base_seq`: the last sequence when this attempt began. `loaded == base_seq` means that the flow took no
      action of this attempt yet: what plays is the opening, and `ended` is what became of it.
    - `ended`: what became of `loaded`, `none` as long as it plays.
    - `loaded_at_ms`: when the flow first asked with this `loaded`: the clip's start in the interruptible form, its
      end in the polling form.
    - `returned`, `digits`: as the flow said when it came back from `loaded`; kept until it takes another one.
    - `keys_seq`: the last `collect` that the flow has come back from, `keys` the digits and `keys_ended` what became of
      it: `digits` may be gone by the time the gateway looks.
    - `injections`: how many sentences and notes were brought in from outside; `injected` of them were delivered.
    - `lease_until_ms`: 0 until a gateway took this attempt; giving the call away keeps it.
    - `moves`: how often the call went to another owner in this attempt.
    - `start_delay_ms`: from a Lambda's answer to the first sample at the caller, as the gateway learned it.
    - `heard_seq`, `heard_at_ms`: the last clip that the gateway found in what Connect plays, and when it began.
    - `language`: what the agent speaks, where that is not what the flow could tell from the contact's attributes.
    - `dialog`: the SIP dialog of the call, as `gateway.legs.sip.dialog` writes it: enough to end it with a BYE.
    - `failed_over_at_ms`: when a Lambda ended the call by itself, because no voice agent answered: it sent the caller
      to a queue, or the caller had hung up.
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
    base_seq: int = 0
    opening_ms: int = 0
    loaded_at_ms: int = 0
    leaving: int = 0
    failed_over_at_ms: int = 0
    heard_seq: int = 0
    heard_at_ms: int = 0
    dialog: str = ""
    language: str = ""
    keys_seq: int = 0
    keys: str = field(default="", repr=False)
    keys_ended: Outcome = Outcome.NONE
    injections: int = 0
    injected: int = 0

    @property
    def handed_over_unserved(self) -> bool:
        """A Lambda sent the caller to a human, also where a gateway took them for gone and they were not."""
        gone = (self.result, self.reason) == (Result.CALLER_HUNG_UP, CALLER_GONE)
        return bool(self.failed_over_at_ms) and not gone


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
