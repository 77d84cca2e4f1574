"""RTP ports: even ones for RTP, the odd one above for RTCP, drained before they are used again. No I/O."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from gateway.legs.sip.errors import NoPortFree

DRAIN_MS = 30_000  # since the last packet of the call before
DRAIN_MOST_MS = 600_000  # a peer that never stops is no reason to lose a port for ever


@dataclass(slots=True)
class Draining:
    """A port whose call is over: read, and thrown away."""

    port: int
    closed_ms: int
    last_packet_ms: int
    dropped: int = 0

    def packet(self, now_ms: int) -> None:
        self.last_packet_ms = now_ms
        self.dropped += 1

    def over(self, now_ms: int) -> bool:
        return now_ms - self.last_packet_ms >= DRAIN_MS or now_ms - self.closed_ms >= DRAIN_MOST_MS


@dataclass(slots=True)
class Ports:
    """Pairs from `first` (made even) to `last`; the one that was free the longest is given next."""

    first: int
    last: int
    _free: deque[int] = field(init=False)
    _draining: dict[int, Draining] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._free = deque(range(self.first + self.first % 2, self.last, 2))

    def take(self) -> int:
        """Raises NoPortFree."""
        if not self._free:
            raise NoPortFree(self.first, self.last)
        return self._free.popleft()

    def drain(self, port: int, now_ms: int) -> Draining:
        """The call on this port is over; the socket stays open until `drained` names it."""
        self._draining[port] = Draining(port, now_ms, now_ms)
        return self._draining[port]

    def give_back(self, port: int) -> None:
        """A port that was never used, or that another program has."""
        self._free.append(port)

    def drained(self, now_ms: int) -> list[int]:
        """Ports whose sockets can be closed now; they are free again."""
        over = [port for port, each in self._draining.items() if each.over(now_ms)]
        for port in over:
            del self._draining[port]
            self._free.append(port)
        return over

    @property
    def free(self) -> int:
        return len(self._free)
