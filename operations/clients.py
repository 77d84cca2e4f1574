"""boto3 clients of one region with bounded waits, each made when it is first needed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3

from contract.aws import config

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_connect import ConnectClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kinesisvideo import KinesisVideoClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sts import STSClient

_BOUNDED = config(read_s=10, attempts=4)


class Clients:
    """`session` has the credentials; the region is the deployment's, whatever the shell's may be."""

    def __init__(self, session: boto3.Session, region: str) -> None:
        self.session = session
        self.region = region

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        return self.session.client("cloudformation", region_name=self.region, config=_BOUNDED)

    @cached_property
    def connect(self) -> ConnectClient:
        return self.session.client("connect", region_name=self.region, config=_BOUNDED)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return self.session.client("dynamodb", region_name=self.region, config=_BOUNDED)

    @cached_property
    def ec2(self) -> Any:
        return self.session.client("ec2", region_name=self.region, config=_BOUNDED)

    @cached_property
    def chime(self) -> Any:
        """Amazon Chime SDK Voice."""
        return self.session.client("chime-sdk-voice", region_name=self.region, config=_BOUNDED)

    @cached_property
    def ecs(self) -> ECSClient:
        return self.session.client("ecs", region_name=self.region, config=_BOUNDED)

    @cached_property
    def iam(self) -> IAMClient:
        return self.session.client("iam", region_name=self.region, config=_BOUNDED)

    @cached_property
    def kinesisvideo(self) -> KinesisVideoClient:
        return self.session.client("kinesisvideo", region_name=self.region, config=_BOUNDED)

    @cached_property
    def kms(self) -> KMSClient:
        return self.session.client("kms", region_name=self.region, config=_BOUNDED)

    @cached_property
    def lambda_(self) -> LambdaClient:
        return self.session.client("lambda", region_name=self.region, config=_BOUNDED)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        return self.session.client("logs", region_name=self.region, config=_BOUNDED)

    @cached_property
    def s3(self) -> S3Client:
        return self.session.client("s3", region_name=self.region, config=_BOUNDED)

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        return self.session.client("secretsmanager", region_name=self.region, config=_BOUNDED)

    @cached_property
    def quotas(self) -> ServiceQuotasClient:
        return self.session.client("service-quotas", region_name=self.region, config=_BOUNDED)

    @cached_property
    def sns(self) -> SNSClient:
        return self.session.client("sns", region_name=self.region, config=_BOUNDED)

    @cached_property
    def sts(self) -> STSClient:
        return self.session.client("sts", region_name=self.region, config=_BOUNDED)
