"""The key of Deepgram out of its secret: an empty one is a state that is told, and ends by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from gateway.aws import SecretKey
from gateway.voice_agent.errors import KeyUnavailable


@pytest.fixture
def secrets() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client(
            "secretsmanager", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
        )


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if "unconfigured" in line]


def test_a_secret_without_a_value_is_told_each_time_and_a_key_is_found_once_it_is_there(
    secrets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets.create_secret(Name="key")
    key = SecretKey(secrets, "key")
    for _ in range(2):
        with pytest.raises(KeyUnavailable, match="the secret has no value: put the Deepgram API key into it"):
            asyncio.run(key(fresh=False))
    assert len(said(capsys)) == 2
    secrets.put_secret_value(SecretId="key", SecretString="the-key\n")
    assert asyncio.run(key(fresh=False)) == "the-key"
    assert said(capsys) == []


def test_a_key_that_was_changed_is_read_when_the_old_one_is_refused(secrets: Any) -> None:
    secrets.create_secret(Name="key", SecretString=json.dumps({"api_key": "old"}))
    key = SecretKey(secrets, "key")
    assert asyncio.run(key(fresh=False)) == "old"
    secrets.put_secret_value(SecretId="key", SecretString=json.dumps({"api_key": "new"}))
    assert asyncio.run(key(fresh=False)) == "old"
    assert asyncio.run(key(fresh=True)) == "new"


@pytest.mark.parametrize("text", ["", "  ", "{}", '{"api_key": ""}', "{not json"])
def test_what_is_no_key_is_told(secrets: Any, capsys: pytest.CaptureFixture[str], text: str) -> None:
    secrets.create_secret(Name="key", SecretString=text or " ")
    with pytest.raises(KeyUnavailable, match="put the Deepgram API key into it"):
        asyncio.run(SecretKey(secrets, "key")(fresh=False))
    assert len(said(capsys)) == 1
