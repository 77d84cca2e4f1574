"""A network that was there before: whether tasks can live in it. Says nothing of one that the deploy makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from contract.aws import code_of
from infra.deployment.settings import Egress, ExistingNetwork
from operations.doctor.findings import Examined, Finding, good, missing

_GONE = ("InvalidSubnetID.NotFound", "InvalidVpcID.NotFound")


def network(examined: Examined) -> Iterator[Finding]:
    """The subnets are of that VPC, in more than one zone, and lead out as `capacity.egress` says."""
    given = examined.deployment.network
    if given is None:
        return
    try:
        subnets = examined.aws.ec2.describe_subnets(SubnetIds=list(given.subnets))["Subnets"]
    except ClientError as error:
        if code_of(error) not in _GONE:
            raise
        yield missing("a subnet of network.subnets is not there", "name subnets of this account and region")
        return
    elsewhere = [each["SubnetId"] for each in subnets if each["VpcId"] != given.vpc]
    if elsewhere:
        yield missing(f"{', '.join(elsewhere)} is not in {given.vpc}", "name subnets of network.vpc")
        return
    stuck = [each for each in given.subnets if not _leads_out(examined, given, each)]
    if stuck:
        yield missing(f"{', '.join(stuck)} leads nowhere: tasks would not start", _mend(examined))
    elif len({each["AvailabilityZone"] for each in subnets}) == 1 and examined.deployment.capacity.tasks_min > 1:
        yield missing("all subnets are in one zone, and so are all tasks", "name a subnet of another zone too")
    else:
        yield good(f"{len(subnets)} subnets of {given.vpc} lead out")


def _leads_out(examined: Examined, given: ExistingNetwork, subnet: str) -> bool:
    """By the subnet's own route table, or the main one of the VPC (VPC user guide, route tables)."""
    tables = _tables(examined, "association.subnet-id", subnet)
    if not tables:
        main = [{"Name": "vpc-id", "Values": [given.vpc]}, {"Name": "association.main", "Values": ["true"]}]
        tables = examined.aws.ec2.describe_route_tables(Filters=main)["RouteTables"]
    return any(_out(route, examined.deployment.capacity.egress) for table in tables for route in table["Routes"])


def _tables(examined: Examined, key: str, value: str) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = examined.aws.ec2.describe_route_tables(
        Filters=[{"Name": key, "Values": [value]}]
    )["RouteTables"]
    return found


def _out(route: Mapping[str, Any], egress: Egress) -> bool:
    if route.get("DestinationCidrBlock") != "0.0.0.0/0" or route.get("State") == "blackhole":
        return False
    internet = str(route.get("GatewayId", "")).startswith("igw-")
    # A task without a public address gets nowhere by an internet gateway.
    return internet is (egress is Egress.PUBLIC)


def _mend(examined: Examined) -> str:
    if examined.deployment.capacity.egress is Egress.PUBLIC:
        return "for capacity.egress public, name subnets whose default route is an internet gateway"
    return "for capacity.egress nat, name private subnets whose default route is a NAT gateway or the like"
