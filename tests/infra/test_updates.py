"""An update while calls are live: what they hold on to is changed in place or not at all."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.infra.replacement import RELEASES, create_only, file_of, kept, replaced
from tests.infra.template import Template


def baseline(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(file_of(name).read_text())
    return found


@pytest.mark.parametrize("name", RELEASES)
def test_an_update_of_the_last_release_replaces_and_removes_nothing(
    templates: Callable[[str], Template], name: str
) -> None:
    assert list(replaced(baseline(name), kept(templates(name).document))) == []


def test_the_baseline_holds_what_calls_numbers_and_administrators_hold_on_to() -> None:
    kinds = [resource["Kind"] for resource in baseline("voice-agent").values()]
    for kind in ("ContactFlow", "Queue", "HoursOfOperation", "Prompt", "IntegrationAssociation", "Instance"):
        assert f"AWS::Connect::{kind}" in kinds
    for kind in ("AWS::Lambda::Function", "AWS::Lambda::Alias", "AWS::DynamoDB::Table", "AWS::ECS::Service"):
        assert kind in kinds


def test_the_baseline_holds_what_calls_over_sip_come_by() -> None:
    kinds = {resource["Kind"] for resource in baseline("encrypted").values()}
    made = {"Custom::VoiceConnector", "Custom::SipMediaApplication", "Custom::SipRule"}
    assert {*made, "AWS::ElasticLoadBalancingV2::LoadBalancer"} <= kinds


def of(kind: str) -> str:
    return next(name for name, resource in baseline("voice-agent").items() if resource["Kind"] == kind)


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("AWS::Lambda::Function", "FunctionName", "another"),
        ("AWS::Lambda::Alias", "Name", "now"),
        ("AWS::Connect::IntegrationAssociation", "IntegrationArn", "arn:of:another"),
        ("AWS::Connect::ContactFlow", "Type", "CUSTOMER_QUEUE"),
        ("AWS::DynamoDB::Table", "KeySchema", []),
        ("AWS::SecretsManager::Secret", "Name", "another"),
    ],
)
def test_a_replacement_is_found(kind: str, key: str, value: object) -> None:
    before = baseline("voice-agent")
    after = copy.deepcopy(before)
    name = of(kind)
    assert key in create_only(kind)
    after[name][key] = value
    assert list(replaced(before, after)) == [f"{kind} {name} would be replaced: {key} has changed"]


@pytest.mark.parametrize("kind", ["AWS::Connect::Queue", "AWS::Connect::Prompt", "AWS::Lambda::Function"])
def test_a_resource_that_moves_within_the_stack_is_found(kind: str) -> None:
    before = baseline("voice-agent")
    name = of(kind)
    after = {key: value for key, value in before.items() if key != name} | {f"{name}2": before[name]}
    assert list(replaced(before, after)) == [f"{kind} {name} would be removed"]


def test_what_may_change_in_place_may_change(templates: Callable[[str], Template]) -> None:
    document = copy.deepcopy(templates("voice-agent").document)
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Timeout"] = 7
        if resource["Type"] == "AWS::Connect::ContactFlow":
            resource["Properties"]["Content"] = "{}"
    assert list(replaced(baseline("voice-agent"), kept(document))) == []
