"""Whether anybody hears an alarm."""

from __future__ import annotations

from collections.abc import Iterator

from operations import stack as paths
from operations.doctor.findings import Examined, Finding, good, later, missing

PENDING = "PendingConfirmation"


def alarms(examined: Examined) -> Iterator[Finding]:
    """SNS sends nothing to an address that has not confirmed (SNS developer guide, e-mail subscriptions)."""
    email, topic = examined.deployment.alarm_email, examined.at(paths.TOPIC)
    if not email:
        yield good("mailed to nobody, as alarm_email is empty")
        return
    if not topic:
        yield later(f"alarms will be mailed to {email}, once it confirms")
        return
    pages = examined.aws.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    found = {each.get("Endpoint"): each.get("SubscriptionArn") for page in pages for each in page["Subscriptions"]}
    if email not in found:
        yield missing(
            f"{email} is not subscribed to the alarms", "make deploy, if alarm_email is new; else subscribe it in SNS"
        )
    elif found[email] == PENDING:
        yield missing(
            f"{email} has not confirmed that it wants the alarms: nobody gets them",
            "click the link in the e-mail of AWS Notifications; it is valid for three days, then subscribe anew in SNS",
        )
    else:
        yield good(f"mailed to {email}")
