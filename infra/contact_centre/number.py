"""A phone number's flow, which CloudFormation has no resource for."""

from __future__ import annotations

from aws_cdk import Fn, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import custom_resources as custom
from constructs import Construct

from infra.deployment.settings import PhoneNumber
from infra.logs import log_group
from infra.reasons import acknowledge, flat

_BASIC = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


class NumberAttachment(Construct):
    """The number leads to the flow as long as the deployment exists, and to the return flow after it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        number: PhoneNumber,
        instance_arn: str,
        flow_arn: str,
        log_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        number_id = number.number.rpartition("/")[2]
        # Not this number and its flows alone: after a change the old ones are given back with the new policy.
        resources = [
            f"arn:{stack.partition}:connect:{stack.region}:{stack.account}:phone-number/*",
            instance_arn,
            f"{instance_arn}/contact-flow/*",
        ]
        self._ids = {"PhoneNumberId": number_id, "InstanceId": Fn.select(1, Fn.split("/", instance_arn))}
        attach = self._call(flow_arn)
        actions = ["connect:AssociatePhoneNumberContactFlow", "connect:DisassociatePhoneNumberContactFlow"]
        attachment = custom.AwsCustomResource(
            self,
            "Attachment",
            resource_type="Custom::PhoneNumberFlow",
            on_create=attach,
            on_update=attach,
            on_delete=self._call(number.return_flow),
            policy=custom.AwsCustomResourcePolicy.from_statements(
                [iam.PolicyStatement(actions=actions, resources=resources)]
            ),
            install_latest_aws_sdk=False,
            log_group=log_group(self, "Log", log_days),
        )
        because = "CloudFormation gives the old number back after it has changed the policy to the new one."
        for resource in (resources[0], resources[2]):
            acknowledge(attachment, **{f"IAM5[Resource::{flat(stack.resolve(resource))}]": because})
        provider = stack.node.find_child("AWS679f53fac002430cb0da5b7982bd2287")
        acknowledge(
            provider,
            **{
                f"IAM4[Policy::{_BASIC}]": "The CDK's own provider: this policy lets it write its log and no more.",
                "L1": "The CDK chooses the runtime of its own provider; it comes with aws-cdk-lib, which is locked.",
            },
        )

    def _call(self, flow_arn: str) -> custom.AwsSdkCall:
        flow = {"ContactFlowId": Fn.select(3, Fn.split("/", flow_arn))} if flow_arn else {}
        return custom.AwsSdkCall(
            service="Connect",
            action="associatePhoneNumberContactFlow" if flow_arn else "disassociatePhoneNumberContactFlow",
            parameters={**self._ids, **flow},
            physical_resource_id=custom.PhysicalResourceId.of(self._ids["PhoneNumberId"]),
        )
