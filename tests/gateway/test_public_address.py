"""The public address of this task: found by its private one, or said why not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.public_address import NoPublicAddress, public_address

TASK = json.dumps({"Containers": [{"Networks": [{"IPv4Addresses": ["10.0.0.7"]}]}]}).encode()


class Ec2:
    def __init__(self, *interfaces: dict[str, Any]) -> None:
        self.interfaces = list(interfaces)
        self.asked: list[dict[str, Any]] = []

    def describe_network_interfaces(self, *, Filters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.asked = Filters
        return {"NetworkInterfaces": self.interfaces}


def test_the_address_is_that_of_the_tasks_own_interface() -> None:
    ec2 = Ec2({"Association": {"PublicIp": "198.51.100.5"}}, {})
    asked: list[str] = []

    def read(url: str) -> bytes:
        asked.append(url)
        return TASK

    assert public_address("http://169.254.170.2/v4/id", ec2, read) == "198.51.100.5"
    assert asked == ["http://169.254.170.2/v4/id/task"]
    assert ec2.asked == [{"Name": "addresses.private-ip-address", "Values": ["10.0.0.7"]}]


@pytest.mark.parametrize(
    ("task", "why"), [(b"{}", "KeyError"), (b"", "JSONDecodeError"), (TASK, "0 public addresses belong to 10.0.0.7")]
)
def test_what_is_missing_is_said(task: bytes, why: str) -> None:
    with pytest.raises(NoPublicAddress, match=why):
        public_address("http://x", Ec2(), lambda url: task)


def test_outside_of_ecs_there_is_none() -> None:
    with pytest.raises(NoPublicAddress, match="SIP_PUBLIC_ADDRESS is task"):
        public_address("", Ec2())
