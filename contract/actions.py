"""Actions: what the flow must do next, and what it tells us when it asks.

The gateway appends actions with sequence numbers; the flow fetches them through `next_action`. The flow
language refuses empty strings everywhere, so every field is always present and `none` stands for empty
(CreateContactFlow: "Empty value in Parameters").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

NONE = "none"


class Outcome(StrEnum):
    """What became of an action that the flow took, or never took."""

    NONE = "none"  # not known yet
    COMPLETED = "completed"
    CUT = "cut"  # left while it played: barge-in
    FAILED = "failed"  # the block took its error branch
    CANCELLED = "cancelled"  # never started


class Returned(StrEnum):
    """Why a transfer did not happen."""

    NONE = "none"
    CLOSED = "closed"
    NO_STAFF = "no_staff"
    FULL = "full"
    DECLINED = "declined"
    FAILED = "failed"  # a block on the way to the queue took its error branch


@dataclass(frozen=True, slots=True)
class Play:
    """Play one clip: a WAV, G.711 µ-law, 8 kHz, mono, at an S3 https URL."""

    prompt_url: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text by Connect's own voice: the way out when prompts fail. At most 3,000 characters."""

    text: str


@dataclass(frozen=True, slots=True)
class Collect:
    """Play a clip and take key presses. `secret`: streaming stopped, logging off, the agent learns no digit.

    `name` is the question's in the agent definition. `function`: who gets secret digits, as its argument `parameter`;
    the flow's Lambda calls it, and the gateway sees the answer alone. `once`: a single-use code, so that it is called
    once (see `FlowStore.put_code`).
    """

    prompt_url: str
    max_digits: int
    terminator: str
    timeout_s: int
    secret: bool = False
    name: str = ""
    function: str = ""
    parameter: str = ""
    once: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Hand the caller to a queue; `handover` holds contact attributes (see `contract.handover`).

    `priority`: in that queue, 1 is the highest, 0 leaves it to Connect. `callback`: where nobody can be had, a callback
    is offered before the caller goes back to the voice agent.
    """

    queue_arn: str
    queue: str
    reason: str
    handover: Mapping[str, str] = field(default_factory=dict)
    priority: int = 0
    callback: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """Disconnect the caller."""

    reason: str


Action = Play | Say | Collect | Transfer | End


@dataclass(frozen=True, slots=True)
class Numbered:
    """An action in the log. `appended_at_ms` is when it became available to the flow."""

    seq: int
    action: Action
    appended_at_ms: int
    outcome: Outcome = Outcome.NONE


@dataclass(frozen=True, slots=True)
class Request:
    """What the flow says when it asks `next_action` what to do.

    `loaded` is the last sequence that the flow took, 0 before the first; `ended` is what became of it.
    `ahead`: the flow asks while a clip it took still plays (interruptible form). It then knows nothing of that
    clip yet, and `ended` is about the action before it. `language` is the one that the flow's own sentences are in.
    """

    contact_id: str
    attempt: int
    loaded: int = 0
    ended: Outcome = Outcome.NONE
    returned: Returned = Returned.NONE
    digits: str = ""
    ahead: bool = False
    language: str = ""
