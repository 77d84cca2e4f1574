"""The Connect instance: a new one, or one that is there and of which nothing is changed."""

from __future__ import annotations

from aws_cdk import Fn, RemovalPolicy
from aws_cdk import aws_connect as connect
from constructs import Construct

from infra.deployment.settings import Instance


class ContactCentre(Construct):
    """`arn` and `id` of the instance."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Instance) -> None:
        super().__init__(scope, construct_id)
        if settings.arn:
            self.arn, self.id = settings.arn, settings.arn.rpartition("/")[2]
        else:
            instance = self._instance(settings.alias)
            self.arn, self.id = instance.attr_arn, Fn.select(1, Fn.split("/", instance.attr_arn))

    def _instance(self, alias: str) -> connect.CfnInstance:
        attributes = connect.CfnInstance.AttributesProperty(
            inbound_calls=True, outbound_calls=True, contactflow_logs=True
        )
        instance = connect.CfnInstance(
            self,
            "Instance",
            instance_alias=alias,
            identity_management_type="CONNECT_MANAGED",
            attributes=attributes,
        )
        # It has users, numbers and contact records that are not ours. An alias cannot be changed: another one is a new
        # instance beside this one, and this one's ARN in place of `create` takes it out of the stack.
        instance.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        return instance
