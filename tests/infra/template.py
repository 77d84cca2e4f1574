"""A synthesised template, and what CloudFormation would make of its references."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.infra.deployments import ACCOUNT


@dataclass(frozen=True)
class Template:
    name: str
    folder: Path
    document: dict[str, Any]

    @classmethod
    def of(cls, name: str, folder: Path) -> Template:
        return cls(name, folder, json.loads((folder / f"{name}.template.json").read_text()))

    @property
    def path(self) -> Path:
        return self.folder / f"{self.name}.template.json"

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.document["Resources"].items()
            if resource["Type"] == kind
        }

    def one(self, kind: str) -> dict[str, Any]:
        found = list(self.all(kind).values())
        assert len(found) == 1, f"{kind}: {len(found)} in {self.name}"
        return found[0]

    def statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every statement of every role's policies, with the logical id of what holds it."""
        for name, policy in self.all("AWS::IAM::Policy").items():
            yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])
        for name, role in self.all("AWS::IAM::Role").items():
            for policy in role.get("Policies", []):
                yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])

    def resource_policies(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every statement of buckets, queues, topics and keys."""
        for kind in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
            for name, policy in self.all(kind).items():
                yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])
        for name, key in self.all("AWS::KMS::Key").items():
            yield from ((name, statement) for statement in key["KeyPolicy"]["Statement"])

    def environment(self) -> dict[str, Any]:
        """The gateway's variables."""
        (container,) = self.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
        return {entry["Name"]: resolved(entry["Value"]) for entry in container["Environment"]}

    def environment_references(self) -> dict[str, Any]:
        """The gateway's variables, references as they are."""
        (container,) = self.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
        return {entry["Name"]: entry["Value"] for entry in container["Environment"]}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def resolved(value: Any) -> Any:
    """References as text: pseudo parameters by test values, `GetAtt` and `Ref` of resources by ARN-like words."""
    if isinstance(value, list):
        return [resolved(each) for each in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": str(name)}:
            return _PSEUDO.get(name, f"arn:aws:x:r:{ACCOUNT}:instance/i/x/{name}")
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"arn:aws:x:r:{ACCOUNT}:instance/i/x/{name}.{attribute}"
        case {"Fn::Join": [str(between), list(parts)]}:
            return between.join(str(resolved(part)) for part in parts)
        case {"Fn::Split": [str(separator), text]}:
            return str(resolved(text)).split(separator)
        case {"Fn::Select": [index, parts]}:
            return resolved(parts)[int(index)]
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]+)\}", lambda match: str(resolved({"Ref": match.group(1)})), text)
    return {key: resolved(each) for key, each in value.items()}


_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "stack",
}
