"""Lambdas that one Connect instance may invoke."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Aws
from aws_cdk import aws_connect as connect
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.flow_functions.python_function import PythonFunction


class FlowAccess(Construct):
    """The flows invoke aliases, so the permission is on the alias; the instance knows the function.

    `associations` come one after the other: the service takes two a second (Connect quotas).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Mapping[str, PythonFunction],
        instance_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.associations: list[connect.CfnIntegrationAssociation] = []
        for name, function in functions.items():
            function.alias.add_permission(
                "Connect",
                principal=iam.ServicePrincipal("connect.amazonaws.com"),
                source_arn=instance_arn,
                source_account=Aws.ACCOUNT_ID,
            )
            association = connect.CfnIntegrationAssociation(
                self,
                name,
                instance_id=instance_arn,
                integration_type="LAMBDA_FUNCTION",
                integration_arn=function.function.function_arn,
            )
            if self.associations:
                association.add_resource_dependency(self.associations[-1])
            self.associations.append(association)
