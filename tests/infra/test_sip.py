"""Calls over SIP as an optional capability: off without its key, and open to the configured networks only."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from definition.errors import DefinitionError
from gateway.legs.sip import settings as sip_settings
from gateway.legs.sip.sdes import Srtp
from infra.deployment import read
from lambdas.telephony.kinds import KINDS
from operations import stack as paths
from tests.infra.deployments import DEPLOYMENTS, ENCRYPTED, SPOKEN, TRIAL
from tests.infra.rights import TELEPHONY, allowed
from tests.infra.template import Template, listed, resolved
from tests.infra.test_operations_docs import DOCS, roles

NETWORK = "3.80.16.0/23"
NUMBER = "+15555550100"
LOOKED_FOR = {
    paths.BRIDGE: "Custom::VoiceConnector",
    paths.SIP_APPLICATION: "Custom::SipMediaApplication",
    paths.SIP_RULE: "Custom::SipRule",
    paths.TASKS_GROUP: "AWS::EC2::SecurityGroup",
    paths.flow("sip"): "AWS::Connect::ContactFlow",
}


@pytest.fixture(scope="module")
def synthesised(cdk: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Template]:
    def make(name: str, text: str) -> Template:
        from infra.application import application

        folder = tmp_path_factory.mktemp(name)
        file = folder / "deployment.yaml"
        file.write_text(text)
        application(read(file), outdir=str(folder / "out")).synth()
        return Template.of(name, folder / "out")

    return make


@pytest.fixture(scope="module")
def spoken(synthesised: Callable[[str, str], Template]) -> Template:
    """A number through a voice connector, without TLS."""
    return synthesised("spoken", SPOKEN)


@pytest.fixture(scope="module")
def encrypted(synthesised: Callable[[str, str], Template]) -> Template:
    """A number through a SIP media application, with TLS."""
    return synthesised("encrypted", ENCRYPTED)


def rules(template: Template) -> list[dict[str, Any]]:
    """Every inbound rule from an address."""
    groups = template.all("AWS::EC2::SecurityGroup").values()
    return [rule for group in groups for rule in group.get("SecurityGroupIngress", [])]


def ports(template: Template) -> set[tuple[str, int, int]]:
    return {(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in rules(template)}


def made(template: Template, kind: str) -> dict[str, Any]:
    properties: dict[str, Any] = resolved(template.one(f"Custom::{kind}"))
    return properties


def test_only_the_configured_networks_come_in(spoken: Template, encrypted: Template) -> None:
    assert {rule["CidrIp"] for template in (spoken, encrypted) for rule in rules(template)} == {NETWORK}
    assert ports(spoken) == {("udp", 5060, 5060), ("tcp", 5060, 5060), ("udp", 20_000, 20_999)}


def test_with_a_certificate_nothing_comes_in_but_tls_and_media(encrypted: Template) -> None:
    assert ports(encrypted) == {("tcp", 5061, 5061), ("udp", 20_000, 20_999)}
    (listener,) = encrypted.all("AWS::ElasticLoadBalancingV2::Listener").values()
    assert (listener["Port"], listener["Protocol"]) == (5061, "TCP")


def test_the_first_message_of_a_call_comes_by_a_load_balancer(spoken: Template) -> None:
    (listener,) = spoken.all("AWS::ElasticLoadBalancingV2::Listener").values()
    assert (listener["Port"], listener["Protocol"]) == (5060, "TCP_UDP")


def test_the_gateway_and_the_flow_know_of_it(spoken: Template) -> None:
    environment = spoken.environment()
    assert (environment["SIP_NETWORKS"], environment["SIP_PUBLIC_ADDRESS"]) == (NETWORK, "task")
    flows = spoken.all("AWS::Connect::ContactFlow").values()
    assert any("TransferParticipantToThirdParty" in str(flow["Content"]) for flow in flows)


def test_the_gateway_can_read_what_it_is_told(spoken: Template, encrypted: Template) -> None:
    plain, tls = (sip_settings.read(each.environment()) for each in (spoken, encrypted))
    assert plain is not None
    assert tls is not None
    assert (plain.tls_secret, tls.tls_secret) == ("", "encrypted/sip-tls")
    assert (plain.srtp, tls.srtp) == (Srtp.ALLOWED, Srtp.REQUIRED)


def test_a_voice_connector_leads_the_number_to_the_load_balancer(spoken: Template) -> None:
    connector = made(spoken, "VoiceConnector")
    assert "LoadBalancer" in connector["Host"] or "Balancer" in connector["Host"]
    told = {key: connector[key] for key in ("Name", "Port", "Encryption", "Number")}
    assert told == {"Name": "spoken", "Port": "5060", "Encryption": "false", "Number": NUMBER}
    assert spoken.all("Custom::SipRule") == {}


def test_a_media_application_takes_the_number_and_bridges_to_the_connector(encrypted: Template) -> None:
    connector = made(encrypted, "VoiceConnector")
    told = {key: connector[key] for key in ("Host", "Port", "Encryption", "Number")}
    assert told == {"Host": "sip.example.com", "Port": "5061", "Encryption": "true", "Number": ""}
    assert made(encrypted, "SipRule")["Number"] == NUMBER
    (application,) = encrypted.all("Custom::SipMediaApplication")
    assert encrypted.one("Custom::SipRule")["Application"] == {"Ref": application}


def test_chime_may_invoke_the_alias_that_the_application_names_and_for_this_account_only(encrypted: Template) -> None:
    arn = encrypted.one("Custom::SipMediaApplication")["LambdaArn"]
    permissions = encrypted.all("AWS::Lambda::Permission").values()
    (permission,) = [each for each in permissions if each["Principal"] == "voiceconnector.chime.amazonaws.com"]
    assert permission["FunctionName"] == arn
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}


def test_every_resource_is_one_that_the_provider_knows(encrypted: Template) -> None:
    resources = encrypted.document["Resources"].values()
    kinds = {each["Type"] for each in resources if each["Type"].startswith(("Custom::Sip", "Custom::Voice"))}
    assert kinds == set(KINDS)


def test_the_provider_has_its_rights_before_it_is_asked_and_until_it_was_asked_to_go(encrypted: Template) -> None:
    for kind in KINDS:
        (name,) = encrypted.all(kind)
        depends = encrypted.document["Resources"][name]["DependsOn"]
        assert any(each.startswith("TelephonyProviderRoleDefaultPolicy") for each in depends)


def test_the_roles_may_do_what_their_calls_need_and_nothing_more(spoken: Template, encrypted: Template) -> None:
    for template in (spoken, encrypted):
        rights = allowed(template)
        expected = TELEPHONY[template.name]
        assert {role: rights.get(role, set()) for role in expected} == {r: set(each) for r, each in expected.items()}


def test_what_the_gateway_may_do_besides_is_on_the_page_for_reviewers(
    spoken: Template, templates: Callable[[str], Template]
) -> None:
    def gateway(template: Template) -> set[str]:
        (found,) = [actions for role, actions in roles(template).items() if role.startswith("GatewayTaskRole")]
        return found

    told = re.search(r"With `sip:` the gateway may also (.+?)\. With", (DOCS / "security.md").read_text(), re.DOTALL)
    assert told
    assert set(re.findall(r"`(\w+:\w+)`", told[1])) == gateway(spoken) - gateway(templates("trial"))


def test_the_certificate_is_the_one_secret_more_that_the_gateway_reads(spoken: Template, encrypted: Template) -> None:
    def secrets(template: Template) -> set[str]:
        return {
            re.sub(r".*:secret:", "", str(resolved(resource)))
            for holder, statement in template.statements()
            for resource in listed(statement["Resource"])
            if holder.startswith("GatewayTaskRole") and "secretsmanager:GetSecretValue" in statement["Action"]
        }

    more = secrets(encrypted) - {each.replace("spoken", "encrypted") for each in secrets(spoken)}
    assert more == {"encrypted/sip-tls-??????"}


def test_a_change_of_the_way_through_makes_the_new_before_the_old_goes(spoken: Template, encrypted: Template) -> None:
    """CloudFormation creates, then deletes what is left, only where the logical ids differ; a service-side name that
    were the same would be found by the create, and deleted after it."""
    (before,), (after,) = (each.all("Custom::VoiceConnector") for each in (spoken, encrypted))
    assert before != after
    names = [made(each, "VoiceConnector")["Name"].removeprefix(each.name) for each in (spoken, encrypted)]
    assert names == ["", "-bridge"]


def test_what_doctor_looks_for_is_in_the_template(spoken: Template, encrypted: Template) -> None:
    connector = spoken.document["Resources"][paths.logical_id(paths.VOICE_CONNECTOR)]
    assert connector["Type"] == "Custom::VoiceConnector"
    found = {path: encrypted.document["Resources"][paths.logical_id(path)]["Type"] for path in LOOKED_FOR}
    assert found == LOOKED_FOR
    assert paths.logical_id(paths.SIP_TARGET) in encrypted.document["Outputs"]


def test_nothing_is_found_in_it(spoken: Template, encrypted: Template) -> None:
    for template in (spoken, encrypted):
        report = json.loads((template.folder / "validation-report.json").read_text())
        assert report["pluginReports"] == []
    lint = [str(Path(sys.executable).parent / "cfn-lint"), "--ignore-checks", "W3005", "--", str(encrypted.path)]
    done = subprocess.run(lint, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_its_key_nothing_comes_in(templates: Callable[[str], Template]) -> None:
    template = templates("trial")
    assert rules(template) == []
    assert "SIP_NETWORKS" not in template.environment()
    assert template.all("Custom::VoiceConnector") == {}


CONNECTOR = "connector: arn:aws:chime:us-east-1:111122223333:vc/abc"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (TRIAL + "sip: {}\n", "either connector or number"),
        (SPOKEN + "phone_number: {number: 99999999-8888-7777-6666-555555555555, flow: sip}\n", ""),
        (SPOKEN.replace("egress: public", "egress: nat"), "media go to the task itself"),
        (SPOKEN.replace("us-east-1", "eu-south-1"), "voice connectors have none in eu-south-1"),
        (SPOKEN.replace("us-east-1", "eu-south-1"), "trunk, as Chime SDK is not in eu-south-1"),
        (SPOKEN.replace("number: '+15555550100'", CONNECTOR), "trunk, as the connector has routes of its own"),
        (ENCRYPTED.replace("sip.example.com", "sip"), "sip.tls.host: expected a host name"),
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
