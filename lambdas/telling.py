"""Telling of calls that no gateway can tell of: refused at the start, or sent to a human by the dead man's switch.

What fails is logged and nothing else: the caller waits while it is told. Clips that a dead gateway left behind are
deleted here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from contract import announcement
from contract.actions import Numbered, Play, Transfer
from contract.announcement import Kind, Told
from contract.announcing import EventsClient, put_event, put_record
from contract.call import Call, Result
from contract.turns import FunctionEntry, Turn
from lambdas.log import LOG

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MOST_AT_ONCE = 1000  # keys in one DeleteObjects (S3 API)


@dataclass(frozen=True, slots=True)
class Unserved:
    """A call that no gateway tells of, and what became of it. `queue` and `handover` are empty where the caller has
    hung up."""

    call: Call
    result: Result
    reason: str
    queue: str = ""
    handover: Mapping[str, str] = field(default_factory=dict)
    turns: Sequence[Turn] = ()
    functions: Sequence[FunctionEntry] = ()


def sent(
    call: Call, transfer: Transfer, turns: Sequence[Turn] = (), functions: Sequence[FunctionEntry] = ()
) -> Unserved:
    """A call that a Lambda has sent to a human."""
    return Unserved(call, Result.FAILED, transfer.reason, transfer.queue, transfer.handover, turns, functions)


class Teller(Protocol):
    def where(self, call: Call) -> str:
        """Where the record of a call is kept, "" where none is."""
        ...

    def tell(self, kind: Kind, unserved: Unserved, at_ms: int) -> None:
        """Keep the record and announce it."""
        ...

    def clear(self, contact_id: str, log_: Iterable[Numbered]) -> None:
        """Delete the clips of a call."""
        ...


class Nobody:
    """Nothing is kept and nobody is told."""

    def where(self, call: Call) -> str:
        return ""

    def tell(self, kind: Kind, unserved: Unserved, at_ms: int) -> None:
        pass

    def clear(self, contact_id: str, log_: Iterable[Numbered]) -> None:
        pass


NOBODY = Nobody()


class AwsTeller:
    """`keep_days` by agent; of an agent that is not known the shortest of them."""

    def __init__(
        self,
        s3: S3Client,
        events: EventsClient,
        records: str,
        clips: str,
        keep_days: dict[str, int],
        bus: str = "default",
    ) -> None:
        self._s3 = s3
        self._events = events
        self._records = records
        self._clips = clips
        self._keep_days = keep_days
        self._bus = bus

    def where(self, call: Call) -> str:
        return announcement.record_uri(call, self._records)

    def tell(self, kind: Kind, unserved: Unserved, at_ms: int) -> None:
        call, handover = unserved.call, unserved.handover
        summary = handover.get("va_summary", "")
        told = Told(kind, at_ms, unserved.result.value, unserved.reason, unserved.queue, summary, handover)
        try:
            days = self._days(call.agent)
            put_record(self._s3, self._records, call, told, unserved.turns, unserved.functions, days)
            put_event(self._events, self._bus, call, told, self._records)
        except (ClientError, BotoCoreError) as error:
            LOG.error("call_not_announced", contact=call.contact_id, why=type(error).__name__)

    def clear(self, contact_id: str, log_: Iterable[Numbered]) -> None:
        urls = [each.action.prompt_url for each in log_ if isinstance(each.action, Play)]
        paths = [urlsplit(url).path.lstrip("/") for url in urls]
        keys = [path for path in paths if path.startswith(f"clips/{contact_id}/")]
        try:
            for first in range(0, len(keys), MOST_AT_ONCE):
                objects = [{"Key": key} for key in keys[first : first + MOST_AT_ONCE]]
                self._s3.delete_objects(Bucket=self._clips, Delete={"Objects": objects, "Quiet": True})  # type: ignore[typeddict-item]
        except (ClientError, BotoCoreError) as error:
            LOG.warning("clips_not_deleted", contact=contact_id, why=type(error).__name__)

    def _days(self, agent: str) -> int:
        name = agent.partition(".")[0]
        return self._keep_days.get(name, min(self._keep_days.values(), default=1))
