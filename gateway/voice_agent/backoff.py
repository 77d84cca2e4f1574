"""When to try a new session, or not at all any more: a pure policy for the call.

Doubling delays with jitter, so that the calls of a gateway that all lost their sessions do not all come back at the
same moment. The record is wiped only by a session that held: one that fails right after SettingsApplied, each time,
must not be tried for ever while the caller waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.voice_agent.treatment import Kind, Retry, SessionEnded


@dataclass(frozen=True, slots=True)
class Series:
    """Delays of `base_ms`, doubling up to `cap_ms`, at most `attempts` of them."""

    base_ms: int
    cap_ms: int
    attempts: int

    def delay_ms(self, attempt: int, jitter: float) -> int | None:
        """The delay before an attempt, counted from 0: between half of it and all of it, by `jitter` in [0, 1).

        None: there are no more attempts.
        """
        if attempt >= self.attempts:
            return None
        full = min(self.cap_ms, self.base_ms << min(attempt, 32))
        return int(full * (0.5 + jitter / 2))


FAILURES: Final = Series(base_ms=500, cap_ms=30_000, attempts=8)
# A place becomes free when another call ends, which takes longer than a restart, and the caller hears nothing
# meanwhile: start later, and give up after 8 to 15 seconds, when a queue serves the caller better.
CAPACITY: Final = Series(base_ms=1_000, cap_ms=8_000, attempts=4)
# After a takeover the place that is taken may be the dead gateway's own, which the service gives back when it notices:
# the caller's patience is the only limit.
CAPACITY_AFTER_TAKEOVER: Final = Series(base_ms=1_000, cap_ms=4_000, attempts=12)
LONGEST_RETRY_AFTER_MS: Final = 8_000
STABLE_MS: Final = 60_000


class Reconnects:
    """The attempts of one call."""

    def __init__(self, random: Callable[[], float], *, waits_for_room: bool = False) -> None:
        """`random`: numbers in [0, 1), as `random.random`. `waits_for_room`: the call was taken over."""
        self._random = random
        self._capacity = CAPACITY_AFTER_TAKEOVER if waits_for_room else CAPACITY
        self._failures = 0
        self._refusals = 0
        self._once: set[str] = set()

    def delay_ms(self, ended: SessionEnded) -> int | None:
        """How long to wait before the next session, in ms; None: do not try again, hand over."""
        if ended.lived_ms >= STABLE_MS:
            self._failures = self._refusals = 0
            self._once.clear()
        if ended.treatment.kind is Kind.CAPACITY:
            return self._after_refusal(ended.retry_after_ms)
        retry = ended.treatment.retry
        if retry is Retry.NEVER or (retry is Retry.ONCE and ended.code in self._once):
            return None
        if retry is Retry.ONCE:
            self._once.add(ended.code)
        return self._after_failure(at_once=retry is not Retry.BACKOFF)

    def _after_failure(self, at_once: bool) -> int | None:
        attempt = self._failures
        self._failures += 1
        delay = FAILURES.delay_ms(attempt, self._random())
        return 0 if at_once and attempt == 0 else delay

    def _after_refusal(self, retry_after_ms: int) -> int | None:
        """A Retry-After is not documented (unconfirmed); where one comes, it is kept to, or waiting is no use."""
        attempt = self._refusals
        self._refusals += 1
        if retry_after_ms > LONGEST_RETRY_AFTER_MS:
            return None
        delay = self._capacity.delay_ms(attempt, self._random())
        return None if delay is None else max(delay, retry_after_ms)
