"""The store: where a call is recorded, as two sides see it.

Two implementations pass the same tests: `contract.memory` and `contract.dynamodb`; what an operation does to
a head stands once, in `contract.rules`. All methods are coroutines; the DynamoDB one runs boto3 inline in a
Lambda and in a thread in the gateway. Besides the errors named at each method, all of them may raise
StoreUnavailable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from contract.actions import Action, Numbered, Request
from contract.call import Call, Head, Lease, Opening, Result, Wakeup
from contract.fleet import Fleet, Gateway
from contract.injections import Injection, Kind
from contract.turns import FunctionEntry, FunctionState, Turn


class FlowStore(Protocol):
    """What the Lambdas of the flow may do."""

    async def create_call(self, call: Call) -> Head:
        """Record a call; the same contact and attempt again changes nothing. A higher attempt makes the head
        `waiting` again with no owner, and keeps its sequence numbers and epoch; what is left of the attempt
        before gets an outcome."""
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
        cancelled. Idempotent. A request of an older attempt, or with an older `loaded`, comes late: it changes
        nothing and does not become the waiter.

        Raises:
            CallNotFound: no such call, or no such attempt yet.
        """
        ...

    async def actions_after(self, contact_id: str, seq: int) -> Sequence[Numbered]:
        """All actions with a higher sequence, in order."""
        ...

    async def offer(self, contact_id: str, request_id: str, seq: int, now_ms: int, final: bool = False) -> bool:
        """Claim the right to answer with `seq`, in one conditional write: False when a newer request waits, or
        the sequence was cancelled, or the flow has taken it already, or the call has ended. After True the answer
        must be given at once. Idempotent for the same request.

        `final`: the sequence is a transfer or an end, after which the flow does not ask again. Offering it and
        cancelling it exclude each other.
        Raises CallNotFound.
        """
        ...

    async def fail_over(self, contact_id: str, reason: str, now_ms: int, seen: Head | None = None) -> bool:
        """Record that the flow's Lambda sends the caller to a human because no voice agent answers: the head
        ends as failed with `reason`, unless it has ended already.

        False, and nothing written, when ownership has changed since `seen` was read: taken, renewed, given away,
        or a new attempt. Raises CallNotFound.
        """
        ...

    async def leave(self, contact_id: str, result: Result, reason: str, now_ms: int) -> bool:
        """Close the record of a call whose contact is over while nobody serves it: no gateway takes it any more.
        False, and nothing written, where somebody serves it or it has ended. Raises CallNotFound."""
        ...

    async def disconnected(self, contact_id: str, now_ms: int) -> None:
        """Record that Connect reported the end of the contact. Unknown contacts are ignored."""
        ...

    async def opening(self, agent: str) -> Opening | None:
        """The rendered opening of an agent definition, when there is one."""
        ...

    async def call(self, contact_id: str) -> Call:
        """The facts of the newest attempt. Raises CallNotFound."""
        ...

    async def turns(self, contact_id: str) -> Sequence[Turn]:
        """Every turn, by number."""
        ...

    async def functions(self, contact_id: str) -> Sequence[FunctionEntry]:
        """The ledger, in the order of entering."""
        ...

    async def put_code(self, code: str, contact_id: str, expires_at_ms: int) -> None:
        """Let a single-use code stand for a contact that comes to a gateway over SIP."""
        ...

    async def inject(self, contact_id: str, kind: Kind, text: str, now_ms: int) -> int:
        """Bring a sentence or a note into a live call, from outside; returns its number.

        Raises:
            CallNotFound, CallEnded
            RecordTooLarge: more than 1,000 characters, or the 101st of a call.
        """
        ...

    async def live_calls(self, now_ms: int) -> int:
        """How many calls have a voice agent or are about to, a moment old. What nobody serves any more, and the flow
        has helped itself with long ago, does not count: see `contract.rules.counts`."""
        ...

    async def fleet(self) -> Fleet:
        """The gateways by their last reports, those that are gone among them, and the current release."""
        ...


