"""The page for reviewers names every right that the commands need: as many as they really call, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from botocore import xform_name

from operations.doctor.examination import examine
from operations.forget import __main__ as forget
from operations.inject import __main__ as inject
from tests.contract.samples import CONTACT
from tests.operations.account import INSTANCE, ROOT, Account
from tests.operations.doctor.test_network import Given
from tests.operations.doctor.test_sip import Spoken
from tests.operations.forget.test_main import recorded

# Where a right is not called as the operation is (service authorization reference); sts:GetCallerIdentity needs none.
PREFIXES = {"chime-sdk-voice": "chime", "service-quotas": "servicequotas"}
NAMES = {
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:ListObjectsV2": "s3:ListBucket",
}
NOT_AWS = {"get_paginator", "get_available_regions", "get_extension_for_class", "get_values_for_type"}
OF_OTHERS = {"kms:Decrypt"}  # what table, records and secret ask for in the name of whoever reads them
OF_CONNECT = {"ds:DescribeDirectories"}  # what DescribeInstance and ListInstances ask for


def rights(account: Account) -> set[str]:
    """What it took to do what was done since `asked` was emptied."""
    called = {(PREFIXES.get(service, service), name) for service, name in account.stand_in.asked}
    names = {f"{service}:{name}" for service, name in called if service != "sts"}
    return {NAMES.get(name, name) for name in names}


def told(command: str) -> set[str]:
    """What the paragraph of a command names."""
    page = (ROOT / "docs" / "security.md").read_text()
    found = re.search(rf"^- \*\*`make {command}`\*\*(.+?)(?=^- |^$)", page, re.MULTILINE | re.DOTALL)
    assert found
    return set(re.findall(r"`(\w+:\w+)`", found[1]))


def existing(account: Account) -> None:
    """A good deployment."""


def new(account: Account) -> None:
    account.deployed = False
    account.instances = []
    account.yaml = account.yaml.replace(f"instance: {INSTANCE}", "alias: new\n  instance: create")


def by_number(account: Account) -> None:
    Spoken(account, "voice_connector", tls=True)


def by_application(account: Account) -> None:
    Spoken(account, "media_application")


def in_a_network(account: Account) -> None:
    Given(account)


def test_the_rights_of_doctor_are_those_that_its_calls_need(account: Account) -> None:
    good, outputs, physical = account.yaml, dict(account.outputs), dict(account.physical)
    account.stand_in.asked.clear()
    for made in (existing, by_number, by_application, in_a_network, new):
        account.yaml, account.outputs, account.physical = good, dict(outputs), dict(physical)
        before = len(account.stand_in.asked)
        made(account)
        del account.stand_in.asked[before:]
        assert list(examine(account.deployment(), account.clients(), ROOT))
    assert told("doctor") == rights(account) | OF_OTHERS | OF_CONNECT
    assert in_source() - {xform_name(name) for _, name in account.stand_in.asked} == set()


def in_source() -> set[str]:
    """Every operation that doctor's code names, whatever the deployments above have of it."""
    text = "".join(file.read_text() for file in (ROOT / "operations" / "doctor").rglob("*.py"))
    calls = set(re.findall(r"\.((?:describe|get|list|simulate)_[a-z0-9_]+)\(", text))
    pages = set(re.findall(r'get_paginator\(\s*"(\w+)"', text))
    return (calls | pages) - NOT_AWS


def test_the_rights_of_forget_are_those_that_its_calls_need(account: Account, tmp_path: Path) -> None:
    (tmp_path / "deployment.yaml").write_text(account.yaml)
    recorded(account, CONTACT)
    account.stand_in.asked.clear()
    assert forget.main([CONTACT], account.clients().session, tmp_path) == 0
    assert told("forget") == rights(account) | OF_OTHERS


def test_the_rights_of_inject_are_those_that_its_calls_need(account: Account, tmp_path: Path) -> None:
    (tmp_path / "deployment.yaml").write_text(account.yaml)
    recorded(account, CONTACT)
    account.stand_in.asked.clear()
    assert inject.main([CONTACT, "--note", "x"], account.clients().session, tmp_path) == 0
    # A transaction is allowed by the actions that are in it (DynamoDB developer guide, transactions and IAM).
    written = {"dynamodb:PutItem", "dynamodb:UpdateItem"}
    assert told("inject") == (rights(account) - {"dynamodb:TransactWriteItems"}) | written | OF_OTHERS
