from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from contract.dynamodb import DynamoStore, create_table
from contract.memory import MemoryStore
from contract.store import GatewayStore
from tests.contract.outside import outside


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS within this process; nothing leaves it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield


@pytest.fixture
def dynamo(aws: None) -> DynamoStore:
    client = boto3.client("dynamodb")
    create_table(client, "calls")
    return DynamoStore(client, "calls", outside)


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> GatewayStore:
    if request.param == "memory":
        return MemoryStore()
    store: GatewayStore = request.getfixturevalue("dynamo")
    return store
