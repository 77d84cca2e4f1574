"""A ticket for each call that did not end with a goodbye, in any system with an HTTP API that takes JSON."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from lambdas.subscribers.event import CallEvent

ATTEMPTS = 3
TIMEOUT_S = 5.0
PAUSES_S = (0.5, 2.0)
UNAUTHORISED = (401, 403)  # the token may have been changed since it was read
_AGAIN = (408, 409, 425, 429, 500, 502, 503, 504)  # another attempt may succeed


class TicketRefused(Exception):
    """The API did not take the ticket; raised out of the Lambda, so that the event is delivered again or kept."""

    def __init__(self, status: int, attempts: int) -> None:
        super().__init__(status, attempts)
        self.status = status
        self.attempts = attempts

    def __str__(self) -> str:
        said = f"status {self.status}" if self.status else "no answer"
        return f"the ticket API refused after {self.attempts} attempts: {said}"


def ticket(event: CallEvent, record: Mapping[str, Any]) -> dict[str, Any]:
    """What the API gets; change it to what yours wants."""
    said = "\n".join(f"{turn['role']}: {turn['text']}" for turn in record.get("turns", ()))
    return {
        "external_id": event.id,
        "subject": f"Call to {event.agent}: {event.reason}",
        "caller": record.get("caller_number", ""),
        "queue": event.queue,
        "summary": record.get("summary", ""),
        "body": said,
    }


def post(
    url: str, token: str, key: str, body: Mapping[str, Any], *, sleep: Callable[[float], None] = time.sleep
) -> None:
    """POST with an idempotency key, so that an attempt whose answer was lost makes no second ticket.

    Raises:
        TicketRefused: after all attempts, or at once where another one cannot help.
    """
    status = 0
    for attempt in range(ATTEMPTS):
        if attempt:
            sleep(PAUSES_S[attempt - 1])
        try:
            status = _once(url, token, key, json.dumps(body).encode())
        except (OSError, http.client.HTTPException):
            status = 0
        if 200 <= status < 300:
            return
        if status and status not in _AGAIN:
            raise TicketRefused(status, attempt + 1)
    raise TicketRefused(status, ATTEMPTS)


def _once(url: str, token: str, key: str, body: bytes) -> int:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=TIMEOUT_S)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}", "idempotency-key": key}
    try:
        connection.request("POST", target, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()
