"""Before anybody has put a key into the secret: every caller reaches a human, soon, and with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.voice_agent.errors import KeyUnavailable
from tests.scenarios import shop
from tests.scenarios.world import Connector, World, spoken

pytestmark = pytest.mark.scenario


@pytest.mark.parametrize("form", ["interruptible", "polling", "sip"])
async def test_without_a_key_every_caller_goes_to_a_human(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_: Connector) -> Any:
        raise KeyUnavailable("the secret has no value: put the Deepgram API key into it")

    monkeypatch.setattr(Connector, "connect", refuse)
    call = World(form, [spoken("where is my order")], shop.mind(), functions=shop.functions())
    await call.call()
    assert call.queued == "support"
    assert call.handover["va_reason"] == "voice_agent_key_unavailable"
    queued = next(event.at_ms for event in call.events if event.kind == "queued")
    assert queued - call.events[0].at_ms < 15_000
