"""The gateway: whether its tasks run, and whether the first sentences are ready."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from contract.dynamodb import DynamoStore
from contract.running import inline
from definition.templates import is_fixed
from infra.deployment.agents import load_agents
from operations import stack as paths
from operations.doctor.findings import RESTORE, Examined, Finding, good, later, missing


def gateway(examined: Examined) -> Iterator[Finding]:
    """As many tasks as are wanted, of one release."""
    service = examined.at(paths.GATEWAY_SERVICE)
    if not service:
        yield later("the gateway will be started")
        return
    found = examined.aws.ecs.describe_services(cluster=examined.at(paths.CLUSTER), services=[service])["services"]
    if not found:
        yield missing("the gateway's service is gone", RESTORE)
        return
    running, desired = found[0].get("runningCount", 0), found[0].get("desiredCount", 0)
    under_way = [each for each in found[0].get("deployments", []) if each.get("rolloutState") == "IN_PROGRESS"]
    if running < max(desired, 1):
        event = next((event.get("message", "") for event in found[0].get("events", [])), "no event")
        yield missing(
            f"{running} of {desired} gateway tasks run: calls go to the queue. Last event: {event}",
            "read the service's events and its log (make deploy shows its name as GatewayLog); a task that cannot read "
            "its settings or pull its image stops at once",
        )
    elif under_way:
        yield missing("a new release of the gateway is starting", "wait for it and run doctor again")
    else:
        yield good(f"{running} task{'s' if running != 1 else ''}")


def openings(examined: Examined) -> Iterator[Finding]:
    """Each agent's first sentence, rendered; the gateway tries once a minute until there is a usable key. A sentence
    that depends on who calls is said by the agent itself."""
    table = examined.at(paths.TABLE)
    if not table:
        yield later("openings will be rendered when the key is there")
        return
    store = DynamoStore(examined.aws.dynamodb, table, inline)
    definitions = load_agents(examined.deployment, examined.root)
    fixed = [name for name, each in definitions.items() if is_fixed(each) and not each.agent_id]
    without = [name for name in fixed if asyncio.run(store.opening(name)) is None]
    if without:
        yield missing(
            f"the opening of {', '.join(without)} is not rendered: its callers wait for the first word",
            "it is rendered within a minute once the key is usable; look for opening_not_rendered in the gateway's log",
        )
    else:
        yield good(f"rendered for {', '.join(fixed) or 'no agent, as none needs it'}")
