"""What an update of a stack would replace or remove, judged by the schemas of CloudFormation.

`python -m tests.infra.replacement` writes the baseline anew, from the working tree; that belongs into a release.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

BASELINE = Path(__file__).with_name("baseline")
RELEASES = ("voice-agent", "first", "spoken", "encrypted")
# What live calls, numbers and administrators hold on to.
KEPT = (
    "AWS::Connect::ContactFlow",
    "AWS::Connect::HoursOfOperation",
    "AWS::Connect::Instance",
    "AWS::Connect::IntegrationAssociation",
    "AWS::Connect::Prompt",
    "AWS::Connect::Queue",
    "AWS::DynamoDB::Table",
    "AWS::ECS::Cluster",
    "AWS::ECS::Service",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::KMS::Key",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::SQS::Queue",
    "Custom::LiveMediaStreaming",
    "Custom::PhoneNumberFlow",
    "Custom::SipMediaApplication",
    "Custom::SipRule",
    "Custom::VoiceConnector",
)
# Lambda's own permission has nothing that can be changed; KeySchema is create-only by condition.
_ALSO = {"AWS::DynamoDB::Table": ("KeySchema",)}


@cache
def create_only(kind: str) -> tuple[str, ...]:
    """Properties that cannot be changed without a new resource."""
    if kind.startswith("Custom::"):
        return ("ServiceToken",)
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    listed = [path.split("/")[2] for path in schema.get("createOnlyProperties", [])]
    return (*listed, *_ALSO.get(kind, ()))


def kept(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By logical id: the type, and the properties that a resource cannot change."""
    return {
        name: {
            "Kind": resource["Type"],
            **{key: resource.get("Properties", {}).get(key) for key in create_only(resource["Type"])},
        }
        for name, resource in sorted(template["Resources"].items())
        if resource["Type"] in KEPT
    }


def replaced(before: Mapping[str, dict[str, Any]], after: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """A sentence for each resource of `before` that an update to `after` removes or replaces."""
    for name, resource in before.items():
        if name not in after:
            yield f"{resource['Kind']} {name} would be removed"
            continue
        for key in resource:
            if after[name].get(key) != resource[key]:
                yield f"{resource['Kind']} {name} would be replaced: {key} has changed"


def file_of(name: str) -> Path:
    return BASELINE / f"{name}.json"


def main() -> int:
    from infra.node import use_own_node
    from tests.infra.conftest import CONTEXT, synthesise

    use_own_node()
    os.environ["CDK_CONTEXT_JSON"] = json.dumps(CONTEXT)
    BASELINE.mkdir(exist_ok=True)
    for name in RELEASES:
        with tempfile.TemporaryDirectory() as folder:
            synthesise(name, Path(folder) / name)
            template = json.loads((Path(folder) / name / f"{name}.template.json").read_text())
        file_of(name).write_text(json.dumps(kept(template), indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
