"""A flow that was entered from another one gives its callers back where it would close the line."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from flows.validator import validate
from flows.wire import HANDOVER_VERSION
from tests.flows.deployment import FLOWS, parameters, token
from tests.flows.interpreter import Walk
from tests.flows.test_flows import BOTH, EACH, TRANSFER, answers

IVR = token(77)
END = {"action": "end", "reason": "goodbye"}


def flow(name: str) -> dict[str, Any]:
    return FLOWS[name](replace(parameters(), return_flow_arn=IVR)).to_dict()


def walk(name: str, *script: dict[str, str], **more: Any) -> Walk:
    fails = more.pop("fails", lambda name: False)
    return Walk(flow(name), answers(*script), fails, random.Random(1), **more).run()


@EACH
def test_is_valid_with_no_problem(name: str) -> None:
    assert validate(flow(name)) == []


@EACH
def test_names_the_other_flow(name: str) -> None:
    (block,) = [action for action in flow(name)["Actions"] if action["Type"] == "TransferToFlow"]
    assert block["Parameters"] == {"ContactFlowId": IVR}


@EACH
def test_the_end_of_the_agent_leads_back_and_says_why(name: str) -> None:
    walked = walk(name, END)
    assert walked.end == "TransferToFlow"
    told = {key: walked.contact[key] for key in ("va_version", "va_result", "va_reason", "va_queue")}
    assert told == {"va_version": HANDOVER_VERSION, "va_result": "ended", "va_reason": "goodbye", "va_queue": "none"}


@BOTH
def test_our_streaming_is_off_before_the_other_flow_has_the_caller(name: str) -> None:
    walked = walk(name, END)
    assert (walked.streaming, walked.contact["va_streaming"]) == (False, "stopped")


@BOTH
def test_streaming_that_is_not_ours_stays_on(name: str) -> None:
    walked = walk(name, END, streaming=True)
    assert (walked.end, walked.streaming) == ("TransferToFlow", True)


@EACH
@pytest.mark.parametrize(("keys", "result"), [("1", "callback"), ("2", "no_human")])
def test_a_caller_for_whom_no_human_is_there_comes_back_too(name: str, keys: str, result: str) -> None:
    walked = walk(name, {**TRANSFER, "seq": "0"}, queue_open=False, keys=keys)
    assert (walked.end, walked.contact["va_result"]) == ("TransferToFlow", result)
    assert "Goodbye" not in " ".join(walked.heard)


@EACH
def test_a_caller_who_wants_a_human_goes_to_the_queue_all_the_same(name: str) -> None:
    assert walk(name, TRANSFER).end == "TransferContactToQueue"


@EACH
def test_the_switch_and_failures_lead_to_the_default_queue_all_the_same(name: str) -> None:
    assert walk(name, switch_on=False).end == "TransferContactToQueue"
    assert walk(name, fails=lambda name: name == "Start the call").end == "TransferContactToQueue"


@EACH
def test_a_flow_that_is_gone_costs_a_farewell_and_nothing_else(name: str) -> None:
    walked = walk(name, END, fails=lambda name: name == "Back to the other flow")
    assert (walked.end, walked.heard[-1]) == ("DisconnectParticipant", "Goodbye.")


@EACH
def test_a_caller_goes_back_even_if_nothing_can_be_told_or_stopped(name: str) -> None:
    walked = walk(
        name,
        END,
        fails=lambda name: name.startswith(("Tell the other", "Stop streaming before", "Remember the stop before")),
    )
    assert walked.end == "TransferToFlow"
