"""Values of the contract as JSON and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import definition
from contract.actions import NONE, End, Numbered, Outcome, Play, Transfer
from contract.call import CallState, Head, Lease
from contract.errors import LeaseLost, StoreUnavailable
from contract.turns import FunctionEntry, FunctionState, HeardSource, Role, Turn
from gateway.functions.invoker import FunctionFailed
from gateway.legs.kvs.errors import Cause, ReadingStopped
from gateway.legs.kvs.prompts import PromptNotStored
from gateway.legs.kvs.reconnect import StartSelector
from gateway.recording.codec import decode, encode, written
from gateway.voice_agent.errors import ConnectionEnded, KeyUnavailable, UpgradeRefused

SHOP = definition.load(Path(__file__).resolve().parents[3] / "agents" / "shop.yaml")


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        1.5,
        "text",
        [1, (2, 3)],
        {"a": [{}]},
        Outcome.CUT,
        Lease("c", "owner", 3),
        [Numbered(1, Play("https://x", 20), 5, Outcome.COMPLETED), Numbered(2, Transfer("a", "q", "r", {"k": "v"}), 6)],
        End(NONE),
        Turn(1, Role.CALLER, "Hi", heard_source=HeardSource.MEASURED, marks={"x": 1}),
        FunctionEntry("k", "n", {"a": [1]}, FunctionState.FINISHED, 5),
        StartSelector.at_time(5),
        SHOP,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_written_is_read_again(value: object) -> None:
    assert decode(json.loads(json.dumps(encode(value)))) == value


@pytest.mark.parametrize(
    "error",
    [
        LeaseLost("c", 2),
        StoreUnavailable("head", "Throttling"),
        FunctionFailed("f", "raised", "x"),
        ReadingStopped(Cause.IDLE, "late"),
        PromptNotStored("k", "x"),
        ConnectionEnded(1000, ""),
        KeyUnavailable("none"),
        UpgradeRefused(429, "X", "r", 1000),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_comes_back_as_itself(error: Exception) -> None:
    again = decode(json.loads(json.dumps(encode(error))))
    assert (type(again), again.args, str(again)) == (type(error), error.args, str(error))


def test_a_field_that_is_no_longer_known_is_passed_over_and_a_new_one_takes_its_default() -> None:
    older = {"is": "Turn", "number": 1, "role": {"is": "Role", "value": "caller"}, "text": "Hi", "mood": "good"}
    assert decode(older) == Turn(1, Role.CALLER, "Hi")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"is": "Telepathy"}, "'Telepathy' is nothing that this release knows"),
        ({"is": "Lease", "contact_id": "c"}, "Lease: .*missing 2 required"),
        ({"is": "Outcome", "value": "lost"}, "lost"),
    ],
)
def test_what_cannot_be_understood_is_named(value: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        decode(value)


def test_no_call_suffers_from_a_value_that_no_recording_knows() -> None:
    assert written(b"") == {"is": "lost bytes"}
    with pytest.raises(ValueError, match="'lost bytes' is nothing that this release knows"):
        decode(written(b""))
    assert written(1) == 1


def test_nothing_is_written_that_could_not_be_read() -> None:
    with pytest.raises(TypeError, match="bytes has no place in a recording"):
        encode(b"")


def test_a_head_has_a_place() -> None:
    head = Head("c", 1, CallState.ACTIVE, 5)
    assert decode(encode(head)) == head
