"""The stack as CloudFormation tells it."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from operations import stack
from tests.operations.account import PHYSICAL, Account


def test_a_stack_is_read_with_what_is_at_its_paths(account: Account) -> None:
    found = stack.read(account.clients().cloudformation, "voice-agent")
    assert found is not None
    assert found.complete
    assert found.at(stack.TABLE) == PHYSICAL[stack.TABLE]
    assert found.at("Nowhere") == ""
    assert found.outputs["GatewayLog"] == PHYSICAL[stack.GATEWAY_LOG]


def test_no_stack_is_none(account: Account) -> None:
    account.deployed = False
    assert stack.read(account.clients().cloudformation, "voice-agent") is None


def test_a_refusal_is_no_answer(account: Account) -> None:
    account.refused["DescribeStacks"] = "AccessDenied"
    with pytest.raises(ClientError):
        stack.read(account.clients().cloudformation, "voice-agent")


def test_a_logical_id_of_one_part_has_no_hash() -> None:
    assert stack.logical_id("Flow-polling") == "Flowpolling"
