"""Calls for a set time through one gateway process, and what they leave behind in it."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.fleet.call import FleetCall
from simulator.fleet.figures import Figures, expire, kept, look
from simulator.fleet.load import Load
from simulator.fleet.stage import Fleet, Gateway, set_up
from simulator.fleet.verdict import Compared, compare

LOOK_EVERY_S = 20.0
SETTLE_S = 30.0  # idle connections and the last metrics
KEPT_CALLS = 20  # their rows stay that much longer than the call, as the flow may still ask
WARM_SHARE = 0.2
LONGEST_WARM_S = 1500.0  # the heap had its size after 19 minutes of two calls at once


@dataclass
class Soak:
    """A warm-up and two equal loads, with a rest after each."""

    fleet: Fleet
    gateway: Gateway
    live: int
    folder: Path
    began_s: float = field(default_factory=time.monotonic)
    rested: dict[str, Figures] = field(default_factory=dict)
    load: Load = field(init=False)
    _over: deque[str] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.load = Load(self.fleet, self.live, self._ended)

    async def run(self, for_s: float) -> None:
        """The whole time; the figures of each rest are in `rested`."""
        warm_s = min(WARM_SHARE * for_s, LONGEST_WARM_S)
        load_s = (for_s - warm_s) / 2
        async with _beside(self._watch()):
            for name, seconds in (("warm", warm_s), ("first", load_s), ("second", load_s)):
                await self.load.run(max(1.0, seconds - SETTLE_S))
                self.rested[name] = await self._rest(name)

    def compared(self) -> list[Compared]:
        """What the rests have to say to each other."""
        warm, first, second = (self.rested[name].plain() for name in ("warm", "first", "second"))
        return list(compare(warm, first, second))

    async def _rest(self, name: str) -> Figures:
        """Nobody calls; old rows expire, but not before the gateway has closed the last call's record."""
        measured = self.gateway.measured
        await asyncio.sleep(SETTLE_S)
        while self._over:
            await expire(self.fleet, self._over[0])
            self._over.popleft()
        await self.gateway.process.until(lambda: self.gateway.measured > measured, "it measured itself")
        figures = await look(self.fleet, self.gateway)
        self._tell(f"rest after {name}", figures)
        print("  rows:", ", ".join(f"{count} {kind}" for kind, count in (await kept(self.fleet)).items()), flush=True)
        return figures

    def _ended(self, call: FleetCall) -> None:
        self._over.append(call.contact_id)

    async def _watch(self) -> None:
        while True:
            try:
                while len(self._over) > KEPT_CALLS:
                    await expire(self.fleet, self._over[0])
                    self._over.popleft()
                self._tell("", await look(self.fleet, self.gateway))
            except (OSError, BotoCoreError, ClientError) as error:
                print(f"this look failed ({type(error).__name__}), the next one is in {LOOK_EVERY_S:g} s", flush=True)
            await asyncio.sleep(LOOK_EVERY_S)

    def _tell(self, what: str, figures: Figures) -> None:
        """A line for people, and one for programs."""
        at_s = time.monotonic() - self.began_s
        plain = figures.plain()
        row = "  ".join(f"{name} {value}" for name, value in plain.items())
        print(f"{at_s:7.0f} s  {self.load.calls:5d} calls  {row}  {what}".rstrip(), flush=True)
        line = json.dumps({"at_s": round(at_s, 1), "calls": self.load.calls, "what": what, **plain})
        with (self.folder / "soak.jsonl").open("a") as file:
            file.write(line + "\n")


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Work that ends with the block, and ends the block when it fails."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work)
        yield
        task.cancel()


async def soak(minutes: float, live: int, folder: Path) -> int:
    """Run it and tell; 0 when everything is where it was and every call ended as its caller wanted."""
    async with set_up(folder) as fleet:
        gateway = await fleet.start_gateway(RECORDS_HOURS="1")
        await fleet.opening_rendered()
        running = Soak(fleet, gateway, live, folder)
        await running.run(minutes * 60)
        return conclude(running)


def conclude(run: Soak) -> int:
    """Print what was measured and what it means."""
    compared = run.compared()
    print(f"\n{run.load.calls} calls, {run.live} at once, {(time.monotonic() - run.began_s) / 60:.1f} minutes")
    print(f"{'at rest':14}{'warm':>10}{'first':>10}{'second':>10}{'allowed':>10}{'again':>10}")
    for one in compared:
        allowed, again = f"+{one.slack.over_warm}", f"+{one.slack.again}"
        verdict = "" if one.holds else "   grew"
        print(f"{one.name:14}{one.warm:10}{one.first:10}{one.second:10}{allowed:>10}{again:>10}{verdict}")
    troubles = [*run.load.troubles, *run.gateway.troubles]
    for trouble in troubles[:20]:
        print("trouble:", trouble)
    held = all(one.holds for one in compared)
    print("verdict:", "nothing is left behind" if held else "something is left behind", end="; ")
    print(f"{len(troubles)} troubles" if troubles else "every call ended as its caller wanted")
    return 0 if held and not troubles else 1
