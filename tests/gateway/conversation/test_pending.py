from __future__ import annotations

from gateway.conversation.pending import FILLER_MS, PendingFunctions

NOW = 1_000_000


def test_a_request_that_comes_twice_counts_once() -> None:
    pending = PendingFunctions()
    assert pending.begin("a")
    assert not pending.begin("a")


def test_an_agent_that_calls_in_a_circle_is_stopped_until_the_next_turn() -> None:
    pending = PendingFunctions()
    stopped = []
    for number in range(pending.calls_a_turn + 1):
        pending.begin(str(number))
        stopped.append(pending.too_many)
    assert stopped == [False] * pending.calls_a_turn + [True]
    pending.new_turn()
    assert not pending.too_many


def test_each_function_is_finished_once() -> None:
    pending = PendingFunctions()
    pending.wait_for("a", "look_up", "", NOW)
    assert pending.any
    finished = pending.finish("a")
    assert finished is not None
    assert (finished.name, finished.renewed) == ("look_up", False)
    assert pending.finish("a") is None
    assert not pending.any


def test_a_cancelled_function_is_not_finished() -> None:
    pending = PendingFunctions()
    pending.wait_for("a", "look_up", "", NOW)
    assert pending.cancel("a")
    assert not pending.cancel("a")
    assert pending.finish("a") is None


def test_slow_functions_fill_the_silence_once() -> None:
    pending = PendingFunctions()
    assert pending.next_due_ms() is None
    pending.wait_for("a", "look_up", "One moment.", NOW)
    pending.wait_for("b", "write", "", NOW - 900)
    assert pending.next_due_ms() == NOW + FILLER_MS
    assert pending.due_fillers(NOW + FILLER_MS - 1) == []
    assert pending.due_fillers(NOW + FILLER_MS) == ["One moment."]
    assert pending.due_fillers(NOW + FILLER_MS) == []
    assert pending.next_due_ms() is None


def test_a_new_session_knows_nothing_of_what_runs_and_may_use_old_ids() -> None:
    pending = PendingFunctions()
    pending.begin("a")
    pending.begin("b")
    pending.wait_for("b", "look_up", "", NOW)
    pending.session_renewed()
    assert pending.begin("a")
    assert not pending.begin("b")
    finished = pending.finish("b")
    assert finished is not None
    assert finished.renewed
