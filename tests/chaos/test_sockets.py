"""A session's connection that stands and carries nothing any more."""

from __future__ import annotations

import pytest

from contract.turns import Role
from gateway.voice_agent.connection import PING_S
from gateway.voice_agent.protocol import SEND_STALL_MS
from tests.chaos import campaign
from tests.chaos.faults import Fault
from tests.chaos.plans import calm
from tests.chaos.sockets import PASSING, STUCK

pytestmark = pytest.mark.scenario

SPEAKS_AT_MS, REPLIES_AT_MS, SILENT_AT_MS = 6_500, 11_000, 21_000
SAID = (("tell me about your furniture", None), ("a person please", None))


@pytest.mark.parametrize("form", ["interruptible", "polling", "sip"])
@pytest.mark.parametrize("at_ms", [SPEAKS_AT_MS, REPLIES_AT_MS, SILENT_AT_MS])
@pytest.mark.parametrize("word", [PASSING, STUCK])
def test_a_half_open_connection_is_found_and_the_call_goes_on(word: str, at_ms: int, form: str) -> None:
    """By the stall of what is sent, else by the ping."""
    broken = Fault("session_half_open", at_ms, 2 * PING_S, word=word)
    report = campaign.run(calm(form=form, said=SAID, faults=(broken,)), keep=True)
    assert report.broken == []
    world = report.world
    assert world is not None
    assert report.injected == {broken.kind: 1}
    [lost, *_] = [line for line in world.logs if line["event"] == "voice_agent_lost"]
    limit_ms = SEND_STALL_MS if word == STUCK else 2 * PING_S * 1000
    assert lost["at"] <= at_ms + 500 + limit_ms + 500
    said = " ".join(turn.text for turn in world.turns_now() if turn.role is Role.CALLER)
    assert said == " ".join(text for text, _ in SAID), "one turn or two, and every word"
