"""The one table, as it can break, and as one client of it sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from contract.actions import Action
from contract.call import Lease
from contract.clock import LoopClock
from contract.errors import StoreUnavailable
from contract.memory import MemoryStore
from contract.turns import Turn
from contract.unclear import Unclear, landed
from tests.chaos.processes import current
from tests.chaos.weather import Weather

T = TypeVar("T")

OF_LAMBDAS = ("create_call", "asked", "offer", "fail_over", "leave", "disconnected", "put_code")
OF_GATEWAYS = (
    "take",
    "renew",
    "give_away",
    "append",
    "cancel",
    "cancel_opening",
    "heard",
    "note_dialog",
    "claim_code",
    "put_turn",
    "enter_function",
    "finish_function",
    "end",
    "report",
)
WRITES = (*OF_LAMBDAS, *OF_GATEWAYS)


class ChaosStore(MemoryStore):
    """Also keeps what was written by whom and when, in ms."""

    def __init__(self, weather: Weather, clock: LoopClock, delay_s: float) -> None:
        super().__init__(delay_s)
        self._weather = weather
        self._clock = clock
        self.appended: list[tuple[int, Lease, Action]] = []
        self.wrote: dict[int, tuple[int, Lease]] = {}  # turn: last write
        self.stale: list[tuple[int, Lease, str]] = []  # what somebody tried to write when the call was another's

    async def _do(self, operation: Callable[[], T], *, look: bool = False) -> T:
        weather = self._weather
        if weather.store_slow.strikes():
            await asyncio.sleep(weather.store_slow.takes_s)
        if weather.hits(weather.store_down):
            raise StoreUnavailable("any", "InternalServerError")
        if current() is not None and weather.hits(weather.cut_off):
            raise StoreUnavailable("any", "ConnectTimeoutError")
        return await super()._do(operation, look=look)

    def _append(self, lease: Lease, action: Action, now_ms: int) -> int:
        """When it is written: who waits for the answer may be frozen before it comes."""
        seq = super()._append(lease, action, now_ms)
        self.appended.append((self._clock.now_ms(), lease, action))
        return seq

    def _tried(self, lease: Lease, what: str) -> None:
        """Before the table's own fence, which refuses it."""
        record = self._records.get(lease.contact_id)
        if record is not None and record.head.epoch > lease.epoch:
            self.stale.append((self._clock.now_ms(), lease, what))

    async def append(self, lease: Lease, action: Action, now_ms: int) -> int:
        self._tried(lease, type(action).__name__)
        return await super().append(lease, action, now_ms)

    async def heard(self, lease: Lease, seq: int, at_ms: int) -> None:
        self._tried(lease, f"that sequence {seq} was heard")
        await super().heard(lease, seq, at_ms)

    async def put_turn(self, lease: Lease, turn: Turn) -> None:
        self._tried(lease, f"turn {turn.number}")
        await super().put_turn(lease, turn)
        self.wrote[turn.number] = self._clock.now_ms(), lease


class TableClient:
    """One client of the table, as `contract.dynamodb.DynamoStore` is: the answer to a write may get lost."""

    def __init__(self, store: MemoryStore, weather: Weather, patience_s: float = 6.5) -> None:
        self._store = store
        self._weather = weather
        self._unclear = Unclear()
        self._patience_s = patience_s  # of botocore, as it is configured

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in WRITES:
            return method

        async def write(*arguments: Any, **named: Any) -> Any:
            result = await method(*arguments, **named)
            await self._weather.answer(name, self._patience_s)
            return result

        return write

    async def append(self, lease: Lease, action: Action, now_ms: int) -> int:
        """What was appended without an answer is looked for before it is appended again, as `DynamoStore` does."""
        if not (seq := await self._landed(lease, action)):
            seq = await self._store.append(lease, action, now_ms)
            try:
                await self._weather.answer("append", self._patience_s)
            except StoreUnavailable:
                self._unclear.note(lease, action, seq)
                raise
        self._unclear.settled(lease, action)
        return seq

    async def _landed(self, lease: Lease, action: Action) -> int:
        first = self._unclear.since(lease, action)
        if not first:
            return 0
        log = await self._store.actions_after(lease.contact_id, first - 1)
        return landed(await self._store.head(lease.contact_id), action, log)
