"""The entry points as the Lambda runtime calls them, with AWS in this process."""

from __future__ import annotations

import importlib
import json
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from contract.dynamodb import create_table
from definition.spoken import FOLDER, load
from lambdas.settings import Settings
from lambdas.telling import NOBODY
from tests.contract.samples import CONTACT, QUEUE
from tests.lambdas.samples import a_start, an_event

MODULES = (
    "environment",
    "start_call.handler",
    "next_action.handler",
    "contact_event.handler",
    "queue_position.handler",
    "secret_keys.handler",
    "queue_hours.handler",
)


class Context:
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 2100  # held for 100 ms, so that the tests wait no longer


@pytest.fixture
def handlers(aws: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    create_table(boto3.client("dynamodb"), "calls")
    queue = boto3.client("sqs").create_queue(QueueName="wakeups")["QueueUrl"]
    boto3.client("s3").create_bucket(Bucket="records", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    monkeypatch.setenv("TABLE_NAME", "calls")
    monkeypatch.setenv("WAKEUP_QUEUE_URL", queue)
    monkeypatch.setenv("DEFAULT_QUEUE_ARN", QUEUE)
    monkeypatch.setenv("DEFAULT_QUEUE", "support")
    monkeypatch.setenv("RECORD_BUCKET", "records")
    monkeypatch.setenv("CLIP_BUCKET", "clips")
    monkeypatch.setenv("TIMES", json.dumps({"en": load(FOLDER / "en.yaml")[1]}))
    monkeypatch.setenv("KEEP_DAYS", '{"shop": 30}')
    loaded = {name: importlib.reload(importlib.import_module(f"lambdas.{name}")) for name in MODULES}
    return {name.split(".")[0]: module for name, module in loaded.items()}


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_call_begins_is_asked_for_and_ends(
    handlers: dict[str, ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    assert handlers["start_call"].handler(a_start(), Context())["action"] == "agent"
    for form in ("wait", "poll"):
        answer = getattr(handlers["next_action"], form)(an_event({"attempt": "1", "loaded": "0"}), Context())
        assert answer["action"] == "listen"
    ended = {"source": "aws.connect", "detail": {"eventType": "DISCONNECTED", "contactId": CONTACT, "channel": "VOICE"}}
    assert handlers["contact_event"].handler(ended, Context()) == {"recorded": True}
    answer = handlers["next_action"].poll(an_event({"attempt": "1", "digits": "4711"}), Context())
    assert (answer["action"], answer["reason"]) == ("end", "caller_gone")
    messages = boto3.client("sqs").receive_message(QueueUrl="wakeups")["Messages"]
    assert [message["Body"] for message in messages] == [CONTACT]
    logged = lines(capsys)
    assert [entry["event"] for entry in logged] == ["started", "answered", "answered", "disconnected", "answered"]
    assert {entry["contact"] for entry in logged} == {CONTACT}
    assert "4711" not in json.dumps(logged)
    assert "+4930" not in json.dumps(logged)


def test_a_malformed_request_goes_to_the_queue(
    handlers: dict[str, ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    answer = handlers["next_action"].poll(an_event({"attempt": "one"}), Context())
    assert (answer["action"], answer["reason"], answer["queueArn"]) == ("transfer", "malformed_event", QUEUE)
    (line,) = lines(capsys)
    assert (line["level"], line["event"], line["contact"]) == ("ERROR", "malformed_event", CONTACT)
    assert line["where"] == "attempt"


def test_the_deployment_may_limit_live_calls() -> None:
    environment = {"DEFAULT_QUEUE_ARN": QUEUE, "DEFAULT_QUEUE": "support"}
    assert Settings.of(environment) == Settings(QUEUE, "support", 0)
    assert Settings.of({**environment, "MAX_CALLS": "40"}).max_calls == 40
    assert Settings.of({**environment, "LANGUAGES": '{"es": "es"}'}).languages == {"es": "es"}


def test_a_deployment_without_a_queue_is_an_error() -> None:
    with pytest.raises(KeyError):
        Settings.of({})


def test_the_hours_of_a_queue_that_cannot_be_had_are_none(
    handlers: dict[str, ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    module = handlers["queue_hours"]
    with Stubber(module.CONNECT) as stubber:
        stubber.add_client_error("describe_queue", "TooManyRequestsException")
        assert module.handler(an_event({"queue": QUEUE}), Context()) == {
            "known": "no",
            "opens": "none",
            "sentence": "none",
        }
    assert [entry["event"] for entry in lines(capsys)] == ["hours_unknown"]


def test_without_a_bucket_the_lambdas_tell_nobody(
    handlers: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RECORD_BUCKET")
    environment = importlib.reload(importlib.import_module("lambdas.environment"))
    assert environment.TELLER is NOBODY


def test_a_place_in_the_queue_that_cannot_be_had_is_none(
    handlers: dict[str, ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    module = handlers["queue_position"]
    with Stubber(module.CONNECT) as stubber:
        stubber.add_client_error("get_contact_metrics", "ThrottlingException")
        assert module.handler(an_event({}), Context()) == {"known": "no", "position": "none", "sentence": "none"}
    assert [entry["event"] for entry in lines(capsys)] == ["position_unknown"]


def test_keys_that_nobody_asked_for_go_nowhere(handlers: dict[str, ModuleType]) -> None:
    handlers["start_call"].handler(a_start(), Context())
    event = an_event({"attempt": "1", "loaded": "1", "digits": "4711"})
    assert handlers["secret_keys"].handler(event, Context()) == {"told": "entered"}
