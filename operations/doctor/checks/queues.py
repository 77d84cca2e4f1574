"""The queues that humans answer, their hours, and the switch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from contract.aws import code_of
from operations import stack as paths
from operations.doctor.findings import RESTORE, Examined, Finding, good, later, missing

if TYPE_CHECKING:
    from mypy_boto3_connect.type_defs import HoursOfOperationConfigTypeDef

DAYS = 7


def queues(examined: Examined) -> Iterator[Finding]:
    """Each queue of the settings: there, enabled, with hours, and in somebody's routing profile."""
    if not examined.instance_arn:
        yield later("queues will be created with the instance")
        return
    staffed: set[str] | None = None
    for name in examined.deployment.queues:
        arn = examined.queue_arn(name)
        if not arn:
            yield later(f"{name} will be created")
            continue
        found = list(_queue(examined, name, arn))
        if not found:
            staffed = _staffed(examined) if staffed is None else staffed
            found = list(_answered(name, arn, staffed))
        yield from found


def _queue(examined: Examined, name: str, arn: str) -> Iterator[Finding]:
    connect, id_ = examined.aws.connect, arn.rpartition("/")[2]
    try:
        queue = connect.describe_queue(InstanceId=examined.instance_id, QueueId=id_)["Queue"]
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        yield missing(f"the queue {name} is gone ({arn})", f"correct queues.{name}.arn, or {RESTORE}")
        return
    if queue.get("Status") != "ENABLED":
        yield missing(f"the queue {name} is disabled", "enable it in the Connect console, Routing, Queues")
    hours_id = queue.get("HoursOfOperationId", "")
    hours = (
        connect.describe_hours_of_operation(InstanceId=examined.instance_id, HoursOfOperationId=hours_id)
        if hours_id
        else None
    )
    if hours is None or not hours["HoursOfOperation"].get("Config"):
        yield missing(
            f"the queue {name} has hours without any time: it is always closed, and nobody is ever transferred to it",
            "give it hours in the Connect console, Routing, Hours of operation",
        )


def _staffed(examined: Examined) -> set[str]:
    """Queues that a routing profile has for voice."""
    connect, instance = examined.aws.connect, examined.instance_id
    profiles = connect.get_paginator("list_routing_profiles").paginate(InstanceId=instance)
    found: set[str] = set()
    for profile in (profile for page in profiles for profile in page["RoutingProfileSummaryList"]):
        pages = connect.get_paginator("list_routing_profile_queues").paginate(
            InstanceId=instance, RoutingProfileId=profile["Id"]
        )
        for page in pages:
            entries = page["RoutingProfileQueueConfigSummaryList"]
            found |= {entry["QueueId"] for entry in entries if entry["Channel"] == "VOICE"}
    return found


def _answered(name: str, arn: str, staffed: set[str]) -> Iterator[Finding]:
    if arn.rpartition("/")[2] in staffed:
        yield good(f"{name} is open at its hours and in a routing profile")
    else:
        yield missing(
            f"the queue {name} is in no routing profile for voice: no human can ever answer it",
            "Connect console, Users, Routing profiles: add the queue to the profile of those who shall answer",
        )


def switch(examined: Examined) -> Iterator[Finding]:
    """The hours object whose closing sends everyone to the queue."""
    arn = examined.at(paths.hours(examined.deployment.name, "switch"))
    if not arn:
        yield later("the switch that sends every caller to the queue will be created, open")
        return
    hours = examined.aws.connect.describe_hours_of_operation(
        InstanceId=examined.instance_id, HoursOfOperationId=arn.rpartition("/")[2]
    )["HoursOfOperation"]
    if _always(hours.get("Config", [])):
        yield good(f"{hours.get('Name', arn)} is open: callers reach the voice agent")
    else:
        yield missing(
            f"{hours.get('Name', arn)} is not open all day on all days: at other times nobody reaches the voice agent",
            "if nobody closed it on purpose: Connect console, Routing, Hours of operation, all days 00:00 to 00:00",
        )


def _always(config: list[HoursOfOperationConfigTypeDef]) -> bool:
    whole = {day["Day"] for day in config if day["StartTime"] == day["EndTime"] == {"Hours": 0, "Minutes": 0}}
    return len(whole) == DAYS
