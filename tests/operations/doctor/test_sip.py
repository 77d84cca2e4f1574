"""What doctor says of calls over SIP and of a network that exists, where the settings have them."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from operations import stack as paths
from operations.doctor.checks import sip as checks
from operations.doctor.examination import examine
from operations.doctor.findings import Finding, State
from tests.operations.account import ROOT, Account, connect_arn
from tests.operations.standin import Refused

NUMBER = "+4930555555"
HOST = "sip.example.com"
BALANCER = "balancer.elb.eu-central-1.amazonaws.com"
NETWORK = "99.77.247.0/24"
SECRET = "voice-agent/sip-tls"
PLAIN = f"capacity: {{egress: public}}\nsip: {{number: '{NUMBER}', through: THROUGH}}\n"
TLS = f"tls: {{host: {HOST}, secret: {SECRET}}}"


def pem(host: str = HOST, days: int = 90, *, other_key: bool = False, named: bool = True) -> str:
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days, hours=1)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(end - datetime.timedelta(days=400)).not_valid_after(end)
    if named:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    chain = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return ((other if other_key else key).private_bytes(*form) + chain).decode()


class Spoken:
    """A good deployment with calls over SIP; a test spoils a part of it."""

    def __init__(self, account: Account, through: str, tls: bool = False) -> None:
        self.account = account
        account.yaml += PLAIN.replace("THROUGH", f"{through}, {TLS}" if tls else through)
        self.networks = [NETWORK]
        self.origination: dict[str, Any] = {
            "Routes": [{"Host": HOST if tls else BALANCER, "Port": 5061 if tls else 5060, "Protocol": "TCP"}],
            "Disabled": False,
        }
        by_connector = through == "voice_connector"
        self.number: dict[str, Any] = {
            "ProductType": "VoiceConnector" if by_connector else "SipMediaApplicationDialIn",
            "Associations": [{"Name": "VoiceConnectorId", "Value": "vc-1"}] if by_connector else [],
        }
        self.rule: dict[str, Any] = {
            "TriggerValue": NUMBER,
            "Disabled": False,
            "TargetApplications": [{"SipMediaApplicationId": "sma-1"}],
        }
        self.refused: set[str] = set()
        self._deploy(through)
        self._answer()
        if tls:
            account.clients().secrets.create_secret(Name=SECRET, SecretString=pem())

    def _deploy(self, through: str) -> None:
        made = {paths.TASKS_GROUP: "sg-1", paths.flow("sip"): connect_arn("contact-flow", "sip")}
        if through == "voice_connector":
            made |= {paths.VOICE_CONNECTOR: "vc-1"}
        if through == "media_application":
            made |= {paths.BRIDGE: "vc-1", paths.SIP_APPLICATION: "sma-1", paths.SIP_RULE: "rule-1"}
        self.account.physical |= {paths.logical_id(path): id_ for path, id_ in made.items()}
        self.account.outputs[paths.logical_id(paths.SIP_TARGET)] = BALANCER
        self.account.flows = self.account._deployed_flows()

    def _answer(self) -> None:
        def told(operation: str, answer: Callable[[], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
            def answered(_: Any) -> dict[str, Any]:
                if operation in self.refused:
                    raise Refused("NotFoundException", status=404)
                return answer()

            return answered

        answers = self.account.stand_in.answers
        answers["ec2", "DescribeSecurityGroups"] = lambda _: {
            "SecurityGroups": [{"IpPermissions": [{"IpRanges": [{"CidrIp": each} for each in self.networks]}]}]
        }
        for operation, answer in (
            ("GetVoiceConnectorOrigination", lambda: {"Origination": self.origination}),
            ("GetPhoneNumber", lambda: {"PhoneNumber": self.number}),
            ("GetSipRule", lambda: {"SipRule": self.rule}),
        ):
            answers["chime-sdk-voice", operation] = told(operation, answer)

    def holds(self, text: str) -> None:
        self.account.clients().secrets.put_secret_value(SecretId=SECRET, SecretString=text)


@pytest.fixture(autouse=True)
def dns(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Names and their addresses."""
    known = {HOST: {"192.0.2.1"}, BALANCER: {"192.0.2.1", "192.0.2.2"}}
    monkeypatch.setattr(checks, "addresses", lambda host: known.get(host, set()))
    return known


