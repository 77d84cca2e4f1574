"""What the Lambdas tell of calls that nobody serves: record, event, and clips that go."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from contract.actions import End, Numbered, Play, Transfer
from contract.announcement import Kind
from lambdas.telling import NOBODY, AwsTeller, sent
from tests.contract.samples import CONTACT, QUEUE, T0, a_call

TRANSFER = Transfer(QUEUE, "support", "gateway_lost", {"va_summary": "Where is my sofa?"})
LOG = [
    Numbered(1, Play(f"https://clips.s3.eu-central-1.amazonaws.com/clips/{CONTACT}/a.wav", 900), T0),
    Numbered(2, Play("https://clips.s3.eu-central-1.amazonaws.com/openings/shop.wav", 900), T0),
    Numbered(3, End("goodbye"), T0),
]


class Aws:
    def __init__(self) -> None:
        def client(service: Any) -> Any:
            return boto3.client(service, region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")

        self.s3, self.events = client("s3"), client("events")
        self.on_s3, self.on_events = Stubber(self.s3), Stubber(self.events)
        self.on_s3.activate()
        self.on_events.activate()
        self.teller = AwsTeller(self.s3, self.events, "records", "clips", {"shop": 30, "clinic": 7})

    def tell(self, agent: str = "shop") -> None:
        self.teller.tell(Kind.ENDED, sent(a_call(agent=agent), TRANSFER), T0)


def put(days: int) -> dict[str, Any]:
    key = f"calls/{CONTACT}/1.json"
    kind = "application/json"
    return {"Bucket": "records", "Key": key, "Body": ANY, "ContentType": kind, "Tagging": f"keep-days={days}"}


@pytest.mark.parametrize(("agent", "days"), [("shop", 30), ("clinic.es", 7), ("nobody", 7)])
def test_the_record_comes_first_and_is_kept_as_long_as_the_agent_says(agent: str, days: int) -> None:
    aws = Aws()
    aws.on_s3.add_response("put_object", {}, put(days))
    aws.on_events.add_response("put_events", {"FailedEntryCount": 0, "Entries": []})
    aws.tell(agent)
    assert aws.teller.where(a_call()) == f"s3://records/calls/{CONTACT}/1.json"
    aws.on_s3.assert_no_pending_responses()
    aws.on_events.assert_no_pending_responses()


def test_nobody_is_told_of_a_record_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    aws = Aws()
    aws.on_s3.add_client_error("put_object", "SlowDown")
    aws.tell()
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["contact"]) == ("call_not_announced", CONTACT)


def test_only_the_clips_of_the_call_are_deleted() -> None:
    aws = Aws()
    objects = {"Objects": [{"Key": f"clips/{CONTACT}/a.wav"}], "Quiet": True}
    aws.on_s3.add_response("delete_objects", {}, {"Bucket": "clips", "Delete": objects})
    aws.teller.clear(CONTACT, LOG)
    aws.teller.clear(CONTACT, LOG[1:])
    aws.on_s3.assert_no_pending_responses()


def test_clips_that_cannot_be_deleted_are_left_to_the_buckets_own_rule(capsys: pytest.CaptureFixture[str]) -> None:
    aws = Aws()
    aws.on_s3.add_client_error("delete_objects", "AccessDenied")
    aws.teller.clear(CONTACT, LOG)
    assert "clips_not_deleted" in capsys.readouterr().out


def test_without_a_bucket_nobody_is_told() -> None:
    assert NOBODY.where(a_call()) == ""
    NOBODY.tell(Kind.ENDED, sent(a_call(), TRANSFER), T0)
    NOBODY.clear(CONTACT, LOG)
