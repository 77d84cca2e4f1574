"""The public address of this ECS task, which only EC2 knows: the task's own metadata have the private one."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from contract.aws import config
from contract.errors import VoiceAgentError

METADATA_S = 2


class Interfaces(Protocol):
    """What we use of boto3's client of EC2."""

    def describe_network_interfaces(self, *, Filters: list[dict[str, Any]]) -> dict[str, Any]: ...  # noqa: N803


class NoPublicAddress(VoiceAgentError):
    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"SIP_PUBLIC_ADDRESS is task, and this task's public address is not known: {self.why}"


def public_address(
    metadata_uri: str, client: Interfaces | None = None, read: Callable[[str], bytes] | None = None
) -> str:
    """`metadata_uri` is what ECS gives as ECS_CONTAINER_METADATA_URI_V4; blocks.

    Raises:
        NoPublicAddress
    """
    try:
        task = json.loads((read or _read)(f"{metadata_uri}/task"))
        private = task["Containers"][0]["Networks"][0]["IPv4Addresses"][0]
        ec2: Interfaces = client or boto3.client("ec2", config=config())
        wanted = [{"Name": "addresses.private-ip-address", "Values": [private]}]
        found = ec2.describe_network_interfaces(Filters=wanted)["NetworkInterfaces"]
    except (OSError, ValueError, LookupError, TypeError, ClientError, BotoCoreError) as error:
        raise NoPublicAddress(type(error).__name__) from None
    addresses = [each["Association"]["PublicIp"] for each in found if "PublicIp" in each.get("Association", {})]
    if len(addresses) != 1:
        raise NoPublicAddress(f"{len(addresses)} public addresses belong to {private}")
    return str(addresses[0])


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=METADATA_S) as answer:  # noqa: S310 - ECS's own address
        body: bytes = answer.read()
    return body
