"""The record of a call in S3, which outlives the table: told from where `va_record` of a handover points."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LINK = re.compile(r"s3://([a-z0-9.-]{3,63})/(calls/([^/]+)/\d+\.json)")


def contact_of(named: str) -> str:
    """The contact of a record's link; what is no link is the contact itself."""
    link = _LINK.fullmatch(named)
    return link[3] if link else named


def told(s3: S3Client, named: str, *, words: bool) -> Iterator[str]:
    """The record as lines, nothing for what is no link; without `words`, nothing that was said, typed or looked up.

    Raises ClientError, BotoCoreError.
    """
    link = _LINK.fullmatch(named)
    if link is None:
        return
    record = json.loads(s3.get_object(Bucket=link[1], Key=link[2])["Body"].read())
    yield f"contact {record['contact_id']}, attempt {record['attempt']}, agent {record['agent']}"
    yield f"from {record['started_at']} to {record['at']}: {record['result']}, {record['reason']}"
    if record["queue"]:
        yield f"to the queue {record['queue']}"
    yield from _lines(record, words)


def _lines(record: Mapping[str, Any], words: bool) -> Iterator[str]:
    for turn in record["turns"]:
        yield f"{turn['at']} {turn['role']}" + (f": {turn['text']}" if words else "")
    for function in record["functions"]:
        ended = f" ({function['error']})" if function["error"] else ""
        yield f"{function['at']} {function['name']}: {function['outcome']}{ended}, {function['took_ms']} ms"
