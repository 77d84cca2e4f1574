"""Every Error and every Warning of Deepgram in the middle of a whole call: what its table says is what happens."""

from __future__ import annotations

import itertools

import pytest

from gateway.voice_agent.treatment import ERRORS, UNKNOWN_ERROR, UNKNOWN_WARNING, WARNINGS, Kind, Retry
from simulator.deepgram.manners import Incident
from tests.chaos import campaign
from tests.chaos.plans import calm
from tests.chaos.world import ChaosWorld

pytestmark = pytest.mark.scenario

FORMS = itertools.cycle(("interruptible", "polling"))
SAID = (("it is 4711", None), ("a person please", None))
NEVER_HEARD_OF = "NEVER_HEARD_OF"


def played(form: str, incident: Incident) -> ChaosWorld:
    report = campaign.run(calm(form=form, said=SAID, incidents=((1, incident),)), keep=True)
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


@pytest.mark.parametrize(("code", "form"), list(zip((*WARNINGS, NEVER_HEARD_OF), FORMS, strict=False)))
def test_a_warning_is_noticed_by_nobody(form: str, code: str) -> None:
    world = played(form, Incident("turn", "warning", code))
    assert world.queued == "orders"
    assert "4711" in world.heard_words
    changes = WARNINGS.get(code, UNKNOWN_WARNING).kind is Kind.NEW_SESSION
    assert len(world.deepgram.connections) == (2 if changes else 1)
