"""A gateway dies and another one goes on with its calls: the caller hears a pause, not a hang-up.

Not so over SIP, where the media end at the task that died: its callers are given back (`test_deaths`, `test_sip`).
"""

from __future__ import annotations

import pytest

from tests.scenarios import shop
from tests.scenarios.test_deaths import MOMENTS
from tests.scenarios.world import CONTACT, World, spoken

pytestmark = pytest.mark.scenario


@pytest.mark.parametrize("form", ["interruptible", "polling"])
@pytest.mark.parametrize("moment", [name for name in MOMENTS if name != "during_the_handover"])
async def test_another_gateway_goes_on_with_the_call(form: str, moment: str) -> None:
    said = [spoken("it is 4711"), spoken("when are you open"), spoken("a person please")]
    call = World(form, said, shop.mind(), functions=shop.functions(3), patience_ms=60_000)
    died_at = 0

    async def kill(world: World) -> None:
        nonlocal died_at
        await world.until(MOMENTS[moment])
        world.start_another_gateway()
        world.kill_gateway()
        died_at = world.clock.now_ms()
        await world.until(lambda world: world.deepgram.connections[-1].session.settings != {})

    await call.call(kill)
    await call.check()
    assert call.queued == "orders"
    assert call.handover["va_result"] == "transferred"
    assert "4711" in call.handover["va_transcript"]
    # Idempotent: it may be asked again when nobody knows what became of it.
    assert len(call.functions.invoked) <= 2
    head = await call.store.head(CONTACT)
    assert head.owner == "gateway-2"
    assert head.moves <= 1
