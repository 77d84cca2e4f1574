"""What may happen to gateways with live calls, in real time, with real processes; and what became of the calls."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from contract.call import CallState
from contract.errors import CallNotFound, StoreUnavailable
from contract.turns import Role
from simulator.caller.schedule import Words
from simulator.fleet.call import FleetCall
from simulator.fleet.ecs import EcsAgent
from simulator.fleet.errands import Errand, says
from simulator.fleet.proxies import Throttle, Wire
from simulator.fleet.stage import Fleet, Gateway, set_up

PERSON = "a person please"
QUESTIONS = (
    "where is my order",
    "the order number is four seven one one zero eight",
    "when are you open on saturday",
    "when are you open on monday",
    "when are you open on friday",
    "when are you open on tuesday",
    "when are you open on thursday",
    "when are you open on sunday",
)
LOOK_S = 0.25
CALL_S = 150.0
BUSY_MS = 500  # a machine that keeps the line itself waiting so long keeps everybody waiting


def patient(questions: Sequence[str] = QUESTIONS) -> Errand:
    """A caller with many questions, who wants a person in the end and waits through every pause."""
    words: list[Words] = [says(text) for text in (*questions, PERSON)]
    return Errand("has many questions", words, frozenset({"queued"}), hang_up_ms=60_000)


@dataclass
class Followed:
    """A call and who owned it since when, in seconds of the monotonic clock."""

    call: FleetCall
    owners: list[tuple[float, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # the caller's turns in the record, in the end

    @property
    def owner(self) -> str:
        return self.owners[-1][1] if self.owners else ""

    def hurry(self) -> None:
        """The next thing that this caller wants is a person."""
        words = self.call.errand.words
        assert isinstance(words, list), "a patient caller's words can be changed"
        words[len(self.call.exchange.line.caller.spoken) :] = [says(PERSON)]

    def troubles(self) -> list[str]:
        """What was not as the caller could expect; a word that is missing in the record among it."""
        recorded = " ".join(self.said)
        spoken = [name for name, _, _ in self.call.exchange.line.caller.spoken]
        missing = [f"{text!r} is not in the record {self.said}" for text in spoken if text not in recorded]
        return [*self.call.disappointments(), *missing]


@dataclass
class Trial:
    """Calls on a fleet, with everything between the gateways and the services in reach."""

    fleet: Fleet
    deepgram: Wire
    aws: Throttle
    ecs: EcsAgent
    calls: list[Followed] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def gateway(self, release: str, **variables: str) -> Gateway:
        """One more task, which reaches everything by way of the proxies."""
        name = f"gateway-{len(self.fleet.gateways) + 1}"
        path = urlsplit(self.fleet.deepgram_url).path
        return await self.fleet.start_gateway(
            RELEASE=release,
            AWS_ENDPOINT_URL=self.aws.url,
            DEEPGRAM_URL=f"ws://127.0.0.1:{self.deepgram.port}{path}",
            ECS_AGENT_URI=self.ecs.uri(name),
            **variables,
        )

    def ring(self, errand: Errand, form: str) -> Followed:
        followed = Followed(FleetCall(self.fleet, errand, form))
        self.calls.append(followed)
        self.tasks.append(asyncio.create_task(self._call(followed), name="call"))
        return followed

    async def until(self, happened: Callable[[], bool], limit_s: float) -> float:
        """Wait for it; returns how long it took, or `limit_s` when it did not happen."""
        began = time.monotonic()
        while not happened() and time.monotonic() - began < limit_s:  # noqa: ASYNC110 - many things happen
            await asyncio.sleep(LOOK_S / 5)
        return time.monotonic() - began

    def all_owned_by(self, gateway: Gateway) -> bool:
        """Every call that is not over belongs to this gateway."""
        return all(one.owner == gateway.owner for one in self.calls if not one.call.end)

    @property
    def busy(self) -> bool:
        """The machine had better things to do: times mean nothing."""
        return any(max(one.call.exchange.lag_ms, default=0) > BUSY_MS for one in self.calls)

    async def all_over(self) -> None:
        await asyncio.gather(*self.tasks)

    async def _call(self, followed: Followed) -> None:
        following = asyncio.create_task(self._follow(followed), name="follow")
        try:
            async with asyncio.timeout(CALL_S):
                await followed.call.run()
            turns = await self.fleet.store.turns(followed.call.contact_id)
            followed.said = [turn.text for turn in turns if turn.role is Role.CALLER]
        except TimeoutError:
            followed.call.failures.append(f"was not over after {CALL_S:g} s")
        finally:
            following.cancel()

    async def _follow(self, followed: Followed) -> None:
        while True:
            try:
                head = await self.fleet.store.head(followed.call.contact_id)
            except (CallNotFound, StoreUnavailable):
                head = None
            if head is not None and head.state is CallState.ACTIVE and head.owner != followed.owner:
                followed.owners.append((time.monotonic(), head.owner))
            await asyncio.sleep(LOOK_S)


class Trials:
    """`async with Trials(folder) as trial:` sets everything up but the gateways."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Trial:
        enter = self._stack.enter_async_context
        fleet = await enter(set_up(self._folder))
        port = urlsplit(fleet.deepgram_url).port
        assert port is not None
        deepgram = await enter(Wire(port).serving())
        aws = await enter(Throttle(fleet.account.endpoints.moto).serving())
        return Trial(fleet, deepgram, aws, await enter(EcsAgent().serving()))

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()


def send(gateway: Gateway, number: signal.Signals) -> float:
    """Send a signal; returns when."""
    gateway.process.stopping = number is not signal.SIGSTOP
    gateway.process.send(number)
    return time.monotonic()
