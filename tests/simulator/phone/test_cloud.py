from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from definition import load
from simulator.connect.seams import ObjectMissing
from simulator.estate import estate, lambda_arn
from simulator.phone.cloud import Account, Endpoints, S3Objects

SHOP = load(Path(__file__).resolve().parents[3] / "agents" / "shop.yaml")
ENDPOINTS = Endpoints("http://127.0.0.1:1", "http://127.0.0.1:2")
ACCOUNT = Account(ENDPOINTS, "http://127.0.0.1:1/queue", "arn:secret")


class S3:
    """One object."""

    def get_object(self, **asked: str) -> Mapping[str, Any]:
        if asked != {"Bucket": "clips", "Key": "a.wav"}:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(b"RIFF")}


def test_boto3_finds_the_stand_ins_by_its_own_variables() -> None:
    variables = ENDPOINTS.variables()

    assert variables["AWS_ENDPOINT_URL"] == ENDPOINTS.moto
    own = {name for name, value in variables.items() if value == ENDPOINTS.own}
    assert own == {"AWS_ENDPOINT_URL_CONNECT", "AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL_KINESIS_VIDEO"}


def test_every_function_has_the_limit_that_it_is_deployed_with() -> None:
    functions = {function.arn: function for function in ACCOUNT.functions(estate(), SHOP)}

    assert functions[lambda_arn("next_action_wait")].timeout_ms > 20_000, "it waits for what comes next"
    assert functions[lambda_arn("next_action_poll")].timeout_ms == 8000
    assert functions[lambda_arn("get_order_status")].environment["TABLE_NAME"] == "voice-agent"


def test_the_gateway_gets_the_variables_of_a_deployment_and_nothing_that_says_simulator() -> None:
    built = estate()
    variables = ACCOUNT.gateway_environment(
        built, SHOP, "agents", {"DEEPGRAM_URL": "ws://127.0.0.1:3/v1/agent/converse"}
    )

    assert json.loads(variables["QUEUE_ARNS"]) == built.queue_arns
    assert variables["DEEPGRAM_URL"].startswith("ws://127.0.0.1:3/")
    assert not [name for name in variables if "SIMULAT" in name]


@pytest.mark.wall_clock
async def test_connect_reads_prompts_and_cannot_tell_what_is_missing_from_what_is_forbidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Account, "client", lambda self, service: S3())
    objects = S3Objects(ACCOUNT)

    assert await objects.read("clips", "a.wav") == b"RIFF"
    with pytest.raises(ObjectMissing):
        await objects.read("clips", "b.wav")


def test_a_client_talks_to_motos_server() -> None:
    assert ACCOUNT.client("sqs").meta.endpoint_url == ENDPOINTS.moto
