"""The event as a subscriber reads it, and the record that it points to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

MAJOR = "1"


class NotUnderstood(Exception):
    """The event is not one of ours, or of a version that says something else."""


class ObjectStore(Protocol):
    """What we use of boto3's S3 client."""

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]: ...  # noqa: N803


@dataclass(frozen=True, slots=True)
class CallEvent:
    """`id` is the same when the same event comes again."""

    id: str
    contact_id: str
    agent: str
    instance_arn: str
    result: str
    reason: str
    queue: str
    bucket: str
    key: str

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> CallEvent:
        """Raises NotUnderstood."""
        detail = event.get("detail") or {}
        if str(detail.get("version", "")).partition(".")[0] != MAJOR:
            raise NotUnderstood(f"an event of version {detail.get('version')}, expected {MAJOR}")
        try:
            names = ("id", "contact_id", "agent", "instance_arn", "result", "reason", "queue")
            told = {name: str(detail[name]) for name in names}
            return cls(**told, bucket=str(detail["record"]["bucket"]), key=str(detail["record"]["key"]))
        except (KeyError, TypeError) as missing:
            raise NotUnderstood(f"an event without {missing}") from None

    def record(self, store: ObjectStore) -> dict[str, Any]:
        """What was said. boto3's errors go through: the event is delivered again."""
        answer: dict[str, Any] = json.loads(store.get_object(Bucket=self.bucket, Key=self.key)["Body"].read())
        return answer
