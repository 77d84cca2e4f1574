"""Recordings for customers: put away part by part, and never in a caller's way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import boto3
import pytest
from botocore.stub import Stubber
from structlog.testing import capture_logs

from contract.announcement import record_prefix
from contract.audio import BYTES_PER_MS
from contract.running import inline
from gateway import call_audio
from gateway.call_audio import LOOK_S, CallAudio, NoShelf, S3Shelf
from gateway.legs.tape import LATE_MS, PART_MS, Part, stereo_wav
from tests.contract.samples import CONTACT, T0, a_call

T = TypeVar("T")
PART = Part(1, b"said", b"sung")


class Shelf:
    def __init__(self) -> None:
        self.kept: list[tuple[str, int, int]] = []

    async def put(self, key: str, part: Part, keep_days: int) -> None:
        self.kept.append((key, len(part.caller), keep_days))


async def test_what_is_full_is_put_away_while_the_call_lasts_and_the_rest_at_its_end() -> None:
    shelf = Shelf()
    audio = CallAudio(shelf, a_call(), 30)
    running = asyncio.create_task(audio.run())
    audio.tape.said(T0, bytes((PART_MS + LATE_MS) * BYTES_PER_MS))
    await asyncio.sleep(LOOK_S + 1)
    assert [key for key, _, _ in shelf.kept] == [f"{record_prefix(CONTACT)}1-audio-{T0}.wav"]
    running.cancel()
    await audio.close()
    await audio.close()
    assert [(key.rpartition("-")[2], days) for key, _, days in shelf.kept[1:]] == [(f"{T0 + PART_MS}.wav", 30)]


def client() -> Any:
    return boto3.client("s3", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.mark.parametrize("refused", [False, True])
def test_a_part_expires_with_the_record_and_a_refusal_is_logged(refused: bool) -> None:
    s3 = client()
    given = {
        "Bucket": "records",
        "Key": "calls/c/1-audio-1.wav",
        "Body": stereo_wav(PART),
        "ContentType": "audio/wav",
        "Tagging": "keep-days=7",
    }
    with Stubber(s3) as stubber, capture_logs() as logged:
        if refused:
            stubber.add_client_error("put_object", "AccessDenied")
        else:
            stubber.add_response("put_object", {}, given)
        asyncio.run(S3Shelf(s3, "records", inline).put("calls/c/1-audio-1.wav", PART, 7))
    told = [(entry["event"], entry["key"]) for entry in logged]  # whose it is stands in the key
    assert told == ([("recording_not_kept", "calls/c/1-audio-1.wav")] if refused else [])


def test_a_part_is_put_together_in_the_thread_that_sends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    in_run = False
    made: list[bool] = []

    async def run(blocking: Callable[[], T]) -> T:
        nonlocal in_run
        in_run = True
        try:
            return blocking()
        finally:
            in_run = False

    def wav(part: Part) -> bytes:
        made.append(in_run)
        return b"wav"

    monkeypatch.setattr(call_audio, "stereo_wav", wav)
    s3 = client()
    with Stubber(s3) as stubber:
        stubber.add_response("put_object", {})
        asyncio.run(S3Shelf(s3, "records", run).put("key", PART, 7))
    assert made == [True]


def test_without_a_bucket_it_is_said_that_nothing_is_kept() -> None:
    with capture_logs() as logged:
        asyncio.run(NoShelf().put("key", PART, 1))
    assert logged[0]["why"] == "no bucket"
