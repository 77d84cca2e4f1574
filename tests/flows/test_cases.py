"""Connect's own test cases: safe for humans, whole, and about flows that would really do what they expect."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from flows.cases import Case, cases
from flows.wire import CONTEXT, ESSENTIAL, REST
from tests.flows.deployment import ENGLISH, FLOWS, SPANISH, as_json, parameters
from tests.flows.interpreter import Walk

CASES = {case.name: case for case in cases(parameters())}
EACH = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


def actions(case: Case) -> list[dict[str, Any]]:
    return [action for each in case.content["Observations"] for action in each["Actions"]]


@EACH
def test_a_case_ends_before_anybody_is_reached(case: Case) -> None:
    last = case.content["Observations"][-1]
    assert last["Event"]["Properties"] == {"ActionType": "TransferContactToQueue"}
    assert last["Actions"][-1]["Parameters"]["Command"] == {"Type": "EndTest"}
    assert last["Transitions"]["NextObservations"] == []


@EACH
def test_observations_follow_each_other_and_are_named_once(case: Case) -> None:
    observations = case.content["Observations"]
    names = [each["Identifier"] for each in observations]
    assert [each["Transitions"]["NextObservations"] for each in observations] == [*([name] for name in names[1:]), []]
    identifiers = [*names, *(each["Event"]["Identifier"] for each in observations)]
    identifiers += [action["Identifier"] for action in actions(case)]
    assert len(set(identifiers)) == len(identifiers)


@EACH
def test_actions_follow_each_other_within_their_observation(case: Case) -> None:
    for each in case.content["Observations"]:
        names = [action["Identifier"] for action in each["Actions"]]
        following = [action["Transitions"].get("NextAction") for action in each["Actions"]]
        assert following == [*names[1:], None][: len(names)]


@EACH
def test_every_action_but_an_assertion_repeats_its_type(case: Case) -> None:
    for action in actions(case):
        assert action["Parameters"].get("ActionType") == (None if action["Type"] == "Assert" else action["Type"])


def test_the_answer_of_start_call_has_every_field_and_no_empty_one() -> None:
    (override, *_) = actions(CASES["no-agent"])
    strategy = override["Parameters"]["Behavior"]["Properties"]["Strategy"]
    answer = json.loads(strategy["Response"]["ExecutionResult"]["LoadedData"])
    assert {*ESSENTIAL, *CONTEXT, *REST, "action", "attempt", "openingUrl", "openingMs", "queueArn", "reason"} == set(
        answer
    )
    assert all(answer.values())


def answer_of(case: Case) -> dict[str, str]:
    response = actions(case)[0]["Parameters"]["Behavior"]["Properties"]["Strategy"]["Response"]
    found: dict[str, str] = json.loads(response.get("ExecutionResult", {}).get("LoadedData", "{}"))
    return found


@EACH
@pytest.mark.parametrize("name", sorted(FLOWS))
def test_the_flow_does_what_the_case_expects(case: Case, name: str) -> None:
    walk = Walk(
        as_json(name),
        lambda arn, sent: answer_of(case),
        lambda block: case.name == "lambda-fails" and block == "Start the call",
        random.Random(1),
        switch_on=case.name != "switched-off",
    ).run()
    assert walk.end == "TransferContactToQueue"
    expected = next(action["Parameters"]["Operand"] for action in actions(case) if action["Type"] == "Assert")
    assert walk.contact["va_reason"] == expected
    heard = [each["Event"]["Properties"]["Text"] for each in case.content["Observations"] if "Text" in str(each)]
    assert all(text in walk.heard or "(sound)" in walk.heard for text in heard)


def test_the_apology_is_expected_in_what_a_caller_without_attributes_hears() -> None:
    for default, language in (("front_desk", ENGLISH), ("recepcion", SPANISH), ("of nobody", ENGLISH)):
        case = {each.name: each for each in cases(replace(parameters(), default_agent=default))}["lambda-fails"]
        heard = [each["Event"].get("Properties", {}) for each in case.content["Observations"]]
        assert [each["Text"] for each in heard if "Text" in each] == [language.sentences.apology]
