"""Live media streaming of the instance: one configuration, which may be somebody else's."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.deployment.settings import Streaming
from infra.flow_functions.python_function import PythonFunction
from infra.reasons import allow

AWS_MANAGED_KEY = "alias/aws/kinesisvideo"
_HANDLER = "lambdas.streaming_storage.handler.handler"


class StreamingStorage(Construct):
    """Made if there is none, by a Lambda that runs while the stack is made, changed or removed; CloudFormation's own
    resource fails where one exists. `resource` is what depends on streaming has to wait for."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        streaming: Streaming,
        instance_arn: str,
        code: Path,
        log_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        function = PythonFunction(self, "Function", code=code, handler=_HANDLER, timeout_s=60, log_days=log_days)
        self._allow(function.role, instance_arn, streaming)
        self.resource = CustomResource(
            self,
            "Configuration",
            resource_type="Custom::LiveMediaStreaming",
            service_token=function.function.function_arn,
            service_timeout=Duration.minutes(5),
            removal_policy=RemovalPolicy.DESTROY,  # the Lambda is asked, and keeps it unless `remove` is set
            properties={
                "InstanceArn": instance_arn,
                "Prefix": streaming.prefix,
                "RetentionHours": str(streaming.retention_hours),
                "Key": streaming.key_arn or AWS_MANAGED_KEY,
                "Remove": str(streaming.remove).lower(),
            },
        )
        # Its rights and its log must be there before it is asked, and still there when it is asked to go.
        self.resource.node.add_dependency(function.role, function.log)

    def _allow(self, role: iam.Role, instance_arn: str, streaming: Streaming) -> None:
        """The service demands the rights on key and role of whoever calls AssociateInstanceStorageConfig (service
        authorization reference, Amazon Connect, dependent actions)."""
        stack = Stack.of(self)
        here = f"{stack.region}:{stack.account}"
        allow(
            role,
            [instance_arn],
            "connect:AssociateInstanceStorageConfig",
            "connect:DisassociateInstanceStorageConfig",
            "connect:ListInstanceStorageConfigs",
            "connect:UpdateInstanceStorageConfig",
        )
        linked = "role/aws-service-role/connect.amazonaws.com/AWSServiceRoleForAmazonConnect_*"
        because = "The name of an instance's service-linked role ends in characters of Connect's choice."
        allow(role, [f"arn:{stack.partition}:iam::{stack.account}:{linked}"], "iam:PutRolePolicy", because=because)
        if streaming.key_arn:
            allow(role, [streaming.key_arn], "kms:CreateGrant", "kms:DescribeKey")
            return
        allow(
            role,
            [f"arn:{stack.partition}:kms:{here}:key/*"],
            "kms:CreateGrant",
            "kms:DescribeKey",
            because="The AWS managed key of Kinesis Video Streams has an id that is known only once it exists; the "
            "condition leaves no other key.",
            conditions={"ForAnyValue:StringEquals": {"kms:ResourceAliases": AWS_MANAGED_KEY}},
        )
