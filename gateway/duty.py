"""Whether this task takes calls, and when it gives away those that it has. A core without I/O."""

from __future__ import annotations

from dataclasses import dataclass

from contract.fleet import Fleet

GIVE_AWAY_AFTER_MS = 15 * 60_000
"""Most calls are over by then; what lasts longer must not hold up a deployment or keep a task that nobody needs."""


@dataclass(slots=True)
class Duty:
    """`least`: how many tasks there are at any time. Until the fleet is known, this task takes calls."""

    owner: str
    least: int = 1
    outdated: bool = False
    surplus: bool = False
    _since_ms: int = 0

    def look(self, fleet: Fleet, now_ms: int) -> None:
        """Find out anew, after this task has reported."""
        spared = self.spared
        self.outdated = fleet.is_outdated(self.owner, now_ms)
        self.surplus = fleet.is_surplus(self.owner, now_ms, self.least)
        if self.spared and not spared:
            self._since_ms = now_ms

    @property
    def spared(self) -> bool:
        """No new call is for this task: another release has taken over, or there are more tasks than needed."""
        return self.outdated or self.surplus

    @property
    def sweeps(self) -> bool:
        """A call that nobody serves is better served here than nowhere, but for what an old release gave away."""
        return not self.outdated

    def gives_away(self, now_ms: int) -> bool:
        """The calls that are still here are to go to others."""
        return self.spared and now_ms - self._since_ms >= GIVE_AWAY_AFTER_MS
