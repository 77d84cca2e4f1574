"""The flows: what Connect has of them, against what this release would deploy; and whom they may invoke."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from contract.aws import code_of
from definition import AgentDefinition
from definition.spoken import Files, Spoken, personas, spoken
from flows.guide import guide
from flows.interruptible import interruptible
from flows.language import Flow
from flows.parameters import FlowParameters, QueueParameters, SipTransfer
from flows.polling import polling
from flows.queue import customer_queue
from flows.sip import sip
from infra.deployment.agents import load_agents, priorities, receivers
from infra.deployment.settings import INSTANCES_OWN
from operations import stack as paths
from operations.doctor.findings import RESTORE, Examined, Finding, good, later, missing

MAKE = {"polling": polling, "interruptible": interruptible, "sip": sip}
_SHOWN = 3


def associations(examined: Examined) -> Iterator[Finding]:
    """The instance knows the functions, and the aliases let the instance invoke them."""
    if examined.stack is None or not examined.instance_arn:
        yield later("the deploy will associate the flows' functions with the instance")
        return
    pages = examined.aws.connect.get_paginator("list_lambda_functions").paginate(InstanceId=examined.instance_id)
    known = {arn.rpartition(":")[2] for page in pages for arn in page["LambdaFunctions"]}
    sound = True
    names = functions_of(examined)
    for name in names:
        function = examined.at(paths.function(name))
        if function not in known:
            sound = False
            yield missing(
                f"{name} ({function or 'not deployed'}) is not associated with the instance: the flow cannot invoke it",
                f"add it in the Connect console, Flows, AWS Lambda; or {RESTORE}",
            )
        elif not _may_invoke(examined, name):
            sound = False
            yield missing(
                f"the alias of {name} does not let this instance invoke it",
                RESTORE,
            )
    if sound:
        yield good(f"{', '.join(names)} may be invoked by the instance")


def functions_of(examined: Examined) -> tuple[str, ...]:
    """What flows invoke: always the same, and secret_keys where an agent has a function for key presses."""
    asks = receivers(load_agents(examined.deployment, examined.root))
    return (*paths.FLOW_FUNCTIONS, paths.KEYS_FUNCTION) if asks else paths.FLOW_FUNCTIONS


def _may_invoke(examined: Examined, name: str) -> bool:
    """A statement of the alias' policy names Connect, for this instance."""
    function, _, qualifier = examined.at(paths.alias(name)).rpartition(":")
    if not function:
        return False
    try:
        policy = examined.aws.lambda_.get_policy(FunctionName=function, Qualifier=qualifier)["Policy"]
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            return False
        raise
    statements = json.loads(policy)["Statement"]
    return any(
        statement.get("Effect") == "Allow"
        and "connect.amazonaws.com" in json.dumps(statement.get("Principal"))
        and examined.instance_arn in json.dumps(statement.get("Condition"))
        for statement in statements
    )


def flows(examined: Examined) -> Iterator[Finding]:
    """The flows, published, and block for block as this release would deploy them."""
    forms = forms_of(examined)
    if examined.stack is None:
        yield later(f"the deploy will create the flows {' and '.join(forms)}")
        return
    for name, (path, ours) in expected(examined).items():
        arn = examined.at(path)
        if not arn:
            yield missing(f"the flow {name} is not in the stack", "run make deploy")
            continue
        yield from _flow(examined, name, arn, ours.to_dict())


def expected(examined: Examined) -> dict[str, tuple[str, Flow]]:
    """Every flow that this release deploys, by a word for it: its path in the stack, and the flow."""
    ours, instance = parameters(examined), examined.deployment.instance
    made = {form: (paths.flow(form), MAKE[form](ours)) for form in forms_of(examined)}
    if not instance.customer_queue_flow:
        made["queue"] = paths.QUEUE_FLOW, customer_queue(queue_parameters(examined))
    if instance.guide:
        made["guide"] = paths.GUIDE, guide(examined.at(paths.GUIDE_VIEW))
    return made


def forms_of(examined: Examined) -> tuple[str, ...]:
    """The forms of the flow that the settings ask for."""
    return (*paths.FORMS, "sip") if examined.deployment.sip else paths.FORMS


