"""How many executions each Lambda keeps for itself. No I/O, nothing of the CDK."""

from __future__ import annotations

from collections.abc import Iterable

from contract.errors import VoiceAgentError
from infra.deployment.rules import UNRESERVED
from infra.deployment.settings import Deployment


class TooMuchConcurrency(VoiceAgentError):
    """The reservations do not fit into the account."""

    def __init__(self, wanted: int, calls: int, limit: int) -> None:
        super().__init__(wanted, calls, limit)
        self.wanted = wanted
        self.calls = calls
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"the Lambdas would reserve {self.wanted} executions for {self.calls} calls, and the account has "
            f"{self.limit}, of which {UNRESERVED} cannot be reserved: lower deepgram.sessions or capacity, set "
            "lambdas.account_concurrency to what Service Quotas says, or lambdas.reserve to false"
        )


def reservations(deployment: Deployment, functions: Iterable[str]) -> dict[str, int]:
    """Executions by name; empty where the deployment reserves nothing.

    Either form of the flow has one execution open for each live call, and for a moment a second one while an
    older request of the same call is being answered. The others last a fraction of a second.

    Raises:
        TooMuchConcurrency: more than the account has.
    """
    if not deployment.lambdas.reserve:
        return {}
    shares = {"start_call": 0.25, "next_action_wait": 1.25, "next_action_poll": 1.25, "contact_event": 0.25}
    # queue_position and queue_hours reserve nothing: throttled, they only leave a sentence out.
    reserved = {name: deployment.share(share) for name, share in shares.items()}
    reserved |= {name: deployment.share(0.25) for name in functions}
    limit = deployment.lambdas.account_concurrency
    if sum(reserved.values()) > limit - UNRESERVED:
        raise TooMuchConcurrency(sum(reserved.values()), deployment.calls, limit)
    return reserved
