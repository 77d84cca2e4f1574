from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from lambdas.queue_position.logic import UNKNOWN, queue_position

INSTANCE = "arn:aws:connect:eu-central-1:111122223333:instance/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
CONTACT = "11111111-2222-3333-4444-555555555555"
EVENT: dict[str, Any] = {
    "Details": {
        "ContactData": {"ContactId": CONTACT, "InstanceARN": INSTANCE},
        "Parameters": {"sentence": "Number {position}."},
    }
}
ASKED = {"InstanceId": INSTANCE, "ContactId": CONTACT, "Metrics": [{"Name": "POSITION_IN_QUEUE"}]}


def client() -> Any:
    return boto3.client("connect", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")


def answered(*results: dict[str, Any], event: dict[str, Any] = EVENT) -> dict[str, str]:
    connect = client()
    with Stubber(connect) as stubber:
        stubber.add_response("get_contact_metrics", {"MetricResults": list(results)}, ASKED)
        return queue_position(connect, event)


@pytest.mark.parametrize(("number", "said"), [(1.0, "1"), (12.0, "12")])
def test_the_place_in_the_queue_is_put_into_the_sentence_that_was_sent(number: float, said: str) -> None:
    answer = answered({"Name": "POSITION_IN_QUEUE", "Value": {"Number": number}})
    assert answer == {"known": "yes", "position": said, "sentence": f"Number {said}."}


def test_a_flow_of_the_previous_release_sends_no_sentence() -> None:
    old = {"Details": {"ContactData": EVENT["Details"]["ContactData"], "Parameters": {"version": "1"}}}
    answer = answered({"Name": "POSITION_IN_QUEUE", "Value": {"Number": 2.0}}, event=old)
    assert answer == {"known": "yes", "position": "2", "sentence": "none"}


def test_a_caller_whom_nobody_counts_has_no_place() -> None:
    assert answered({"Name": "POSITION_IN_QUEUE", "Value": {"Number": 0.0}}) == UNKNOWN


def test_an_answer_without_a_number_is_no_place() -> None:
    assert answered() == UNKNOWN


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "ResourceNotFoundException"])
def test_a_refusal_is_no_place_and_no_failure(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    connect = client()
    with Stubber(connect) as stubber:
        stubber.add_client_error("get_contact_metrics", code)
        assert queue_position(connect, EVENT) == UNKNOWN
    assert "position_unknown" in capsys.readouterr().out


def test_an_event_without_a_contact_is_no_place(capsys: pytest.CaptureFixture[str]) -> None:
    connect = client()
    with Stubber(connect) as stubber:
        stubber.add_client_error("get_contact_metrics", "InvalidParameterException")
        assert queue_position(connect, {}) == UNKNOWN
    assert capsys.readouterr().out
