"""Records of calls in S3, and the events that point to them on EventBridge. Neither ever keeps a caller waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from contract import announcement
from contract.announcement import Told
from contract.announcing import EventsClient, put_event, put_record
from contract.call import Call
from contract.running import Run, in_thread
from contract.turns import FunctionEntry, Turn

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = structlog.get_logger()


class Announcer(Protocol):
    def where(self, call: Call) -> str:
        """Where the record of a call is kept, as an s3 URI; "" where none is."""
        ...

    async def tell(
        self, call: Call, told: Told, turns: Sequence[Turn], functions: Sequence[FunctionEntry], keep_days: int
    ) -> None:
        """Keep the record and announce it; what fails is logged, and nothing else."""
        ...

    async def keep(
        self, call: Call, told: Told, turns: Sequence[Turn], functions: Sequence[FunctionEntry], keep_days: int
    ) -> None:
        """Keep the record alone: before a transfer that may still be taken back."""
        ...


@dataclass(frozen=True, slots=True)
class NobodyToTell:
    """Nothing is kept beyond the table, and nobody is told. `record` is what a replayed call had told of its own."""

    record: str = ""

    def where(self, call: Call) -> str:
        return self.record

    async def tell(
        self, call: Call, told: Told, turns: Sequence[Turn], functions: Sequence[FunctionEntry], keep_days: int
    ) -> None:
        pass

    async def keep(
        self, call: Call, told: Told, turns: Sequence[Turn], functions: Sequence[FunctionEntry], keep_days: int
    ) -> None:
        pass


class AwsAnnouncer:
    """First the record, then the event that points to it: a subscriber finds what it is told of."""

    def __init__(self, s3: S3Client, events: EventsClient, bucket: str, bus: str, run: Run = in_thread) -> None:
        self._s3 = s3
        self._events = events
        self._bucket = bucket
        self._bus = bus
        self._run = run

    def where(self, call: Call) -> str:
        return announcement.record_uri(call, self._bucket)

    async def tell(
        self, call: Call, told: Told, turns: Sequence[Turn], functions: Sequence[FunctionEntry], keep_days: int
    ) -> None:
        if await self._kept(call, told, turns, functions, keep_days):
            await self._safely(call, told, lambda: put_event(self._events, self._bus, call, told, self._bucket))

    async def keep(
        self, call: Call, told: Told, turns: Sequence[Turn], functions: Sequence[FunctionEntry], keep_days: int
    ) -> None:
        await self._kept(call, told, turns, functions, keep_days)

    async def _kept(
        self, call: Call, told: Told, turns: Sequence[Turn], functions: Sequence[FunctionEntry], keep_days: int
    ) -> bool:
        return await self._safely(
            call, told, lambda: put_record(self._s3, self._bucket, call, told, turns, functions, keep_days)
        )

    async def _safely(self, call: Call, told: Told, do: Callable[[], None]) -> bool:
        try:
            await self._run(do)
        except (ClientError, BotoCoreError) as error:
            log.error("call_not_announced", contact=call.contact_id, kind=told.kind.value, why=type(error).__name__)
            return False
        return True
