"""Codes of calls: good once, and nobody guesses them."""

from __future__ import annotations

from contract.clock import LoopClock
from contract.errors import StoreUnavailable
from contract.memory import MemoryStore
from gateway.legs.sip.codes import MOST_HOSTS, WRONG_CODES, WRONG_CODES_MS, Codes
from tests.contract.samples import CONTACT, T0

HOST = "192.0.2.10"


async def codes() -> Codes:
    clock, store = LoopClock(T0), MemoryStore()
    await store.put_code("12345678", CONTACT, T0 + 10 * WRONG_CODES_MS)
    return Codes(store, clock)


async def test_a_code_is_good_once() -> None:
    found = await codes()
    assert await found.claim("12345678", HOST) == CONTACT
    assert await found.claim("12345678", HOST) is None
    assert found.unmatched == 1


async def test_who_guesses_has_to_wait_a_minute_and_nobody_else_has() -> None:
    found = await codes()
    for _ in range(WRONG_CODES):
        assert await found.claim("00000000", HOST) is None
    assert await found.claim("12345678", HOST) is None
    found.clock = LoopClock(T0 + 2 * WRONG_CODES_MS)
    assert await found.claim("12345678", HOST) == CONTACT
    other = await codes()
    for _ in range(WRONG_CODES):
        await other.claim("00000000", HOST)
    assert await other.claim("12345678", "192.0.2.11") == CONTACT


async def test_only_so_many_hosts_are_remembered() -> None:
    found = await codes()
    for number in range(MOST_HOSTS + 5):
        await found.claim("00000000", f"host-{number}")
    assert len(found._wrong) == MOST_HOSTS
    assert found.unmatched == MOST_HOSTS + 5


async def test_a_table_that_does_not_answer_is_no_wrong_code() -> None:
    class Away(MemoryStore):
        async def claim_code(self, code: str, now_ms: int) -> str | None:
            raise StoreUnavailable("claim_code", "ThrottlingException")

    found = Codes(Away(), LoopClock(T0))
    assert await found.claim("12345678", HOST) is None
    assert found.unmatched == 0