def findings(account: Account) -> dict[str, list[Finding]]:
    sections = examine(account.deployment(), account.clients(), ROOT)
    return {section.topic: list(section.findings) for section in sections}


def faults(account: Account) -> list[tuple[str, Finding]]:
    found = findings(account)
    return [(topic, each) for topic in found for each in found[topic] if each.state is State.MISSING]


@pytest.mark.parametrize("through", ["voice_connector", "media_application"])
@pytest.mark.parametrize("tls", [False, True])
def test_a_good_deployment_has_nothing_to_be_mended(account: Account, through: str, tls: bool) -> None:
    Spoken(account, through, tls)
    found = findings(account)
    topics = ["sip", "sip number", *(["sip certificate"] if tls else [])]
    assert {each.state for topic in topics for each in found[topic]} == {State.GOOD}
    assert faults(account) == []
    assert [each.what.partition(" ")[0] for each in found["flows"]] == ["polling", "interruptible", "sip", "queue"]


def test_a_trunk_of_somebody_cannot_be_told(account: Account) -> None:
    Spoken(account, "trunk")
    found = findings(account)
    assert [each.state for each in found["sip"]] == [State.GOOD, State.UNKNOWN]
    assert BALANCER in found["sip"][1].mend
    assert "sip number" not in found


def test_a_connector_of_connect_is_asked_for_its_route(account: Account) -> None:
    spoken = Spoken(account, "trunk")
    connector = "arn:aws:chime:eu-central-1:111122223333:vc/theirs"
    account.yaml = account.yaml.replace(f"number: '{NUMBER}'", f"connector: {connector}")
    account.flows = account._deployed_flows()
    assert faults(account) == []
    spoken.origination["Routes"] = []
    ((topic, finding),) = faults(account)
    assert (topic, "Connect console" in finding.mend) == ("sip", True)


def test_before_the_deploy_only_the_number_can_be_wrong(account: Account) -> None:
    spoken = Spoken(account, "voice_connector")
    account.deployed = False
    found = findings(account)
    assert [found[topic][0].state for topic in ("sip", "sip number")] == [State.LATER, State.LATER]
    spoken.number["ProductType"] = "SipMediaApplicationDialIn"
    ((topic, finding),) = faults(account)
    assert (topic, "Voice Connector" in finding.mend) == ("sip number", True)


def test_a_certificate_can_be_examined_before_the_deploy(account: Account) -> None:
    Spoken(account, "voice_connector", tls=True)
    account.deployed = False
    account.outputs = {}
    assert [each.state for each in findings(account)["sip certificate"]] == [State.GOOD]


VC, SMA = "voice_connector", "media_application"
FAULTS: list[tuple[str, str, Callable[[Spoken], object], str, str, str]] = [
    ("open to others", VC, lambda s: s.networks.append("0.0.0.0/0"), "sip", "0.0.0.0/0 too", "take"),
    ("closed", VC, lambda s: s.networks.clear(), "sip", "may not send", "revert-drift"),
    ("another route", VC, lambda s: s.origination["Routes"][0].update(Port=1), "sip", "no route", "re"),
    ("off", VC, lambda s: s.origination.update(Disabled=True), "sip", "is off", "revert-drift"),
    ("connector gone", VC, lambda s: s.refused.add("GetVoiceConnectorOrigination"), "sip", "gone", "re"),
    ("no number", VC, lambda s: s.refused.add("GetPhoneNumber"), "sip number", "inventory", "order"),
    (
        "of another type",
        SMA,
        lambda s: s.number.update(ProductType="x"),
        "sip number",
        "type x",
        "Dial",
    ),
    (
        "led elsewhere",
        VC,
        lambda s: s.number.update(Associations=[]),
        "sip number",
        "not lead",
        "revert",
    ),
    (
        "no rule",
        SMA,
        lambda s: s.refused.add("GetSipRule"),
        "sip number",
        "no SIP rule",
        "revert-drift",
    ),
    (
        "rule elsewhere",
        SMA,
        lambda s: s.rule.update(TriggerValue="+1"),
        "sip number",
        "no SIP",
        "revert",
    ),
    ("rule off", SMA, lambda s: s.rule.update(Disabled=True), "sip number", "disabled", "enable"),
]


