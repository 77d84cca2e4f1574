"""The exchange: one call from the caller's mouth to the flow, the stream and back, on whichever clock runs.

The line ticks every 20 ms; what is said and heard goes into the video stream in blocks of 64 ms, as Connect
writes it; what the flow plays comes back onto the line.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from contract.call import MediaStream
from contract.clock import Clock
from simulator.caller.line import Line
from simulator.caller.schedule import FRAME_MS
from simulator.connect.errors import ConnectError
from simulator.connect.events import CallerHungUp, Digits, StartPrompt, StopPrompt
from simulator.connect.presets import KvsDelivery, Preset, StartFragment
from simulator.connect.shell import ContactEnd, ContactShell
from simulator.kvs.habits import Delivery, Habits
from simulator.kvs.stream import BLOCK_BYTES, BLOCK_MS, Stream

FRESH_MS = 40  # network time from Connect's producer into the service
EARLIER_CONTACT = "someone-elses-contact"
EARLIER_BLOCKS = 24  # a whole fragment, and a shorter one that may lack its tags
EARLIER_ENDED_MS = 500
WITH_A_HUMAN_MS = 1500  # how long the caller stays on the line once the flow has queued the contact


def stream_for(preset: Preset, arn: str, instance_id: str, now_ms: int, habits: Habits | None = None) -> Stream:
    """A stream that an earlier caller has used: the last 1.5 seconds of that call end half a second ago."""
    per_fragment = preset.kvs_delivery is KvsDelivery.PER_FRAGMENT
    delivery = Delivery(per_fragment=per_fragment, delay_ms=FRESH_MS + preset.kvs_delay_ms)
    stream = Stream(arn, instance_id, delivery, replace(habits or Habits(), seed=preset.seed))
    noise = random.Random(preset.seed)
    end_ms = now_ms - EARLIER_ENDED_MS
    for media_ms in range(end_ms - EARLIER_BLOCKS * BLOCK_MS, end_ms, BLOCK_MS):
        foreign = noise.randbytes(BLOCK_BYTES)
        stream.write(EARLIER_CONTACT, media_ms, foreign, foreign, media_ms + BLOCK_MS)
    stream.stop(end_ms)
    return stream


@dataclass(slots=True)
class Exchange:
    """The `Line` and `Streams` of one contact; `run` carries the whole call."""

    line: Line
    stream: Stream
    preset: Preset
    clock: Clock
    heard: Callable[[int, bytes, bytes], None] | None = None  # every 20 ms: begin, said, heard
    streaming: set[str] = field(default_factory=set)
    media: MediaStream | None = None
    queued_at_ms: int = 0
    hung_up_at_ms: int = 0
    lag_ms: list[float] = field(default_factory=list)
    _contact_id: str = ""
    _said: bytearray = field(default_factory=bytearray)
    _heard: bytearray = field(default_factory=bytearray)
    _block_ms: int = 0

    # -- Connect's seams -------------------------------------------------------------------------------------

    def start_prompt(self, prompt: StartPrompt) -> None:
        self.line.play(prompt.prompt_id, prompt.ulaw, prompt.starts_at_ms)

    def stop_prompt(self, prompt: StopPrompt) -> None:
        self.line.stop(prompt.prompt_id, prompt.at_ms)

    async def start(self, contact_id: str, directions: tuple[str, ...]) -> MediaStream:
        """Start streaming; where it has started, more directions join it."""
        if self.media is None or not self.streaming:
            self._contact_id = contact_id
            self._said.clear()
            self._heard.clear()
            self._block_ms = self.line.now_ms
            self.stream.begin(contact_id, self.clock.now_ms())
            inclusive = self.preset.start_fragment is StartFragment.INCLUSIVE
            number = self.stream.next_number if inclusive else self.stream.last_number
            self.media = MediaStream(self.stream.arn, self._block_ms, str(number))
        self.streaming |= set(directions)
        return self.media

    def stop(self, contact_id: str, directions: tuple[str, ...]) -> None:
        """Stop streaming these directions; what is left of the last block goes with the last of them."""
        if self.streaming and not self.streaming - set(directions):
            caller, prompt = self._tracks(bytes(self._said), bytes(self._heard))
            self.stream.stop(self.clock.now_ms(), caller or b"", prompt or b"")
        self.streaming -= set(directions)

    # -- the call --------------------------------------------------------------------------------------------

    async def run(self, shell: ContactShell) -> ContactEnd:
        """The line ticks for as long as the contact lasts.

        Raises:
            ConnectError: as `ContactShell.run`.
        """
        self.line.connect(self.clock.now_ms())
        failed: ConnectError | None = None
        end: ContactEnd | None = None
        async with asyncio.TaskGroup() as tasks:
            ticking = tasks.create_task(self._tick(shell))
            try:
                end = await shell.run()
            except ConnectError as error:  # kept out of the group, which would wrap it
                failed = error
            finally:
                ticking.cancel()
                self.stop(shell.contact_id, ("From", "To"))
        if end is None:
            assert failed is not None
            raise failed
        return end

    async def _tick(self, shell: ContactShell) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - loop.time()))
            self.lag_ms.append((loop.time() - due) * 1000)
            begin, said, heard = self.line.tick()
            if self.streaming:
                self._stream(said, heard)
            if self.heard is not None:
                self.heard(begin, said, heard)
            if keys := self.line.caller.pressed():
                self._press(keys, shell)
            self._maybe_hang_up(shell)

    def _press(self, keys: str, shell: ContactShell) -> None:
        """They go where the caller's speech goes."""
        if self.line.other is not None:
            self.line.other.pressed(keys)
        else:
            shell.tell(Digits(keys))

    def _stream(self, said: bytes, heard: bytes) -> None:
        self._said += said
        self._heard += heard
        while len(self._said) >= BLOCK_BYTES:
            caller, prompt = self._tracks(bytes(self._said[:BLOCK_BYTES]), bytes(self._heard[:BLOCK_BYTES]))
            del self._said[:BLOCK_BYTES], self._heard[:BLOCK_BYTES]
            self.stream.write(self._contact_id, self._block_ms, caller, prompt, self.clock.now_ms())
            self._block_ms += BLOCK_MS

    def _tracks(self, said: bytes, heard: bytes) -> tuple[bytes | None, bytes | None]:
        """What of them is streamed."""
        return said if "From" in self.streaming else None, heard if "To" in self.streaming else None

    def _maybe_hang_up(self, shell: ContactShell) -> None:
        """Once: when a human has had the caller for a while, or when the caller has nothing more to say."""
        if self.hung_up_at_ms:
            return
        now = self.line.now_ms
        served = self.queued_at_ms and now - self.queued_at_ms >= WITH_A_HUMAN_MS
        if served or (not self.queued_at_ms and self.line.caller.wants_to_hang_up(now)):
            self.hung_up_at_ms = now
            shell.tell(CallerHungUp())
