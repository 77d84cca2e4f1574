"""One configuration for an instance, whoever made it: what we do to ours, and never to somebody else's."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from lambdas import custom_resource
from lambdas.custom_resource import Outcome
from lambdas.streaming_storage.logic import StreamsElsewhere, streaming_storage

INSTANCE = "arn:aws:connect:eu-central-1:111122223333:instance/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
KEY = "alias/aws/kinesisvideo"
KIND = {"InstanceId": INSTANCE, "ResourceType": "MEDIA_STREAMS"}
STACK = {
    "StackId": "arn:aws:cloudformation:eu-central-1:111122223333:stack/x/y",
    "RequestId": "r",
    "LogicalResourceId": "Streaming",
    "ResponseURL": "https://cloudformation-custom-resource-response.s3.amazonaws.com/x",
}


def config(prefix: str = "voiceai", hours: int = 24, **more: str) -> dict[str, Any]:
    stream = {
        "Prefix": prefix,
        "RetentionPeriodHours": hours,
        "EncryptionConfig": {"EncryptionType": "KMS", "KeyId": KEY},
    }
    return {**more, "StorageType": "KINESIS_VIDEO_STREAM", "KinesisVideoStreamConfig": stream}


def request(kind: str, physical_id: str = "", *, hours: int = 24, remove: bool = False) -> dict[str, Any]:
    properties = {
        "ServiceToken": "arn:aws:lambda:eu-central-1:111122223333:function:x",
        "InstanceArn": INSTANCE,
        "Prefix": "voiceai",
        "RetentionHours": str(hours),
        "Key": KEY,
        "Remove": str(remove).lower(),
    }
    given = {"PhysicalResourceId": physical_id} if physical_id else {}
    return {**STACK, "RequestType": kind, "ResourceProperties": properties, **given}


class Instance:
    """Connect, which refuses every request that was not expected."""

    def __init__(self) -> None:
        self.client = boto3.client(
            "connect", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        self.stubber = Stubber(self.client)

    def has(self, *configs: dict[str, Any]) -> None:
        self.stubber.add_response("list_instance_storage_configs", {"StorageConfigs": list(configs)}, KIND)

    def asked(self, event: dict[str, Any]) -> Outcome:
        outcome = streaming_storage(self.client, event)
        self.stubber.assert_no_pending_responses()
        return outcome


@pytest.fixture
def instance() -> Iterator[Instance]:
    connect = Instance()
    with connect.stubber:
        yield connect


def test_where_there_is_none_it_is_made(instance: Instance) -> None:
    instance.has()
    expected = {**KIND, "StorageConfig": config()}
    instance.stubber.add_response("associate_instance_storage_config", {"AssociationId": "a"}, expected)
    assert instance.asked(request("Create")) == Outcome("ours:a", {"Owner": "ours"})


@pytest.mark.parametrize("prefix", ["voiceai", "voiceai-connect-alder-and-pine-contact-"])
def test_somebody_elses_is_used_as_it_is(instance: Instance, prefix: str) -> None:
    instance.has(config(prefix, 1, AssociationId="b"))
    assert instance.asked(request("Create")) == Outcome("theirs:b", {"Owner": "theirs"})


def test_somebody_elses_with_another_prefix_is_refused_with_what_to_do(instance: Instance) -> None:
    instance.has(config("calls-connect-alder-and-pine-contact-", AssociationId="b"))
    with pytest.raises(StreamsElsewhere, match=r"set connect\.streaming\.prefix to calls$"):
        instance.asked(request("Create"))


def test_what_is_no_video_stream_is_refused(instance: Instance) -> None:
    instance.has({"StorageType": "S3", "AssociationId": "b"})
    with pytest.raises(StreamsElsewhere):
        instance.asked(request("Create"))


def test_two_deployments_at_the_same_time_make_one(instance: Instance) -> None:
    instance.has()
    instance.stubber.add_client_error("associate_instance_storage_config", "ResourceConflictException")
    instance.has(config(AssociationId="b"))
    assert instance.asked(request("Create")).physical_id == "theirs:b"


def test_a_conflict_with_nothing_is_an_error(instance: Instance) -> None:
    instance.has()
    instance.stubber.add_client_error("associate_instance_storage_config", "ResourceConflictException")
    instance.has()
    with pytest.raises(ClientError, match="ResourceConflictException"):
        instance.asked(request("Create"))


def test_ours_follows_its_settings(instance: Instance) -> None:
    instance.has(config(AssociationId="a"))
    expected = {**KIND, "AssociationId": "a", "StorageConfig": config(hours=48, AssociationId="a")}
    instance.stubber.add_response("update_instance_storage_config", {}, expected)
    assert instance.asked(request("Update", "ours:a", hours=48)).physical_id == "ours:a"


def test_somebody_elses_is_never_changed(instance: Instance) -> None:
    instance.has(config(AssociationId="b"))
    assert instance.asked(request("Update", "theirs:b", hours=48)).physical_id == "theirs:b"


def test_what_somebody_put_in_the_place_of_ours_is_theirs(instance: Instance) -> None:
    instance.has(config(AssociationId="b"))
    assert instance.asked(request("Update", "ours:a", hours=48)).physical_id == "theirs:b"


def test_what_was_taken_away_is_made_anew(instance: Instance) -> None:
    instance.has()
    instance.stubber.add_response("associate_instance_storage_config", {"AssociationId": "c"})
    assert instance.asked(request("Update", "theirs:b")).physical_id == "ours:c"


@pytest.mark.parametrize("physical_id", ["ours:a", "theirs:b", "nothing"])
def test_it_stays_when_the_deployment_goes(instance: Instance, physical_id: str) -> None:
    assert instance.asked(request("Delete", physical_id)).physical_id == physical_id


@pytest.mark.parametrize("physical_id", ["theirs:b", "nothing"])
def test_somebody_elses_stays_even_when_forced(instance: Instance, physical_id: str) -> None:
    instance.asked(request("Delete", physical_id, remove=True))


def test_ours_goes_when_forced(instance: Instance) -> None:
    instance.has(config(AssociationId="a"))
    instance.stubber.add_response("disassociate_instance_storage_config", {}, {**KIND, "AssociationId": "a"})
    instance.asked(request("Delete", "ours:a", remove=True))


@pytest.mark.parametrize("there", [[], [config(AssociationId="b")]])
def test_nothing_is_forced_on_what_came_after_ours(instance: Instance, there: list[dict[str, Any]]) -> None:
    instance.has(*there)
    instance.asked(request("Delete", "ours:a", remove=True))


def answer(event: dict[str, Any], work: Any) -> dict[str, Any]:
    told: list[tuple[str, bytes]] = []
    custom_resource.answered(event, work, lambda url, body: told.append((url, body)))
    ((url, body),) = told
    assert url == STACK["ResponseURL"]
    found: dict[str, Any] = json.loads(body)
    return found


def test_cloudformation_is_told_what_there_is_now() -> None:
    told = answer(request("Create"), lambda: Outcome("ours:a", {"Owner": "ours"}))
    assert (told["Status"], told["PhysicalResourceId"], told["Data"]) == ("SUCCESS", "ours:a", {"Owner": "ours"})
    assert {key: told[key] for key in ("StackId", "RequestId", "LogicalResourceId")} == {
        key: STACK[key] for key in ("StackId", "RequestId", "LogicalResourceId")
    }


def test_every_error_is_an_answer_that_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> Outcome:
        raise StreamsElsewhere("calls", "voiceai")

    told = answer(request("Create"), refuse)
    assert (told["Status"], told["PhysicalResourceId"]) == ("FAILED", "nothing")
    assert told["Reason"].endswith("set connect.streaming.prefix to calls")
    assert answer(request("Update", "ours:a"), dict[str, Outcome]().popitem)["PhysicalResourceId"] == "ours:a"
    assert "custom_resource_failed" in capsys.readouterr().out


def test_the_handler_answers_by_itself(monkeypatch: pytest.MonkeyPatch, aws: None) -> None:
    handler = importlib.reload(importlib.import_module("lambdas.streaming_storage.handler"))
    told: list[bytes] = []
    monkeypatch.setattr(handler, "put", lambda url, body: told.append(body))
    with Stubber(handler.CONNECT) as stubber:
        stubber.add_client_error("list_instance_storage_configs", "AccessDeniedException")
        handler.handler(request("Create"), None)
    assert "AccessDeniedException" in json.loads(told[0])["Reason"]


def test_the_answer_is_put_without_a_content_type(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    class Opened:
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...

    def opened(asked: Any, timeout: float) -> Opened:
        sent.append(asked)
        return Opened()

    monkeypatch.setattr("urllib.request.urlopen", opened)
    custom_resource.put("https://example.com/x", b"{}")
    (asked,) = sent
    assert (asked.get_method(), asked.get_header("Content-type"), asked.data) == ("PUT", "", b"{}")
