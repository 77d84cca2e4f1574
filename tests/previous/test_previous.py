"""Flows of the previous release in front of today's Lambdas and gateway: a call that is under way while we deploy
goes on in the flow that it began in, and an administrator may have copied one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract.call import Result
from contract.wire import NEXT_ACTION_FIELDS, START_CALL_FIELDS, parse_disconnect, parse_request, parse_start
from tests.lambdas.samples import an_event
from tests.previous.keep import FOLDER, FORMS, branches, flow, reads, requests
from tests.scenarios import shop
from tests.scenarios.world import CONTACT, World, spoken

FLOWS = {form: flow(form) for form in FORMS}
EACH = pytest.mark.parametrize("form", sorted(FORMS))
# What a reference of the loop holds in mid-call.
HELD = {
    "$.Attributes.va_attempt": "1",
    "$.FlowAttributes.loaded": "3",
    "$.FlowAttributes.ended": "cut",
    "$.FlowAttributes.returned": "none",
    "$.FlowAttributes.digits": "4711",
}
ANSWERED = {"play", "listen", "say", "collect", "transfer", "end"}


def filled(parameters: Any) -> dict[str, str]:
    return {name: HELD.get(value, value) for name, value in parameters.items()}


@EACH
def test_every_request_of_its_flows_is_understood(form: str) -> None:
    found = requests(FLOWS[form])
    assert found
    for name, parameters in found:
        event = an_event(filled(parameters))
        if name == "start_call":
            assert parse_start(event).form.value == form
        else:
            request = parse_request(event)
            assert (request.attempt, request.loaded, request.digits) == (1, 3, "4711")


@EACH
def test_every_field_that_its_flows_read_is_still_in_the_answers(form: str) -> None:
    assert reads(FLOWS[form]) <= {*START_CALL_FIELDS, *NEXT_ACTION_FIELDS}


@EACH
def test_its_flows_have_a_branch_for_everything_that_is_answered(form: str) -> None:
    assert ANSWERED - {"listen"} <= branches(flow(form), "action")


@pytest.mark.parametrize("file", sorted(FOLDER.glob("event-*.json")), ids=lambda file: file.stem)
def test_its_events_are_understood(file: Any) -> None:
    event = json.loads(file.read_text())
    match file.stem:
        case "event-start_call":
            start = parse_start(event)
            assert (start.agent, start.attempts_before) == ("shop", 0)
            assert start.media is not None
        case "event-next_action":
            assert parse_request(event).contact_id == CONTACT
        case "event-disconnected":
            assert parse_disconnect(event) == CONTACT
        case _:
            pytest.fail("an event that no test reads")


@EACH
@pytest.mark.scenario
async def test_a_whole_call_goes_through_its_flows(form: str) -> None:
    said = [spoken("where is my order"), spoken("it is 4711"), spoken("a person please")]
    call = World(form, said, shop.mind(), functions=shop.functions())
    call.estate.add_flow(form, FLOWS[form])
    await call.call()
    await call.check()
    assert call.queued == "orders"
    head = await call.store.head(CONTACT)
    assert (head.result, head.reason) == (Result.TRANSFERRED, "transfer_to_human")
