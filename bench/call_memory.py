"""`python -m bench.call_memory`: how much memory one call keeps as it gets longer.

A caller asks the same question for ten minutes.

Counted is what the gateway's own code has allocated and still holds; the simulator around it is not.
"""

from __future__ import annotations

import asyncio
import tracemalloc

import structlog

from simulator import jumping
from tests.scenarios import shop
from tests.scenarios.world import World, spoken

QUESTIONS = 60
EVERY_S = 120
OURS = (tracemalloc.Filter(True, "*/gateway/*"), tracemalloc.Filter(True, "*/contract/audio.py"))
CLIPS = (tracemalloc.Filter(False, "*/gateway/legs/kvs/wav.py"),)  # kept by the stand-in for S3


def held_kb() -> float:
    snapshot = tracemalloc.take_snapshot().filter_traces(OURS).filter_traces(CLIPS)
    return sum(trace.size for trace in snapshot.traces) / 1024


async def watch(world: World) -> None:
    minute = 0
    while True:
        print(f"after {minute:2d} min: {held_kb():6.0f} KB, {len(world.turns_now())} turns")
        await asyncio.sleep(EVERY_S)
        minute += EVERY_S // 60


async def call() -> None:
    world = World("interruptible", [spoken("when are you open")] * QUESTIONS + [spoken("a person please")], shop.mind())
    await world.call(watch, limit_s=4000)


def main() -> None:
    def silent(*_: object) -> str:
        raise structlog.DropEvent

    structlog.configure(processors=[silent])
    tracemalloc.start()
    jumping.run(call())


if __name__ == "__main__":
    main()
