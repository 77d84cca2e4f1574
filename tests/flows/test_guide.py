"""The guide that a human sees: its view, its flow, and the hook by which the main flows set it."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from contract import handover
from flows import guide
from flows.validator import validate
from simulator.connect.check import problems_of
from tests.flows.deployment import FLOWS, parameters, token
from tests.flows.interpreter import Walk
from tests.flows.test_flows import TRANSFER, answers
from tests.simulator.connect import small
from tests.simulator.connect.small import Hand, block, say

VIEW = "arn:aws:connect:eu-central-1:111122223333:instance/i/view/v"


def test_the_flow_is_one_that_connect_takes() -> None:
    flow = guide.guide(VIEW).to_dict()
    assert validate(flow, ours=False) == []
    assert problems_of(json.dumps(flow), "CONTACT_FLOW", small.an_instance()) == []


def test_every_input_of_the_view_is_passed_and_no_other() -> None:
    template = json.dumps(guide.view_template())
    named = {*guide.FACTS, *guide.TEXTS}
    assert {each.split('"')[0] for each in template.split('"$.')[1:]} == named
    show = next(iter(guide.guide(VIEW).to_dict()["Actions"]))
    assert show["Parameters"]["ViewData"] == {name: f"$.Attributes.{name}" for name in named}
    assert named <= set(handover.KEYS)


def test_every_action_of_the_view_is_a_branch_of_the_flow() -> None:
    template = json.dumps(guide.view_template())
    actions = {each.split('"')[0] for each in template.split('"Action": "')[1:]}
    show = next(iter(guide.guide(VIEW).to_dict()["Actions"]))
    branches = {each["Condition"]["Operands"][0] for each in show["Transitions"]["Conditions"]}
    assert actions == branches == set(guide.ACTIONS)


def test_all_of_it_fits_into_what_a_view_takes_with_the_attributes_beside_it() -> None:
    limits = {**handover.ESSENTIAL, **handover.REST}
    attributes = sum(limit + len(name) for name, limit in limits.items())
    shown = sum(limits[name] + len(name) for name in (*guide.FACTS, *guide.TEXTS))
    assert attributes + shown <= guide.MOST_BYTES


@pytest.mark.parametrize("name", sorted(FLOWS))
def test_it_is_set_before_the_transfer_and_keeps_nobody_from_it(name: str) -> None:
    flow = FLOWS[name](replace(parameters(), guide_flow_arn=token(12))).to_dict()
    assert validate(flow) == []
    hooks = [a["Parameters"]["EventHooks"] for a in flow["Actions"] if a["Type"] == "UpdateContactEventHooks"]
    assert {"DefaultAgentUI": token(12)} in hooks
    for fails in (lambda _: False, lambda place: place == "What the human sees"):
        walked = Walk(flow, answers(TRANSFER), fails, random.Random(1)).run()
        assert "What the human sees" in walked.path
        assert walked.end == "TransferContactToQueue"


def test_a_call_cannot_be_shown_a_view() -> None:
    show = block(
        "v",
        "ShowView",
        {"ViewResource": {"Id": VIEW}, "InvocationTimeLimitSeconds": "9"},
        "bye",
        {"Done": "bye"},
        {"NoMatchingCondition": "bye", "TimeLimitExceeded": "bye"},
    )
    assert Hand(show, say("bye")).start().path[:2] == ["v", "failed"]


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"ViewResource": {}, "InvocationTimeLimitSeconds": "9"}, "expected an Id"),
        ({"ViewResource": {"Id": VIEW}, "InvocationTimeLimitSeconds": "0"}, "found '0'"),
    ],
)
def test_what_the_service_refuses_of_it_is_refused(parameters: dict[str, object], found: str) -> None:
    errors = {"NoMatchingCondition": "bye", "TimeLimitExceeded": "bye"}
    flow = small.document(block("v", "ShowView", parameters, "bye", {"Done": "bye"}, errors))
    assert found in "; ".join(problems_of(json.dumps(flow), "CONTACT_FLOW", small.an_instance()))
