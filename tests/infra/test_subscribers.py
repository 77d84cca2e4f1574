"""Subscribers of the events of calls: brought what is theirs, tried again, and never silent about what failed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from contract import announcement
from tests.infra.template import Template, resolved

KINDS = {"ticket": announcement.Kind.ENDED, "connect_task": announcement.Kind.HANDED_OVER}
EACH = pytest.mark.parametrize("name", sorted(KINDS))


@pytest.fixture
def template(templates: Callable[[str], Template]) -> Template:
    return templates("second")


def part(template: Template, kind: str, name: str) -> dict[str, Any]:
    """The one resource of a kind that belongs to a subscriber."""
    prefix = f"Subscribers{name.replace('_', '')}"
    (found,) = [each for logical, each in template.all(kind).items() if logical.startswith(prefix)]
    return found


@EACH
def test_a_rule_brings_the_events_of_this_deployment_alone(template: Template, name: str) -> None:
    pattern = part(template, "AWS::Events::Rule", name)["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == ([announcement.SOURCE], [KINDS[name].value])
    (bucket,) = pattern["detail"]["record"]["bucket"]
    assert bucket == template.environment_references()["RECORD_BUCKET"]


@EACH
def test_what_cannot_be_delivered_or_done_is_tried_again_and_then_kept(template: Template, name: str) -> None:
    queue = part(template, "AWS::SQS::Queue", name)
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    (target,) = part(template, "AWS::Events::Rule", name)["Targets"]
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 7200, "MaximumRetryAttempts": 10}
    failed = part(template, "AWS::Lambda::EventInvokeConfig", name)
    assert (failed["MaximumRetryAttempts"], failed["MaximumEventAgeInSeconds"]) == (2, 7200)
    kept = {
        json.dumps(target["DeadLetterConfig"]["Arn"]),
        json.dumps(failed["DestinationConfig"]["OnFailure"]["Destination"]),
    }
    assert len(kept) == 1
    assert "Undelivered" in kept.pop()


@EACH
def test_somebody_hears_of_it(template: Template, name: str) -> None:
    alarms = template.all("AWS::CloudWatch::Alarm").values()
    (alarm,) = [each for each in alarms if each.get("AlarmName") == f"second-{name}-undelivered"]
    assert "Undelivered" in json.dumps(alarm["Dimensions"])


def test_each_is_told_where_its_work_is(template: Template) -> None:
    functions = template.all("AWS::Lambda::Function")
    told = {
        name: resolved(each["Environment"]["Variables"])
        for logical, each in functions.items()
        for name in KINDS
        if logical.startswith(f"Subscribers{name.replace('_', '')}")
    }
    ticket = {"TICKET_URL": "https://tickets.example.com/api", "TICKET_TOKEN_SECRET": "second/tickets"}
    assert told == {"ticket": ticket, "connect_task": {"TASK_FLOW_ID": "66666666-7777-8888-9999-000000000000"}}


def test_without_the_key_there_are_none(templates: Callable[[str], Template]) -> None:
    resources = templates("voice-agent").document["Resources"]
    assert not [name for name in resources if name.startswith("Subscribers")]
