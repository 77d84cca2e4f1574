"""The bucket of records: what was said in each call, as long as its agent says, encrypted with our own key."""

from __future__ import annotations

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from definition.model import DAYS
from infra.reasons import acknowledge, allow

CALLS = "calls/"


class RecordBucket(Construct):
    """An object carries the tag `keep-days` of its agent; a lifecycle rule for each number that this can be removes it.
    A rule without a tag removes what lost it: of two the shorter holds (S3 user guide, lifecycle conflicts)."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(prefix=CALLS, expiration=Duration.days(days), tag_filters={"keep-days": str(days)})
                for days in DAYS
            ]
            + [s3.LifecycleRule(prefix=CALLS, expiration=Duration.days(max(DAYS)))],
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,  # what was said is not lost by a slip of the hand
        )
        acknowledge(
            self.bucket,
            S1="An access log would name the contact of every record for longer than the record itself exists; "
            "only the gateway's role may write, and readers are named one by one.",
        )

    def grant_read(self, role: iam.IRole) -> None:
        """Let a subscriber read what an event points to."""
        because = "Each record is named after its contact, which Connect names as calls come."
        allow(role, [self.bucket.arn_for_objects(f"{CALLS}*")], "s3:GetObject", because=because)
        allow(role, [self._key.key_arn], "kms:Decrypt")

    def grant_keep(self, role: iam.IRole) -> None:
        """Let the gateway write records and announce them on the default bus."""
        because = "Each record is named after its contact, which Connect names as calls come."
        allow(role, [self.bucket.arn_for_objects(f"{CALLS}*")], "s3:PutObject", "s3:PutObjectTagging", because=because)
        allow(role, [self._key.key_arn], "kms:GenerateDataKey", "kms:Decrypt")
        here = Stack.of(self)
        allow(
            role, [f"arn:{here.partition}:events:{here.region}:{Aws.ACCOUNT_ID}:event-bus/default"], "events:PutEvents"
        )
