"""What is kept and told of one call, whatever became of its transfers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from contract.announcement import Kind, Told
from contract.call import Call, Result
from contract.clock import LoopClock
from contract.turns import FunctionEntry, Turn
from gateway.conversation.ending import Leave
from gateway.legs.leg import FlowTook
from gateway.record import Outcome
from gateway.telling import Telling
from tests.contract.samples import T0, a_call

FIRST = Leave("transfer_to_human", "orders", "Where the order is.")
SECOND = Leave("transfer_to_human", "orders", "How to send it back.")
GIVEN = {"va_queue": "orders", "va_summary": "Where the order is.", "va_turns": "2"}
LATER = {"va_queue": "orders", "va_summary": "How to send it back.", "va_turns": "4"}
TRANSFERRED = Outcome(Result.TRANSFERRED, "transfer_to_human")


class Announcer:
    """What is kept, in order; what is told with its kind."""

    def __init__(self) -> None:
        self.records: list[Told] = []
        self.told: list[Kind] = []

    def where(self, call: Call) -> str:
        return ""

    async def keep(
        self, call: Call, told: Told, turns: Sequence[Turn], functions: Sequence[FunctionEntry], keep_days: int
    ) -> None:
        self.records.append(told)

    async def tell(
        self, call: Call, told: Told, turns: Sequence[Turn], functions: Sequence[FunctionEntry], keep_days: int
    ) -> None:
        self.records.append(told)
        self.told.append(told.kind)


def telling(announcer: Announcer) -> Telling:
    return Telling(announcer, a_call(), LoopClock(T0), lambda: ((), (), 30))


def holds(told: Told, summary: str, handover: Mapping[str, str]) -> bool:
    return (told.summary, dict(told.handover)) == (summary, dict(handover))


@pytest.mark.parametrize("event", [FlowTook(), FlowTook("transfer_to_human", "orders", GIVEN)])
async def test_what_was_decided_is_what_the_flow_has(event: FlowTook) -> None:
    """A leg says which it is, or knows of no other."""
    announcer = Announcer()
    it = telling(announcer)
    it.will_hand_over(FIRST, GIVEN)
    assert it.took(event, FIRST) is FIRST
    await it.over(TRANSFERRED, FIRST)
    assert announcer.told == [Kind.HANDED_OVER, Kind.ENDED]
    assert len(announcer.records) == 3
    assert all(holds(told, FIRST.summary, GIVEN) for told in announcer.records)


async def test_a_change_of_mind_that_came_too_late_is_not_told() -> None:
    """Also where only their words tell the transfers apart."""
    announcer = Announcer()
    it = telling(announcer)
    it.will_hand_over(FIRST, GIVEN)
    it.will_hand_over(SECOND, LATER)
    left = it.took(FlowTook("transfer_to_human", "orders", GIVEN), SECOND)
    await it.over(TRANSFERRED, left)
    assert all(holds(told, FIRST.summary, GIVEN) for told in announcer.records[2:])
    assert len(announcer.records) == 4


async def test_what_an_earlier_owner_of_the_call_asked_for_is_told_as_its_human_got_it() -> None:
    announcer = Announcer()
    it = telling(announcer)
    nothing_said = {"va_queue": "support", "va_summary": "none"}
    left = it.took(FlowTook("gateway_lost", "support", nothing_said), None)
    assert left == Leave("gateway_lost", "support")
    await it.over(Outcome(Result.TRANSFERRED, "gateway_lost"), left)
    [handed_over, ended] = announcer.records
    assert (handed_over.queue, ended.queue) == ("support", "support")
    assert holds(handed_over, "", nothing_said)
    assert holds(ended, "", nothing_said)


async def test_of_a_goodbye_the_end_alone_is_told() -> None:
    announcer = Announcer()
    it = telling(announcer)
    it.will_hand_over(FIRST, GIVEN)  # and taken back
    left = it.took(FlowTook("goodbye"), Leave("goodbye"))
    await it.over(Outcome(Result.ENDED, "goodbye"), left)
    assert announcer.told == [Kind.ENDED]
    assert holds(announcer.records[-1], "", {})
    assert announcer.records[-1].queue == ""


@pytest.mark.parametrize("result", [Result.CALLER_HUNG_UP, Result.FAILED, Result.NONE])
async def test_the_record_of_a_transfer_that_did_not_happen_is_written_over(result: Result) -> None:
    announcer = Announcer()
    it = telling(announcer)
    it.will_hand_over(FIRST, GIVEN)
    await it.over(Outcome(result, "contact_event"), FIRST)
    [kept, ended] = announcer.records
    assert holds(kept, FIRST.summary, GIVEN)
    assert holds(ended, "", {})
    assert (ended.kind, ended.result, ended.queue) == (Kind.ENDED, result.value, "")
