"""Answers of the table that get lost after the write: whole calls, one for each write."""

from __future__ import annotations

from typing import Any

import pytest

from contract.actions import Transfer
from contract.turns import FunctionState
from tests.chaos import campaign
from tests.chaos.faults import SIP, Fault
from tests.chaos.plans import calm
from tests.chaos.tables import OF_GATEWAYS, OF_LAMBDAS, WRITES
from tests.chaos.world import ChaosWorld
from tests.scenarios.world import CONTACT

pytestmark = pytest.mark.scenario

SAID = (("please cancel order 4711", None), ("it is 4711", None), ("a person please", None))
BARGED_IN = (("it is 4711", 1.0), ("please cancel order 4711", 1.0), ("a person please", None))
SOON, LATE_S = 0.05, 2.0

# What such a call needs, so that the write is made.
NEEDS: dict[str, dict[str, Any]] = {
    "put_code": {"form": SIP},
    "claim_code": {"form": SIP},
    "note_dialog": {"form": SIP},
    "cancel": {"said": BARGED_IN, "form": "interruptible"},
    "cancel_opening": {"said": BARGED_IN, "form": "interruptible"},
    "give_away": {"gateways": 2, "faults": (Fault("gateway_stopped", 20_000, word="alone"),)},
    "fail_over": {"faults": (Fault("gateway_killed", 20_000, word="alone"),)},
}
DEFAULT_QUEUE = ("fail_over", "claim_code")  # nobody is left, or nobody knows whose call it is
TOO_LONG = ("create_call", "put_code", "asked")  # the flow waits for it, and twice two seconds are more than it has


def played(write: str, times: int, for_s: float, at_ms: int = 0, **changes: Any) -> ChaosWorld:
    needs = {"said": SAID, **NEEDS.get(write, {}), **changes}
    lost = Fault("store_unanswered", at_ms, for_s, number=times, word=write)
    report = campaign.run(calm(**{**needs, "faults": (lost, *needs.get("faults", ()))}), keep=True)
    assert report.world is not None
    assert report.injected["store_unanswered"] == 1
    assert report.broken == []
    return report.world


def invoked(world: ChaosWorld) -> list[str]:
    return [name for name, _ in world.functions.invoked]


@pytest.mark.parametrize("for_s", [SOON, LATE_S])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("write", WRITES)
def test_a_call_goes_on_where_the_answer_to_a_write_got_lost(write: str, times: int, for_s: float) -> None:
    world = played(write, times, for_s)
    given_up = write in DEFAULT_QUEUE or (write in TOO_LONG and (times, for_s) == (2, LATE_S))
    assert world.queued == ("support" if given_up else "orders")
    assert len(invoked(world)) == len(set(invoked(world)))


def test_each_write_of_the_store_is_one_of_these() -> None:
    assert set(NEEDS) <= set(WRITES)
    assert not set(OF_LAMBDAS) & set(OF_GATEWAYS)


@pytest.mark.parametrize("form", ["interruptible", "polling"])
def test_a_call_that_was_taken_over_without_an_answer_is_served_at_once(form: str) -> None:
    killed = Fault("gateway_killed", 20_000, word="alone")
    world = played("take", 1, SOON, at_ms=20_000, form=form, gateways=2, faults=(killed,))
    taken = [line["at"] for line in world.logs if line["event"] == "call_taken"]
    assert len(taken) == 2
    assert taken[1] - 20_500 < 11_000
    record = world.store._records[CONTACT]
    assert (record.head.epoch, record.head.moves) == (2, 1)


@pytest.mark.parametrize(("times", "asked"), [(1, 1), (2, 1)])
def test_a_function_that_was_entered_without_an_answer_is_invoked_once_at_most_and_told(times: int, asked: int) -> None:
    world = played("enter_function", times, SOON)
    assert invoked(world).count("cancel_order") == (1 if times == 1 else 0)
    words = world.heard_words
    assert ("Order 4711 has been cancelled" in words) == (times == 1)
    assert ("I am not sure about that." in words) == (times == 2)


def test_a_function_that_was_answered_without_an_answer_of_the_table_is_told() -> None:
    world = played("finish_function", 1, SOON)
    assert "Order 4711 has been cancelled" in world.heard_words
    entries = [each for each in world.store._records[CONTACT].functions.values() if each.name == "cancel_order"]
    assert [each.state for each in entries] == [FunctionState.FINISHED]


@pytest.mark.parametrize("form", ["interruptible", "polling"])
def test_nothing_is_appended_twice(form: str) -> None:
    world = played("append", 3, SOON, form=form)
    assert sum(isinstance(line.action, Transfer) for line in world.store._records[CONTACT].log) == 1
    assert world.heard_words.count("Order 4711 has been cancelled") == 1
