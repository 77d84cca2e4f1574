"""Alarms. Each says what it means for callers and what to do first."""

from __future__ import annotations

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct, IDependable


class Alarms(Construct):
    """`add` makes an alarm that tells the topic, and the e-mail address behind it where there is one."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, email: str, key: kms.Key) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        self.alarms: list[cloudwatch.Alarm] = []
        self.topic = sns.Topic(self, "Topic", display_name=f"{name} alarms", master_key=key, enforce_ssl=True)
        cloudwatch_service = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[cloudwatch_service],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],  # in a key's policy: this key
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        # A topic with a policy of its own has lost the one by which the account's alarms may publish.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[cloudwatch_service],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        if email:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))

    def add(
        self,
        construct_id: str,
        metric: cloudwatch.IMetric,
        *,
        above: float,
        minutes: int,
        runbook: str,
    ) -> None:
        """Goes off when every minute of `minutes` is above the threshold; a minute without a value is not."""
        self._tell(
            cloudwatch.Alarm(
                self,
                construct_id,
                alarm_name=f"{self._name}-{construct_id}",
                alarm_description=runbook,
                metric=metric,
                threshold=above,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
                evaluation_periods=minutes,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
        )

    def add_silence(
        self, construct_id: str, metric: cloudwatch.Metric, *, minutes: int, runbook: str, after: IDependable
    ) -> None:
        """Goes off when nobody wrote the metric for so many minutes; made `after` whoever writes it is up, as it would
        ring at once otherwise."""
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_name=f"{self._name}-{construct_id}",
            alarm_description=runbook,
            metric=metric.with_(statistic="SampleCount"),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=minutes,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        alarm.node.add_dependency(after)
        self._tell(alarm)

    def _tell(self, alarm: cloudwatch.Alarm) -> None:
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        self.alarms.append(alarm)


MINUTE = Duration.minutes(1)
