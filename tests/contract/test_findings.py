from __future__ import annotations

import json

import pytest

from contract.findings import BRIEF_BYTES, Customer, customer, in_brief, remembered, taken_apart
from contract.turns import WITHHELD, FunctionEntry, FunctionState
from tests.contract.samples import T0


def called(
    name: str = "find",
    answer: object = "",
    at_ms: int = T0,
    state: FunctionState = FunctionState.FINISHED,
    error: str = "",
    **arguments: object,
) -> FunctionEntry:
    result = answer if isinstance(answer, str) else json.dumps(answer)
    return FunctionEntry(f"{at_ms}#{name}", name, arguments, state, at_ms, result=result, error=error)


@pytest.mark.parametrize(
    "content", ["", "4711", '{"ok": true}', '{"handover": "tomorrow"}', '{"handover": ', '["voice_agent", "handover"]']
)
def test_an_answer_without_anything_for_others_is_told_as_it_is(content: str) -> None:
    answer = taken_apart(content)
    assert (answer.told, answer.agent, answer.human) == (content, {}, {})


def test_the_model_sees_neither_what_is_for_the_agent_nor_what_is_for_the_human() -> None:
    content = json.dumps({"ok": True, "voice_agent": {"voice": "calm"}, "handover": {"verified": True}})
    answer = taken_apart(content)
    assert (json.loads(answer.told), answer.agent, answer.human) == (
        {"ok": True},
        {"voice": "calm"},
        {"verified": True},
    )


def test_the_newest_word_on_the_customer_counts_each_for_itself() -> None:
    known = called(answer={"handover": {"customer_id": " C-1 "}})
    failed = called(answer={"handover": {"customer_id": "C-2"}}, at_ms=T0 + 1, state=FunctionState.FAILED)
    refused = called(answer={"handover": {"verified": False}}, at_ms=T0 + 2)
    verified = called(answer={"handover": {"verified": True}}, at_ms=T0 + 3)
    odd = called(answer={"handover": {"verified": "perhaps", "customer_id": []}}, at_ms=T0 + 4)
    assert customer([]) == Customer("", "")
    assert customer([known]) == Customer("C-1", "")
    assert customer([refused, known, failed]) == Customer("C-1", "no")
    assert customer([odd, verified, refused, known]) == Customer("C-1", "yes")


def test_the_plain_values_of_an_answer_stand_for_it() -> None:
    answer = {"found": True, "late": False, "status": "on its\nway", "days": 2, "items": [1], "none": None}
    assert (
        in_brief([called(answer=answer)], 999) == "find: finished (found: yes, late: no, status: on its way, days: 2)"
    )
    assert in_brief([called(answer="[1]"), called("other", "")], 999) == "find: finished; other: finished"


def test_a_note_for_the_human_takes_their_place() -> None:
    answer = {"status": "x", "handover": {"note": "policy 471108"}}
    assert in_brief([called(answer=answer)], 999) == "find: finished (policy 471108)"
    assert in_brief([called(answer=answer, birth_year=WITHHELD)], 999) == "find: finished (policy 471108)"


def test_a_function_that_was_told_something_private_shows_its_note_alone() -> None:
    assert in_brief([called(answer={"birth_year": "1971"}, birth_year=WITHHELD)], 999) == "find: finished"


def test_of_what_failed_the_error_is_told_and_of_what_is_open_nothing() -> None:
    failed = called(answer={"error": "timeout"}, state=FunctionState.FAILED, error="timeout")
    open_ = called(at_ms=T0 + 1, state=FunctionState.ENTERED)
    assert in_brief([open_, failed], 999) == "find: failed (timeout); find: entered"


def test_the_newest_stay_when_not_all_fit_and_a_long_answer_is_cut() -> None:
    entries = [called(f"f{number}", {"text": "x" * 999}, T0 + number) for number in range(9)]
    told = in_brief(entries, 600)
    assert told.startswith("f7: ")
    assert len(told.encode()) <= 600
    assert len(in_brief(entries[:1], 3).encode()) == len("f0: finished ()") + BRIEF_BYTES


def test_what_one_function_keeps_the_later_ones_know_and_the_model_does_not() -> None:
    first = called(answer={"ok": True, "remember": {"policy": "471108", "step": 1, "gone": "x"}})
    second = called(answer={"remember": {"step": 2, "gone": ""}}, at_ms=T0 + 1)
    failed = called(answer={"remember": {"step": 3}}, at_ms=T0 + 2, state=FunctionState.FAILED)
    assert remembered([failed, second, first]) == {"policy": "471108", "step": "2"}
    assert json.loads(taken_apart(first.result).told) == {"ok": True}
    assert remembered([called(answer={"remember": {f"n{n}": "x" * 2000 for n in range(30)}})]) == {
        f"n{n}": "x" * 1000 for n in range(20)
    }
