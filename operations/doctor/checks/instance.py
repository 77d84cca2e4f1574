"""The Connect instance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from botocore.exceptions import ClientError

from contract.aws import code_of
from flows.parameters import FlowLogging
from operations.doctor.findings import Examined, Finding, good, later, missing, unknown


def instance(examined: Examined) -> Iterator[Finding]:
    """That it is there and takes calls; before it is created, that it can be."""
    if not examined.instance_arn:
        yield from _creatable(examined)
        return
    try:
        found = examined.aws.connect.describe_instance(InstanceId=examined.instance_id)["Instance"]
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        mend = "compare connect.instance in deployment.yaml with the ARN in the Connect console, Account overview"
        yield missing(f"there is no instance {examined.instance_arn}", mend)
        return
    status = found.get("InstanceStatus", "")
    if status != "ACTIVE":
        reason = found.get("StatusReason", {}).get("Message", "")
        mend = "wait where it is being created; an instance whose creation failed has to be deleted and made anew"
        yield missing(f"the instance is {status} {reason}".rstrip(), mend)
        return
    yield good(f"{found.get('InstanceAlias', examined.instance_id)} is active")
    if not found.get("InboundCallsEnabled", False):
        yield missing("the instance takes no incoming calls", "Connect console, Telephony: allow incoming calls")
    if examined.deployment.flow_logging is not FlowLogging.OFF and not _attribute(examined, "CONTACTFLOW_LOGS"):
        yield missing(
            "the instance writes no flow logs, and flow_logging asks for them",
            "Connect console, Flows: enable flow logs; or set flow_logging: off",
        )


def _attribute(examined: Examined, name: Literal["CONTACTFLOW_LOGS"]) -> bool:
    found = examined.aws.connect.describe_instance_attribute(InstanceId=examined.instance_id, AttributeType=name)
    return found["Attribute"].get("Value", "").lower() == "true"


def _creatable(examined: Examined) -> Iterator[Finding]:
    pages = examined.aws.connect.get_paginator("list_instances").paginate()
    aliases = [summary.get("InstanceAlias", "") for page in pages for summary in page["InstanceSummaryList"]]
    alias = examined.deployment.instance.alias
    if alias in aliases:
        yield missing(
            f"an instance with the alias {alias} exists already",
            "name it by its ARN in connect.instance, or choose another connect.alias",
        )
    else:
        yield later(f"an instance {alias} will be created; whether the alias is free in the world shows the deploy")
    if len(aliases) >= 2:
        yield unknown(
            f"the account has {len(aliases)} instances in this region; two is the default quota",
            "Service Quotas, Amazon Connect, Amazon Connect instances per account: ask for one more if it is used up",
        )


def tier(examined: Examined) -> Iterator[Finding]:
    """No API tells it; nothing of ours needs the dearer one."""
    if examined.instance_arn:
        yield unknown(
            "no API tells the instance's pricing tier; the flows need nothing of the dearer one",
            "look at the Connect console, Account overview: voice minutes of the two tiers differ (docs/cost.md)",
        )
