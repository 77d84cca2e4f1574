"""A good deployment has nothing to be mended; before the first deploy, what is not there yet is no fault."""

from __future__ import annotations

from operations.doctor.checks import CHECKS
from operations.doctor.examination import examine, faults
from operations.doctor.findings import Section, State
from tests.operations.account import ROOT, Account

ONLY_WHERE_THERE_ARE_ANY = ("network", "sip", "sip number", "sip certificate")


def examined(account: Account) -> list[Section]:
    return list(examine(account.deployment(), account.clients(), ROOT))


def test_a_good_deployment_has_nothing_to_be_mended(account: Account) -> None:
    sections = examined(account)
    assert faults(sections) == []
    topics = [topic for topic, _ in CHECKS if topic not in ONLY_WHERE_THERE_ARE_ANY]
    assert [section.topic for section in sections] == ["credentials", *topics]


def test_every_check_tells_something_good_of_a_good_deployment_but_the_tier(account: Account) -> None:
    for section in examined(account):
        states = {finding.state for finding in section.findings}
        assert states == ({State.UNKNOWN} if section.topic == "tier" else {State.GOOD}), section


def test_before_the_deploy_nothing_is_missing(account: Account) -> None:
    account.deployed = False
    account.storage = []
    sections = examined(account)
    assert faults(sections) == []
    later = {section.topic for section in sections if section.findings[0].state is State.LATER}
    assert {"stack", "flows", "associations", "gateway", "deepgram key", "bucket", "phone number"} <= later


def test_before_a_new_instance_is_created_nothing_is_missing(account: Account) -> None:
    account.deployed = False
    account.instances = []
    account.yaml = account.yaml.replace("instance: arn", "alias: new\n  instance: create #").replace(
        "configuration: create, ", ""
    )
    assert faults(examined(account)) == []
