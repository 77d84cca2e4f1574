"""The store: where a call is recorded, as two sides see it.

Two implementations pass the same tests: `contract.memory` and `contract.dynamodb`. All methods are
coroutines; the DynamoDB one runs boto3 inline in a Lambda and in a thread in the gateway.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from contract.actions import Action, Numbered, Request
from contract.call import Call, Head, Lease, Opening, Result
from contract.turns import FunctionEntry, FunctionState, Turn


class FlowStore(Protocol):
    """What the Lambdas of the flow may do."""

    async def create_call(self, call: Call) -> Head:
        """Record a call; the same contact and attempt again changes nothing. A higher attempt makes the head
        `waiting` again with no owner, and keeps its sequence numbers and epoch."""
        ...

    async def head(self, contact_id: str) -> Head:
        """Read the head consistently.

        Raises:
            CallNotFound: no such call.
        """
        ...

    async def asked(self, request: Request, request_id: str, now_ms: int) -> Head:
        """Record that the flow asks, and what it says became of `request.loaded`; `request_id` becomes the waiter.

        `loaded` never goes back and never passes the last sequence. Sequences skipped over are recorded as
        cancelled. Idempotent.

        Raises:
            CallNotFound: no such call.
        """
        ...

    async def actions_after(self, contact_id: str, seq: int) -> Sequence[Numbered]:
        """All actions with a higher sequence, in order."""
        ...

    async def offer(self, contact_id: str, request_id: str, seq: int, now_ms: int) -> bool:
        """Claim the right to answer with `seq`, in one conditional write: False when a newer request waits, or
        the sequence was cancelled, or the flow has taken it already. After True the answer must be given at once.
        Idempotent for the same request."""
        ...

    async def fail_over(self, contact_id: str, reason: str, now_ms: int) -> None:
        """Record that the flow's Lambda sends the caller to a human because no voice agent answers: the head
        ends as failed with `reason`, unless it has ended already."""
        ...

    async def disconnected(self, contact_id: str, now_ms: int) -> None:
        """Record that Connect reported the end of the contact. Unknown contacts are ignored."""
        ...

    async def opening(self, agent: str) -> Opening | None:
        """The rendered opening of an agent definition, when there is one."""
        ...


class GatewayStore(FlowStore, Protocol):
    """What a gateway may do. Every write that takes a lease raises LeaseLost when the epoch is not the head's."""

    async def call(self, contact_id: str) -> Call:
        """The facts of the newest attempt. Raises CallNotFound."""
        ...

    async def take(self, contact_id: str, owner: str, now_ms: int, lease_ms: int) -> tuple[Lease, Head]:
        """Own a call that nobody owns or whose lease has expired; the epoch rises by one.

        Raises:
            CallNotFound, CallTaken, CallEnded
        """
        ...

    async def renew(self, lease: Lease, now_ms: int, lease_ms: int, start_delay_ms: int) -> Head: ...

    async def give_away(self, lease: Lease) -> None:
        """Make the call `waiting` again, so that another gateway takes it at once."""
        ...

    async def append(self, lease: Lease, action: Action, now_ms: int) -> int:
        """Append one action; returns its sequence, counted from 1. Raises LeaseLost, CallEnded."""
        ...

    async def cancel(self, lease: Lease, up_to: int) -> None:
        """Withdraw every sequence up to and including `up_to`: what plays is to be left, the rest never starts."""
        ...

    async def cancel_opening(self, lease: Lease) -> None:
        """Withdraw the opening, which has no sequence: what plays is to be left."""
        ...

    async def put_turn(self, lease: Lease, turn: Turn) -> None:
        """Write or amend one turn by its number."""
        ...

    async def turns(self, contact_id: str) -> Sequence[Turn]: ...

    async def enter_function(self, lease: Lease, entry: FunctionEntry) -> FunctionEntry | None:
        """Enter a call of a function before it is made; returns the older entry when the key is there already."""
        ...

    async def finish_function(
        self, lease: Lease, key: str, state: FunctionState, result: str, error: str, now_ms: int
    ) -> None: ...

    async def functions(self, contact_id: str) -> Sequence[FunctionEntry]: ...

    async def end(self, lease: Lease, result: Result, reason: str, now_ms: int) -> None:
        """Close the record: every sequence without an outcome gets one (a loaded one `cut`, others `cancelled`)."""
        ...

    async def expired(self, now_ms: int) -> Sequence[str]:
        """Contacts that are active with an expired lease, or waiting: what a gateway may take over."""
        ...

    async def put_opening(self, agent: str, opening: Opening) -> None: ...


class Wakeups(Protocol):
    """The queue that wakes a gateway up. It carries a contact id and nothing else; the table is the truth."""

    async def send(self, contact_id: str) -> None: ...
