from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from simulator.connect import lambdas
from simulator.connect.events import LambdaFailure
from simulator.connect.lambdas import Function, InProcess, LambdaError, LambdaRuntime, function_name

ARN = "arn:aws:lambda:eu-central-1:111122223333:function:{}"
HANDLERS = "tests.simulator.connect.handlers"


def function(handler: str, **more: Any) -> Function:
    return Function(ARN.format(handler), f"{HANDLERS}:{handler}", **more)


def kind(answer: object) -> LambdaFailure:
    assert isinstance(answer, LambdaError)
    return answer.kind


@pytest.mark.parametrize(
    "name", ["next", "next:live", ARN.format("next"), ARN.format("next:live"), "111122223333:function:next"]
)
def test_a_function_is_known_by_its_name_in_every_form(name: str) -> None:
    assert function_name(name) == "next"


def test_a_function_may_be_called_function() -> None:
    assert function_name("function") == function_name(ARN.format("function")) == "function"


async def test_a_handler_in_process_gets_a_copy_and_its_answer_is_json() -> None:
    given = {"a": [1]}

    async def handler(event: Mapping[str, Any]) -> object:
        event["a"].append(2)
        return {"tuple": (1, 2)}

    invoker = InProcess({ARN.format("f"): handler})
    assert await invoker.invoke(ARN.format("f:live"), given, 1_000) == {"tuple": [1, 2]}
    assert given == {"a": [1]}


async def test_a_handler_in_process_fails_as_a_function_does() -> None:
    async def raises(event: Mapping[str, Any]) -> object:
        raise ValueError("bad order number")

    async def sleeps(event: Mapping[str, Any]) -> object:
        await asyncio.sleep(60)
        return None

    async def throttled(event: Mapping[str, Any]) -> object:
        return LambdaError(LambdaFailure.THROTTLED)

    invoker = InProcess({"raises": raises, "sleeps": sleeps, "throttled": throttled})
    error = await invoker.invoke("raises", {}, 1_000)
    expected = {"errorMessage": "bad order number", "errorType": "ValueError"}
    assert error == LambdaError(LambdaFailure.FUNCTION, expected)
    assert kind(await invoker.invoke("sleeps", {}, 8_000)) is LambdaFailure.TIMEOUT
    assert kind(await invoker.invoke("throttled", {}, 1_000)) is LambdaFailure.THROTTLED
    assert kind(await invoker.invoke("gone", {}, 1_000)) is LambdaFailure.NOT_FOUND


@pytest.mark.wall_clock
async def test_an_environment_stays_warm_and_sees_its_own_variables_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOT_FOR_LAMBDAS", "1")
    async with LambdaRuntime([function("echo", environment={"STAGE": "test"}, memory_mb=512)]) as runtime:
        first: Any = await runtime.invoke(ARN.format("echo"), {"a": 1}, 10_000)
        second: Any = await runtime.invoke("echo:live", {}, 10_000)
    assert first["event"] == {"a": 1}
    assert (first["name"], first["stage"], first["leaked"], first["memory"]) == ("echo", "test", None, "512")
    assert [first["calls"], second["calls"], runtime.cold_starts] == [1, 2, 1]


@pytest.mark.wall_clock
async def test_concurrency_grows_on_demand_and_stops_at_the_reserved_number() -> None:
    async with LambdaRuntime([function("sleeps", reserved=2)]) as runtime:
        calls = [asyncio.create_task(runtime.invoke("sleeps", {"s": 0.05}, 10_000)) for _ in range(3)]
        answers = await asyncio.gather(*calls)
        assert runtime.cold_starts == 2
        assert await runtime.invoke("sleeps", {"s": 0}, 10_000) == "slept"
    assert answers[:2] == ["slept", "slept"]
    assert kind(answers[2]) is LambdaFailure.THROTTLED


@pytest.mark.wall_clock
async def test_what_goes_wrong_in_an_environment_is_told_apart() -> None:
    functions = [
        function("fails"),
        function("dies"),
        Function(ARN.format("broken"), f"{HANDLERS}:gone"),
        Function(ARN.format("killed"), "tests.simulator.connect.dies_at_import:handler"),
        function("sleeps", timeout_ms=50),
    ]
    async with LambdaRuntime(functions) as runtime:
        calls = [
            runtime.invoke(name, {"s": 5}, 10_000) for name in ("fails", "dies", "broken", "killed", "sleeps", "gone")
        ]
        fails, dies, broken, killed, sleeps, gone = await asyncio.gather(*calls)
    assert kind(fails) is LambdaFailure.FUNCTION
    assert kind(dies) is LambdaFailure.CRASHED
    assert kind(broken) is LambdaFailure.FUNCTION
    assert kind(killed) is LambdaFailure.CRASHED
    assert kind(sleeps) is LambdaFailure.TIMEOUT
    assert isinstance(sleeps, LambdaError)
    assert "Task timed out after 0.05 seconds" in str(sleeps.error["errorMessage"])
    assert kind(gone) is LambdaFailure.NOT_FOUND


@pytest.mark.wall_clock
async def test_an_invoker_that_gives_up_does_not_end_the_invocation() -> None:
    async with LambdaRuntime([function("sleeps", reserved=1)]) as runtime:
        await runtime.warm_up()
        assert kind(await runtime.invoke("sleeps", {"s": 0.2}, 20)) is LambdaFailure.TIMEOUT
        assert kind(await runtime.invoke("sleeps", {"s": 0}, 1_000)) is LambdaFailure.THROTTLED


@pytest.mark.wall_clock
async def test_environments_can_be_started_before_they_are_needed() -> None:
    functions = [function("echo"), Function(ARN.format("broken"), f"{HANDLERS}:gone")]
    async with LambdaRuntime(functions) as runtime:
        await runtime.warm_up()
        assert runtime.cold_starts == 2
        await runtime.invoke("echo", {}, 10_000)
        assert runtime.cold_starts == 2


@pytest.mark.wall_clock
async def test_a_warm_environment_that_died_is_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    async with LambdaRuntime([function("echo")]) as runtime:
        await runtime.warm_up()
        process = runtime._idle["echo"][0]._process
        process.kill()
        await process.wait()
        assert kind(await runtime.invoke("echo", {"big": "x" * 1_000_000}, 10_000)) is LambdaFailure.CRASHED
        answer: Any = await runtime.invoke("echo", {}, 10_000)
        assert answer["calls"] == 1


@pytest.mark.wall_clock
async def test_a_process_that_cannot_be_started_is_an_error_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    async with LambdaRuntime([function("echo")]) as runtime:
        assert kind(await runtime.invoke("echo", {}, 10_000)) is LambdaFailure.SERVICE


def test_the_region_of_a_function_without_arn_has_a_default() -> None:
    assert lambdas._variables(Function("f", "m:f"))["AWS_REGION"] == "eu-central-1"
    assert lambdas._variables(Function(ARN.format("f").replace("eu-central-1", "us-east-1"), "m:f"))["AWS_REGION"] == (
        "us-east-1"
    )
