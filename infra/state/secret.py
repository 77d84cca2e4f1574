"""The API key of Deepgram: a secret without a value, which an administrator puts in."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.reasons import acknowledge, allow


def allow_secrets_keys(role: iam.IRole, arns: Sequence[str]) -> None:
    """Let a role decrypt, through Secrets Manager alone, what keys of the customer's own have encrypted (Secrets
    Manager user guide, permissions for the KMS key; the key's own policy must leave it to IAM)."""
    if arns:
        through = {"StringEquals": {"kms:ViaService": f"secretsmanager.{Stack.of(role).region}.amazonaws.com"}}
        allow(role, arns, "kms:Decrypt", conditions=through)


class DeepgramSecret(Construct):
    """Has no value of its own, so that no update of the stack can overwrite the administrator's. Goes with the
    deployment: a key is made anew in Deepgram's console, and a secret left behind would block its name."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self._key: kms.IKey | None = None
        if name.startswith("arn:"):
            self.arn = name
            return
        secret = secretsmanager.CfnSecret(
            self,
            "Secret",
            name=name,
            description="API key of Deepgram, as plain text",
            kms_key_id=key.key_arn,
        )
        self.arn = secret.ref
        self._key = key
        acknowledge(
            secret,
            SMG4="Deepgram's keys cannot be changed by Secrets Manager; the gateway reads a changed one by itself.",
        )

    def grant_read(self, role: iam.IRole) -> None:
        allow(role, [self.arn], "secretsmanager:GetSecretValue")
        if self._key is not None:
            self._key.grant(role, "kms:Decrypt")
