"""What the keys of `deployment.yaml` must be together."""

from __future__ import annotations

from typing import Any

from definition.shape import Findings, shown
from definition.source import Node
from infra.sip.networks import VOICE_CONNECTOR_NETWORKS

# Fargate: the memory in MiB that may go with a number of CPU units (Amazon ECS developer guide, task size).
MEMORY = {
    256: (512, 2048),
    512: (1024, 4096),
    1024: (2048, 8192),
    2048: (4096, 16384),
    4096: (8192, 30720),
}
SWITCH = "switch"  # hours by this name are the deployment's own: closed, they send every caller to the queue
UNRESERVED = 100  # Lambda keeps so many executions free of reservations (Lambda developer guide)


def check(node: Node, data: dict[str, Any], findings: Findings) -> None:
    """Note every contradiction; runs only on a file without problems of its own."""
    _instance(node, data, findings)
    _hours(node, data, findings)
    _queues(node, data, findings)
    _agents(node, data, findings)
    _capacity(node, data, findings)
    _network(node, data, findings)
    _return_flow(node, data, findings)
    _task_flow(node, data, findings)
    _sip(node, data, findings)


def _sip(node: Node, data: dict[str, Any], findings: Findings) -> None:
    given = data.get("sip")
    number = data.get("phone_number")
    if given is None:
        if number is not None and number["flow"] == "sip":
            findings.below(node, "phone_number", "a key `sip`, as its flow is that one", "none")
        return
    sip = node.child("sip")
    assert sip is not None
    if bool(given["connector"]) == bool(given["number"]):
        found = "both" if given["number"] else "none of them"
        findings.below(node, "sip", "either connector or number", found)
    if given["through"] != "trunk":
        if given["connector"]:
            findings.below(sip, "through", "trunk, as the connector has routes of its own", given["through"])
        if data["region"] not in VOICE_CONNECTOR_NETWORKS:
            findings.below(sip, "through", f"trunk, as Chime SDK is not in {data['region']}", given["through"])
    if not given.get("networks") and data["region"] not in VOICE_CONNECTOR_NETWORKS:
        findings.below(node, "sip", f"networks, as voice connectors have none in {data['region']}", "none")
    if (data["capacity"] or {}).get("egress") != "public":
        findings.below(node, "sip", "capacity.egress public: media go to the task itself", "nat")


def _instance(node: Node, data: dict[str, Any], findings: Findings) -> None:
    connect = node.child("connect")
    assert connect is not None
    given = data["connect"]
    if given["instance"] == "create":
        if not given["alias"]:
            findings.below(connect, "alias", "an alias for the new instance")
        if given["streaming"]["configuration"] == "existing":
            streaming = connect.child("streaming")
            assert streaming is not None
            findings.below(streaming, "configuration", "create, as the instance is new", "existing")
        return
    if given["alias"]:
        findings.below(connect, "alias", "no alias, as the instance exists", shown(given["alias"]))
    region = given["instance"].split(":")[3]
    if region != data["region"]:
        findings.below(connect, "instance", f"an instance in {data['region']}", f"one in {region}")


def _hours(node: Node, data: dict[str, Any], findings: Findings) -> None:
    if SWITCH in data["hours"]:
        hours = node.child("hours")
        assert hours is not None
        findings.below(hours, SWITCH, "another name, as the deploy makes hours of this one by itself", shown(SWITCH))


def _queues(node: Node, data: dict[str, Any], findings: Findings) -> None:
    queues = node.child("queues")
    assert queues is not None
    instance = data["connect"]["instance"]
    for name, queue in data["queues"].items():
        if bool(queue["arn"]) == bool(queue["hours"]):
            findings.below(queues, name, "either arn or hours", "both" if queue["arn"] else "none of them")
        elif queue["hours"] and queue["hours"] not in data["hours"]:
            findings.below(queues, name, f"hours out of {', '.join(data['hours']) or 'none'}", shown(queue["hours"]))
        elif queue["arn"] and not queue["arn"].startswith(f"{instance}/"):
            findings.below(queues, name, "a queue of the instance", "one of another instance")
    if data["default_queue"] and data["default_queue"] not in data["queues"]:
        expected = f"one of the queues {', '.join(data['queues'])}"
        findings.below(node, "default_queue", expected, shown(data["default_queue"]))


def _agents(node: Node, data: dict[str, Any], findings: Findings) -> None:
    if data["default_agent"] and data["default_agent"] not in data["agents"]:
        expected = f"one of the agents {', '.join(data['agents'])}"
        findings.below(node, "default_agent", expected, shown(data["default_agent"]))
    if len(set(data["agents"])) != len(data["agents"]):
        findings.below(node, "agents", "each agent once", "one of them twice")


def _network(node: Node, data: dict[str, Any], findings: Findings) -> None:
    given = data.get("network")
    if given is None:
        return
    network = node.child("network")
    assert network is not None
    if len(set(given["subnets"])) != len(given["subnets"]):
        findings.below(network, "subnets", "each subnet once", "one of them twice")


def _return_flow(node: Node, data: dict[str, Any], findings: Findings) -> None:
    given, instance = data["return_flow"], data["connect"]["instance"]
    if not given:
        return
    if instance == "create":
        findings.below(node, "return_flow", "none, as the instance is new and has no flow of yours", shown(given))
    elif not given.startswith(f"{instance}/"):
        findings.below(node, "return_flow", "a flow of the instance", "one of another instance")


def _task_flow(node: Node, data: dict[str, Any], findings: Findings) -> None:
    given = (data["subscribers"].get("connect_task") or {}).get("flow")
    if given is not None and not given.startswith(f"{data['connect']['instance']}/"):
        subscribers = node.child("subscribers")
        assert subscribers is not None
        findings.below(subscribers, "connect_task", "a flow of the instance, which exists", shown(given))


def _capacity(node: Node, data: dict[str, Any], findings: Findings) -> None:
    given = data["capacity"]
    capacity = node.child("capacity")
    if capacity is None or not given:
        return
    if given["tasks"]["least"] > given["tasks"]["most"]:
        findings.below(capacity, "tasks", "least not above most", "the opposite")
    if given["cpu"] not in MEMORY:
        findings.below(capacity, "cpu", "256, 512, 1024, 2048 or 4096", shown(given["cpu"]))
        return
    low, high = MEMORY[given["cpu"]]
    if not low <= given["memory_mib"] <= high or (given["memory_mib"] % 1024 and given["memory_mib"] != 512):
        expected = f"whole GiB from {low} to {high} MiB, as Fargate has them for {given['cpu']} CPU units"
        findings.below(capacity, "memory_mib", expected, shown(given["memory_mib"]))
