"""Blocks that only decide where to go."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simulator.connect.errors import Unresolved
from simulator.connect.execution import Execution
from simulator.connect.flow_file import NO_MATCHING_CONDITION, Action
from simulator.connect.instance import Queue


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _numeric(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    """What is no number compares as false with everything."""

    def test(left: str, right: str) -> bool:
        a, b = _number(left), _number(right)
        return a is not None and b is not None and compare(a, b)

    return test


TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "Equals": lambda a, b: a == b,
    "TextStartsWith": str.startswith,
    "TextEndsWith": str.endswith,
    "TextContains": lambda a, b: b in a,
    "NumberGreaterThan": _numeric(lambda a, b: a > b),
    "NumberGreaterOrEqualTo": _numeric(lambda a, b: a >= b),
    "NumberLessThan": _numeric(lambda a, b: a < b),
    "NumberLessOrEqualTo": _numeric(lambda a, b: a <= b),
}


def compare(ex: Execution, action: Action) -> str:
    """Compare: the first condition that holds; a reference without a value matches none."""
    value = ex.value_at(action.parameters["ComparisonValue"])
    for condition in action.conditions:
        holds = bool(value) and TESTS[condition.operator](value or "", condition.operand)
        parameters = {"ComparisonMethod": condition.operator, "SecondValue": condition.operand, "Value": value}
        ex.log(action, parameters, "true" if holds else "false")
        if holds:
            return condition.target
    return action.error(NO_MATCHING_CONDITION)


def loop(ex: Execution, action: Action) -> str:
    """Loop: its counter begins anew after DoneLooping.

    Raises:
        Unresolved: a count that is not a number from 0 to 100.
    """
    count = ex.fill(action.parameters["LoopCount"])
    if not count.isdecimal() or int(count) > 100:
        raise Unresolved(f"LoopCount {count}")
    done = ex.state.loops.pop(action.identifier, 0)
    if done >= int(count):
        ex.log(action, {"LoopCount": count}, "DoneLooping")
        return action.outcome("DoneLooping")
    ex.state.loops[action.identifier] = done + 1
    ex.log(action, {"LoopCount": count}, "ContinueLooping")
    return action.outcome("ContinueLooping")


def check_hours(ex: Execution, action: Action) -> str:
    """CheckHoursOfOperation: the hours named, or those of the queue that was set.

    Raises:
        Unresolved: there are none.
    """
    named = action.parameters.get("HoursOfOperationId")
    arn = ex.fill(named) if named else (ex.state.queue.hours_arn if ex.state.queue else "")
    hours = ex.instance.hours_of(arn) if arn else None
    if hours is None:
        raise Unresolved(f"hours of operation {arn}")
    ex.log(action, {"HoursOfOperationId": hours.arn}, "true" if hours.open else "false")
    return action.outcome("True" if hours.open else "False")


def _queue(ex: Execution, action: Action) -> Queue:
    """The queue named, or the one that was set."""
    named = action.parameters.get("QueueId")
    queue = ex.instance.queue(ex.fill(named)) if named else ex.state.queue
    if queue is None:
        raise Unresolved(named or "the queue")
    return queue


def check_metric(ex: Execution, action: Action) -> str:
    """CheckMetricData. Raises Unresolved where there is no queue, or the numbers cannot be had."""
    queue = _queue(ex, action)
    if not queue.metrics:
        raise Unresolved("the metrics of the queue")
    value = {
        "NumberOfAgentsAvailable": queue.available,
        "NumberOfAgentsStaffed": queue.staffed,
        "NumberOfAgentsOnline": queue.online,
        "NumberOfContactsInQueue": queue.depth,
        "OldestContactInQueueAgeSeconds": queue.oldest_age_s,
    }[action.parameters["MetricType"]]
    ex.log(action, {"MetricType": action.parameters["MetricType"], "Queue": queue.arn}, str(value))
    for condition in action.conditions:
        if TESTS[condition.operator](str(value), condition.operand):
            return condition.target
    return action.error(NO_MATCHING_CONDITION)


def get_metrics(ex: Execution, action: Action) -> str:
    """GetMetricData. Raises Unresolved where there is no queue."""
    queue = _queue(ex, action)
    ex.state.metrics = {
        "Queue": {"Name": queue.name, "ARN": queue.arn, "Size": queue.depth, "OldestContactAge": queue.oldest_age_s},
        "Agents": {
            "Online": {"Count": queue.online},
            "Available": {"Count": queue.available},
            "Staffed": {"Count": queue.staffed},
        },
    }
    ex.log(action, {"Queue": queue.arn})
    return action.next
