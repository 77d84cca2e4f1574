"""What only some deployments have of flows and their functions: secret keys, a guide, a queue flow of their own."""

from __future__ import annotations

import json

import pytest

from operations import stack as paths
from operations.doctor.checks.flows import associations, flows
from operations.doctor.examination import examine
from operations.doctor.findings import Finding, State
from tests.operations.account import ROOT, Account, alias_arn, connect_arn, function_name

CHECKS = [("flows", flows), ("associations", associations)]


def findings(account: Account) -> dict[str, list[Finding]]:
    sections = examine(account.deployment(), account.clients(), ROOT, CHECKS)
    return {section.topic: list(section.findings) for section in sections}


def faults(account: Account) -> list[str]:
    return [each.what for found in findings(account).values() for each in found if each.state is State.MISSING]


@pytest.fixture
def secret(account: Account) -> Account:
    """Its agent gives key presses to a function, so that there is one Lambda more."""
    name = paths.KEYS_FUNCTION
    account.yaml = account.yaml.replace("[shop]", "[insurance]").replace("orders:", "claims:")
    account.yaml = account.yaml.replace("support:", "service:").replace("queue: support", "queue: service")
    made = {paths.function(name): function_name(name), paths.alias(name): alias_arn(name)}
    made |= {paths.queue(queue): connect_arn("queue", queue) for queue in ("claims", "service")}
    account.physical |= {paths.logical_id(path): id_ for path, id_ in made.items()}
    account.associated.append(alias_arn(name).rpartition(":")[0])
    account.permitted.add(name)
    account.flows = account._deployed_flows()
    return account


def test_the_function_for_secrets_is_looked_for_where_an_agent_asks_for_any(secret: Account) -> None:
    assert faults(secret) == []
    assert "secret_keys may be invoked" in findings(secret)["associations"][0].what


def test_without_its_association_every_question_for_a_secret_would_fail(secret: Account) -> None:
    secret.associated.pop()
    assert [what.partition(" is ")[0] for what in faults(secret)] == ["secret_keys (voice-agent-secret_keys)"]


def test_without_its_permission_too(secret: Account) -> None:
    secret.permitted.remove(paths.KEYS_FUNCTION)
    assert faults(secret) == ["the alias of secret_keys does not let this instance invoke it"]


def test_a_function_without_an_alias_is_told_and_no_traceback(account: Account) -> None:
    del account.physical[paths.logical_id(paths.alias("queue_position"))]
    assert "the alias of queue_position does not let this instance invoke it" in faults(account)


@pytest.fixture
def guided(account: Account) -> Account:
    """Humans see the handover in a guide."""
    account.yaml = account.yaml.replace("connect:\n", "connect:\n  guide: true\n")
    made = {paths.GUIDE: connect_arn("contact-flow", "guide"), paths.GUIDE_VIEW: connect_arn("view", "handover")}
    account.physical |= {paths.logical_id(path): id_ for path, id_ in made.items()}
    account.flows = account._deployed_flows()
    return account


def test_a_guide_is_compared_where_there_is_one(guided: Account) -> None:
    assert faults(guided) == []
    assert any(each.what.startswith("guide is that of this release") for each in findings(guided)["flows"])
    del guided.flows["guide"]
    assert faults(guided) == ["the flow guide is gone from the instance"]


def test_a_queue_flow_is_compared_where_the_deploy_makes_one(account: Account) -> None:
    account.spoil_flow("queue", next(iter(_blocks(account))))
    assert [what.partition(":")[0] for what in faults(account)] == ["the flow queue is not that of this release"]
    account.yaml = account.yaml.replace("connect:\n", "connect:\n  customer_queue_flow: instance\n")
    account.flows = account._deployed_flows()
    assert "queue" not in account.flows
    assert faults(account) == []


def _blocks(account: Account) -> list[str]:
    return [block["Identifier"] for block in json.loads(account.flows["queue"]["Content"])["Actions"]]
