"""How busy a gateway is, as it tells the load balancer in front of it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.legs.sip.message import Header

ALLOW: Header = ("allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE")
RETRY_AFTER: Header = ("retry-after", "5")  # by then another task has taken its place in front of the load balancer


@dataclass(frozen=True, slots=True)
class Load:
    """What OPTIONS is answered with. A gateway with no room refuses new calls with 503."""

    calls: int
    limit: int
    draining: bool

    @property
    def room(self) -> bool:
        return not self.draining and self.calls < self.limit

    @property
    def answer(self) -> tuple[int, str, tuple[Header, ...]]:
        """Status, reason and headers."""
        load = f"calls={self.calls};limit={self.limit};draining={int(self.draining)}"
        headers: tuple[Header, ...] = (
            ALLOW, ("accept", "application/sdp"), ("supported", "timer"), ("x-voice-agent-load", load),
        )  # fmt: skip
        if self.room:
            return 200, "OK", headers
        return 503, "Service Unavailable", (*headers, RETRY_AFTER)
