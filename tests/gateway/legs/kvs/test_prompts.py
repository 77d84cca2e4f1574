from __future__ import annotations

import io

import boto3
import pytest
import structlog
from botocore.exceptions import EndpointConnectionError
from botocore.response import StreamingBody
from botocore.stub import Stubber
from structlog.testing import capture_logs

from contract.running import inline
from gateway.legs.kvs.prompts import MemoryPrompts, PromptNotStored, S3Prompts, clip_key, key_of


@pytest.fixture
def s3() -> tuple[S3Prompts, Stubber]:
    client = boto3.client("s3", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    return S3Prompts(client, "clips", "eu-central-1", inline), Stubber(client)


@pytest.fixture(autouse=True)
def _plain_logs() -> None:
    structlog.reset_defaults()


def test_clips_have_names_that_nobody_guesses() -> None:
    first, second = clip_key("c1"), clip_key("c1")
    assert first != second
    assert first.startswith("clips/c1/")
    assert len(first) > 40


async def test_a_clip_is_stored_and_has_a_url_that_connect_reads(s3: tuple[S3Prompts, Stubber]) -> None:
    prompts, stub = s3
    expected = {"Bucket": "clips", "Key": "k.wav", "Body": b"wav", "ContentType": "audio/wav"}
    stub.add_response("put_object", {}, expected)
    with stub:
        assert await prompts.put("k.wav", b"wav") == "https://clips.s3.eu-central-1.amazonaws.com/k.wav"


async def test_a_clip_that_is_refused_says_why(s3: tuple[S3Prompts, Stubber]) -> None:
    prompts, stub = s3
    stub.add_client_error("put_object", "AccessDenied", "no")
    with stub, pytest.raises(PromptNotStored) as caught:
        await prompts.put("k.wav", b"wav")
    assert caught.value.key == "k.wav"
    assert "AccessDenied" in str(caught.value)


async def test_a_thousand_clips_are_deleted_at_once(s3: tuple[S3Prompts, Stubber]) -> None:
    prompts, stub = s3
    keys = [f"k{number}" for number in range(1001)]
    for part in (keys[:1000], keys[1000:]):
        delete = {"Objects": [{"Key": key} for key in part], "Quiet": True}
        stub.add_response("delete_objects", {}, {"Bucket": "clips", "Delete": delete})
    with stub:
        await prompts.delete(keys)
        await prompts.delete([])
    stub.assert_no_pending_responses()


async def test_clips_that_stay_are_logged_and_harm_nobody(s3: tuple[S3Prompts, Stubber]) -> None:
    prompts, stub = s3
    stub.add_client_error("delete_objects", "SlowDown", "later")
    stub.add_response("delete_objects", {"Errors": [{"Key": "k1", "Code": "AccessDenied"}]})
    with stub, capture_logs() as logs:
        await prompts.delete(["k1"])
        await prompts.delete(["k1"])
    assert [(line["event"], line["error"]) for line in logs] == [
        ("clips_not_deleted", "ClientError"),
        ("clips_not_deleted", "AccessDenied"),
    ]


async def test_a_bucket_that_cannot_be_reached_is_a_clip_not_stored() -> None:
    class Unreachable:
        def put_object(self, **_: object) -> None:
            raise EndpointConnectionError(endpoint_url="https://s3")

    with pytest.raises(PromptNotStored):
        await S3Prompts(Unreachable(), "clips", "eu-central-1", inline).put("k", b"")  # type: ignore[arg-type]


async def test_memory_keeps_clips_by_url_until_they_are_deleted() -> None:
    prompts = MemoryPrompts()
    url = await prompts.put("k.wav", b"wav")
    assert url == "https://clips.s3.us-east-1.amazonaws.com/k.wav"
    assert key_of(url) == "k.wav"
    assert prompts.objects == {url: b"wav"}
    await prompts.delete(["k.wav", "unknown"])
    assert prompts.objects == {}
    assert prompts.deleted == ["k.wav", "unknown"]


async def test_a_file_is_read_again_by_its_url(s3: tuple[S3Prompts, Stubber]) -> None:
    prompts, stub = s3
    body = StreamingBody(io.BytesIO(b"wav"), 3)
    stub.add_response("get_object", {"Body": body}, {"Bucket": "clips", "Key": "openings/o.wav"})
    stub.add_client_error("get_object", "NoSuchKey", "gone")
    url = "https://clips.s3.eu-central-1.amazonaws.com/openings/o.wav"
    with stub, capture_logs() as logs:
        assert await prompts.get(url) == b"wav"
        assert await prompts.get(url) == b""
    assert [(line["event"], line["error"]) for line in logs] == [("prompt_not_read", "NoSuchKey")]


async def test_in_memory_too() -> None:
    prompts = MemoryPrompts()
    url = await prompts.put("k.wav", b"wav")
    assert await prompts.get(url) == b"wav"
    assert await prompts.get("other") == b""
