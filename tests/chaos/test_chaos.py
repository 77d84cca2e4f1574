"""A short campaign, what earlier ones found, and that a campaign finds what is broken and can repeat it."""

from __future__ import annotations

import dataclasses
import random

import pytest

from contract.call import CallState
from contract.turns import Role
from simulator.deepgram.manners import Incident
from tests.chaos import campaign, faults, invariants
from tests.chaos.faults import DRAWS, Fault
from tests.chaos.plans import calm
from tests.chaos.world import ChaosWorld
from tests.scenarios.world import CONTACT

pytestmark = pytest.mark.scenario

FORMS = ("interruptible", "polling")
both_flows = pytest.mark.parametrize("form", FORMS)
FIRST, CALLS, SIP_CALLS, AT_ONCE = 1, 48, 12, 4


def played(plan: faults.Plan) -> tuple[campaign.Report, ChaosWorld]:
    report = campaign.run(plan, keep=True)
    assert report.world is not None
    return report, report.world


@pytest.mark.parametrize("first", range(FIRST, FIRST + CALLS, AT_ONCE))
def test_nothing_breaks_in_bad_weather(first: int) -> None:
    seeds = range(first, first + AT_ONCE)
    assert [report for report in campaign.campaign(seeds) if report.broken] == []


@pytest.mark.parametrize("first", range(FIRST, FIRST + SIP_CALLS, AT_ONCE))
def test_nothing_breaks_in_calls_over_sip(first: int) -> None:
    seeds = range(first, first + AT_ONCE)
    assert [report for report in campaign.campaign(seeds, flow=faults.SIP) if report.broken] == []


def test_the_seeds_of_the_calls_that_stream_know_nothing_of_sip() -> None:
    assert faults.draw(7) == faults.draw(7, flow=faults.draw(7).form)
    assert set(faults.drawn_in("")) == set(DRAWS) - {"packets_lost"}
    assert not {kind for kind in faults.drawn_in(faults.SIP) if kind.startswith(("media_", "clips_"))}


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        *((kind, "polling") for kind in faults.drawn_in("")),
        *((kind, faults.SIP) for kind in ("packets_lost", "gateway_killed", "gateway_frozen", "gateway_stopped")),
    ],
)
def test_every_kind_of_fault_strikes(kind: str, form: str) -> None:
    fault = Fault(kind, 9_000, **DRAWS[kind](random.Random(1)))
    first = "please cancel order 4711" if kind == "gateway_killed_in_function" else "it is 4711"
    report, _ = played(calm(form=form, faults=(fault,), said=((first, None), ("a person please", None))))
    assert report.injected == {kind: 1}
    assert report.broken == []


@both_flows
def test_a_seed_makes_the_same_call_again(form: str) -> None:
    plan = dataclasses.replace(faults.draw(7), form=form)
    (report, world), (again, the_same) = played(plan), played(plan)
    assert report == again
    assert world.exchange.line.heard == the_same.exchange.line.heard
    assert [(event.at_ms, event.kind) for event in world.events] == [
        (event.at_ms, event.kind) for event in the_same.events
    ]


def test_a_campaign_prints_its_figures_and_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    assert campaign.main(["--calls", "1", "--seed", "2", "--kinds", "queue"]) == 0
    assert "calls a second" in capsys.readouterr().out


def test_a_call_is_told_for_reading(capsys: pytest.CaptureFixture[str]) -> None:
    assert campaign.main(["--only", "2", "--kinds", "queue"]) == 0
    assert "call_taken" in capsys.readouterr().out


def test_what_is_broken_is_found() -> None:
    _, world = played(calm())
    assert invariants.findings(world) == []
    world.events += [event for event in world.events if event.kind == "prompt_asked"]
    world.deaths = -1
    world.late.append("late")
    world.left_sessions = world.left_readers = 1
    world.crowded.append(0)
    world.functions.invoked += [("cancel_order", {"arguments": {}})] * 2
    world.deepgram.connections[-1].session.counters.too_fast = 1
    words = next(turn for turn in world.turns_now() if turn.role is Role.VOICE_AGENT)
    record = next(iter(world.store._records.values()))
    record.turns[words.number] = dataclasses.replace(words, heard_text="never said in this way")
    found = {finding.where for finding in invariants.findings(world)}
    left = {"late", "sessions_left", "bodies_left", "two_sessions"}
    assert found == left | {"twice", "moves", "invoked_twice", "too_fast", "transcript"}


# -- what campaigns found ------------------------------------------------------------------------------------------


@both_flows
@pytest.mark.parametrize("at_ms", range(9_000, 13_000, 500))
def test_a_function_is_not_invoked_again_by_the_session_after(form: str, at_ms: int) -> None:
    said = (("please cancel order 4711", None), ("a person please", None))
    report, world = played(calm(form=form, said=said, faults=(Fault("session_dropped", at_ms),), takes_s=1.0))
    assert report.broken == []
    assert [name for name, _ in world.functions.invoked] == ["cancel_order"]


@both_flows
def test_a_session_that_dies_before_its_greeting_is_followed_by_one_that_greets(form: str) -> None:
    plan = calm(form=form, opening=False, incidents=((1, Incident("settings", "drop")),))
    report, world = played(plan)
    assert report.broken == []
    assert world.heard_words.startswith("Alder and Pine, good day.")


@pytest.mark.parametrize("at_ms", range(2_000, 14_000, 3_000))
def test_the_caller_of_a_gateway_that_dies_over_sip_comes_to_a_human_by_another_ones_bye(at_ms: int) -> None:
    said = (("it is 4711", None), ("tell me about your furniture", None))
    killed = Fault("gateway_killed", at_ms, 2.0, word="replaced")
    report, world = played(calm(form=faults.SIP, said=said, faults=(killed,)))
    assert report.broken == []
    assert [line.reason for line in world.switchboard.lines] == ["bye of another gateway"]
    assert (world.queued, world.handover["va_reason"]) == ("support", "gateway_lost")


@both_flows
@pytest.mark.parametrize("other", ["alone", "replaced"])
def test_a_gateway_that_was_frozen_neither_speaks_nor_writes_for_a_call_that_it_has_lost(form: str, other: str) -> None:
    said = (("tell me about your furniture", None), ("it is 4711", None), ("a person please", None))
    report, world = played(calm(form=form, said=said, faults=(Fault("gateway_frozen", 10_000, 20.0, word=other),)))
    assert report.broken == []
    assert world.queued == ("orders" if other == "replaced" else "support")


@both_flows
@pytest.mark.parametrize("at_ms", range(10_000, 15_000, 1_000))
def test_a_record_that_its_owner_could_not_close_is_closed_later(form: str, at_ms: int) -> None:
    cut_off = Fault("gateways_cut_off", at_ms, 15.0, word="1.0")
    report, world = played(calm(form=form, faults=(cut_off,), gateways=2))
    assert report.broken == []
    assert report.injected == {cut_off.kind: 1}
    assert world.store._records[CONTACT].head.state is CallState.ENDED
