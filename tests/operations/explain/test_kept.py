"""The record behind the link that a human has."""

from __future__ import annotations

import io
import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from contract.announcement import Kind, Told, record, record_uri
from contract.turns import FunctionEntry, FunctionState, Role, Turn
from operations.explain.kept import contact_of, told
from tests.contract.samples import CONTACT, T0, a_call

LINK = record_uri(a_call(), "records")
WHOLE = record(
    a_call(),
    Told(Kind.ENDED, T0 + 9000, "transferred", "transfer_to_human", "orders"),
    [Turn(1, Role.CALLER, "Where is my sofa?", T0)],
    [FunctionEntry("k", "find_order", {}, FunctionState.FAILED, T0, T0 + 700, error="timeout")],
)


def kept(answer: object = WHOLE, **more: bool) -> list[str]:
    s3: Any = boto3.client("s3", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(s3) as stubber:
        body = io.BytesIO(json.dumps(answer).encode())
        asked = {"Bucket": "records", "Key": f"calls/{CONTACT}/1.json"}
        stubber.add_response("get_object", {"Body": body}, asked)
        return list(told(s3, LINK, **{"words": True, **more}))


@pytest.mark.parametrize("named", [LINK, CONTACT])
def test_a_link_names_its_contact(named: str) -> None:
    assert contact_of(named) == CONTACT


def test_the_record_is_told_with_what_was_said() -> None:
    lines = kept()
    assert lines[0].startswith(f"contact {CONTACT}, attempt 1, agent ")
    assert lines[1].endswith("transferred, transfer_to_human")
    assert lines[2] == "to the queue orders"
    assert lines[3].endswith("caller: Where is my sofa?")
    assert lines[4].endswith("find_order: failed (timeout), 700 ms")


def test_without_words_nothing_that_was_said_is_told() -> None:
    assert "sofa" not in "\n".join(kept(words=False))
    assert not [line for line in kept({**WHOLE, "queue": ""}) if "queue" in line]


def test_a_contact_has_no_record_to_open() -> None:
    s3: Any = boto3.client("s3", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    assert list(told(s3, CONTACT, words=True)) == []
