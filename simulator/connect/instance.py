"""A Connect instance: what a flow can refer to, and what is the case there just now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar

from simulator.connect.errors import UnknownFlow
from simulator.connect.flow_file import Flow

INSTANCE_ARN = "arn:aws:connect:eu-central-1:111122223333:instance/5d1c2f3e-0000-4000-8000-000000000001"


@dataclass(slots=True)
class Hours:
    """An hours-of-operation object; `open` can be switched while calls run, and is what a flow's block sees.

    `periods`: what the API says of every day, pairs of minutes since midnight in `time_zone`.
    """

    arn: str
    name: str
    open: bool = True
    time_zone: str = "UTC"
    periods: tuple[tuple[int, int], ...] = ((0, 1440),)

    def effective(self, first: date, last: date) -> dict[str, Any]:
        """The answer of GetEffectiveHoursOfOperations."""
        day = [{"Start": _time(start), "End": _time(end)} for start, end in self.periods]
        dates = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        days = [{"Date": each.isoformat(), "OperationalHours": day} for each in dates]
        return {"EffectiveHoursOfOperationList": days, "EffectiveOverrideHoursList": [], "TimeZone": self.time_zone}


def _time(minutes: int) -> dict[str, int]:
    hours, rest = divmod(minutes % 1440, 60)
    return {"Hours": hours, "Minutes": rest}


@dataclass(slots=True)
class Queue:
    """A queue and its real-time metrics. `capacity` counts contacts; None is without end."""

    arn: str
    name: str
    hours_arn: str = ""
    staffed: int = 1
    available: int = 1
    online: int = 1
    depth: int = 0
    oldest_age_s: int = 0
    capacity: int | None = None
    metrics: bool = True  # False: Connect cannot say any of these numbers now

    @property
    def full(self) -> bool:
        return self.capacity is not None and self.depth >= self.capacity


T = TypeVar("T")


def named(things: Mapping[str, T], arn_or_id: str) -> T | None:
    """Find by ARN, or by the id at its end, as flow content may use either."""
    found = things.get(arn_or_id)
    if found is not None:
        return found
    return next((thing for arn, thing in things.items() if arn.rpartition("/")[2] == arn_or_id), None)


@dataclass(slots=True)
class Instance:
    """Everything is keyed by ARN; `prompts` holds the library prompts as µ-law 8 kHz."""

    arn: str = INSTANCE_ARN
    alias: str = "simulated"
    queues: dict[str, Queue] = field(default_factory=dict)
    hours: dict[str, Hours] = field(default_factory=dict)
    prompts: dict[str, bytes] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]

    def queue(self, arn_or_id: str) -> Queue | None:
        return named(self.queues, arn_or_id)

    def hours_of(self, arn_or_id: str) -> Hours | None:
        return named(self.hours, arn_or_id)

    def flow(self, arn_or_id: str) -> Flow | None:
        return named(self.flows, arn_or_id)

    def prompt(self, arn_or_id: str) -> bytes | None:
        return named(self.prompts, arn_or_id)

    def add(self, *things: Hours | Queue | Flow) -> None:
        for thing in things:
            if isinstance(thing, Queue):
                self.queues[thing.arn] = thing
            elif isinstance(thing, Hours):
                self.hours[thing.arn] = thing
            else:
                self.flows[thing.arn] = thing


def flow_in(instance: Instance, arn_or_id: str) -> Flow:
    """Raises UnknownFlow where the instance has no such flow."""
    flow = instance.flow(arn_or_id)
    if flow is None:
        raise UnknownFlow(arn_or_id)
    return flow
