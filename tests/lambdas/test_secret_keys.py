"""Secret key presses: to the function that the question names, once, and nowhere else."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from contract.actions import Action, Collect
from contract.clock import LoopClock
from contract.memory import MemoryStore
from contract.turns import FunctionEntry, FunctionState
from lambdas.secret_keys.logic import MOST_CHARACTERS, LambdaInvoke, secret_keys
from tests.contract.samples import CONTACT, T0, taken
from tests.lambdas.samples import an_event

ARNS = {"check_pin": "arn:check"}
ASKED = Collect("", 4, "#", 10, True, "pin", "check_pin", "pin", "code")
TYPED = an_event({"attempt": "1", "loaded": "1", "digits": "7391"})


class Invoked:
    """The function's Lambda; what it was asked is kept."""

    def __init__(self, answer: str = '{"verified": true}', error: str = "") -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._answer = error, answer

    async def __call__(self, arn: str, payload: bytes) -> tuple[str, str]:
        self.asked.append((arn, json.loads(payload)))
        return self._answer


async def asked(action: Action = ASKED) -> MemoryStore:
    store = MemoryStore()
    lease = await taken(store)
    await store.append(lease, action, T0)
    await store.put_code("code", CONTACT, T0 + 60_000)
    kept = FunctionEntry("1", "find", {}, FunctionState.FINISHED, T0, result='{"remember": {"customer": "c-1"}}')
    await store.enter_function(lease, kept)
    return store


async def passed_on(store: MemoryStore, invoked: Invoked, arns: dict[str, str] = ARNS) -> Any:
    answer = await secret_keys(store, invoked, arns, LoopClock(T0), TYPED)
    assert list(answer) == ["told"]
    return json.loads(answer["told"]) if answer["told"].startswith("{") else answer["told"]


async def test_the_function_gets_the_digits_and_the_context_and_the_flow_its_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    invoked = Invoked()
    assert await passed_on(await asked(), invoked) == {"verified": True}
    [(arn, payload)] = invoked.asked
    context = payload.pop("context")
    assert (arn, payload) == ("arn:check", {"function": "check_pin", "arguments": {"pin": "7391"}})
    assert (context["contact_id"], context["agent"]) == (CONTACT, "shop")
    assert context["remembered"] == {"customer": "c-1"}
    logged = capsys.readouterr().out
    assert '"function":"check_pin","outcome":"finished"' in logged
    assert "7391" not in logged
    assert "verified" not in logged


async def test_what_connect_delivers_twice_is_passed_on_once() -> None:
    store, invoked = await asked(), Invoked()
    await passed_on(store, invoked)
    assert "do not repeat" in (await passed_on(store, invoked))["note"]
    assert len(invoked.asked) == 1


@pytest.mark.parametrize(
    "action",
    [
        Collect("", 4, "#", 10, False, "pin", "check_pin", "pin", "code"),
        Collect("", 4, "#", 10, True, "pin"),
    ],
)
async def test_what_nobody_is_to_get_goes_nowhere(action: Action) -> None:
    invoked = Invoked()
    assert await passed_on(await asked(action), invoked) == "entered"
    assert invoked.asked == []


async def test_a_question_that_is_not_in_the_log_goes_nowhere() -> None:
    store = MemoryStore()
    await taken(store)
    assert await passed_on(store, Invoked()) == "entered"


@pytest.mark.parametrize(
    ("invoked", "arns", "error"),
    [
        (Invoked(error="raised"), ARNS, "unknown"),
        (Invoked("7391"), ARNS, "malformed"),
        (Invoked("<html>"), ARNS, "malformed"),
        (Invoked(json.dumps({"text": "x" * MOST_CHARACTERS})), ARNS, "too_large"),
        (Invoked(), {}, "unknown_function"),
    ],
)
async def test_a_failure_is_told_without_its_reason(invoked: Invoked, arns: dict[str, str], error: str) -> None:
    assert (await passed_on(await asked(), invoked, arns))["error"] == error


def test_a_lambda_answers_raises_or_cannot_be_reached() -> None:
    client = boto3.client("lambda", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    given = {"FunctionName": "arn:check", "Payload": b"{}"}
    with Stubber(client) as stubber:
        for content, more in ((b'{"ok": 1}', {}), (b'{"errorMessage": "7391"}', {"FunctionError": "Unhandled"})):
            body = StreamingBody(io.BytesIO(content), len(content))
            stubber.add_response("invoke", {"StatusCode": 200, "Payload": body, **more}, given)
        stubber.add_client_error("invoke", "TooManyRequestsException", expected_params=given)
        invoke = LambdaInvoke(client)
        assert asyncio.run(invoke("arn:check", b"{}")) == ("", '{"ok": 1}')
        assert asyncio.run(invoke("arn:check", b"{}")) == ("raised", "")
        assert asyncio.run(invoke("arn:check", b"{}")) == ("TooManyRequestsException", "")
