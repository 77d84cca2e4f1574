"""A short campaign, what earlier ones found, and that a campaign finds what is broken and can repeat it."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from contract.actions import Numbered, Say
from contract.call import CallState, Lease
from contract.turns import FunctionEntry, FunctionState, Role
from simulator.connect.events import DisconnectReason
from simulator.deepgram.manners import Incident
from tests.chaos import campaign, faults, invariants
from tests.chaos.faults import DRAWS, Fault
from tests.chaos.plans import calm
from tests.chaos.world import ChaosWorld
from tests.scenarios.world import CONTACT, NEVER_CAUSED

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
    at_ms = 6_000 if kind.startswith("functions_") or kind.endswith("_in_function") else 9_500
    fault = Fault(**{"kind": kind, "at_ms": at_ms, **DRAWS[kind](random.Random(1))})
    said = (("please cancel order 4711", None), ("it is 4711", None), ("a person please", None))
    report, _ = played(calm(form=form, faults=(fault,), said=said))
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


class _Careless(ChaosWorld):
    """A callback of its raises in the middle of the call."""

    async def play(self) -> None:
        asyncio.get_running_loop().call_later(9.0, self._raises)
        await super().play()

    def _raises(self) -> None:
        raise ValueError("planted")


def test_an_exception_in_a_callback_is_a_finding() -> None:
    report = campaign.run(calm(), make=_Careless)
    assert [finding.where for finding in report.broken] == ["crash"]
    assert "reached nobody" in report.broken[0].what
    assert "ValueError('planted') at" in report.broken[0].what


def test_a_campaign_prints_its_figures_and_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    assert campaign.main(["--calls", "1", "--seed", "2", "--kinds", "queue"]) == 0
    assert "calls a second" in capsys.readouterr().out


def test_a_call_is_told_for_reading(capsys: pytest.CaptureFixture[str]) -> None:
    assert campaign.main(["--only", "2", "--kinds", "queue"]) == 0
    assert "call_taken" in capsys.readouterr().out


def _record(world: ChaosWorld) -> Any:
    return world.store._records[CONTACT]


def _head(world: ChaosWorld, **changes: Any) -> None:
    record = _record(world)
    record.head = dataclasses.replace(record.head, **changes)


def _turns(world: ChaosWorld, role: Role, **changes: Any) -> None:
    turns = _record(world).turns
    for number, turn in turns.items():
        if turn.role is role:
            turns[number] = dataclasses.replace(turn, **changes)


def _without_queue(world: ChaosWorld) -> None:
    """The flow hangs up on them instead."""
    assert world.end is not None
    world.events = [event for event in world.events if event.kind != "queued"]
    world.end = dataclasses.replace(world.end, reason=DisconnectReason.FLOW)


def _twice_in_the_ledger(world: ChaosWorld) -> None:
    entry = FunctionEntry("1", "cancel_order", {}, FunctionState.FINISHED, 1)
    _record(world).functions.update({key: dataclasses.replace(entry, key=key) for key in "12"})


def _silence(world: ChaosWorld) -> None:
    world.exchange.line.heard[:0] = bytes(60_000 * 16)
    world.events = [event for event in world.events if event.kind != "queued"]


def _late_silence(world: ChaosWorld) -> None:
    _without_queue(world)
    world.exchange.line.now_ms += 60_000


def _unquestioned(world: ChaosWorld) -> None:
    queued = next(event for event in world.events if event.kind == "queued")
    queued.detail["attributes"]["va_reason"] = "none"


def _echo(world: ChaosWorld) -> None:
    world.plan = dataclasses.replace(world.plan, echo=True)
    world.caller.spoke_ms.clear()
    _turns(world, Role.VOICE_AGENT, interrupted=True)


def _stale(world: ChaosWorld) -> None:
    world.store.stale += [(0, Lease(CONTACT, "gateway-1", 1), "turn 1")] * 2


def _counted(name: str) -> Callable[[ChaosWorld], None]:
    return lambda world: setattr(world.deepgram.connections[-1].session.counters, name, 1)


PLANTED: dict[str, Callable[[ChaosWorld], None]] = {
    "late": lambda world: world.late.append("late"),
    "broken": lambda world: world.broken.append(ValueError("planted")),
    "bug": lambda world: world.logs.append({"at": 0, "event": "call_broke", "why": "planted"}),
    "no_goodbye": _late_silence,
    "hung_up_on": _without_queue,
    "no_person": _without_queue,
    "silence": _silence,
    "twice": lambda world: world.events.extend([each for each in world.events if each.kind == "prompt_asked"]),
    "open": lambda world: _head(world, state=CallState.ACTIVE),
    "no_outcome": lambda world: _record(world).log.append(Numbered(99, Say("planted"), 0)),
    "clips_left": lambda world: world.prompts.objects.update({"https://s3/clips/planted.wav": b""}),
    "moves": lambda world: setattr(world, "deaths", -1),
    "sessions_left": lambda world: setattr(world, "left_sessions", 1),
    "bodies_left": lambda world: setattr(world, "left_readers", 1),
    "two_sessions": lambda world: world.crowded.append(0),
    "too_fast": _counted("too_fast"),
    "empty_frames": _counted("empty_frames"),
    "early_audio": _counted("early_audio"),
    "unknown_answers": _counted("unknown_answers"),
    "invoked_twice": lambda world: world.functions.invoked.extend([("cancel_order", {"arguments": {}})] * 2),
    "ledger": _twice_in_the_ledger,
    "no_reason": _unquestioned,
    "transcript": lambda world: _turns(world, Role.VOICE_AGENT, heard_text="never said in this way"),
    "left_out": lambda world: _turns(world, Role.VOICE_AGENT, heard_text=""),
    "unheard": lambda world: _turns(world, Role.CALLER, text=""),
    "echo": _echo,
    "zombie": _stale,
}


def test_a_call_in_which_nothing_is_wrong_has_no_findings() -> None:
    assert invariants.findings(played(calm())[1]) == []


@pytest.mark.parametrize("where", PLANTED)
def test_what_is_broken_is_found(where: str) -> None:
    _, world = played(calm())
    PLANTED[where](world)
    assert where in {finding.where for finding in invariants.findings(world)}


def test_everything_that_can_be_found_was_planted_once() -> None:
    source = "".join(inspect.getsource(check) for check in invariants.CHECKS)
    assert set(re.findall(r'yield \(?\s*"(\w+)"', source)) | set(NEVER_CAUSED) == set(PLANTED)


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
