"""How long the table keeps a call is the agent's to say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract.call import Lease
from contract.errors import StoreUnavailable
from tests.scenarios import shop
from tests.scenarios.world import CONTACT, SHOP, World, spoken

pytestmark = pytest.mark.scenario


@pytest.mark.parametrize("away", [False, True])
async def test_the_table_is_told_once_and_a_call_does_not_wait_for_it(away: bool) -> None:
    agent = replace(SHOP, records_hours=2)
    call = World("polling", [spoken("goodbye")], shop.mind(), functions=shop.functions(), agent=agent)
    kept: list[tuple[str, int, int]] = []

    async def keep(lease: Lease, attempt: int, seconds: int) -> None:
        kept.append((lease.contact_id, attempt, seconds))
        if away:
            raise StoreUnavailable("keep", "Throttled")

    found = call._found

    def with_keep() -> None:
        found()
        call.store.keep = keep  # type: ignore[method-assign]

    call._found = with_keep  # type: ignore[method-assign]
    await call.call()
    await call.check()
    assert kept == [(CONTACT, 1, 7200)]
    assert call.heard_words.endswith("goodbye.")
