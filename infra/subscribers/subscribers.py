"""The subscribers that the settings ask for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aws_cdk import Aws, Stack
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from contract.announcement import Kind
from infra.deployment.settings import Deployment
from infra.reasons import allow
from infra.state.records import RecordBucket
from infra.state.secret import allow_secrets_keys
from infra.subscribers.subscriber import Subscriber


class SubscriberSet(Construct):
    """`undelivered` by name of the subscriber: what lies there, somebody has to look at."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        code: Path,
        records: RecordBucket,
        instance_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._code, self._records = code, records
        self._log_days = deployment.retention.logs_days
        self.undelivered: dict[str, sqs.IQueue] = {}
        given = deployment.subscribers
        if given.ticket_url:
            self._ticket(given.ticket_url, given.ticket_token, deployment.kms_keys)
        if given.task_flow:
            self._task(given.task_flow, instance_arn)

    def _ticket(self, url: str, token: str, kms_keys: Sequence[str]) -> None:
        """Three attempts of five seconds each, and pauses."""
        variables = {"TICKET_URL": url, "TICKET_TOKEN_SECRET": token}
        role = self._subscriber("ticket", Kind.ENDED, 30, variables).role
        here = Stack.of(self)
        named = f"arn:{here.partition}:secretsmanager:{here.region}:{Aws.ACCOUNT_ID}:secret:{token}-??????"
        allow(role, [token if token.startswith("arn:") else named], "secretsmanager:GetSecretValue")
        allow_secrets_keys(role, kms_keys)

    def _task(self, flow_arn: str, instance_arn: str) -> None:
        variables = {"TASK_FLOW_ID": flow_arn.rpartition("/")[2]}
        role = self._subscriber("connect_task", Kind.HANDED_OVER, 15, variables).role
        allow(
            role,
            [flow_arn, f"{instance_arn}/contact/*"],
            "connect:StartTaskContact",
            because="Connect names contacts as they come; these are the contacts of one instance.",
        )

    def _subscriber(self, name: str, kind: Kind, timeout_s: int, variables: dict[str, str]) -> Subscriber:
        found = Subscriber(
            self,
            name,
            kind=kind.value,
            code=self._code,
            environment=variables,
            timeout_s=timeout_s,
            log_days=self._log_days,
            records=self._records,
        )
        self.undelivered[name] = found.undelivered
        return found
