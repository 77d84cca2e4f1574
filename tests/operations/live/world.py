"""A test call on the jumping clock: the real flow and Lambdas, the stand-ins, a gateway, and the probe beside them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from contract.clock import LoopClock
from operations.live.measured import Measured
from operations.live.probe import Probe, wait_for_call
from simulator.connect.presets import Preset
from simulator.deepgram.scripted import ScriptedMind
from simulator.kvs.stream import Reader, Stream
from tests.scenarios.world import StreamBody, World

CALLER = "+4915112345678"  # the one of the scenarios


@dataclass
class StreamMedia:
    """GetMedia out of the stand-in's core."""

    stream: Stream
    clock: LoopClock
    opened: list[Reader] = field(default_factory=list)

    async def open(self, stream_arn: str, start_ms: int) -> StreamBody:
        asked = {"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": start_ms / 1000}
        self.opened.append(self.stream.reader(asked, self.clock.now_ms()))
        return StreamBody(self.opened[-1], self.clock)


@dataclass
class ProbedCall:
    """`run` calls, lets doctor take the call, and returns what it measured."""

    preset: Preset
    said: list[str] = field(default_factory=list)
    caller: str = CALLER
    form: str = "interruptible"
    wait_s: int = 30

    def __post_init__(self) -> None:
        mind = ScriptedMind([])
        self.world = World(self.form, [], mind, preset=self.preset, patience_ms=10 * 60_000)

    async def run(self) -> Measured:
        """What doctor measures; it may find out only after the call that it is over."""
        doctor: list[asyncio.Task[Measured]] = []

        async def beside(world: World) -> None:
            doctor.append(asyncio.create_task(self._doctor(world)))
            await asyncio.wait(doctor)

        await self.world.call(beside)
        return await doctor[0]

    async def _doctor(self, world: World) -> Measured:
        call = await wait_for_call(world.store, self.caller, world.clock, self.wait_s)
        media = StreamMedia(world.stream, world.clock)
        return await Probe(world.store, world.prompts, media, world.clock, call, self.said.append).measure()
