"""The Lambda invocations of one contact: limits, retries, and answers that wait to be loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.connect.errors import Refusal, TooLarge
from simulator.connect.events import InvokeLambda, LambdaFailure, LambdaReturned

RESPONSE_BYTES = 32_768
RETRIES = 3  # of throttles and 5xx, within the block's limit (admin guide, Invoke Lambda function)
RETRY_AFTER_MS = 100  # unconfirmed: the pause between retries is not documented
RETRIED = frozenset({LambdaFailure.THROTTLED, LambdaFailure.SERVICE})


class BadAnswer(Refusal):
    """A Lambda's answer that the block does not accept."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found, expected)
        self.found = found
        self.expected = expected

    def __str__(self) -> str:
        return f"the Lambda returned {self.found}, expected {self.expected}"


@dataclass(slots=True)
class Invocation:
    """`ended_at_ms` is None while it runs; then `failure` tells whether there is a payload."""

    command: InvokeLambda
    response_type: str
    limit_at_ms: int
    retries: int = 0
    retry_at_ms: int | None = None
    ended_at_ms: int | None = None
    failure: LambdaFailure | None = None
    payload: object = None

    def answer(self) -> Mapping[str, Any]:
        """The payload as `$.External` would show it.

        Raises:
            TooLarge: more than 32 KB.
            BadAnswer: not what ResponseType promises, or the invocation failed.
        """
        if self.failure is not None:
            raise BadAnswer(f"nothing ({self.failure})", "an answer")
        payload = self.payload
        if not isinstance(payload, Mapping):
            raise BadAnswer(type(payload).__name__, "an object")
        size = len(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode())
        if size > RESPONSE_BYTES:
            raise TooLarge("the answer of a Lambda", size, RESPONSE_BYTES)
        if self.response_type == "STRING_MAP" and not all(isinstance(v, str) for v in payload.values()):
            raise BadAnswer("values that are not strings", "a flat map of strings")
        return payload


class Invocations:
    """All of them, by invocation id."""

    def __init__(self) -> None:
        self._by_id: dict[str, Invocation] = {}
        self._running: dict[str, Invocation] = {}  # apart, because a call of an hour makes thousands

    def begin(self, command: InvokeLambda, response_type: str, now_ms: int) -> Invocation:
        invocation = Invocation(command, response_type, now_ms + command.limit_ms)
        self._by_id[command.invocation_id] = self._running[command.invocation_id] = invocation
        return invocation

    def get(self, invocation_id: str) -> Invocation | None:
        return self._by_id.get(invocation_id)

    def returned(self, event: LambdaReturned, now_ms: int) -> None:
        """Keep the answer, or plan a retry. What nobody waits for any longer is ignored."""
        found = self._running.get(event.invocation_id)
        if found is None:
            return
        if event.error in RETRIED and found.retries < RETRIES:
            found.retries += 1
            found.retry_at_ms = now_ms + RETRY_AFTER_MS
            return
        found.payload = event.payload
        self._end(found, event.error, now_ms)

    def due(self, now_ms: int) -> Iterator[InvokeLambda]:
        """Close what has passed its limit; the retries that are due."""
        for found in list(self._running.values()):
            if found.limit_at_ms <= now_ms:
                self._end(found, LambdaFailure.TIMEOUT, found.limit_at_ms)
            elif found.retry_at_ms is not None and found.retry_at_ms <= now_ms:
                found.retry_at_ms = None
                yield found.command

    def _end(self, invocation: Invocation, failure: LambdaFailure | None, at_ms: int) -> None:
        invocation.failure, invocation.ended_at_ms = failure, at_ms
        del self._running[invocation.command.invocation_id]

    def next_due_ms(self) -> int | None:
        times = [found.limit_at_ms for found in self._running.values()]
        times += [found.retry_at_ms for found in self._running.values() if found.retry_at_ms is not None]
        return min(times, default=None)
