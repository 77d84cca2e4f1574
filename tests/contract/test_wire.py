from __future__ import annotations

from typing import Any

import pytest

from contract import wire
from contract.actions import Numbered, Outcome, Request, Returned, Say, Transfer
from contract.errors import MalformedRecord
from tests.contract.samples import CONTACT, OPENING, T0


def event(**parameters: Any) -> dict[str, Any]:
    return {"Details": {"ContactData": {"ContactId": CONTACT}, "Parameters": parameters}, "Name": "ContactFlowEvent"}


def test_a_request_is_read_from_strings() -> None:
    parameters = {"attempt": "2", "loaded": "17", "ended": "cut", "returned": "no_staff", "digits": "42#"}
    request = Request(CONTACT, 2, 17, Outcome.CUT, Returned.NO_STAFF, "42#")
    assert wire.parse_request(event(**parameters)) == request


def test_none_and_what_is_absent_or_new_count_as_empty() -> None:
    empty = Request(CONTACT, 1)
    assert wire.parse_request(event(attempt="1")) == empty
    none = {"loaded": "0", "ended": "none", "returned": "none", "digits": "none"}
    assert wire.parse_request(event(attempt="1", **none)) == empty
    assert wire.parse_request(event(attempt="1", loaded=None, ended="bored", returned="moon")) == empty


@pytest.mark.parametrize("loaded", ["-1", "1.5", "x", "²", "9" * 19])
def test_a_sequence_that_is_no_number_is_malformed(loaded: str) -> None:
    with pytest.raises(MalformedRecord) as malformed:
        wire.parse_request(event(attempt="1", loaded=loaded))
    assert malformed.value.where == "loaded"


def test_an_action_fills_its_own_fields_and_none_stands_in_the_others() -> None:
    answer = wire.answer(Numbered(3, Say(" Sorry. "), T0), Outcome.FAILED)
    assert (answer["action"], answer["seq"], answer["text"], answer["previous"]) == ("say", "3", "Sorry.", "failed")
    others = {key: value for key, value in answer.items() if key not in ("action", "seq", "text", "previous", "secret")}
    assert set(others.values()) == {"none"}
    assert answer["secret"] == "false"


def test_a_text_is_cut_to_what_connect_speaks() -> None:
    assert len(wire.answer(Numbered(1, Say("x" * 4000), T0), Outcome.NONE)["text"]) == 3000


def test_a_transfer_carries_the_handover_and_nothing_else() -> None:
    transfer = Transfer("arn", "", "why", {"va_summary": "sum", "action": "play"})
    answer = wire.answer(Numbered(1, transfer, T0), Outcome.CANCELLED)
    assert (answer["action"], answer["va_summary"], answer["va_transcript"]) == ("transfer", "sum", "none")
    assert (answer["queueArn"], answer["queue"], answer["reason"], answer["previous"]) == ("arn", "none", "why", "none")


def test_an_answer_fits_what_a_lambda_may_return_to_a_flow() -> None:
    values = {key: "ü" * 3000 for key in wire.START_CALL_FIELDS if key.startswith("va_")}
    answer = wire.start_answer("agent", attempt=1, opening=OPENING, values=values)
    assert answer["openingUrl"] == OPENING.url
    assert tuple(answer) == wire.START_CALL_FIELDS


@pytest.mark.parametrize(
    ("attributes", "agent"),
    [
        ({}, "shop"),
        ({"voice_agent": "clinic"}, "clinic"),
        ({"voice_agent": "clinic", "voice_agent_language": "es"}, "clinic.es"),
        ({"voice_agent_language": "fr"}, "shop.fr"),
        ({"voice_agent_language": "none"}, "shop"),
    ],
)
def test_attributes_choose_the_agent_and_its_language(attributes: dict[str, str], agent: str) -> None:
    contact = {"ContactId": CONTACT, "Attributes": attributes}
    parameters = {"agent": "shop", "form": "polling"}
    assert wire.parse_start({"Details": {"ContactData": contact, "Parameters": parameters}}).agent == agent
