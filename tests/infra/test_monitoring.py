from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.infra.template import Template, resolved


def alarms(template: Template) -> list[dict[str, Any]]:
    """Ours; those of the scaling have no name."""
    return [each for each in template.all("AWS::CloudWatch::Alarm").values() if "AlarmName" in each]


def test_every_alarm_says_what_to_do_and_tells_somebody(template: Template) -> None:
    assert len(alarms(template)) == 14
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


def test_a_call_that_breaks_is_counted_from_the_log(template: Template) -> None:
    counted = template.one("AWS::Logs::MetricFilter")
    assert counted["FilterPattern"] == '{ $.event = "call_broke" }'
    (transformation,) = counted["MetricTransformations"]
    (alarm,) = [each for each in alarms(template) if each["AlarmName"].endswith("calls-broken")]
    assert alarm["MetricName"] == transformation["MetricName"]


def test_the_dashboard_shows_calls_alarms_and_lag(template: Template) -> None:
    body = str(resolved(template.one("AWS::CloudWatch::Dashboard")["DashboardBody"]))
    for title in ("Live calls", "Alarms", "Loop lag, ms", "Lambda errors"):
        assert title in body
