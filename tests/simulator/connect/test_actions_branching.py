from __future__ import annotations

import pytest

from simulator.connect.events import Enter
from tests.simulator.connect.small import HOURS, QUEUE, Hand, block, compare, say


@pytest.mark.parametrize(
    ("operator", "value", "operand", "holds"),
    [
        ("Equals", "play", "play", True),
        ("Equals", "Play", "play", False),
        ("TextStartsWith", "arn:aws:x", "arn:", True),
        ("TextEndsWith", "a.wav", ".wav", True),
        ("TextContains", "an arn:aws one", "arn:aws", True),
        ("TextContains", "none", "arn:aws", False),
        ("NumberGreaterThan", "10", "9", True),
        ("NumberGreaterThan", "9", "9", False),
        ("NumberGreaterOrEqualTo", "9", "9", True),
        ("NumberLessThan", "8.5", "9", True),
        ("NumberLessOrEqualTo", "9", "9", True),
        ("NumberLessThan", "none", "9", False),
        ("NumberLessThan", "1", "many", False),
    ],
)
def test_a_condition_compares_as_its_name_says(operator: str, value: str, operand: str, holds: bool) -> None:
    test = compare("c", "$.Attributes.v", {operand: "bye"}, operator=operator)
    hand = Hand(test, attributes={"v": value}).start()
    assert hand.path == ["c", "bye" if holds else "failed"]


def test_the_first_condition_that_holds_is_taken() -> None:
    test = compare("c", "$.Attributes.v", {"a": "first", "ab": "second"}, operator="TextStartsWith")
    assert Hand(test, say("first"), say("second"), attributes={"v": "abc"}).start().path == ["c", "first"]


def test_a_reference_without_value_matches_nothing() -> None:
    test = compare("c", "$.External.gone", {"0": "bye"}, operator="NumberGreaterOrEqualTo")
    assert Hand(test, logging=True).start().path == ["c", "failed"]


def test_each_condition_that_was_tried_is_logged() -> None:
    hand = Hand(compare("c", "$.Attributes.v", {"a": "bye", "b": "bye"}), attributes={"v": "b"}, logging=True).start()
    assert [line["Results"] for line in hand.logged[:2]] == ["false", "true"]
    assert hand.logged[1]["Parameters"] == {"ComparisonMethod": "Equals", "SecondValue": "b", "Value": "b"}


def looping(count: str) -> Hand:
    when = {"ContinueLooping": "l", "DoneLooping": "bye"}
    return Hand(
        block("l", "Loop", {"LoopCount": count}, when=when, errors={"NoMatchingError": "failed"}), attributes={"n": "2"}
    )


def test_a_loop_goes_round_as_often_as_it_says() -> None:
    assert looping("3").start().path == ["l"] * 4 + ["bye"]
    assert looping("0").start().path == ["l", "bye"]
    assert looping("$.Attributes.n").start().path == ["l"] * 3 + ["bye"]


@pytest.mark.parametrize("count", ["$.Attributes.gone", "$.ContactId"])
def test_a_loop_count_that_is_no_number_takes_the_error_branch(count: str) -> None:
    assert looping(count).start().path == ["l", "failed"]


def test_a_loop_counts_from_the_start_again_after_it_was_done() -> None:
    inner = block("i", "Loop", {"LoopCount": "2"}, when={"ContinueLooping": "i", "DoneLooping": "o"})
    outer = block("o", "Loop", {"LoopCount": "1"}, when={"ContinueLooping": "i", "DoneLooping": "bye"})
    assert Hand(inner, outer).start().path == ["i", "i", "i", "o", "i", "i", "i", "o", "bye"]


def test_the_index_of_a_loop_can_be_read() -> None:
    when = {"ContinueLooping": "s", "DoneLooping": "bye"}
    text = block("s", "UpdateContactAttributes", {"Attributes": {"at": "$.Loop.l.Index"}}, "say")
    hand = Hand(block("l", "Loop", {"LoopCount": "2"}, when=when), text, say("say")).start()
    assert hand.state.attributes == {"at": "0"}


def hours(parameters: dict[str, str]) -> dict[str, object]:
    return block("h", "CheckHoursOfOperation", parameters, when={"True": "bye", "False": "closed"})


@pytest.mark.parametrize(("is_open", "then"), [(True, "bye"), (False, "closed")])
def test_hours_of_operation_decide(is_open: bool, then: str) -> None:
    hand = Hand(hours({"HoursOfOperationId": HOURS}), say("closed"))
    hand.instance.hours[HOURS].open = is_open
    assert hand.start().path == ["h", then]


def test_without_a_name_the_hours_are_those_of_the_queue() -> None:
    hand = Hand(hours({}), say("closed"))
    hand.state.queue = hand.instance.queue(QUEUE)
    assert hand.start().path == ["h", "bye"]


@pytest.mark.parametrize("parameters", [{}, {"HoursOfOperationId": "$.Attributes.gone"}])
def test_without_hours_the_error_branch_is_taken(parameters: dict[str, str]) -> None:
    assert Hand(hours(parameters), say("closed")).start().path == ["h", "failed"]


def metric(kind: str, operand: str, operator: str, queue: str | None = QUEUE) -> Hand:
    parameters = {"MetricType": kind} | ({"QueueId": queue} if queue else {})
    errors = {"NoMatchingCondition": "nobody"}
    check = block("m", "CheckMetricData", parameters, when={operand: "bye"}, errors=errors, operator=operator)
    return Hand(check, say("nobody"))


def test_staffing_is_checked_in_the_queue_named() -> None:
    hand = metric("NumberOfAgentsStaffed", "0", "NumberGreaterThan")
    assert hand.start().path == ["m", "bye"]
    nobody = metric("NumberOfAgentsStaffed", "0", "NumberGreaterThan")
    nobody.instance.queues[QUEUE].staffed = 0
    assert nobody.start().path == ["m", "nobody"]


def test_a_metric_that_connect_cannot_say_takes_the_error_branch() -> None:
    hand = metric("NumberOfContactsInQueue", "3", "NumberLessOrEqualTo")
    hand.instance.queues[QUEUE].metrics = False
    assert hand.start().path == ["m", "failed"]


def test_a_metric_of_no_queue_takes_the_error_branch() -> None:
    assert metric("NumberOfContactsInQueue", "5", "NumberLessThan", queue=None).start().path == ["m", "failed"]


def test_metrics_can_be_read_after_they_were_fetched() -> None:
    fetch = block("g", "GetMetricData", {"QueueId": QUEUE}, "c")
    hand = Hand(fetch, compare("c", "$.Metrics.Queue.Size", {"7": "bye"}))
    hand.instance.queues[QUEUE].depth = 7
    assert hand.start().path == ["g", "c", "bye"]
    assert hand.of(Enter)[0] == Enter("g", "GetMetricData")


def test_metrics_of_no_queue_take_the_error_branch() -> None:
    assert Hand(block("g", "GetMetricData", {})).start().path == ["g", "failed"]
