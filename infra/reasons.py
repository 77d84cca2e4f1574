"""Findings of cdk-nag that stay, and wildcards that AWS demands: none without its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct

PACK = "AwsSolutions"


class WildcardWithoutReason(Exception):
    """A programming mistake: a permission for more than one resource whose reason nobody wrote down."""

    def __init__(self, resource: str) -> None:
        super().__init__(resource)
        self.resource = resource

    def __str__(self) -> str:
        return f"the resource {self.resource} has a wildcard: say in `because` why AWS demands it"


def acknowledge(construct: IConstruct, **reasons: str) -> None:
    """Keep findings by rule, such as `DDB3="..."`, for a construct and what is in it."""
    for rule, reason in reasons.items():
        Validations.of(construct).acknowledge(Acknowledgment(id=f"{PACK}-{rule}", reason=reason))


def allow(
    role: iam.IRole,
    resources: Sequence[str],
    *actions: str,
    because: str = "",
    conditions: Mapping[str, Any] | None = None,
) -> None:
    """Let a role do something; a resource with a wildcard needs its reason.

    Raises:
        WildcardWithoutReason: `because` is missing.
    """
    only = dict(conditions) if conditions else None
    role.add_to_principal_policy(iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=only))
    for resource in resources:
        finding = flat(Stack.of(role).resolve(resource))
        if "*" in finding and not because:
            raise WildcardWithoutReason(finding)
        if "*" in finding:
            acknowledge(role, **{f"IAM5[Resource::{finding}]": because})


def flat(value: Any) -> str:
    """A resolved text as cdk-nag names it in a finding: references in angle brackets."""
    if isinstance(value, str):
        return value
    match value:
        case {"Ref": str(name)}:
            return f"<{name}>"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [str(between), list(parts)]}:
            return between.join(map(flat, parts))
    raise TypeError(f"expected text, Ref, GetAtt or Join, found {value!r}")
