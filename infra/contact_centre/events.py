"""Connect tells when a call is over: one of three signs that a caller has gone."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct


class ContactEvents(Construct):
    """Ends of voice contacts of this one instance. After five minutes the other two signs have been seen."""

    def __init__(
        self, scope: Construct, construct_id: str, *, instance_arn: str, contact_event: lambda_.IFunction
    ) -> None:
        super().__init__(scope, construct_id)
        events.Rule(
            self,
            "Disconnected",
            description="Voice contacts that have ended",
            event_pattern=events.EventPattern(
                source=["aws.connect"],
                detail_type=["Amazon Connect Contact Event"],
                detail={"eventType": ["DISCONNECTED"], "channel": ["VOICE"], "instanceArn": [instance_arn]},
            ),
            targets=[
                targets.LambdaFunction(contact_event, max_event_age=Duration.minutes(5), retry_attempts=5),
            ],
        )
