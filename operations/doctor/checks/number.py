"""Whether somebody can call."""

from __future__ import annotations

import json
from collections.abc import Iterator

from operations import stack as paths
from operations.doctor.checks.flows import forms_of
from operations.doctor.findings import Examined, Finding, good, later, missing, unknown

FOLDER = "measured"  # of the results of `make doctor LIVE=1`
LEAVES = ("at_once", "late")


def number(examined: Examined) -> Iterator[Finding]:
    """Numbers of the instance that lead to one of the flows."""
    if examined.stack is None or not examined.instance_arn:
        yield later("assign a number to a flow after the deploy")
        return
    claimed = _claimed(examined)
    forms = {examined.at(paths.flow(form)).rpartition("/")[2]: form for form in forms_of(examined)}
    leading = list(_leading(examined, claimed, forms))
    if leading:
        yield good("; ".join(f"{number} leads to the {form} flow" for number, form in leading))
        if any(form == "interruptible" for _, form in leading):
            yield from _measured(examined)
    elif claimed:
        numbers = ", ".join(list(claimed.values())[:3])
        yield missing(
            f"no number leads to one of the flows; the instance has {numbers}",
            "Connect console, Channels, Phone numbers: choose a number, then the flow "
            f"{examined.deployment.name}-polling. If a flow of yours transfers to ours, ignore this line",
        )
    else:
        yield missing("the instance has no phone number", "Connect console, Channels, Phone numbers: claim one")


def _claimed(examined: Examined) -> dict[str, str]:
    pages = examined.aws.connect.get_paginator("list_phone_numbers_v2").paginate(TargetArn=examined.instance_arn)
    summaries = [summary for page in pages for summary in page["ListPhoneNumbersSummaryList"]]
    return {summary["PhoneNumberId"]: summary["PhoneNumber"] for summary in summaries}


def _leading(examined: Examined, claimed: dict[str, str], forms: dict[str, str]) -> Iterator[tuple[str, str]]:
    """`ResourceId` and `FlowId` come as ids or ARNs."""
    pages = examined.aws.connect.get_paginator("list_flow_associations").paginate(
        InstanceId=examined.instance_id, ResourceType="VOICE_PHONE_NUMBER"
    )
    for association in (each for page in pages for each in page["FlowAssociationSummaryList"]):
        form = forms.get(association.get("FlowId", "").rpartition("/")[2])
        if form:
            id_ = association.get("ResourceId", "").rpartition("/")[2]
            yield claimed.get(id_, id_), form


def _measured(examined: Examined) -> Iterator[Finding]:
    """What the newest test call said of leaving a prompt; see `operations.live`."""
    files = sorted((examined.root / FOLDER).glob(f"{examined.deployment.name}-*.json"))
    cut = json.loads(files[-1].read_text())["cut"] if files else ""
    if not cut:
        yield unknown(
            "nobody has measured on this machine whether the instance leaves a prompt when a caller speaks",
            "make doctor LIVE=1 CALLER=..., from your telephone (docs/deploy.md, talking over the agent)",
        )
    elif cut not in LEAVES:
        yield missing(
            f"the interruptible flow is assigned, and {files[-1].name} says that prompts are left {cut}",
            f"assign {examined.deployment.name}-polling to the number",
        )