class GatewayStore(FlowStore, Protocol):
    """What a gateway may do.

    Every write that takes a lease raises LeaseLost when its epoch is not the head's, or when the call was given
    away or has begun a new attempt, and CallNotFound when there is no call.
    """

    async def take(self, contact_id: str, owner: str, now_ms: int, lease_ms: int) -> tuple[Lease, Head]:
        """Own a call that nobody owns or whose lease has expired (`lease_until_ms <= now_ms`); the epoch rises by one.

        Raises:
            CallNotFound, CallTaken, CallEnded
        """
        ...

    async def renew(self, lease: Lease, now_ms: int, lease_ms: int, start_delay_ms: int) -> Head:
        """Own the call for `lease_ms` more. A call that has ended comes back as it is: look at `state`."""
        ...

    async def give_away(self, lease: Lease) -> None:
        """Make the call `waiting` again, so that another gateway takes it at once."""
        ...

    async def append(self, lease: Lease, action: Action, now_ms: int) -> int:
        """Append one action; returns its sequence, counted from 1. After StoreUnavailable nobody knows whether it is
        in the log: the same action again is not appended twice. Raises LeaseLost, CallEnded."""
        ...

    async def cancel(self, lease: Lease, up_to: int) -> None:
        """Withdraw every sequence up to and including `up_to`: what plays is to be left, the rest never starts.

        A transfer or an end that was offered to the flow stays: see `Head.offered`.
        """
        ...

    async def cancel_opening(self, lease: Lease) -> None:
        """Barge-in while the opening plays: it is to be left. It has no sequence that `cancel` could name."""
        ...

    async def heard(self, lease: Lease, seq: int, at_ms: int) -> None:
        """Note when a clip really began to be heard, so that it is left neither early nor late. Raises LeaseLost."""
        ...

    async def note_dialog(self, lease: Lease, dialog: str) -> None:
        """Note the SIP dialog, so that another gateway can end it. Raises LeaseLost."""
        ...

    async def note_language(self, lease: Lease, language: str) -> None:
        """Note what the agent speaks now, for the flow's own sentences. Raises LeaseLost."""
        ...

    async def keep(self, lease: Lease, attempt: int, seconds: int) -> None:
        """Let what is written of this call expire so long after now, instead of after the deployment's retention: its
        head, its facts, and all that this gateway writes from here on. Raises LeaseLost."""
        ...

    async def injections(self, contact_id: str, after: int) -> Sequence[Injection]:
        """What was brought in from outside with a higher number, in order."""
        ...

    async def injected(self, lease: Lease, number: int) -> None:
        """Everything up to `number` was delivered. Raises LeaseLost."""
        ...

    async def claim_code(self, code: str, now_ms: int) -> str | None:
        """The contact that a code stands for, once: None for a code that is unknown, was claimed or has expired."""
        ...

    async def put_turn(self, lease: Lease, turn: Turn) -> None:
        """Write or amend one turn by its number, also after the end. Texts longer than 16 KB are cut."""
        ...

    async def enter_function(self, lease: Lease, entry: FunctionEntry) -> FunctionEntry | None:
        """Enter a call of a function before it is made; returns the older entry when the key is there already.

        Raises:
            RecordTooLarge: arguments of more than 64 KB as JSON.
        """
        ...

    async def finish_function(
        self, lease: Lease, key: str, state: FunctionState, result: str, error: str, now_ms: int
    ) -> None:
        """Write what became of an entered function.

        Raises:
            MalformedRecord: the key was never entered.
            RecordTooLarge: a result or an error of more than 64 KB.
        """
        ...

    async def end(self, lease: Lease, result: Result, reason: str, now_ms: int) -> None:
        """Close the record: every sequence without an outcome gets one (a loaded clip `cut`, a loaded or offered
        transfer or end `completed`, others `cancelled`). A call that has ended keeps its result and reason."""
        ...

    async def expired(self, now_ms: int) -> Sequence[str]:
        """Contacts that are active with an expired lease, waiting, or expected for too long: what a gateway may take
        over."""
        ...

    async def put_opening(self, agent: str, opening: Opening) -> None: ...

    async def report(self, gateway: Gateway) -> None:
        """Write what a gateway says of itself, in place of what it said before."""
        ...

    async def announce(self, release: str) -> None:
        """From here on calls are for gateways of this release."""
        ...


class Wakeups(Protocol):
    """The queue that wakes a gateway up. It carries a contact id and nothing else; the table is the truth."""

    async def send(self, contact_id: str) -> None: ...


class WakeupQueue(Wakeups, Protocol):
    """The gateway's side of the queue. A message that is not deleted comes again."""

    async def receive(self, wait_s: int, most: int = 10) -> Sequence[Wakeup]:
        """Up to `most` messages, ten at most; waits up to `wait_s` seconds (20 at most) for the first one."""
        ...

    async def delete(self, receipt: str) -> None: ...
