"""The gateway's own metrics. It writes them into its log in CloudWatch's embedded metric format."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "VoiceAgent"
CALLS = "Calls"  # live calls of one task, written by each task once a minute at least
LOOP_LAG = "LoopLag"  # ms, 99th percentile of the last minute
DIMENSION = "Deployment"


def own(name: str, deployment: str, statistic: str) -> cloudwatch.Metric:
    """A metric of all tasks of a deployment, minute by minute."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={DIMENSION: deployment},
        statistic=statistic,
        period=Duration.minutes(1),
    )


def calls_per_task(deployment: str) -> cloudwatch.Metric:
    """The average over the tasks."""
    return own(CALLS, deployment, "Average")
