"""moto's server as the phone starts it."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.common_models import BaseModel
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.responses import DynamoHandler

from simulator.phone.moto_server import answer_in_turn, forget_instances


class Thing(BaseModel):
    def __init__(self, name: str) -> None:
        self.name = name


def test_moto_keeps_no_list_of_everything_it_ever_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BaseModel, "__new__", BaseModel.__new__)  # put back afterwards
    Thing("before")
    forget_instances()

    assert Thing("after").name == "after"
    assert [thing.name for thing in vars(Thing)["instances_tracked"]] == ["before"]


class Turn:
    """A lock that writes down when it is taken and given back."""

    def __init__(self, seen: list[str]) -> None:
        self._seen = seen

    def __enter__(self) -> None:
        self._seen.append("taken")

    def __exit__(self, *_: object) -> None:
        self._seen.append("given back")


@mock_aws
def test_one_request_at_a_time_comes_to_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that fails puts the table back as it was: nobody else may write meanwhile."""
    seen: list[str] = []
    lists = DynamoDBBackend.list_tables

    def list_tables(*arguments: Any) -> Any:
        seen.append("read")
        return lists(*arguments)

    monkeypatch.setattr(DynamoHandler, "call_action", DynamoHandler.call_action)  # put back afterwards
    monkeypatch.setattr(DynamoDBBackend, "list_tables", list_tables)
    answer_in_turn(Turn(seen))
    tables = boto3.client("dynamodb", region_name="us-east-1")
    tables.list_tables()
    tables.list_tables()

    assert seen == ["taken", "read", "given back"] * 2
