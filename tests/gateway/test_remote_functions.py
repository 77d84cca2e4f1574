"""Functions that Deepgram calls by itself are in the ledger as far as they are overheard."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from contract.turns import WITHHELD, FunctionEntry, FunctionState
from definition.model import RESULT_BYTES, Endpoint, FunctionDefinition
from gateway.functions.runner import FUNCTIONS_A_CALL
from gateway.remote_functions import RemoteFunctions
from gateway.voice_agent.messages import (
    AgentAudioDone,
    FunctionCall,
    FunctionCallCancelled,
    FunctionCallRequest,
    FunctionCallResponseEcho,
    ServerMessage,
)
from tests.gateway.definitions import definition

NOW = 1_000_000
WEATHER = FunctionDefinition("weather", "The weather.", redact=("code",), endpoint=Endpoint("https://weather.example/"))
AGENT = definition(functions={**definition().functions, "weather": WEATHER})


def request(
    call_id: str = "a", name: str = "weather", arguments: str = '{"place": "York", "code": "1"}', ours: bool = False
) -> FunctionCallRequest:
    return FunctionCallRequest((FunctionCall(call_id, name, arguments, client_side=ours),))


def heard(remote: RemoteFunctions, message: ServerMessage, now_ms: int = NOW) -> list[FunctionEntry]:
    return remote.overheard(message, AGENT, 2, now_ms)


def test_a_call_and_its_answer_are_one_line_with_what_is_redacted_left_out() -> None:
    remote = RemoteFunctions()
    [entered] = heard(remote, request())
    assert (entered.name, dict(entered.arguments), entered.state) == (
        "weather",
        {"place": "York", "code": WITHHELD},
        FunctionState.ENTERED,
    )
    [over] = heard(
        remote, FunctionCallResponseEcho("a", "weather", '{"sun": true, "remember": {"who": "x"}}'), NOW + 300
    )
    assert over == replace(entered, state=FunctionState.FINISHED, result='{"sun": true}', finished_at_ms=NOW + 300)
    assert heard(remote, FunctionCallResponseEcho("a", "weather", "{}")) == [], "it has come already"


def test_an_answer_without_an_id_is_that_of_the_oldest_call() -> None:
    remote = RemoteFunctions()
    [first], [second] = heard(remote, request("a")), heard(remote, request("b"))
    assert first.key != second.key
    assert heard(remote, FunctionCallResponseEcho("", "weather", "{}"))[0].key == first.key
    assert heard(remote, FunctionCallResponseEcho("", "look_up", "{}")) == []


def test_a_call_that_is_cancelled_says_so() -> None:
    remote = RemoteFunctions()
    heard(remote, request())
    assert [line.state for line in heard(remote, FunctionCallCancelled(("a", "b")))] == [FunctionState.CANCELLED]


@pytest.mark.parametrize(
    "message", [request(ours=True), request(name="look_up"), request(name="unknown"), AgentAudioDone()]
)
def test_what_we_answer_ourselves_or_do_not_know_is_not_ours_to_write(message: ServerMessage) -> None:
    assert heard(RemoteFunctions(), message) == []


@pytest.mark.parametrize("arguments", ["", "[1]", "{"])
def test_arguments_that_are_no_object_are_not_kept(arguments: str) -> None:
    [entered] = heard(RemoteFunctions(), request(arguments=arguments))
    assert dict(entered.arguments) == {}


def test_the_same_call_is_entered_once_and_there_is_an_end_of_them() -> None:
    remote = RemoteFunctions()
    heard(remote, request())
    assert heard(remote, request()) == []
    for number in range(FUNCTIONS_A_CALL):
        heard(remote, request(f"call-{number}"))
    assert heard(remote, request("one too many")) == []


def test_an_answer_that_is_too_large_is_not_kept() -> None:
    remote = RemoteFunctions()
    heard(remote, request())
    [over] = heard(remote, FunctionCallResponseEcho("a", "weather", json.dumps("x" * RESULT_BYTES)))
    assert (over.result, over.error) == ("", "too_large to be kept")
