"""Recordings of calls for customers: parts of both sides, each put where the record of the call is.

Off unless the agent definition says `record_calls`. A caller never waits for it: what cannot be stored is lost, with a
line in the log. After a takeover the next gateway begins a part of its own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from contract.announcement import record_prefix
from contract.call import Call
from contract.running import Run, in_thread
from gateway.legs.tape import Part, Tape, stereo_wav

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = structlog.get_logger()

LOOK_S = 5.0


class Shelf(Protocol):
    """Where recordings are kept."""

    async def put(self, key: str, part: Part, keep_days: int) -> None:
        """As a WAV file. What fails is logged, and nothing else."""
        ...


class NoShelf:
    """Nothing is recorded, whatever the definition says."""

    async def put(self, key: str, part: Part, keep_days: int) -> None:
        log.error("recording_not_kept", key=key, why="no bucket")


class S3Shelf:
    """Beside the records of calls: encrypted and expiring as they are. A file of two megabytes is put together in the
    thread that sends it, since the loop paces the audio of all calls."""

    def __init__(self, client: S3Client, bucket: str, run: Run = in_thread) -> None:
        self._client = client
        self._bucket = bucket
        self._run = run

    async def put(self, key: str, part: Part, keep_days: int) -> None:
        tags = f"keep-days={keep_days}"
        try:
            await self._run(
                lambda: self._client.put_object(
                    Bucket=self._bucket, Key=key, Body=stereo_wav(part), ContentType="audio/wav", Tagging=tags
                )
            )
        except (ClientError, BotoCoreError) as error:
            log.error("recording_not_kept", key=key, why=type(error).__name__)


def part_key(call: Call, part: Part) -> str:
    """Below the prefix of everything that is kept of a contact."""
    return f"{record_prefix(call.contact_id)}{call.attempt}-audio-{part.started_ms}.wav"


class CallAudio:
    """The recording of one call: `tape` is what its leg writes to."""

    def __init__(self, shelf: Shelf, call: Call, keep_days: int) -> None:
        self.tape = Tape()
        self._shelf = shelf
        self._call = call
        self._keep_days = keep_days

    async def run(self) -> None:
        """Put away what is full."""
        while True:
            await asyncio.sleep(LOOK_S)
            while (part := self.tape.full()) is not None:
                await self._put(part)

    async def close(self) -> None:
        """And what is left."""
        while (part := self.tape.full() or self.tape.rest()) is not None:
            await self._put(part)

    async def _put(self, part: Part) -> None:
        await self._shelf.put(part_key(self._call, part), part, self._keep_days)
