"""The gateways of a deployment and the release that takes calls, as the table knows them. A core without I/O.

Every gateway reports every few seconds who it is and how many calls it has. From that alone each of them, and the
Lambda that a call begins with, finds out the same: who is there, who has room, and who is to take no more calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

REPORT_EVERY_MS = 2000
GONE_AFTER_MS = 10_000
"""Without a report for so long a gateway is not there any more: longer than a lease."""
UTILISATION = 0.5
"""How full tasks may get before one more is needed: below what the deployment scales out at."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One task, by its own report. `limit` is how many calls it takes at once; `stopping`: it was told to end."""

    owner: str
    release: str
    limit: int
    calls: int = 0
    stopping: bool = False
    reported_at_ms: int = 0

    @property
    def room(self) -> int:
        return max(0, self.limit - self.calls)


@dataclass(frozen=True, slots=True)
class Fleet:
    """`release` is the one that takes calls, "" before any has said so."""

    release: str = ""
    gateways: Sequence[Gateway] = ()

    @property
    def unknown(self) -> bool:
        """Nobody ever reported: gateways that do not know of reports may be there."""
        return not self.gateways

    def there(self, now_ms: int) -> list[Gateway]:
        """Those that live and are to go on living."""
        return [g for g in self.gateways if now_ms - g.reported_at_ms < GONE_AFTER_MS and not g.stopping]

    def taking(self, now_ms: int) -> list[Gateway]:
        """Those that take calls: of the current release, or all while those have no room."""
        there = self.there(now_ms)
        current = [gateway for gateway in there if gateway.release == self.release or not self.release]
        return current if any(gateway.room for gateway in current) else there

    def room(self, now_ms: int, without: str = "") -> int:
        """How many calls could be taken at this moment, by others than `without`."""
        return sum(gateway.room for gateway in self.taking(now_ms) if gateway.owner != without)

    def is_outdated(self, owner: str, now_ms: int) -> bool:
        """Another release has taken over, and has room."""
        return bool(self.there(now_ms)) and all(gateway.owner != owner for gateway in self.taking(now_ms))

    def is_surplus(self, owner: str, now_ms: int, least: int) -> bool:
        """More tasks take calls than are needed, which is never fewer than `least`, and this one has the fewest calls.

        Without new calls it gets idle and unprotected, so that it is the one that scaling in stops.
        """
        taking = sorted(self.taking(now_ms), key=lambda gateway: (gateway.calls, gateway.owner))
        needed, room = 0, 0.0
        for gateway in reversed(taking):  # the fullest are needed first
            if needed >= least and room >= sum(one.calls for one in taking):
                break
            needed, room = needed + 1, room + UTILISATION * gateway.limit
        return owner in [gateway.owner for gateway in taking[: len(taking) - needed]]
