"""Calls that come and go: so many at once, in both flows, with every errand in turn."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from contract.errors import VoiceAgentError
from simulator.fleet.call import FleetCall
from simulator.fleet.errands import FORMS, Errand, errands
from simulator.fleet.stage import Fleet

BETWEEN_S = 1.0  # callers do not ring at the same moment
LONGEST_CALL_S = 180.0


@dataclass
class Load:
    """`live` at once. `over` hears of every call that is over."""

    fleet: Fleet
    live: int
    over: Callable[[FleetCall], None] = lambda call: None
    calls: int = 0
    troubles: list[str] = field(default_factory=list)
    _kinds: Iterator[tuple[Errand, str]] = field(default_factory=lambda: _kinds(errands(), FORMS))

    async def run(self, for_s: float) -> None:
        """New calls for so long, then the last of them to their end."""
        until = asyncio.get_running_loop().time() + for_s
        async with asyncio.TaskGroup() as tasks:
            for number in range(self.live):
                tasks.create_task(self._line(until, number * BETWEEN_S), name=f"line {number}")

    async def _line(self, until: float, after_s: float) -> None:
        """One call after the other."""
        await asyncio.sleep(after_s)
        while asyncio.get_running_loop().time() < until:
            await self._call(*next(self._kinds))
            await asyncio.sleep(BETWEEN_S)

    async def _call(self, errand: Errand, form: str) -> None:
        call = FleetCall(self.fleet, errand, form)
        try:
            async with asyncio.timeout(LONGEST_CALL_S):
                await call.run()
        except TimeoutError:
            call.failures.append(f"was not over after {LONGEST_CALL_S:g} s")
        except VoiceAgentError as error:
            call.failures.append(str(error))
        self.calls += 1
        found = call.disappointments()
        self.troubles += [f"{call.contact_id} ({errand.name}, {form}): {what}" for what in found]
        self.over(call)


def _kinds(wishes: Sequence[Errand], forms: Sequence[str]) -> Iterator[tuple[Errand, str]]:
    """Every errand in every flow, again and again."""
    return itertools.cycle([(errand, form) for form in forms for errand in wishes])
