from __future__ import annotations

import asyncio
import io
import json
import threading
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from contract.running import Threads, inline
from gateway.functions.invoker import FunctionFailed, LambdaInvoker

ARN = "arn:aws:lambda:eu-central-1:111122223333:function:look-up"
PAYLOAD = {"arguments": {"number": "12"}, "context": {}}


@pytest.fixture
def lambdas() -> tuple[LambdaInvoker, Stubber]:
    client = boto3.client("lambda", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    return LambdaInvoker(client, {"look_up": ARN}, inline), Stubber(client)


def body(text: bytes) -> dict[str, Any]:
    return {"Payload": StreamingBody(io.BytesIO(text), len(text)), "StatusCode": 200}


async def failure(invoker: LambdaInvoker, name: str = "look_up") -> FunctionFailed:
    with pytest.raises(FunctionFailed) as caught:
        await invoker.invoke(name, PAYLOAD)
    return caught.value


async def test_the_answer_of_the_lambda_is_returned(lambdas: tuple[LambdaInvoker, Stubber]) -> None:
    invoker, stub = lambdas
    stub.add_response("invoke", body(b'{"a": 1}'), {"FunctionName": ARN, "Payload": json.dumps(PAYLOAD).encode()})
    with stub:
        assert await invoker.invoke("look_up", PAYLOAD) == '{"a": 1}'


async def test_a_function_without_a_lambda_is_unknown(lambdas: tuple[LambdaInvoker, Stubber]) -> None:
    assert (await failure(lambdas[0], "fly")).kind == "unknown_function"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("TooManyRequestsException", "throttled"),
        ("ThrottlingException", "throttled"),
        ("AccessDeniedException", "refused"),
    ],
)
async def test_a_refusal_is_named(lambdas: tuple[LambdaInvoker, Stubber], code: str, kind: str) -> None:
    invoker, stub = lambdas
    stub.add_client_error("invoke", code)
    with stub:
        failed = await failure(invoker)
    assert (failed.kind, failed.detail) == (kind, code)
    assert str(failed) == f"function look_up failed: {kind}: {code}"


async def test_a_lambda_that_raised_is_named(lambdas: tuple[LambdaInvoker, Stubber]) -> None:
    invoker, stub = lambdas
    stub.add_response("invoke", {**body(b'{"errorMessage": "private"}'), "FunctionError": "Unhandled"})
    with stub:
        failed = await failure(invoker)
    assert failed.kind == "raised"
    assert "private" not in str(failed)


async def test_a_network_that_fails_is_named() -> None:
    class Unreachable:
        def invoke(self, **_: object) -> None:
            raise ReadTimeoutError(endpoint_url="https://lambda")

    failed = await failure(LambdaInvoker(Unreachable(), {"look_up": ARN}, inline))  # type: ignore[arg-type]
    assert (failed.kind, failed.detail) == ("unreachable", "ReadTimeoutError")


def test_a_failure_without_a_detail_is_a_sentence_too() -> None:
    assert str(FunctionFailed("look_up", "raised")) == "function look_up failed: raised"


@pytest.mark.wall_clock
async def test_functions_that_do_not_answer_leave_no_thread_for_another() -> None:
    released, client = threading.Event(), SimpleNamespace()
    client.invoke = lambda **_: {"Payload": io.BytesIO(b"1" if released.wait(30) else b"")}
    invoker = LambdaInvoker(client, {"look_up": ARN}, Threads("functions", 1, refuses=True))  # type: ignore[arg-type]
    first = asyncio.create_task(invoker.invoke("look_up", PAYLOAD))
    await asyncio.sleep(0)
    refused = await failure(invoker)
    assert (refused.kind, refused.detail) == ("throttled", "all 1 threads for functions are waiting for an answer")
    released.set()
    assert await first == "1"
