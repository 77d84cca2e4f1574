"""What the flow says itself: in which language, and that every sentence that a block names is there."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import pytest

from flows.parameters import FlowParameters, Language, QueueParameters
from flows.queue import customer_queue
from flows.rules import CUSTOMER_QUEUE
from flows.validator import validate
from tests.flows.deployment import ENGLISH, FLOWS, SPANISH, parameters, token
from tests.flows.interpreter import Walk
from tests.flows.test_flows import BOTH, EACH, TRANSFER, answers, walk

SPANISH_CALLER = {"voice_agent_language": "es"}
Request = Mapping[str, str]


def references(flow: Mapping[str, Any]) -> set[str]:
    text = json.dumps(flow["Actions"])
    return {part.split('"')[0] for part in text.split("$.FlowAttributes.say_")[1:]}


def set_together(flow: Mapping[str, Any]) -> list[dict[str, str]]:
    """The sentences of each language, as one block sets them."""
    blocks = [each["Parameters"].get("FlowAttributes", {}) for each in flow["Actions"]]
    return [
        {name.removeprefix("say_"): value["Value"] for name, value in block.items() if name.startswith("say_")}
        for block in blocks
        if "language" in block
    ]


def one_language(given: FlowParameters) -> FlowParameters:
    return replace(given, languages=(ENGLISH,), spoken_with={"en": "en"}, spoken_by={"front_desk": "en"})


@EACH
@pytest.mark.parametrize("returning", [False, True])
def test_every_sentence_that_a_block_names_is_set_in_every_language(name: str, returning: bool) -> None:
    given = replace(parameters(), return_flow_arn=token(77) if returning else "")
    flow = FLOWS[name](given).to_dict()
    found = set_together(flow)
    assert [set(asdict(ENGLISH.sentences))] * 2 == [set(each) for each in found]
    assert references(flow) <= set(found[0])
    assert [each["goodbye"] for each in found] == [
        (language.returning if returning else language.sentences).goodbye for language in (ENGLISH, SPANISH)
    ]


def test_every_sentence_of_the_queue_flow_is_set_in_every_language() -> None:
    flow = customer_queue(QueueParameters(token(1), token(2), (ENGLISH, SPANISH))).to_dict()
    assert [set(asdict(ENGLISH.queue))] * 2 == [set(each) for each in set_together(flow)]
    assert references(flow) == set(asdict(ENGLISH.queue))


@EACH
def test_no_sentence_is_for_nobody(name: str) -> None:
    given = replace(parameters(), return_flow_arn=token(77))
    everywhere = set().union(*(references(make(given).to_dict()) for make in FLOWS.values()))
    assert everywhere == set(asdict(ENGLISH.sentences))


@EACH
def test_a_flow_of_one_language_asks_for_none(name: str) -> None:
    flow = FLOWS[name](one_language(parameters())).to_dict()
    assert validate(flow) == []
    assert "voice_agent_language" not in json.dumps(flow)
    assert "va_language" not in json.dumps(flow)
    assert "$.External.language" not in json.dumps(flow)


@EACH
def test_ten_languages_fit(name: str) -> None:
    more = tuple(replace(SPANISH, name=f"x{number}") for number in range(8))
    given = replace(parameters(), languages=(ENGLISH, SPANISH, *more))
    assert validate(FLOWS[name](given).to_dict()) == []
    queue = QueueParameters(token(1), token(2), (ENGLISH, SPANISH, *more))
    assert validate(customer_queue(queue).to_dict(), CUSTOMER_QUEUE) == []


@EACH
@pytest.mark.parametrize(
    ("contact", "language"),
    [
        ({}, ENGLISH),
        (SPANISH_CALLER, SPANISH),
        ({"voice_agent_language": "en"}, ENGLISH),
        ({"voice_agent_language": "fr"}, ENGLISH),  # an agent speaks it, and no file
        ({"voice_agent_language": "xx"}, ENGLISH),
        ({"voice_agent": "recepcion"}, SPANISH),
        ({"voice_agent": "recepcion", "voice_agent_language": "en"}, ENGLISH),
    ],
)
def test_what_is_said_without_any_lambda_is_in_the_language_of_the_call(
    name: str, contact: dict[str, str], language: Language
) -> None:
    walked = walk(name, contact=dict(contact), fails=lambda block: block == "Start the call")
    assert walked.heard[0] == language.sentences.apology
    assert walked.state["language"] == language.name
    assert walked.contact["va_language"] == language.name


@EACH
def test_without_an_attribute_it_is_that_of_the_default_agent(name: str) -> None:
    flow = FLOWS[name](replace(parameters(), default_agent="recepcion")).to_dict()
    walked = Walk(flow, answers(), lambda block: block == "Start the call", random.Random(1)).run()
    assert walked.heard[0] == SPANISH.sentences.apology


@EACH
def test_a_deployment_whose_agents_are_not_told_apart_goes_by_the_attribute_alone(name: str) -> None:
    flow = FLOWS[name](replace(parameters(), spoken_by={})).to_dict()
    assert validate(flow) == []
    for contact, language in ((SPANISH_CALLER, SPANISH), ({"voice_agent": "recepcion"}, ENGLISH)):
        walked = Walk(flow, answers(), lambda block: block == "Start the call", random.Random(1), contact=dict(contact))
        assert walked.run().heard[0] == language.sentences.apology


@BOTH
def test_the_switch_is_in_the_callers_language(name: str) -> None:
    walked = walk(name, contact=dict(SPANISH_CALLER), switch_on=False, queue_open=False)
    assert "Ahora está cerrado. Abrimos tomorrow at 9 AM." in " ".join(walked.heard)


def changing(*script: Request) -> Any:
    """Lambdas that say once, as next_action does, that the language has changed."""
    plain = answers(*script)

    def answer(function: str, request: Request) -> Request:
        given = plain(function, request)
        return {**given, "language": "es"} if request.get("language") == "en" and "previous" in given else given

    return answer


@EACH
def test_when_the_agent_changes_its_language_so_does_the_flow(name: str) -> None:
    walked = walk(name, lambdas=changing(TRANSFER), staffed=False)
    assert SPANISH.sentences.no_staff in walked.heard
    assert ENGLISH.sentences.no_staff not in walked.heard
    told = [each["language"] for each in walked.requests if "loaded" in each]
    assert told[0] == "en"
    assert set(told[1:]) <= {"es"}


@BOTH
def test_it_changes_once_and_goes_on_with_the_answer(name: str) -> None:
    walked = walk(name, lambdas=changing({"action": "play", "promptUrl": "https://clips/1.wav"}))
    assert "https://clips/1.wav" in walked.heard
    assert walked.path.count("Voice of es") == 1


def test_the_interruptible_flow_changes_where_it_asks_in_turn_too() -> None:
    walked = walk(
        "interruptible",
        lambdas=changing(TRANSFER),
        staffed=False,
        fails=lambda block: "Ask " in block and "turn" not in block,
    )
    assert walked.state["form"] == "polling"
    assert SPANISH.sentences.no_staff in walked.heard


@pytest.mark.parametrize(("contact", "language"), [({}, ENGLISH), ({"va_language": "es"}, SPANISH)])
def test_the_queue_flow_goes_by_what_the_main_flow_left(contact: dict[str, str], language: Language) -> None:
    import random

    flow = customer_queue(QueueParameters(token(1), token(2), (ENGLISH, SPANISH))).to_dict()
    walked = Walk(flow, lambda arn, sent: {}, lambda block: block == "Music", random.Random(1), contact=dict(contact))
    walked.run(4)
    assert (
        walked.path[-2:] == [f"Voice of {language.name}", f"Sentences of {language.name}"] or walked.path[-1] == "Music"
    )
    assert walked.state["say_goodbye"] == language.queue.goodbye
