"""What doctor says of a network that was there before."""

from __future__ import annotations

from typing import Any

import pytest

from operations.doctor.examination import examine
from operations.doctor.findings import Finding, State
from tests.operations.account import ROOT, Account
from tests.operations.standin import Parameters, Refused

VPC, ONE, TWO = "vpc-0123456789abcdef0", "subnet-0123456789abcdef0", "subnet-0123456789abcdef1"
NAT = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}
INTERNET = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}
LOCAL = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}


class Given:
    """Two subnets with a route table each; the VPC's main one is for those that have none."""

    def __init__(self, account: Account, egress: str = "nat") -> None:
        account.yaml += f"capacity: {{egress: {egress}}}\nnetwork: {{vpc: {VPC}, subnets: [{ONE}, {TWO}]}}\n"
        zones = {ONE: "eu-central-1a", TWO: "eu-central-1b"}
        self.subnets = [{"SubnetId": id_, "VpcId": VPC, "AvailabilityZone": zone} for id_, zone in zones.items()]
        out = NAT if egress == "nat" else INTERNET
        self.routes: dict[str, list[dict[str, str]]] = {ONE: [LOCAL, out], TWO: [LOCAL, out]}
        self.main: list[dict[str, str]] = [LOCAL]
        account.stand_in.answers["ec2", "DescribeSubnets"] = lambda _: {"Subnets": self.subnets}
        account.stand_in.answers["ec2", "DescribeRouteTables"] = self._tables

    def _tables(self, asked: Parameters) -> dict[str, Any]:
        if asked["Filters"][0]["Name"] == "vpc-id":
            return {"RouteTables": [{"Routes": self.main}]}
        found = self.routes.get(asked["Filters"][0]["Values"][0])
        return {"RouteTables": [{"Routes": found}] if found else []}


def findings(account: Account) -> list[Finding]:
    sections = examine(account.deployment(), account.clients(), ROOT)
    return [each for section in sections if section.topic == "network" for each in section.findings]


def fault(account: Account) -> Finding:
    (found,) = findings(account)
    assert found.state is State.MISSING
    return found


@pytest.mark.parametrize("egress", ["nat", "public"])
def test_subnets_that_lead_out_are_good(account: Account, egress: str) -> None:
    Given(account, egress)
    assert [each.state for each in findings(account)] == [State.GOOD]


def test_a_network_of_its_own_is_not_spoken_of(account: Account) -> None:
    assert findings(account) == []


def test_the_main_route_table_counts_where_a_subnet_has_none(account: Account) -> None:
    given = Given(account)
    del given.routes[TWO]
    assert TWO in fault(account).what
    given.main = [LOCAL, NAT]
    assert findings(account)[0].state is State.GOOD


@pytest.mark.parametrize(
    ("egress", "route", "mend"),
    [
        ("nat", INTERNET, "private subnets"),
        ("nat", {**NAT, "State": "blackhole"}, "private subnets"),
        ("nat", LOCAL, "private subnets"),
        ("public", NAT, "internet gateway"),
    ],
)
def test_a_subnet_that_leads_nowhere_is_found(account: Account, egress: str, route: dict[str, str], mend: str) -> None:
    Given(account, egress).routes[ONE] = [route]
    found = fault(account)
    assert f"{ONE} leads nowhere" in found.what
    assert mend in found.mend


def test_a_subnet_of_another_network_is_found(account: Account) -> None:
    Given(account).subnets[0]["VpcId"] = "vpc-other"
    assert f"{ONE} is not in {VPC}" in fault(account).what


def test_one_zone_for_all_tasks_is_found(account: Account) -> None:
    given = Given(account)
    given.subnets[1]["AvailabilityZone"] = "eu-central-1a"
    assert "one zone" in fault(account).what


@pytest.mark.parametrize(
    ("code", "state"), [("InvalidSubnetID.NotFound", State.MISSING), ("UnauthorizedOperation", State.UNKNOWN)]
)
def test_a_subnet_that_is_not_there_is_found(account: Account, code: str, state: State) -> None:
    Given(account)

    def refused(_: Parameters) -> dict[str, Any]:
        raise Refused(code)

    account.stand_in.answers["ec2", "DescribeSubnets"] = refused
    assert [each.state for each in findings(account)] == [state]
