"""The queue that wakes a gateway up."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct


class WakeupQueue(Construct):
    """Messages are contact ids. A wake-up of minutes ago wakes nobody: the gateways look through the table too."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.unanswered = sqs.Queue(
            self,
            "Unanswered",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(30),
            retention_period=Duration.minutes(10),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.unanswered, max_receive_count=5),
        )
