"""The stack as CloudFormation has it: what a deployment made, found by where `infra` has put it.

A resource's logical id is computed from its path among the constructs exactly as the CDK computes it, so that
nothing is guessed from names. A test holds the paths used here against the synthesised template.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from contract.aws import code_of

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

TABLE = "Calls/Table/Resource"
CLIPS = "Clips/Bucket/Resource"
RECORDS = "Records/Bucket/Resource"
SECRET = "Deepgram/Secret"  # noqa: S105 - a path
STREAMING = "Streaming/Configuration"  # its id is `ours:ID` or `theirs:ID`
QUEUE_FLOW = "QueueFlow/queue"
GUIDE = "Guide/guide"
GUIDE_VIEW = "Guide/View"
INSTANCE = "ContactCentre/Instance"
GATEWAY_ROLE = "Gateway/Task/Role/Resource"
GATEWAY_LOG = "Gateway/Task/Log/Resource"
GATEWAY_SERVICE = "Gateway/Service/Service/Service"
CLUSTER = "Gateway/Cluster/Resource"
TOPIC = "Monitoring/Alarms/Topic/Resource"
FLOW_FUNCTIONS = ("start_call", "next_action_wait", "next_action_poll", "queue_position", "queue_hours")
KEYS_FUNCTION = "secret_keys"  # one of them too, where an agent asks for secret key presses
FORMS = ("polling", "interruptible")
SIP_TARGET = "Sip/Target"  # an output: the name of the load balancer
VOICE_CONNECTOR = "Telephony/VoiceConnector/Default"
BRIDGE = "Telephony/Bridge/Default"  # the voice connector behind a SIP media application
SIP_APPLICATION = "Telephony/SipMediaApplication/Default"
SIP_RULE = "Telephony/SipRule/Default"
TASKS_GROUP = "Gateway/Network/Tasks/Resource"

_HIDDEN, _DEFAULT = "Resource", "Default"


def flow(form: str) -> str:
    """One of FORMS."""
    return f"Flows/{form}"


def prompt(sound: str) -> str:
    """A library prompt: silence or short-silence."""
    return f"Prompts/Prompt-{sound}"


def queue(name: str) -> str:
    """A queue that the deploy makes, by its name in the settings."""
    return f"Queues/Queue-{name}"


def hours(deployment: str, name: str) -> str:
    """Hours of operation by their name in the settings, or `switch`."""
    return f"Queues/Hours-{deployment}-{name}"


def function(name: str) -> str:
    """A Lambda of the flows."""
    return f"{_function(name)}/Function/Resource"


def alias(name: str) -> str:
    """What the flows invoke of it."""
    return f"{_function(name)}/Live/Resource"


def _function(name: str) -> str:
    return "SecretKeys/keys" if name == KEYS_FUNCTION else f"Flow/{name}"


def logical_id(path: str) -> str:
    """As `makeUniqueId` of the CDK: the path's letters and digits, then eight characters of its MD5."""
    parts = [part for part in path.split("/") if part != _DEFAULT]
    digest = hashlib.md5("/".join(parts).encode(), usedforsecurity=False).hexdigest()[:8].upper()
    if len(parts) == 1:
        return re.sub(r"[^A-Za-z0-9]", "", parts[0])
    kept: list[str] = []
    for part in parts:
        if not kept or not kept[-1].endswith(part):
            kept.append(part)
    human = "".join(re.sub(r"[^A-Za-z0-9]", "", part) for part in kept if part != _HIDDEN)
    return human[:240] + digest


@dataclass(frozen=True, slots=True)
class Stack:
    """`physical` ids by logical id; `outputs` by name."""

    name: str
    status: str
    reason: str = ""
    physical: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)

    def at(self, path: str) -> str:
        """The physical id of the resource at a path; "" where there is none."""
        return self.physical.get(logical_id(path), "")

    @property
    def complete(self) -> bool:
        """A deploy that ended well was the last thing that happened to it."""
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")


def read(client: CloudFormationClient, name: str) -> Stack | None:
    """The stack of that name; None where there is none, or only the memory of a removed one.

    Raises:
        ClientError, BotoCoreError: it cannot be told.
    """
    try:
        described = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        # "Stack with id NAME does not exist" comes as a ValidationError (CloudFormation API, DescribeStacks).
        if code_of(error) == "ValidationError":
            return None
        raise
    physical: dict[str, str] = {}
    for page in client.get_paginator("list_stack_resources").paginate(StackName=name):
        for resource in page["StackResourceSummaries"]:
            physical[resource["LogicalResourceId"]] = resource.get("PhysicalResourceId", "")
    return Stack(
        name,
        described["StackStatus"],
        described.get("StackStatusReason", ""),
        physical,
        {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])},
    )
