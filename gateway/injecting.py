"""What is brought into a live call from outside: found by the head, delivered once, marked as delivered.

The head is read with every renewal of the lease, so that looking costs nothing; a sentence is on its way within two
seconds. A gateway that dies between delivering and marking leaves it to the next one, which delivers it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from contract.call import Head, Lease
from contract.errors import StoreUnavailable
from contract.injections import Injection, Kind
from contract.store import GatewayStore

log = structlog.get_logger()

RETRY_S = 0.5


class Injections:
    """`deliver` is called in order, in the call's own task group."""

    def __init__(self, store: GatewayStore, lease: Lease, head: Head, deliver: Callable[[Injection], None]) -> None:
        self._store = store
        self._lease = lease
        self._known = head.injected
        self._there = head.injections
        self._deliver = deliver
        self._more = asyncio.Event()

    def saw(self, head: Head) -> None:
        """A newer head."""
        if head.injections > self._there:
            self._there = head.injections
        if self._there > self._known:
            self._more.set()

    async def earlier_notes(self) -> Sequence[str]:
        """Notes that another gateway has delivered: they hold for the rest of the call."""
        if not self._known:
            return []
        return [each.text for each in await self._read(0) if each.kind is Kind.NOTE and each.number <= self._known]

    async def run(self) -> None:
        """Raises LeaseLost."""
        if self._there > self._known:
            self._more.set()
        while True:
            await self._more.wait()
            self._more.clear()
            for each in await self._read(self._known):
                self._known = each.number
                log.info("injected", contact=self._lease.contact_id, kind=each.kind.value, number=each.number)
                self._deliver(each)
            await self._mark()

    async def _read(self, after: int) -> Sequence[Injection]:
        while True:
            try:
                return await self._store.injections(self._lease.contact_id, after)
            except StoreUnavailable as error:
                log.error("injections_not_read", contact=self._lease.contact_id, cause=error.cause)
                await asyncio.sleep(RETRY_S)

    async def _mark(self) -> None:
        while True:
            try:
                await self._store.injected(self._lease, self._known)
                return
            except StoreUnavailable as error:
                log.error("injections_not_marked", contact=self._lease.contact_id, cause=error.cause)
                await asyncio.sleep(RETRY_S)
