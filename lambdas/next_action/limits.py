"""How long a request may be held, and when a voice agent counts as lost."""

from __future__ import annotations

from dataclasses import dataclass, replace

ANSWER_MS = 2000  # what is kept of a Lambda's time for the answer itself: reading turns, writing the head


@dataclass(frozen=True, slots=True)
class Limits:
    """All in milliseconds.

    - `block_ms`: how long a request waits for an action before it is answered with `listen`.
    - `fast_ms`, `slow_ms`: between two looks at the head; fast while a clip plays and `fast_for_ms` after
      anything moved.
    - `margin_ms`: how much longer than start delay and clip a clip is given. Leaving it early cuts words off for
      good, leaving it late only adds a pause; the start delay is what the slowest of twenty needed, a clip ends in
      40 ms of silence, and claiming the next one in the table takes some 20 ms more. `heard_margin_ms` is the same
      where the clip was found in what Connect plays.
    - `no_gateway_ms` after the start of the call, and `lost_ms` after the end of the last lease (8 s after its
      last renewal), the flow helps itself.
    - `patience_ms`: how long a table that does not answer is asked again, each time with botocore's own attempts
      inside; less than a lease, so that the call is still somebody's when it comes back.
    - `wake_every_ms`: between two wake-ups while nobody serves the call.
    """

    block_ms: int
    patience_ms: int
    fast_ms: int = 50
    slow_ms: int = 100
    fast_for_ms: int = 3000
    margin_ms: int = 20
    heard_margin_ms: int = 10
    no_gateway_ms: int = 6000
    lost_ms: int = 12_000
    wake_every_ms: int = 2000

    def within(self, remaining_ms: int) -> Limits:
        """The same, for a Lambda that has `remaining_ms` left."""
        return replace(self, block_ms=max(0, min(self.block_ms, remaining_ms - ANSWER_MS)))


WAIT = Limits(block_ms=21_000, patience_ms=6000)  # the asynchronous form: longest clip 15 s, Lambda 24 s, Wait 25 s
POLL = Limits(block_ms=5800, patience_ms=3000)  # the synchronous form: the flow waits 8 s at most
