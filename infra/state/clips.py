"""The bucket of agent speech: written by the gateway, played by one Connect instance, forgotten after a day."""

from __future__ import annotations

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.reasons import acknowledge, allow

CLIPS = "clips/"
OPENINGS = "openings/"


class ClipBucket(Construct):
    """Encrypted with S3's own keys: Connect cannot read what the AWS managed KMS key has encrypted
    (Amazon Connect administrator guide, prompts from S3). Openings stay, clips go."""

    def __init__(self, scope: Construct, construct_id: str, *, instance_arn: str) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(prefix=CLIPS, expiration=Duration.days(1))],
            removal_policy=RemovalPolicy.DESTROY,
            auto_delete_objects=True,
        )
        self._let_connect_play(instance_arn)
        acknowledge(
            self.bucket,
            S1="An access log would name the contact of every clip for longer than the clip itself exists; "
            "only the gateway's role and one Connect instance have access.",
        )

    def _let_connect_play(self, instance_arn: str) -> None:
        only_ours = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID, "aws:SourceArn": instance_arn}}
        connect = iam.ServicePrincipal("connect.amazonaws.com")
        # Without ListBucket a missing clip is refused instead of not found.
        for action, resource in (
            ("s3:ListBucket", [self.bucket.bucket_arn]),
            ("s3:GetObject", [self.bucket.arn_for_objects(f"{prefix}*") for prefix in (CLIPS, OPENINGS)]),
        ):
            self.bucket.add_to_resource_policy(
                iam.PolicyStatement(principals=[connect], actions=[action], resources=resource, conditions=only_ours)
            )

    def grant_openings(self, role: iam.IRole) -> None:
        """Let the gateway read openings: on a line of its own it plays them itself."""
        openings = self.bucket.arn_for_objects(f"{OPENINGS}*")
        allow(role, [openings], "s3:GetObject", because="Each opening has a name of its own.")

    def grant_clearing(self, role: iam.IRole) -> None:
        """Let somebody delete the clips that a dead gateway left."""
        because = "Each clip has a name of its own, made while a call lives."
        allow(role, [self.bucket.arn_for_objects(f"{CLIPS}*")], "s3:DeleteObject", because=because)

    def grant_speech(self, role: iam.IRole) -> None:
        """Let the gateway store clips and openings, and delete clips."""
        clips, openings = (self.bucket.arn_for_objects(f"{prefix}*") for prefix in (CLIPS, OPENINGS))
        because = "Each clip and opening has a name of its own, made while a call lives."
        allow(role, [clips, openings], "s3:PutObject", because=because)
        allow(role, [clips], "s3:DeleteObject", because=because)
