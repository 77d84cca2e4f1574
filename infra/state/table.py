"""The one table, exactly as `contract.table` has it."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from contract import table as contract
from infra.reasons import acknowledge, allow

# Each by what its code does; a transaction is allowed by the actions that are in it (DynamoDB developer guide,
# IAM with transactions).
START = ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem")
NEXT = ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem")
EVENT = ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem")
OWNER = (*START, "dynamodb:ConditionCheckItem")
# What DynamoDB asks of the key in the name of whoever reads or writes (its developer guide, encryption at rest).
_KEY_ACTIONS = (
    "kms:DescribeKey",
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


class CallTable(Construct):
    """Goes with the deployment: it holds the calls of the last hours and no more."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        text, number = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=text),
            sort_key=dynamodb.Attribute(name="sk", type=text),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            time_to_live_attribute=contract.TTL,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.table.add_global_secondary_index(
            index_name=contract.INDEX,
            partition_key=dynamodb.Attribute(name=contract.PARTITION, type=text),
            sort_key=dynamodb.Attribute(name=contract.SORT, type=number),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        self._key = key
        acknowledge(
            self.table,
            DDB3="Records live for hours and hold what callers said: a backup would keep what has to be forgotten, "
            "and a restored lease would name an owner that is gone.",
        )

    def grant(self, role: iam.IRole, *actions: str, index: bool = False) -> None:
        """Let somebody use the records, and look through the live calls where `index` is asked for."""
        arn = self.table.table_arn
        allow(role, [arn], *actions)
        if index:
            allow(role, [f"{arn}/index/{contract.INDEX}"], "dynamodb:Query")
        self._key.grant(role, *_KEY_ACTIONS)
