"""The bucket of agent speech, and whether Connect may play what is in it.

Facts: Amazon Connect administrator guide, set up prompts to play from an S3 bucket.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from contract.aws import code_of
from operations import stack as paths
from operations.doctor.findings import RESTORE, Examined, Finding, good, later, missing

CONNECT = "connect.amazonaws.com"
PREFIXES = ("clips/", "openings/")
OWN_KEYS = "AES256"


def bucket(examined: Examined) -> Iterator[Finding]:
    """Readable by this instance and by nobody else, with keys that Connect can use, and emptied after a day."""
    name = examined.at(paths.CLIPS)
    if not name:
        yield later("the bucket of clips will be created")
        return
    statements = _policy(examined, name)
    found = [
        *_playable(examined, name, statements),
        *_encrypted(examined, name),
        *_closed(examined, name),
        *_expiring(examined, name),
    ]
    yield from found or [good(f"{name}: this instance may play from it, nobody else may; clips go after a day")]


def _policy(examined: Examined, name: str) -> list[dict[str, Any]]:
    try:
        policy = json.loads(examined.aws.s3.get_bucket_policy(Bucket=name)["Policy"])
    except ClientError as error:
        if code_of(error) == "NoSuchBucketPolicy":
            return []
        raise
    statements: list[dict[str, Any]] = policy["Statement"]
    return statements


def _playable(examined: Examined, name: str, statements: list[dict[str, Any]]) -> Iterator[Finding]:
    closed = [
        prefix
        for prefix in PREFIXES
        if not any(_allows(statement, examined, f":::{name}/{prefix}*") for statement in statements)
    ]
    if closed:
        yield missing(
            f"the policy of {name} does not let this Connect instance read {' and '.join(closed)}: no caller hears the "
            "agent",
            RESTORE,
        )


def _allows(statement: Mapping[str, Any], examined: Examined, resource: str) -> bool:
    only = statement.get("Condition", {}).get("StringEquals", {})
    return (
        statement.get("Effect") == "Allow"
        and CONNECT in _listed(statement.get("Principal", {}).get("Service"))
        and "s3:GetObject" in _listed(statement.get("Action"))
        and any(str(each).endswith(resource) for each in _listed(statement.get("Resource")))
        and only.get("aws:SourceArn", examined.instance_arn) == examined.instance_arn
        and only.get("aws:SourceAccount", examined.account) == examined.account
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _encrypted(examined: Examined, name: str) -> Iterator[Finding]:
    rules = examined.aws.s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    used = {rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", "") for rule in rules}
    if used != {OWN_KEYS}:
        yield missing(
            f"{name} is encrypted with {', '.join(sorted(used))}: Connect plays nothing that the AWS managed key has "
            "encrypted",
            f"S3's own keys (AES256) are what the stack sets: {RESTORE}",
        )


def _closed(examined: Examined, name: str) -> Iterator[Finding]:
    try:
        access = examined.aws.s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    except ClientError as error:
        if code_of(error) != "NoSuchPublicAccessBlockConfiguration":
            raise
        access = {}
    if len(access) < 4 or not all(access.values()):
        yield missing(f"public access to {name} is not blocked", f"block it in the S3 console, or {RESTORE}")


def _expiring(examined: Examined, name: str) -> Iterator[Finding]:
    try:
        rules = examined.aws.s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    except ClientError as error:
        if code_of(error) != "NoSuchLifecycleConfiguration":
            raise
        rules = []
    prefixes = [rule.get("Filter", {}).get("Prefix", rule.get("Prefix", "")) for rule in rules if "Expiration" in rule]
    if PREFIXES[0] not in prefixes:
        yield missing(f"clips in {name} do not expire", RESTORE)
