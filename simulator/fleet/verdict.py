"""Whether a gateway holds after a load what it held before. A core without I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

POOLED = 8  # worker threads and idle connections come and go with the load, within their pools
# An interpreter's heap does not shrink, and reaches its size only after a while: in a run of two hours it grew by
# 16 MB in the first 60 calls, and by 1 MB in the 300 after them.
RSS_KB = 24_576
RSS_AGAIN_KB = 8192


@dataclass(frozen=True, slots=True)
class Slack:
    """How much more than after the warm-up is no leak; and how much more after the second load than after the first."""

    over_warm: int = 0
    again: int = 0


SLACK: Mapping[str, Slack] = {
    "tasks": Slack(),
    "threads": Slack(2 * POOLED, POOLED),
    "sockets": Slack(POOLED, POOLED),
    "descriptors": Slack(POOLED, POOLED),
    "rss_kb": Slack(RSS_KB, RSS_AGAIN_KB),
    "rows": Slack(),
    "live": Slack(),
    "clips": Slack(),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure while nobody calls: after the warm-up, after the first load, after the second."""

    name: str
    warm: int
    first: int
    second: int
    slack: Slack

    @property
    def holds(self) -> bool:
        """It is where it was after the warm-up, and the second load has added nothing to the first."""
        back = max(self.first, self.second) <= self.warm + self.slack.over_warm
        return back and self.second <= self.first + self.slack.again


def compare(
    warm: Mapping[str, int], first: Mapping[str, int], second: Mapping[str, int], slack: Mapping[str, Slack] = SLACK
) -> Sequence[Compared]:
    """Every figure that has a slack."""
    return [Compared(name, warm[name], first[name], second[name], slack[name]) for name in slack]
