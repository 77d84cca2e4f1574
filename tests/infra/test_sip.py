"""Calls over SIP as an optional capability: off without its key, and open to the configured networks only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from definition.errors import DefinitionError
from infra.deployment import read
from tests.infra.deployments import DEPLOYMENTS, SPOKEN, TRIAL
from tests.infra.template import Template

NETWORK = "3.80.16.0/23"


@pytest.fixture(scope="module")
def spoken(cdk: None, tmp_path_factory: pytest.TempPathFactory) -> Template:
    from infra.application import application

    folder = tmp_path_factory.mktemp("spoken")
    file = folder / "deployment.yaml"
    file.write_text(SPOKEN)
    application(read(file), outdir=str(folder / "out")).synth()
    return Template.of("spoken", folder / "out")


def rules(template: Template) -> list[dict[str, Any]]:
    """Every inbound rule from an address."""
    groups = template.all("AWS::EC2::SecurityGroup").values()
    return [rule for group in groups for rule in group.get("SecurityGroupIngress", [])]


def test_only_the_configured_networks_come_in(spoken: Template) -> None:
    assert {rule["CidrIp"] for rule in rules(spoken)} == {NETWORK}
    ports = {(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in rules(spoken)}
    assert ports == {("udp", 5060, 5060), ("tcp", 5060, 5060), ("udp", 20_000, 20_999)}


def test_the_first_message_of_a_call_comes_by_a_load_balancer(spoken: Template) -> None:
    (listener,) = spoken.all("AWS::ElasticLoadBalancingV2::Listener").values()
    assert (listener["Port"], listener["Protocol"]) == (5060, "TCP_UDP")


def test_the_gateway_and_the_flow_know_of_it(spoken: Template) -> None:
    environment = spoken.environment()
    assert (environment["SIP_NETWORKS"], environment["SIP_PUBLIC_ADDRESS"]) == (NETWORK, "task")
    flows = spoken.all("AWS::Connect::ContactFlow").values()
    assert any("TransferParticipantToThirdParty" in str(flow["Content"]) for flow in flows)


def test_without_its_key_nothing_comes_in(templates: Callable[[str], Template]) -> None:
    template = templates("trial")
    assert rules(template) == []
    assert "SIP_NETWORKS" not in template.environment()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (TRIAL + "sip: {}\n", "either connector or number"),
        (SPOKEN + "phone_number: {number: 99999999-8888-7777-6666-555555555555, flow: sip}\n", ""),
        (SPOKEN.replace("egress: public", "egress: nat"), "media go to the task itself"),
        (SPOKEN.replace("us-east-1", "eu-south-1"), "voice connectors have none in eu-south-1"),
        (DEPLOYMENTS["first"].replace("flow: interruptible", "flow: sip"), "a key `sip`"),
    ],
)
def test_what_does_not_go_together(text: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "deployment.yaml"
    file.write_text(text)
    if not problem:
        assert read(file).sip is not None
        return
    with pytest.raises(DefinitionError, match=problem):
        read(file)
