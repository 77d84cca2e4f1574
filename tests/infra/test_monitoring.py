from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.telemetry.metrics import DIMENSION, UNITS
from tests.infra.template import Template, resolved

ROOT = Path(__file__).parents[2]
SOURCE = "".join(
    path.read_text()
    for folder in ("gateway", "lambdas/contact_event", "lambdas/start_call", "lambdas/next_action")
    for path in sorted((ROOT / folder).rglob("*.py"))
)


def alarms(template: Template) -> list[dict[str, Any]]:
    """Ours; those of the scaling have no name."""
    return [each for each in template.all("AWS::CloudWatch::Alarm").values() if "AlarmName" in each]


def test_every_alarm_says_what_to_do_and_tells_somebody(template: Template) -> None:
    assert len(alarms(template)) == 21 + (2 if template.name == "second" else 0)
    for alarm in alarms(template):
        assert len(alarm["AlarmDescription"].split(". ")) >= 2 or ": " in alarm["AlarmDescription"]
        assert len(alarm["AlarmActions"]) == 1


def test_the_alarms_of_the_account_may_use_the_topic_and_its_key(template: Template) -> None:
    statements = [each for _, each in template.resource_policies()]
    allowed = [each for each in statements if each["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    actions = {action for each in allowed for action in [each["Action"]] if isinstance(action, str)}
    assert "sns:Publish" in actions
    assert ["kms:Decrypt", "kms:GenerateDataKey"] in [each["Action"] for each in allowed]
    assert all("aws:SourceAccount" in str(each["Condition"]) for each in allowed)


def test_an_e_mail_address_is_subscribed_where_there_is_one(templates: Callable[[str], Template]) -> None:
    subscription = templates("voice-agent").one("AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "somebody@example.com")
    assert templates("first").all("AWS::SNS::Subscription") == {}


@pytest.mark.parametrize(
    ("event", "alarm"),
    [("call_broke", "calls-broken"), ("unconfigured", "unconfigured"), ("voice_agent_lost", "sessions-lost")],
)
def test_what_an_alarm_counts_is_a_line_that_the_gateway_writes(template: Template, event: str, alarm: str) -> None:
    filters = template.all("AWS::Logs::MetricFilter").values()
    (counted,) = [each for each in filters if each["FilterPattern"] == f'{{ $.event = "{event}" }}']
    (transformation,) = counted["MetricTransformations"]
    (found,) = [each for each in alarms(template) if each["AlarmName"].endswith(f"-{alarm}")]
    assert found["MetricName"] == transformation["MetricName"]
    assert f'"{event}"' in SOURCE


def alarm_of(template: Template, name: str) -> dict[str, Any]:
    (found,) = [each for each in alarms(template) if each["AlarmName"] == f"{template.name}-{name}"]
    return found


def test_a_fleet_that_writes_nothing_any_more_is_an_alarm_without_any_caller(template: Template) -> None:
    """Its tasks write `Calls` three times a minute, calls or not: what is missing is what has to ring."""
    alarm = alarm_of(template, "gateways-silent")
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Period"]) == ("Calls", "SampleCount", 60)
    assert alarm["MetricName"] in UNITS
    assert alarm["Dimensions"] == [{"Name": DIMENSION, "Value": template.name}]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert (alarm["TreatMissingData"], alarm["EvaluationPeriods"]) == ("breaching", 3)


def test_the_silence_before_the_first_task_runs_is_no_alarm(template: Template) -> None:
    resources = template.document["Resources"].values()
    (alarm,) = [each for each in resources if str(each["Properties"].get("AlarmName", "")).endswith("gateways-silent")]
    (service,) = template.all("AWS::ECS::Service")
    assert service in alarm["DependsOn"]


def test_every_caller_whom_no_gateway_took_is_counted(template: Template) -> None:
    """Whoever says so: start_call, which asks nobody then, or next_action, which has waited in vain."""
    filters = [
        each
        for each in template.all("AWS::Logs::MetricFilter").values()
        if each["FilterPattern"] == '{ $.reason = "no_gateway" }'
    ]
    logs = sorted(each["LogGroupName"]["Ref"].partition("Log")[0] for each in filters)
    assert logs == ["Flownextactionpoll", "Flownextactionwait", "Flowstartcall"]
    assert {each["MetricTransformations"][0]["MetricName"] for each in filters} == {
        alarm_of(template, "turned-away")["MetricName"]
    }
    assert SOURCE.count('"no_gateway"') == 2


def dashboards(template: Template) -> dict[str, list[dict[str, Any]]]:
    """The properties of the widgets, by the dashboard's name."""
    return {
        each["DashboardName"]: [
            widget["properties"] for widget in json.loads(resolved(each["DashboardBody"]))["widgets"]
        ]
        for each in template.all("AWS::CloudWatch::Dashboard").values()
    }


OWNER = {
    "Calls begun",
    "Answered by the voice agent",
    "How calls ended",
    "To whom, and why",
    "Turns of a call",
    "Callbacks that were made",
}
OPERATOR = {"Alarms", "Live calls of a task", "Loop lag, ms", "Time to take a call, ms", "Lost sessions by code"}


def test_the_owner_and_the_operator_have_a_dashboard_each(template: Template) -> None:
    found = {name: {widget["title"] for widget in widgets} for name, widgets in dashboards(template).items()}
    region = "eu-central-1" if template.name == "europe" else "us-east-1"
    owner, operator = f"{template.name}-{region}", f"{template.name}-operator-{region}"
    assert set(found) == {owner, operator}  # names are of the whole account, whatever the region
    assert found[owner] >= OWNER
    assert found[operator] >= OPERATOR


def test_every_question_to_the_log_is_about_lines_and_fields_that_the_gateway_writes(
    templates: Callable[[str], Template],
) -> None:
    widgets = [widget for each in dashboards(templates("first")).values() for widget in each]
    queries = [widget["query"] for widget in widgets if "query" in widget]
    assert len(queries) > 10
    for query in queries:
        for event in re.findall(r'event = "(\w+)"', query):
            assert f'"{event}"' in SOURCE, query
        fields = re.findall(r"(?:pct|avg)\((\w+)", query) + re.findall(r"and (\w+)", query)
        fields += [name for group in re.findall(r" by ([\w, ]+)", query) for name in group.split(", ")]
        for name in set(fields) - {"bin", "event", "level"}:
            assert re.search(rf"\b{name}\b", SOURCE), query
