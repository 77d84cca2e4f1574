"""One subscriber: a Lambda, the rule that brings it this deployment's events, and a queue for what it could not do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from contract.announcement import SOURCE
from infra.flow_functions.python_function import ALIAS, PythonFunction
from infra.reasons import acknowledge, allow
from infra.state.records import RecordBucket

AGE = Duration.hours(2)  # how long an event is tried; the record that it points to stays for days
DELIVERIES, INVOCATIONS = 10, 2  # by EventBridge, and by Lambda after the first that raised


class Subscriber(Construct):
    """`role` has the rights to read records; what it does with them needs more. `undelivered` holds events for two
    weeks, each as it came, with the reason in its attributes (EventBridge) or beside it (Lambda)."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        kind: str,
        code: Path,
        environment: Mapping[str, str],
        timeout_s: int,
        log_days: int,
        records: RecordBucket,
    ) -> None:
        super().__init__(scope, construct_id)
        self.undelivered = sqs.Queue(
            self,
            "Undelivered",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        acknowledge(self.undelivered, SQS3="It is the dead-letter queue of a rule and of a Lambda.")
        function = PythonFunction(
            self,
            "Function",
            code=code,
            handler=f"lambdas.subscribers.{construct_id}.handler.handler",
            timeout_s=timeout_s,
            log_days=log_days,
            environment=environment,
            memory_mib=256,
        )
        self.role = function.role
        records.grant_read(self.role)
        self._keep_what_failed(function)
        events.Rule(
            self,
            "Rule",
            description=f"{kind} of this deployment, for {construct_id}",
            event_pattern=events.EventPattern(
                source=[SOURCE],
                detail_type=[kind],
                # Deployments of an account share the bus; where the record is tells whose event it is.
                detail={"record": {"bucket": [records.bucket.bucket_name]}},
            ),
            targets=[
                targets.LambdaFunction(
                    function.alias, dead_letter_queue=self.undelivered, max_event_age=AGE, retry_attempts=DELIVERIES
                )
            ],
        )

    def _keep_what_failed(self, function: PythonFunction) -> None:
        """The CDK's own destination would let the function look at the queue as well."""
        allow(function.role, [self.undelivered.queue_arn], "sqs:SendMessage")
        config = lambda_.CfnEventInvokeConfig(
            self,
            "Failures",
            function_name=function.function.function_name,
            qualifier=ALIAS,
            maximum_event_age_in_seconds=int(AGE.to_seconds()),
            maximum_retry_attempts=INVOCATIONS,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=self.undelivered.queue_arn)
            ),
        )
        config.node.add_dependency(function.alias, function.role)  # Lambda looks whether the role may send
