from __future__ import annotations

import json

from simulator.deepgram.line import Line
from simulator.deepgram.manners import PESSIMISTIC, PRESETS, TEXTBOOK, Manners
from simulator.deepgram.wire import Close


def line(manners: Manners = TEXTBOOK) -> Line:
    return Line(manners, "r", 1_000)


def test_timers_run_in_order_each_at_its_own_time() -> None:
    one, seen = line(), list[tuple[str, int]]()
    one.later(20, lambda: seen.append(("b", one.now_ms)), "g")
    one.later(10, lambda: seen.append(("a", one.now_ms)), "g")
    one.later(20, lambda: seen.append(("c", one.now_ms)), "g")
    one.later(40, lambda: seen.append(("d", one.now_ms)), "g")
    one.run(1_035)
    assert seen == [("a", 1_010), ("b", 1_020), ("c", 1_020)]
    assert (one.now_ms, one.next_due_ms) == (1_035, 1_040)


def test_a_timer_may_set_another_that_is_due_at_once() -> None:
    one, seen = line(), list[int]()
    one.later(10, lambda: one.later(0, lambda: seen.append(one.now_ms), "g"), "g")
    one.run(2_000)
    assert seen == [1_010]


def test_time_never_goes_back() -> None:
    one = line()
    one.run(5_000)
    one.run(2_000)
    assert one.now_ms == 5_000


def test_a_cancelled_group_never_runs_and_others_do() -> None:
    one, seen = line(), list[str]()
    one.later(10, lambda: seen.append("a"), "a")
    one.later(10, lambda: seen.append("b"), "b")
    assert one.waits_for("a")
    one.cancel("a", "c")
    assert not one.waits_for("a")
    one.run(2_000)
    assert seen == ["b"]


def test_after_a_failure_only_the_close_comes() -> None:
    one = line()
    one.later(1, lambda: one.send("Never"), "g")
    one.fail("CODE", "Why.")
    one.send("Never")
    one.later(1, lambda: one.send("Never"), "g")
    one.run(2_000)
    error, close = one.take()
    assert isinstance(error, str)
    assert json.loads(error) == {"type": "Error", "code": "CODE", "description": "Why."}
    assert close == Close(1000)
    assert one.take() == []


def test_a_limit_is_divided_by_the_time_scale_and_never_zero() -> None:
    assert Manners(time_scale=60).scaled(10_000) == 167
    assert Manners(time_scale=1e9).scaled(10_000) == 1


def test_every_preset_differs_from_the_others_and_the_default_is_the_pessimistic_one() -> None:
    assert len(set(PRESETS.values())) == len(PRESETS)
    assert Manners() == PESSIMISTIC
