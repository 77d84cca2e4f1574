"""The pretended account holds what the flows need."""

from __future__ import annotations

import ast
import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from contract.audio import ULAW_SILENCE
from definition import FunctionDefinition, load
from simulator.connect.errors import InvalidFlow
from simulator.estate import (
    FLOW_LAMBDAS,
    INSTANCE_ID,
    SHORT_SILENCE_MS,
    SILENCE_S,
    estate,
    function_arns,
    function_lambdas,
    lambda_arn,
    resource_arn,
)
from tests.simulator.connect.small import document, say

SHOP = load(Path(__file__).resolve().parents[2] / "agents" / "shop.yaml")


def test_both_flows_are_in_place_and_accepted() -> None:
    built = estate()
    for form in ("interruptible", "polling"):
        assert built.instance.flow(built.flow_arn(form)) is not None
    assert built.instance.id == INSTANCE_ID


def test_the_last_queue_is_the_default_and_all_are_open_and_staffed() -> None:
    built = estate("shop", ("orders", "returns", "support"))
    assert built.parameters.default_queue_name == "support"
    assert built.parameters.default_queue_arn == built.queue_arns["support"] == resource_arn("queue", "support")
    for name, arn in built.queue_arns.items():
        queue = built.instance.queue(arn)
        assert queue is not None
        assert (queue.name, queue.staffed) == (name, 1)
        hours = built.instance.hours_of(queue.hours_arn)
        assert hours is not None
        assert hours.open


def test_the_switch_has_hours_of_its_own() -> None:
    built = estate()
    switch = built.instance.hours_of(built.parameters.switch_hours_arn)
    assert switch is not None
    assert switch.name == "voice-agent-switch"
    switch.open = False
    queue = built.instance.queue(built.parameters.default_queue_arn)
    assert queue is not None
    always = built.instance.hours_of(queue.hours_arn)
    assert always is not None
    assert always.open


def test_the_silences_are_silent_and_long_enough() -> None:
    built = estate()
    long, short = (
        built.instance.prompt(arn)
        for arn in (built.parameters.silence_prompt_arn, built.parameters.short_silence_prompt_arn)
    )
    assert long == ULAW_SILENCE * 8000 * SILENCE_S
    assert short == ULAW_SILENCE * 8 * SHORT_SILENCE_MS
    assert SILENCE_S > 40  # longer than any Wait


def test_everything_is_named_in_one_account() -> None:
    built = estate()
    assert built.parameters.start_call_arn == lambda_arn("start_call")
    arns = [built.instance.arn, built.stream_arn, *built.queue_arns.values(), lambda_arn("next_action_wait")]
    assert {(arn.split(":")[3], arn.split(":")[4]) for arn in arns} == {("eu-central-1", "111122223333")}
    assert "/voiceai-connect-" in built.stream_arn


def test_two_estates_share_nothing() -> None:
    first, second = estate(), estate()
    first.instance.queues.clear()
    assert second.instance.queues


@pytest.mark.parametrize("handler", [*FLOW_LAMBDAS.values(), *function_lambdas(SHOP).values()])
def test_every_handler_is_there(handler: str) -> None:
    module, _, name = handler.partition(":")
    found = importlib.util.find_spec(module)  # not imported: a handler wants its environment
    assert found is not None
    assert found.origin is not None
    defined = ast.parse(Path(found.origin).read_text()).body
    functions = {node.name for node in defined if isinstance(node, ast.FunctionDef)}
    assigned = {ast.unparse(node.targets[0]) for node in defined if isinstance(node, ast.Assign)}
    assert name in functions | assigned


def test_a_function_whose_lambda_is_elsewhere_is_not_pretended() -> None:
    agent = replace(SHOP, functions={"charge": FunctionDefinition("charge", "Charges.")})
    assert function_lambdas(agent) == function_arns(agent) == {}


def test_a_flow_of_ones_own_can_be_added_if_connect_would_take_it() -> None:
    built = estate()
    built.add_flow("mine", document(say("hello")))
    assert built.instance.flow("mine") is not None
    broken = document(say("hello", then="nowhere"))
    with pytest.raises(InvalidFlow):
        built.add_flow("broken", broken)
