"""A contact flow for tests of the speaker: asks the real `next_action` and plays what it answers.

`line` is what the caller hears: every clip with its place in time, cut where the flow left it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from contract.actions import Outcome, Request, Returned
from contract.call import FlowForm
from contract.clock import Clock
from contract.memory import MemoryStore
from contract.wakeups import MemoryWakeups
from gateway.legs.kvs.prompts import MemoryPrompts
from gateway.legs.kvs.wav import HEADER_BYTES
from lambdas.next_action.limits import POLL, WAIT
from lambdas.next_action.logic import Answer, next_action
from lambdas.settings import Settings

START_MS = 250  # from a block to the first sample of its prompt
BREATH_S = 0.4
BLOCK_MS = 64

Transferred = Callable[[Answer], Awaitable[Returned]]


@dataclass
class Played:
    """A clip on the line: µ-law, from `at_ms` on."""

    seq: int
    at_ms: int
    ulaw: bytes

    @property
    def end_ms(self) -> int:
        return self.at_ms + len(self.ulaw) // 8


@dataclass
class FakeFlow:
    store: MemoryStore
    prompts: MemoryPrompts
    clock: Clock
    form: FlowForm
    contact_id: str
    opening_ms: int = 0
    fails: set[int] = field(default_factory=set)  # sequences whose prompt block takes its error branch
    transferred: Transferred | None = None
    line: list[Played] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    keys: str = ""  # what the caller types when asked
    asked_for: list[int] = field(default_factory=list)  # numbers of keys
    over: str = ""  # how the flow ended
    loaded: int = 0
    ended: Outcome = Outcome.NONE
    returned: Returned = Returned.NONE
    digits: str = ""
    _ids: itertools.count[int] = field(default_factory=itertools.count)
    _wakeups: MemoryWakeups = field(default_factory=MemoryWakeups)

    async def run(self) -> None:
        """The whole flow, until it disconnects or hands the caller over."""
        if self.form is FlowForm.POLLING:
            if self.opening_ms:
                played = await self._hear(0, bytes(self.opening_ms * 8))
                self.ended = Outcome.COMPLETED if played else Outcome.FAILED
            while not self.over:
                await self._take(await self._ask())
        else:
            answer = await (self._ask_while(0, bytes(self.opening_ms * 8)) if self.opening_ms else self._ask())
            while not self.over:
                answer = await self._take_ahead(answer)

    @property
    def heard(self) -> bytes:
        """Everything that the caller heard, without the gaps."""
        return b"".join(played.ulaw for played in self.line)

    def gaps(self) -> list[int]:
        """Milliseconds of silence between one clip and the next."""
        return [after.at_ms - before.end_ms for before, after in itertools.pairwise(self.line)]

    def track(self, from_ms: int, to_ms: int) -> bytes:
        """What the AUDIO_TO_CUSTOMER track holds between two times, µ-law."""
        audio = bytearray(b"\xff" * ((to_ms - from_ms) * 8))
        for played in self.line:
            first, last = max(from_ms, played.at_ms), min(to_ms, played.end_ms)
            if last > first:
                part = played.ulaw[(first - played.at_ms) * 8 : (last - played.at_ms) * 8]
                audio[(first - from_ms) * 8 : (last - from_ms) * 8] = part
        return bytes(audio)

    async def _ask(self) -> Answer:
        request = Request(self.contact_id, 1, self.loaded, self.ended, self.returned, self.digits)
        limits = POLL if self.form is FlowForm.POLLING else WAIT
        return await next_action(
            self.store,
            self._wakeups,
            self.clock,
            request,
            str(next(self._ids)),
            self.form,
            limits,
            Settings("arn:default", "default"),
        )

    # -- asking in turn

    async def _take(self, answer: Answer) -> None:
        if answer["action"] == "listen":
            await asyncio.sleep(BREATH_S)
            return
        self._remember(answer)
        if answer["action"] == "play":
            played = await self._hear(self.loaded, self._clip(answer))
            self.ended = Outcome.COMPLETED if played else Outcome.FAILED
        else:
            await self._other(answer)

    async def _hear(self, seq: int, ulaw: bytes) -> bool:
        await asyncio.sleep(START_MS / 1000)
        if seq in self.fails:
            return False
        played = Played(seq, self.clock.now_ms(), b"")
        self.line.append(played)
        for at in range(0, len(ulaw), 80):
            await asyncio.sleep(len(ulaw[at : at + 80]) / 8000)
            played.ulaw = ulaw[: at + 80]
        return True

    # -- asking ahead

    async def _take_ahead(self, answer: Answer) -> Answer:
        if answer["action"] != "listen":
            self._remember(answer)
        self.ended = Outcome(answer["previous"])
        if answer["action"] == "play":
            return await self._ask_while(self.loaded, self._clip(answer))
        if answer["action"] != "listen":
            await self._other(answer)
        return answer if self.over else await self._ask()

    async def _ask_while(self, seq: int, ulaw: bytes) -> Answer:
        """Play a clip while the Lambda thinks, and leave it when that has answered."""
        async with asyncio.TaskGroup() as tasks:
            playing = tasks.create_task(self._hear(seq, ulaw))
            answer = await self._ask()
            playing.cancel()
        return answer

    # -- both

    def _remember(self, answer: Answer) -> None:
        self.loaded, self.returned, self.ended, self.digits = int(answer["seq"]), Returned.NONE, Outcome.NONE, ""

    def _clip(self, answer: Answer) -> bytes:
        return self.prompts.objects[answer["promptUrl"]][HEADER_BYTES:][: int(answer["durationMs"]) * 8]

    async def _other(self, answer: Answer) -> None:
        match answer["action"]:
            case "say":
                self.said.append(answer["text"])
                await asyncio.sleep(1)
                self.ended = Outcome.COMPLETED
            case "collect":
                self.asked_for.append(int(answer["maxDigits"]))
                await asyncio.sleep(3)
                self.ended, self.digits = Outcome.COMPLETED, self.keys
            case "end":
                self.over = "ended"
            case _:
                if self.transferred is None:
                    self.over = "queued"
                else:
                    self.returned = await self.transferred(answer)
