"""The Lambdas' logger, set up once: AWS Lambda Powertools, one JSON line for each thing worth knowing.

`LOG.error("failed_over", contact=..., reason=...)`: the event, and what it is about as keys; a line about a call has
its contact id as `contact`. Never what was said, typed or looked up, and no event of Lambda as a whole.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

if TYPE_CHECKING:
    from typing import IO

    from aws_lambda_powertools.logging.types import LogRecord

SERVICE = "voice-agent"
LEVEL = "INFO"


class Lines(LambdaPowertoolsFormatter):
    """The message is called `event`, as in the gateway's log, so that one query finds the lines of both."""

    def serialize(self, log: LogRecord) -> str:
        named = {"event" if key == "message" else key: value for key, value in log.items()}
        return super().serialize(cast("LogRecord", named))


class _StandardOutput:
    """Whatever standard output is when a line is written: who invokes handlers may put another one in its place."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


# Neither places in the code nor trace ids: the event names the place, and nothing of ours traces.
LOG = Logger(
    service=SERVICE,
    level=LEVEL,
    stream=cast("IO[str]", _StandardOutput()),
    logger_formatter=Lines(log_record_order=["level", "message", "timestamp"], utc=True, use_rfc3339=True),
    location=None,
    xray_trace_id=None,
)


def contact_of(event: Mapping[str, Any]) -> str:
    """The contact id of a flow's event, "" where it is malformed: for lines about an event that was not read yet."""
    details = event.get("Details")
    contact = details.get("ContactData") if isinstance(details, Mapping) else None
    found = contact.get("ContactId") if isinstance(contact, Mapping) else None
    return found if isinstance(found, str) else ""