def _flow(examined: Examined, form: str, arn: str, ours: Mapping[str, Any]) -> Iterator[Finding]:
    try:
        found = examined.aws.connect.describe_contact_flow(
            InstanceId=examined.instance_id, ContactFlowId=arn.rpartition("/")[2]
        )["ContactFlow"]
    except ClientError as error:
        if code_of(error) == "ContactFlowNotPublishedException":
            yield missing(f"the flow {form} is saved and not published", "publish it in the Connect console, Flows")
            return
        if code_of(error) != "ResourceNotFoundException":
            raise
        yield missing(f"the flow {form} is gone from the instance", RESTORE)
        return
    if found.get("State") != "ACTIVE":
        yield missing(f"the flow {form} is {found.get('State')}", "restore it in the Connect console, Flows, archived")
    different = differences(json.loads(found["Content"]), ours)
    if different:
        more = f" and {len(different) - _SHOWN} more" if len(different) > _SHOWN else ""
        yield missing(
            f"the flow {form} is not that of this release: {'; '.join(different[:_SHOWN])}{more}",
            f"make deploy, when this release is newer. When somebody changed it in the console, {RESTORE}",
        )
    else:
        yield good(f"{form} is that of this release ({arn.rpartition('/')[2]})")


def differences(found: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    """Blocks by name that are not the same. Where they are drawn (Metadata) does not count."""
    there = {block["Identifier"]: _meant(block) for block in found["Actions"]}
    here = {block["Identifier"]: _meant(block) for block in ours["Actions"]}
    lines = [f"'{name}' is missing there" for name in here if name not in there]
    lines += [f"'{name}' is only there" for name in there if name not in here]
    lines += [f"'{name}' is different" for name in here if name in there and there[name] != here[name]]
    if found["StartAction"] != ours["StartAction"]:
        lines.append("it begins with another block")
    return lines


def _meant(block: Mapping[str, Any]) -> str:
    return json.dumps({key: block.get(key) for key in ("Type", "Parameters", "Transitions")}, sort_keys=True)


def _queue_flow(examined: Examined) -> str:
    """What callers hear while they wait: ours, another one, or "" for what the instance plays by itself."""
    given = examined.deployment.instance.customer_queue_flow
    return "" if given == INSTANCES_OWN else given or examined.at(paths.QUEUE_FLOW)


def parameters(examined: Examined) -> FlowParameters:
    """What the deploy puts into the flows, with the ARNs that CloudFormation has given."""
    deployment = examined.deployment
    agents = load_agents(deployment, examined.root)
    said = _said(examined, agents)
    return FlowParameters(
        start_call_arn=examined.at(paths.alias("start_call")),
        next_action_wait_arn=examined.at(paths.alias("next_action_wait")),
        next_action_poll_arn=examined.at(paths.alias("next_action_poll")),
        secret_keys_arn=examined.at(paths.alias(paths.KEYS_FUNCTION)),
        default_agent=deployment.default_agent,
        default_queue_arn=examined.queue_arn(deployment.default_queue),
        default_queue_name=deployment.default_queue,
        switch_hours_arn=examined.at(paths.hours(deployment.name, "switch")),
        silence_prompt_arn=examined.at(paths.prompt("silence")),
        short_silence_prompt_arn=examined.at(paths.prompt("short-silence")),
        customer_queue_flow_arn=_queue_flow(examined),
        guide_flow_arn=examined.at(paths.GUIDE),
        queue_hours_arn=examined.at(paths.alias("queue_hours")),
        priorities=priorities(agents.values()),
        flow_logging=deployment.flow_logging,
        languages=said.languages,
        spoken_with=said.by_tag,
        spoken_by=said.by_agent,
        return_flow_arn=deployment.return_flow,
        sip=deployment.sip.transfer if deployment.sip else SipTransfer(),
    )


def queue_parameters(examined: Examined) -> QueueParameters:
    """The same for what callers hear while they wait."""
    return QueueParameters(
        music_prompt_arn=examined.at(paths.prompt("music")),
        position_arn=examined.at(paths.alias("queue_position")),
        languages=_said(examined, load_agents(examined.deployment, examined.root)).languages,
    )


def _said(examined: Examined, agents: Mapping[str, AgentDefinition]) -> Spoken:
    return spoken(personas(agents.values()), Files(examined.root / "languages"), examined.deployment.voice)
