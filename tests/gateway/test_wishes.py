"""A wish to leave as a line of the ledger."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract.turns import FunctionEntry, FunctionState
from gateway.conversation.ending import Leave
from gateway.wishes import Wishes

NOW = 1_700_000_000_000
TO_SALES = Leave(
    "transfer_to_human",
    "sales",
    "Wants a sofa.",
    function_id="f1",
    why="asked for a person",
    intent="buy",
    sentiment="positive",
)
GOODBYE = Leave("goodbye", function_id="f1")


@pytest.mark.parametrize("leave", [TO_SALES, GOODBYE])
def test_who_takes_the_call_over_finds_the_wish_with_all_that_the_human_shall_know(leave: Leave) -> None:
    line = Wishes().asked(leave, 2, NOW)
    found = Wishes().inherit([line])
    assert found is not None
    assert replace(found, function_id="") == replace(leave, function_id="")
    assert found.function_id  # a model asked for it: should nobody be there, the caller may come back


def test_a_wish_that_is_done_or_taken_back_is_not_found() -> None:
    wishes = Wishes()
    wishes.asked(GOODBYE, 1, NOW)
    taken_back = wishes.taken_back()
    asked = wishes.asked(GOODBYE, 1, NOW + 1)
    done = wishes.done()
    assert taken_back is not None
    assert done is not None
    assert (taken_back.state, done.state) == (FunctionState.CANCELLED, FunctionState.FINISHED)
    assert asked.key == done.key != taken_back.key
    assert Wishes().inherit([taken_back, done]) is None


def test_without_a_wish_there_is_nothing_to_close() -> None:
    wishes = Wishes()
    assert wishes.inherit([FunctionEntry("k", "look_up", {}, FunctionState.ENTERED, NOW)]) is None
    assert wishes.done() is None
    assert wishes.taken_back() is None


def test_an_inherited_wish_is_closed_like_any() -> None:
    line = Wishes().asked(TO_SALES, 2, NOW)
    wishes = Wishes()
    wishes.inherit([line])
    done = wishes.done()
    assert done is not None
    assert done.key == line.key


def test_the_transfer_that_the_caller_came_back_from_is_the_last_one_that_was_done() -> None:
    wishes = Wishes()
    lines = []
    for at, leave in enumerate((TO_SALES, replace(TO_SALES, queue="support"), Leave("goodbye"))):
        wishes.asked(leave, 2, NOW + at)
        lines.append(wishes.done())
    open_ = Wishes().asked(replace(TO_SALES, queue="billing"), 3, NOW + 9)
    found = Wishes.last([open_, *(line for line in reversed(lines) if line is not None)])
    assert found is not None
    assert found.queue == "support"
    assert Wishes.last([open_]) is None
