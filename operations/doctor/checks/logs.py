"""How long logs are kept: ours by the deploy, Connect's own flow log by nobody unless somebody says so."""

from __future__ import annotations

from collections.abc import Iterator

from operations.doctor.findings import Examined, Finding, good, later, missing, unknown


def logs(examined: Examined) -> Iterator[Finding]:
    """Connect writes flow logs to /aws/connect/ALIAS (administrator guide) and sets no retention."""
    if not examined.instance_arn:
        yield later("Connect will write its flow log to /aws/connect/ALIAS")
        return
    instance = examined.aws.connect.describe_instance(InstanceId=examined.instance_id)["Instance"]
    yield _group(examined, f"/aws/connect/{instance.get('InstanceAlias', '')}", "Connect's flow log")
    ours = examined.stack.outputs.get("GatewayLog", "") if examined.stack else ""
    if ours:
        yield _group(examined, ours, "the gateway's log")


def _group(examined: Examined, name: str, what: str) -> Finding:
    found = examined.aws.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    group = next((group for group in found if group.get("logGroupName") == name), None)
    if group is None:
        return unknown(f"{what}, {name}, does not exist yet", "call the number, and run doctor again")
    days = group.get("retentionInDays")
    if days is None:
        wanted = examined.deployment.retention.logs_days
        return missing(
            f"{what}, {name}, is kept for ever; it can hold attribute values and Lambda results",
            f"aws logs put-retention-policy --region {examined.deployment.region} --log-group-name {name} "
            f"--retention-in-days {wanted}",
        )
    return good(f"{what} is kept for {days} days")
