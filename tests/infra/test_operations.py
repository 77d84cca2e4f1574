"""Doctor looks for what is deployed where it is deployed, and expects the flows that are deployed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.deployment import read
from operations import stack as paths
from operations.clients import Clients
from operations.doctor.checks.flows import differences, expected
from operations.doctor.findings import Examined
from tests.infra.deployments import ACCOUNT, DEPLOYMENTS
from tests.infra.template import Template, resolved
from tests.operations.standin import clients

ROOT = Path(__file__).resolve().parents[2]
TYPES = {
    paths.TABLE: "AWS::DynamoDB::Table",
    paths.CLIPS: "AWS::S3::Bucket",
    paths.SECRET: "AWS::SecretsManager::Secret",
    paths.STREAMING: "Custom::LiveMediaStreaming",
    paths.INSTANCE: "AWS::Connect::Instance",
    paths.GATEWAY_ROLE: "AWS::IAM::Role",
    paths.GATEWAY_LOG: "AWS::Logs::LogGroup",
    paths.GATEWAY_SERVICE: "AWS::ECS::Service",
    paths.CLUSTER: "AWS::ECS::Cluster",
    paths.TOPIC: "AWS::SNS::Topic",
    paths.QUEUE_FLOW: "AWS::Connect::ContactFlow",
    **{paths.flow(form): "AWS::Connect::ContactFlow" for form in paths.FORMS},
    **{paths.prompt(sound): "AWS::Connect::Prompt" for sound in ("silence", "short-silence", "music")},
    **{paths.queue(name): "AWS::Connect::Queue" for name in ("orders", "support")},
    **{paths.hours("voice-agent", name): "AWS::Connect::HoursOfOperation" for name in ("switch", "office")},
    **{paths.function(name): "AWS::Lambda::Function" for name in paths.FLOW_FUNCTIONS},
    **{paths.alias(name): "AWS::Lambda::Alias" for name in paths.FLOW_FUNCTIONS},
}


def test_everything_that_operations_look_for_is_in_the_template(templates: Callable[[str], Template]) -> None:
    found = templates("voice-agent").document["Resources"]
    types = {path: found.get(paths.logical_id(path), {}).get("Type") for path in TYPES}
    assert types == TYPES


def test_the_outputs_that_operations_read_are_in_the_template(templates: Callable[[str], Template]) -> None:
    assert {"ConnectInstance", "GatewayLog", "DeepgramSecret"} <= set(templates("voice-agent").document["Outputs"])


@pytest.mark.parametrize("name", ["voice-agent", "first", "second"])
def test_the_flows_that_doctor_expects_are_those_that_are_deployed(
    name: str, templates: Callable[[str], Template], tmp_path: Path
) -> None:
    template = templates(name)
    physical = {logical: resolved({"Ref": logical}) for logical in template.document["Resources"]}
    (tmp_path / "deployment.yaml").write_text(DEPLOYMENTS[name])
    stack = paths.Stack(name, "UPDATE_COMPLETE", physical=physical)
    shell: Clients = clients("us-east-1", "us-east-1")
    examined = Examined(read(tmp_path / "deployment.yaml"), shell, ROOT, ACCOUNT, stack, "instance")
    for path, ours in expected(examined).values():
        properties = template.all("AWS::Connect::ContactFlow")[paths.logical_id(path)]
        # An attribute such as PromptArn is here what CloudFormation also gives as the physical id.
        content = re.sub(r"(/x/[A-Za-z0-9]+)\.[A-Za-z]+Arn\b", r"\1", resolved(properties["Content"]))
        assert differences(json.loads(content), ours.to_dict()) == []
