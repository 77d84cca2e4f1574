"""Where clips are put so that Connect can play them: objects in S3, read by Connect's service principal."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from contract.errors import VoiceAgentError
from contract.running import Run, in_thread

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

log = structlog.get_logger()
_DELETE_AT_ONCE = 1000  # keys of one DeleteObjects request (S3 API)


class PromptNotStored(VoiceAgentError):
    def __init__(self, key: str, cause: str) -> None:
        super().__init__(key, cause)
        self.key = key
        self.cause = cause

    def __str__(self) -> str:
        return f"S3 did not take the clip {self.key}: {self.cause}; check the bucket's policy and the task role"


class Prompts(Protocol):
    """Keeps clips for as long as a call lasts."""

    async def put(self, key: str, wav: bytes) -> str:
        """Store a file; returns the https URL for a Play prompt block. Raises PromptNotStored."""
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove files; a failure is logged, for the bucket expires them anyway."""
        ...


def clip_key(contact_id: str) -> str:
    """A name that nobody guesses: the bucket is private, and this is a second lock."""
    return f"clips/{contact_id}/{secrets.token_urlsafe(24)}.wav"


def key_of(url: str) -> str:
    """The key in a URL that `put` returned."""
    return url.partition(".amazonaws.com/")[2]


class S3Prompts:
    """Clips in a bucket. Encrypted with S3's own keys: Connect cannot read the AWS managed KMS key
    (Amazon Connect administrator guide, prompts from S3)."""

    def __init__(self, client: S3Client, bucket: str, region: str, run: Run = in_thread) -> None:
        self._client = client
        self._bucket = bucket
        self._region = region
        self._run = run

    async def put(self, key: str, wav: bytes) -> str:
        try:
            await self._run(
                lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=wav, ContentType="audio/wav")
            )
        except (ClientError, BotoCoreError) as error:
            raise PromptNotStored(key, str(error)) from error
        return f"https://{self._bucket}.s3.{self._region}.amazonaws.com/{key}"

    async def get(self, url: str) -> bytes:
        """A file that `put` stored; empty when it cannot be had."""
        try:
            answer = await self._run(lambda: self._client.get_object(Bucket=self._bucket, Key=key_of(url)))
            return await self._run(answer["Body"].read)
        except (ClientError, BotoCoreError) as error:
            log.error("prompt_not_read", url=url, error=type(error).__name__)
            return b""

    async def delete(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), _DELETE_AT_ONCE):
            await self._delete(keys[start : start + _DELETE_AT_ONCE])

    async def _delete(self, keys: Sequence[str]) -> None:
        objects: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in keys]
        try:
            answer = await self._run(
                lambda: self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
            )
        except (ClientError, BotoCoreError) as error:
            log.warning("clips_not_deleted", count=len(keys), error=type(error).__name__)
            return
        if refused := answer.get("Errors", []):  # DeleteObjects succeeds as a whole and names what it left
            log.warning("clips_not_deleted", count=len(refused), error=refused[0].get("Code", ""))


class MemoryPrompts:
    """The same in a dictionary, by URL, for calls within one process."""

    def __init__(self, bucket: str = "clips", region: str = "us-east-1") -> None:
        self.objects: dict[str, bytes] = {}
        self.deleted: list[str] = []
        self._base = f"https://{bucket}.s3.{region}.amazonaws.com/"

    async def put(self, key: str, wav: bytes) -> str:
        self.objects[self._base + key] = wav
        return self._base + key

    async def get(self, url: str) -> bytes:
        return self.objects.get(url, b"")

    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.objects.pop(self._base + key, None)
            self.deleted.append(key)
