"""`deployment.yaml`, with single keys overridden from the command line, to a `Deployment`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from definition import source
from definition.errors import DefinitionError, Problem
from definition.shape import Findings
from flows.parameters import FlowLogging, Voice
from infra.deployment.overrides import overridden
from infra.deployment.rules import check
from infra.deployment.settings import (
    Capacity,
    Cases,
    Deepgram,
    Deployment,
    Egress,
    ExistingNetwork,
    Hours,
    Instance,
    Lambdas,
    Opening,
    PhoneNumber,
    Queue,
    Retention,
    Sip,
    Streaming,
    Subscribers,
    Through,
)
from infra.deployment.shapes import DEPLOYMENT
from infra.sip.networks import VOICE_CONNECTOR_NETWORKS

MISSING = "this file; copy deployment.example.yaml to it and change what differs"


def read(path: str | Path, overrides: Mapping[str, str] | None = None) -> Deployment:
    """The deployment that a file describes; `overrides` are dotted keys such as `capacity.calls_per_task`.

    Raises:
        DefinitionError: everything that is wrong with the file, one line for each problem.
    """
    file = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DefinitionError([Problem(file, 0, "", MISSING, error.strerror or "none")]) from None
    except UnicodeDecodeError:
        raise DefinitionError([Problem(file, 0, "", "a file in UTF-8", "something else")]) from None
    node, problems = source.parse(file, text)
    node, refused = overridden(node, overrides or {})
    findings = Findings(file, [*problems, *refused])
    data = DEPLOYMENT.read(node, findings)
    if not findings.problems:
        check(node, data, findings)
    if findings.problems:
        raise DefinitionError(sorted(findings.problems, key=lambda problem: problem.line))
    return _built(data)


def _built(data: dict[str, Any]) -> Deployment:
    return Deployment(
        name=data["name"],
        region=data["region"],
        instance=_instance(data["connect"]),
        hours={name: _hours(hours) for name, hours in data["hours"].items()},
        queues={name: Queue(**queue) for name, queue in data["queues"].items()},
        default_queue=data["default_queue"] or next(iter(data["queues"])),
        agents=tuple(data["agents"]),
        default_agent=data["default_agent"] or data["agents"][0],
        functions=data["functions"],
        phone_number=_phone_number(data.get("phone_number")),
        deepgram=Deepgram(**data["deepgram"]),
        capacity=_capacity(data["capacity"]),
        lambdas=Lambdas(**data["lambdas"]),
        retention=Retention(**data["retention"]),
        flow_logging=FlowLogging(data["flow_logging"]),
        voice=Voice(**data["voice"]),
        alarm_email=data["alarm_email"],
        test_cases=Cases(data["test_cases"]),
        sip=_sip(data.get("sip"), data["region"]),
        return_flow=data["return_flow"],
        network=_network(data.get("network")),
        subscribers=_subscribers(data["subscribers"]),
        kms_keys=tuple(data["kms_keys"]),
    )


def _subscribers(given: dict[str, Any]) -> Subscribers:
    ticket, task = given.get("ticket") or {}, given.get("connect_task") or {}
    return Subscribers(ticket.get("url", ""), ticket.get("token", ""), task.get("flow", ""))


def _network(given: dict[str, Any] | None) -> ExistingNetwork | None:
    return None if given is None else ExistingNetwork(given["vpc"], tuple(given["subnets"]))


def _sip(given: dict[str, Any] | None, region: str) -> Sip | None:
    if given is None:
        return None
    networks = given.get("networks") or [VOICE_CONNECTOR_NETWORKS[region]]
    tls = given.get("tls") or {"host": "", "secret": ""}
    return Sip(
        tuple(networks),
        given["connector"],
        given["number"],
        given["caller_id_name"],
        Through(given["through"]),
        tls["host"],
        tls["secret"],
    )


def _instance(connect: dict[str, Any]) -> Instance:
    new = connect["instance"] == "create"
    given = connect["streaming"]
    streaming = Streaming(
        prefix=given["prefix"],
        create=given["configuration"] == "create",
        remove=given["remove"],
        retention_hours=given["retention_hours"],
        key_arn=given["key"],
    )
    arn = "" if new else connect["instance"]
    return Instance(streaming, arn, connect["alias"], connect["customer_queue_flow"], connect["guide"])


def _hours(hours: dict[str, Any]) -> Hours:
    return Hours(hours["time_zone"], tuple(Opening(day.upper(), *period) for day, period in hours["week"].items()))


def _phone_number(given: dict[str, Any] | None) -> PhoneNumber | None:
    if given is None:
        return None
    return PhoneNumber(given["number"], given["flow"], given["return_flow"])


def _capacity(given: dict[str, Any]) -> Capacity:
    if not given:
        return Capacity()
    rest = {key: value for key, value in given.items() if key not in ("tasks", "egress")}
    tasks = given["tasks"]
    return Capacity(tasks_min=tasks["least"], tasks_max=tasks["most"], egress=Egress(given["egress"]), **rest)
