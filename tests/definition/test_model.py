from __future__ import annotations

import dataclasses

import pytest

from contract.actions import Returned
from definition.model import FunctionDefinition, QueueDefinition
from tests.definition.conftest import Loaded

BEDROCK = (
    "{provider: {type: aws_bedrock, model: nova-lite, credentials: {type: iam, region: us-east-1, "
    "access_key_id: '${secret:id}', secret_access_key: '${secret:key}'}}, endpoint: {url: https://b.example}}"
)
OWN = (
    "{provider: {type: open_ai, model: x}, endpoint: "
    "{url: https://a.example, headers: {authorization: 'Bearer ${secret:llm}', x-trace: on, x-key: '${secret:key}'}}}"
)


def test_the_names_of_all_secrets_are_known(loaded: Loaded) -> None:
    assert loaded(think=f"[{BEDROCK}, {OWN}]").secrets == ("id", "key", "llm")
    assert loaded().secrets == ()


def test_a_definition_cannot_be_changed(loaded: Loaded) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        loaded().name = "other"  # type: ignore[misc]


def test_seconds_are_milliseconds_for_those_who_count(loaded: Loaded) -> None:
    assert FunctionDefinition("f", "d", timeout_s=2.5).timeout_ms == 2500
    assert loaded().idle.after_ms == 10_000


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        (Returned.CLOSED, "Closed."),
        (Returned.NO_STAFF, "Nobody."),
        (Returned.FULL, "Full."),
        (Returned.FAILED, ""),
        (Returned.NONE, ""),
    ],
)
def test_a_queue_has_a_sentence_for_a_transfer_that_came_back(returned: Returned, sentence: str) -> None:
    queue = QueueDefinition("q", "d", when_closed="Closed.", when_no_staff="Nobody.", when_full="Full.")
    assert queue.sentence(returned) == sentence
