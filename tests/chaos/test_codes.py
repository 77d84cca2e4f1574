"""Every Error and every Warning of Deepgram in the middle of a whole call: what its table says is what happens."""

from __future__ import annotations

import itertools

import pytest

from gateway.voice_agent.treatment import ERRORS, UNKNOWN_ERROR, WARNINGS, Kind, Retry
from simulator.deepgram.manners import Incident
from tests.chaos import campaign
from tests.chaos.plans import calm
from tests.chaos.world import ChaosWorld

pytestmark = pytest.mark.scenario

FORMS = itertools.cycle(("interruptible", "polling"))
SAID = (("it is 4711", None), ("a person please", None))
NEVER_HEARD_OF = "NEVER_HEARD_OF"


def played(form: str, *incidents: Incident) -> ChaosWorld:
    report = campaign.run(calm(form=form, said=SAID, incidents=tuple((1, each) for each in incidents)), keep=True)
    assert report.world is not None
    assert report.broken == []
    return report.world


@pytest.mark.parametrize(("code", "form"), list(zip((*ERRORS, NEVER_HEARD_OF), FORMS, strict=False)))
def test_after_an_error_the_conversation_goes_on_or_a_human_takes_it(form: str, code: str) -> None:
    world = played(form, Incident("turn", "error", code))
    assert "voice_agent_lost" in [line["event"] for line in world.logs] or world.queued == "support"
    if ERRORS.get(code, UNKNOWN_ERROR).retry is Retry.NEVER:
        assert world.queued == "support"
        assert world.handover["va_reason"] == f"voice_agent_{code.lower()}"
    else:
        assert "4711" in world.heard_words
        assert world.queued == "orders"
        assert len(world.deepgram.connections) == 2


@pytest.mark.parametrize("form", ["interruptible", "polling"])
def test_no_warning_is_noticed_by_anybody(form: str) -> None:
    """All of them in one call, half a second apart; the one that announces the session's end changes it, unheard."""
    codes = [*(code for code in WARNINGS if WARNINGS[code].kind is not Kind.NEW_SESSION), NEVER_HEARD_OF]
    moments = enumerate([*codes, "MAXIMUM_SESSION_LENGTH_APPROACHING"])
    world = played(form, *(Incident("clock", "warning", code, at_ms=3_000 + 500 * place) for place, code in moments))
    assert world.queued == "orders"
    assert "4711" in world.heard_words
    assert len(world.deepgram.connections) == 2
    assert [line["code"] for line in world.logs if line["event"] == "voice_agent_lost"] == ["CLOSED"]  # by us