@pytest.mark.parametrize(
    ("name", "through", "plant", "topic", "what", "mend"), FAULTS, ids=[each[0] for each in FAULTS]
)
def test_doctor_finds_exactly_the_planted_fault_and_names_its_mend(
    account: Account, name: str, through: str, plant: Callable[[Spoken], object], topic: str, what: str, mend: str
) -> None:
    plant(Spoken(account, through))
    ((found_in, finding),) = faults(account)
    assert found_in == topic
    assert what in finding.what
    assert mend in finding.mend


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (pem("other.example.com"), "not for sip.example.com"),
        (pem(named=False), "not for sip.example.com"),
        (pem(days=7), "ends in 7 days"),
        (pem(days=-2), "has ended"),
        (pem(other_key=True), "a key that is not that of its first certificate"),
        ("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----", "no private key"),
        ("a word", "no certificate"),
        (pem().replace("MIG", "%%%", 1), "cannot be read"),
    ],
)
def test_a_certificate_that_cannot_serve_is_found(account: Account, text: str, what: str) -> None:
    Spoken(account, "voice_connector", tls=True).holds(text)
    ((topic, finding),) = faults(account)
    assert (topic, what in finding.what) == ("sip certificate", True), finding
    assert HOST in finding.mend
    assert "PRIVATE KEY" not in finding.what


def test_a_certificate_for_all_names_of_a_domain_is_good(account: Account) -> None:
    Spoken(account, "voice_connector", tls=True).holds(pem("*.example.com"))
    assert faults(account) == []


def test_a_secret_that_is_not_there_is_found(account: Account) -> None:
    Spoken(account, "voice_connector", tls=True)
    account.clients().secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    ((topic, finding),) = faults(account)
    assert (topic, "is not there" in finding.what) == ("sip certificate", True)


@pytest.mark.parametrize("leads", [set(), {"198.51.100.7"}])
def test_a_name_that_leads_elsewhere_is_found(account: Account, dns: dict[str, set[str]], leads: set[str]) -> None:
    Spoken(account, "voice_connector", tls=True)
    dns[HOST] = leads
    ((topic, finding),) = faults(account)
    assert (topic, "CNAME" in finding.mend) == ("sip certificate", True)


def test_an_answer_that_is_refused_is_no_fault(account: Account) -> None:
    Spoken(account, "media_application", tls=True)

    def refused(_: Any) -> dict[str, Any]:
        raise Refused("AccessDeniedException", status=403)

    for key in (
        ("chime-sdk-voice", "GetVoiceConnectorOrigination"),
        ("chime-sdk-voice", "GetSipRule"),
        ("secretsmanager", "GetSecretValue"),
    ):
        account.stand_in.answers[key] = refused
    found = findings(account)
    assert [found[topic][-1].state for topic in ("sip", "sip number", "sip certificate")] == [State.UNKNOWN] * 3
    account.stand_in.answers["chime-sdk-voice", "GetPhoneNumber"] = refused
    assert findings(account)["sip number"][0].state is State.UNKNOWN


def test_a_name_that_nobody_knows_has_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert checks.addresses("localhost") == {"127.0.0.1"}
    assert checks.addresses("name.invalid") == set()
