"""When and from where to open GetMedia again: a policy without I/O, with time and chance passed in.

Limits that shape it (Kinesis Video Streams quotas): 5 GetMedia and 5 GetDataEndpoint a second and stream,
few connections to one stream at a time. A body that ends after some 45 minutes and a read time-out of 3 s while
the producer pauses are everyday events: they are answered at once and never count as failures, as long as not
each of them follows the one before within a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gateway.legs.kvs.blocks import Position
from gateway.legs.kvs.errors import Cause

EARLY_START_MS = 1_000
"""Reading begins this long before the stream's StartTimestamp: FRAGMENT_NUMBER is exclusive, and starting there
loses the first second (issue 199 of AWS's parser library)."""

FIRST_DELAY_MS = 200
LONGEST_DELAY_MS = 3_000
NORMAL_SESSION_MS = 1_000
"""A session that lasted so long ended normally; a shorter one is a failure, or we would reopen in a circle."""
FAILING_FOR_MS = 30_000
"""Failures without progress are endured so long."""
SILENT_FOR_MS = 120_000
"""Sessions without a byte are reopened so long. Connect delivers silence while a contact lives; that it is over
is told by others, much sooner."""
MISSING_FOR_MS = 5_000
REFUSALS = 3
CORRUPT_AGAIN = 2

FRAGMENT_NOT_FOUND = 4000
_KMS_REFUSALS = frozenset({4500, 4501, 4502, 4504, 4505, 4506})
"""Access denied, key disabled, validation, invalid usage, invalid state, not found; 4503 (unavailable) may pass."""


class StartAt(StrEnum):
    """The kinds of StartSelector that we use. Never EARLIEST: the stream holds calls of other people."""

    PRODUCER_TIMESTAMP = "PRODUCER_TIMESTAMP"
    FRAGMENT_NUMBER = "FRAGMENT_NUMBER"
    CONTINUATION_TOKEN = "CONTINUATION_TOKEN"  # noqa: S105 - no password


@dataclass(frozen=True, slots=True)
class StartSelector:
    """`value`: epoch ms of a PRODUCER_TIMESTAMP, else the number after which, or the token at which, to start."""

    kind: StartAt
    value: str

    @classmethod
    def at_time(cls, epoch_ms: int) -> StartSelector:
        return cls(StartAt.PRODUCER_TIMESTAMP, str(max(0, epoch_ms)))

    @classmethod
    def after(cls, fragment_number: str) -> StartSelector:
        return cls(StartAt.FRAGMENT_NUMBER, fragment_number)

    @classmethod
    def at_token(cls, token: str) -> StartSelector:
        return cls(StartAt.CONTINUATION_TOKEN, token)


@dataclass(frozen=True, slots=True)
class Stopped:
    """What became of one body: `error_id` for Cause.IN_BAND, `opened_at_ms` when it was asked for."""

    cause: Cause
    opened_at_ms: int
    error_id: int = 0


@dataclass(frozen=True, slots=True)
class Reopen:
    selector: StartSelector
    delay_ms: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """`reason` is a short snake_case word for the record; `attempts` were made without progress."""

    reason: str
    attempts: int


class ReconnectPolicy:
    """Decides after each end of a body. `random` gives numbers from 0 to below 1."""

    def __init__(self, start_timestamp_ms: int, random: Callable[[], float]) -> None:
        self._start = StartSelector.at_time(start_timestamp_ms - EARLY_START_MS)
        self._random = random
        self._reached = Position()
        self._attempts = 0  # without progress
        self._failures = 0
        self._refusals = 0
        self._corrupt = 0
        self._stuck_since_ms = -1
        self._failing_since_ms = -1
        self._refused: set[StartAt] = set()
        self._used = self._start

    def first(self) -> StartSelector:
        return self._start

    def next(self, stopped: Stopped, position: Position, now_ms: int) -> Reopen | GiveUp:
        """What to do about the end of a body that had come to `position`."""
        if position != self._reached:
            self._progress(position)
        self._attempts += 1
        if self._stuck_since_ms < 0:
            self._stuck_since_ms = now_ms
        if self._is_normal(stopped, now_ms):
            self._failures, self._failing_since_ms = 0, -1
            if now_ms - self._stuck_since_ms >= SILENT_FOR_MS:
                return GiveUp("media_silent", self._attempts)
            return self._reopen(position, 0)
        if self._failing_since_ms < 0:
            self._failing_since_ms = now_ms
        self._failures += 1
        if (reason := self._hopeless(stopped, now_ms)) is not None:
            return GiveUp(reason, self._attempts)
        self._learn(stopped)
        return self._reopen(position, self._delay_ms())

    def _reopen(self, position: Position, delay_ms: int) -> Reopen:
        self._used = self._selector(position)
        return Reopen(self._used, delay_ms)

    def _progress(self, position: Position) -> None:
        if position.fragment_number != self._reached.fragment_number:
            self._refused.clear()
            self._corrupt = 0
        self._reached = position
        self._attempts = self._failures = self._refusals = 0
        self._stuck_since_ms = self._failing_since_ms = -1

    def _is_normal(self, stopped: Stopped, now_ms: int) -> bool:
        lasted = now_ms - stopped.opened_at_ms
        return stopped.cause in (Cause.BODY_ENDED, Cause.IDLE) and lasted >= NORMAL_SESSION_MS

    def _hopeless(self, stopped: Stopped, now_ms: int) -> str | None:
        """Why there is no point in going on, as a word for the record."""
        if stopped.cause is Cause.NOT_AUTHORIZED:
            self._refusals += 1
            return "not_authorized" if self._refusals >= REFUSALS else None
        if stopped.cause is Cause.IN_BAND and stopped.error_id in _KMS_REFUSALS:
            return f"kms_{stopped.error_id}"
        limit = MISSING_FOR_MS if stopped.cause is Cause.NOT_FOUND else FAILING_FOR_MS
        return str(stopped.cause) if now_ms - self._failing_since_ms >= limit else None

    def _learn(self, stopped: Stopped) -> None:
        """Which selectors to avoid until there is progress."""
        unusable = stopped.cause is Cause.INVALID_ARGUMENT or stopped.error_id == FRAGMENT_NOT_FOUND
        if unusable:
            self._refused.add(self._used.kind)
        if stopped.cause is Cause.CORRUPT:
            self._corrupt += 1

    def _selector(self, position: Position) -> StartSelector:
        """After the last fragment that was read whole, so that a cut one is read again.

        The token comes second: a printed capture shows the text "FRAGMENT_NUMBER" in its place.
        """
        number, token = position.fragment_number, position.continuation_token
        if self._corrupt >= CORRUPT_AGAIN and position.open_fragment:
            number = position.open_fragment
        if number and StartAt.FRAGMENT_NUMBER not in self._refused:
            return StartSelector.after(number)
        if token.isdigit() and StartAt.CONTINUATION_TOKEN not in self._refused:
            return StartSelector.at_token(token)
        if position.media_ms:
            return StartSelector.at_time(position.media_ms - EARLY_START_MS)
        return self._start

    def _delay_ms(self) -> int:
        """Doubling, half of it by chance, so that gateways that failed together do not return together."""
        ceiling: int = min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** min(self._failures - 1, 10))
        return round(ceiling * (0.5 + self._random() / 2))
