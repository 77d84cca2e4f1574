"""The guide as the deployment makes it."""

from __future__ import annotations

import json
from pathlib import Path

from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from flows.guide import ACTIONS, view_template
from infra.contact_centre.flows import Guide
from infra.deployment import read
from operations import stack as paths

INSTANCE = "arn:aws:connect:eu-central-1:111122223333:instance/i"
SHIPPED = Path(__file__).resolve().parents[2] / "deployment.example.yaml"


def test_a_view_and_the_flow_that_shows_it_are_made() -> None:
    stack = Stack(App(), "guide")
    Guide(stack, "Guide", name="voice-agent", instance_arn=INSTANCE)
    template = Template.from_stack(stack)
    ((view_id, view),) = template.find_resources("AWS::Connect::View").items()
    assert view_id == paths.logical_id(paths.GUIDE_VIEW)
    assert view["Properties"]["Name"] == "voice-agent-handover"
    assert view["Properties"]["Actions"] == list(ACTIONS)
    assert view["Properties"]["Template"] == view_template()
    ((flow_id, flow),) = template.find_resources("AWS::Connect::ContactFlow").items()
    assert flow_id == paths.logical_id(paths.GUIDE)  # where doctor looks for it
    assert (flow["Properties"]["Name"], flow["Properties"]["Type"]) == ("voice-agent-guide", "CONTACT_FLOW")
    parts = flow["Properties"]["Content"]["Fn::Join"][1]
    assert {"Fn::GetAtt": [view_id, "ViewArn"]} in parts
    content = json.loads("".join(part if isinstance(part, str) else "arn:view" for part in parts))
    assert content["Actions"][0]["Type"] == "ShowView"


def test_it_is_made_where_the_deployment_asks_for_it(tmp_path: Path) -> None:
    assert read(SHIPPED).instance.guide is False
    asked = tmp_path / "deployment.yaml"
    asked.write_text(SHIPPED.read_text().replace("guide: false", "guide: true"))
    assert read(asked).instance.guide is True
