"""What the gateway's role may do: exactly what its code calls, on exactly this deployment's resources."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.deployment.settings import Streaming
from infra.reasons import allow
from infra.state.secret import allow_secrets_keys


class GatewayPermissions(Construct):
    """What the state's own grants do not cover."""

    def __init__(self, scope: Construct, construct_id: str, *, role: iam.Role) -> None:
        super().__init__(scope, construct_id)
        self._role = role
        stack = Stack.of(self)
        self._partition = stack.partition
        self._here = f"{stack.region}:{stack.account}"

    def media(self, streaming: Streaming) -> None:
        """The audio of calls."""
        streams = f"arn:{self._partition}:kinesisvideo:{self._here}:stream/{streaming.prefix}-connect-*/*"
        because = "Connect makes the streams as calls come, and names them after the prefix, the instance and a UUID."
        allow(self._role, [streams], "kinesisvideo:GetDataEndpoint", "kinesisvideo:GetMedia", because=because)
        if streaming.key_arn:
            allow(self._role, [streaming.key_arn], "kms:Decrypt")

    def contacts(self, instance_arn: str) -> None:
        """Whether a caller is still there."""
        because = "Connect names contacts as calls come; these are the contacts of one instance."
        allow(self._role, [f"{instance_arn}/contact/*"], "connect:DescribeContact", because=because)

    def wakeups(self, queue_arn: str) -> None:
        allow(self._role, [queue_arn], "sqs:ReceiveMessage", "sqs:DeleteMessage")

    def functions(self, arns: Sequence[str]) -> None:
        """The functions of the agents, and no other Lambda."""
        if arns:
            allow(self._role, list(arns), "lambda:InvokeFunction")

    def secrets(self, names: Sequence[str]) -> None:
        """Secrets that agent definitions refer to. Their ARNs end in six characters of Secrets Manager's choice."""
        if names:
            prefix = f"arn:{self._partition}:secretsmanager:{self._here}:secret"
            allow(self._role, [f"{prefix}:{name}-??????" for name in names], "secretsmanager:GetSecretValue")

    def secret(self, name: str) -> None:
        """One secret, by ARN or by name."""
        if name.startswith("arn:"):
            allow(self._role, [name], "secretsmanager:GetSecretValue")
        else:
            self.secrets([name])

    def kms_keys(self, arns: Sequence[str]) -> None:
        """Keys that secrets are encrypted with."""
        allow_secrets_keys(self._role, arns)

    def task_protection(self, cluster: ecs.Cluster) -> None:
        """A task with live calls is not to be stopped by a deployment or by scaling in."""
        tasks = f"arn:{self._partition}:ecs:{self._here}:task/{cluster.cluster_name}/*"
        because = "ECS names the tasks; these are the tasks of one cluster, which has only this service."
        allow(self._role, [tasks], "ecs:GetTaskProtection", "ecs:UpdateTaskProtection", because=because)
