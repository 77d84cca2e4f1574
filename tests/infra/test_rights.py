"""The rights of each role are those that its calls need: nothing is missing, and nothing more is there.

`make observed-calls` records which calls gateway and Lambdas make in whole calls (observed.json); `rights.py` lists
what they need besides.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from simulator.aws_calls import needed
from tests.infra.deployments import ACCOUNT
from tests.infra.observe import OBSERVED
from tests.infra.rights import IMPLIED, SELDOM, SUBSCRIBERS, allowed, role_of
from tests.infra.template import Template, listed

ROLES = sorted({*IMPLIED, *SELDOM})
FULL = "voice-agent"  # has every role but that of the number
CALLS: dict[str, list[str]] = json.loads(OBSERVED.read_text())


def expected(role: str) -> set[str]:
    return {*CALLS.get(role, []), *IMPLIED.get(role, {}), *SELDOM.get(role, {})}


@pytest.mark.parametrize("role", [role for role in ROLES if role != "number"])
def test_a_role_may_do_what_its_calls_need_and_nothing_more(templates: Callable[[str], Template], role: str) -> None:
    rights = allowed(templates(FULL))[role]
    assert rights - expected(role) == set(), "allowed, and never used"
    assert expected(role) - rights == set(), "used, and not allowed"


def test_the_number_is_attached_and_nothing_more(templates: Callable[[str], Template]) -> None:
    assert allowed(templates("first"))["number"] == {*IMPLIED["number"]}


@pytest.mark.parametrize("name", sorted(SUBSCRIBERS))
def test_a_subscriber_reads_records_and_does_its_own_work(templates: Callable[[str], Template], name: str) -> None:
    assert allowed(templates("second"))[name] == {*SUBSCRIBERS[name]}
    assert name not in allowed(templates(FULL))


def test_a_key_of_the_customers_opens_secrets_and_nothing_else(templates: Callable[[str], Template]) -> None:
    """Of those who read secrets: the gateway, and the ticket's Lambda."""
    key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/87654321-1234-1234-1234-123456789012"
    found = {
        role_of(holder): statement
        for holder, statement in templates("second").statements()
        if key in listed(statement["Resource"])
    }
    assert set(found) == {"gateway", "ticket"}
    for statement in found.values():
        assert statement["Action"] == "kms:Decrypt"
        assert statement["Condition"] == {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}


def test_no_deployment_has_a_role_or_a_right_that_is_not_listed(template: Template) -> None:
    given = {"kms:CreateGrant key", "kms:DescribeKey key"}  # of the streams, where the deployment names their key
    for role, rights in allowed(template).items():
        assert role in ROLES or role in SUBSCRIBERS
        assert rights - expected(role) - {*SUBSCRIBERS.get(role, {})} - given == set(), role


def test_an_object_with_tags_needs_the_right_to_tag() -> None:
    given = {"Key": "calls/2026/11/22/a.json", "Tagging": "expires=30"}
    found = set(needed("s3", "PutObject", given))
    assert found == {("s3:PutObject", "calls/"), ("s3:PutObjectTagging", "calls/")}


def test_nothing_is_excused_that_was_observed() -> None:
    for role, calls in CALLS.items():
        assert not set(calls) & set(SELDOM.get(role, {})), f"{role}: these are observed, and need no excuse"


def test_a_transaction_needs_what_is_in_it() -> None:
    writes: list[dict[str, dict[str, str]]] = [{"Put": {}}, {"Update": {}}, {"ConditionCheck": {}}, {"Delete": {}}]
    found = {action for action, _ in needed("dynamodb", "TransactWriteItems", {"TransactItems": writes})}
    assert found == {f"dynamodb:{kind}Item" for kind in ("Put", "Update", "ConditionCheck", "Delete")}


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "right"),
    [
        ("dynamodb", "Query", {"IndexName": "live"}, ("dynamodb:Query", "index")),
        ("dynamodb", "Query", {}, ("dynamodb:Query", "table")),
        ("s3", "PutObject", {"Key": "openings/a.wav"}, ("s3:PutObject", "openings/")),
        ("s3", "DeleteObjects", {"Delete": {"Objects": [{"Key": "clips/a/1.wav"}]}}, ("s3:DeleteObject", "clips/")),
        ("kinesis-video-media", "GetMedia", {}, ("kinesisvideo:GetMedia", "stream")),
        ("lambda", "Invoke", {}, ("lambda:InvokeFunction", "function")),
        ("connect", "DescribeContact", {}, ("connect:DescribeContact", "contact")),
    ],
)
def test_a_call_needs_a_right(
    service: str, operation: str, parameters: dict[str, object], right: tuple[str, str]
) -> None:
    assert list(needed(service, operation, parameters)) == [right]
