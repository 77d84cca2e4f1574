"""The pages for operators and reviewers say what the template has."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from operations.cost import estimate
from tests.infra.template import Template, listed

DOCS = Path(__file__).resolve().parents[2] / "docs"
ROLES = {
    "GatewayTaskRole": "gateway",
    "Flowstartcall": "start_call",
    "Flownextactionwait": "next_action_wait",
    "Flownextactionpoll": "next_action_poll",
    "Flowcontactevent": "contact_event",
    "Flowqueueposition": "queue_position",
    "SecretKeys": "secret_keys, where an agent asks for secrets",  # tests/infra/test_secret_keys.py
    "Flowqueuehours": "queue_hours",
    "StreamingFunction": "streaming, while deploying",
    "Functions": "a function of the agents",
}
# What the page says once for all of them.
KEY = {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"}
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
HOST = ("GatewayTaskDefinitionExecutionRole", "GatewayNetworkVpcRejected")  # pulls the image; writes flow logs


def roles(template: Template) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for policy in template.all("AWS::IAM::Policy").values():
        actions = {action for each in policy["PolicyDocument"]["Statement"] for action in listed(each["Action"])}
        for role in policy["Roles"]:
            found.setdefault(role["Ref"], set()).update(actions)
    return found


def documented() -> dict[str, set[str]]:
    table = (DOCS / "security.md").read_text().split("## Roles")[1]
    rows = re.findall(r"^\| ([a-z_, ]+) \| (.+) \|$", table, re.MULTILINE)
    return {name: set(re.findall(r"`([^`]+)`", actions)) for name, actions in rows if name != "role of"}


def test_the_roles_on_the_page_are_those_of_the_template(templates: Callable[[str], Template]) -> None:
    table = documented()
    seen = {ROLES["SecretKeys"]}
    for logical, actions in roles(templates("voice-agent")).items():
        if logical.startswith(HOST):
            continue
        name = next(name for prefix, name in ROLES.items() if logical.startswith(prefix))
        own = actions - LOG - (set() if name == "streaming, while deploying" else KEY)
        assert table[name] == own, logical
        seen.add(name)
    assert seen == set(table)


def alarms(template: Template) -> set[str]:
    named = [alarm["AlarmName"] for alarm in template.all("AWS::CloudWatch::Alarm").values() if "AlarmName" in alarm]
    return {name.removeprefix(f"{template.name}-") for name in named}


def test_the_alarms_on_the_page_are_those_of_the_template(templates: Callable[[str], Template]) -> None:
    page = (DOCS / "operations.md").read_text().split("## Alarms")[1].split("\n## ")[0]
    functions = re.findall(r"`(\w+)`", re.search(r"FUNCTION stands for (.+?)\.", page, re.DOTALL)[1])  # type: ignore[index]
    rows = re.findall(r"^\| `NAME-([\w-]+)` \|", page, re.MULTILINE)
    told = {row.replace("FUNCTION", name) for row in rows for name in (functions if "FUNCTION" in row else [""])}
    subscribers = {row for row in told if row.startswith("SUBSCRIBER-")}
    secret = {row for row in told if row.startswith("secret_keys-")}  # tests/infra/test_secret_keys.py
    assert told - subscribers - secret == alarms(templates("voice-agent"))
    more = alarms(templates("second")) - alarms(templates("voice-agent"))
    assert {re.sub("^(ticket|connect_task)-", "SUBSCRIBER-", name) for name in more} == subscribers


def test_the_dashboards_on_the_page_are_those_of_the_template(templates: Callable[[str], Template]) -> None:
    page = (DOCS / "operations.md").read_text()
    template = templates("voice-agent")
    names = {board["DashboardName"] for board in template.all("AWS::CloudWatch::Dashboard").values()}
    assert {name.replace("voice-agent", "NAME").replace("us-east-1", "REGION") for name in names} <= set(
        re.findall(r"`(NAME[\w-]*)`", page)
    )


def test_what_stands_still_is_reckoned_with_as_many_alarms_and_dashboards_as_there_are(
    templates: Callable[[str], Template],
) -> None:
    template = templates("voice-agent")
    assert len(template.all("AWS::CloudWatch::Alarm")) == estimate.ALARMS
    assert len(template.all("AWS::CloudWatch::Dashboard")) == estimate.DASHBOARDS
    assert len(template.all("AWS::KMS::Key")) == 1
    assert len(template.all("AWS::SecretsManager::Secret")) == 1
