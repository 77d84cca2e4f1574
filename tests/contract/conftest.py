from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from contract.dynamodb import DynamoStore, create_table
from contract.memory import MemoryStore
from contract.store import GatewayStore
from tests.contract.outside import outside

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS within this process; nothing leaves it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield


@cache
def _client() -> DynamoDBClient:
    """One for all tests: making a client costs more than most tests."""
    return boto3.client("dynamodb")


@pytest.fixture
def dynamo(aws: None) -> DynamoStore:
    create_table(_client(), "calls")
    return DynamoStore(_client(), "calls", outside)


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> GatewayStore:
    if request.param == "memory":
        return MemoryStore()
    store: GatewayStore = request.getfixturevalue("dynamo")
    return store
