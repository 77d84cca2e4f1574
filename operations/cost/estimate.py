"""What a month costs: what stands still, and what each call adds. No I/O.

What a call does to the table, the Lambdas and the bucket is counted from the code: the constants below say how.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from infra.deployment import Deployment
from infra.deployment.settings import Egress
from operations.cost.prices import PRICES

HOURS = 730.0  # of a month
KVS_GB_MINUTE = 2 * 16_000 * 60 / 1e9  # both directions, 16-bit at 8 kHz (Connect administrator guide)
TO_DEEPGRAM_GB_MINUTE = 2 * 8_000 * 60 / 1e9  # µ-law up and down
WAIT_MEMORY_GB = 0.5  # a flow Lambda; one is open as long as the call lasts
REQUESTS_MINUTE = 12.0  # of the flow: one for each clip and each time nothing is to be done
READS_MINUTE = (
    60 * 10.0 + 60 * 6.0
)  # units: the head, ten times a second by the Lambda, two to ten times by the gateway
# Units: the lease every 2 s, which moves in the index (3), six actions and ten turns as transactions of two items (4).
WRITES_MINUTE = 30.0 * 3 + 6 * 4 + 10 * 4
PUTS_MINUTE = 6.0  # clips
LOGS_GB_CALL = 12e-6  # lines of the gateway and of four Lambdas
METRICS, ALARMS, DASHBOARDS = 5, 23, 2
LOGS_GB_TASK_HOUR = 60 * 3 * 300 / 1e9  # a line of metrics every 20 s


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the estimate. `price` is a key of PRICES; `quantity` is in that price's unit."""

    name: str
    price: str
    quantity: float

    @property
    def usd(self) -> float:
        return self.quantity * PRICES[self.price].usd


@dataclass(frozen=True, slots=True)
class Load:
    """`calls` a month of `minutes` each; `full_tier`: the instance has the tier with AI features."""

    calls: int
    minutes: float
    full_tier: bool = False

    @property
    def total_minutes(self) -> float:
        return self.calls * self.minutes


def standing(deployment: Deployment) -> Iterator[Item]:
    """What is paid with no call at all: the least number of tasks, all the time."""
    capacity = deployment.capacity
    tasks = capacity.tasks_min * HOURS
    yield Item("gateway tasks, vCPU", "fargate_vcpu_hour", tasks * capacity.cpu / 1024)
    yield Item("gateway tasks, memory", "fargate_gb_hour", tasks * capacity.memory_mib / 1024)
    if capacity.egress is Egress.NAT:
        yield Item("NAT gateways", "nat_hour", capacity.zones * HOURS)
        yield Item("their addresses", "ipv4_hour", capacity.zones * HOURS)
    else:
        yield Item("the tasks' addresses", "ipv4_hour", tasks)
    if deployment.sip:
        yield Item("load balancer for SIP", "load_balancer_hour", HOURS)
        yield Item("its addresses", "ipv4_hour", _front_zones(deployment) * HOURS)
    yield Item("key", "key_month", 1)
    yield Item("secret", "secret_month", 0 if deployment.deepgram.secret.startswith("arn:") else 1)
    yield Item("metrics", "metric_month", METRICS)
    yield Item("alarms", "alarm_month", ALARMS)
    yield Item("dashboards", "dashboard_month", DASHBOARDS)
    yield Item("the tasks' metric lines", "logs_gb", tasks * LOGS_GB_TASK_HOUR)


def _front_zones(deployment: Deployment) -> int:
    """A load balancer has an address in each of its subnets, which are in as many zones."""
    return len(deployment.network.subnets) if deployment.network else deployment.capacity.zones


def calling(deployment: Deployment, load: Load) -> Iterator[Item]:
    """What the calls add."""
    minutes = load.total_minutes
    yield Item("Amazon Connect", "connect_minute_full" if load.full_tier else "connect_minute", minutes)
    yield Item("telephony", "telephony_minute", minutes)
    yield Item("Deepgram Voice Agent", "deepgram_minute", minutes)
    yield Item("video streams, written", "kvs_gb", minutes * KVS_GB_MINUTE)
    yield Item("video streams, read", "kvs_gb", minutes * KVS_GB_MINUTE)
    kept_months = deployment.instance.streaming.retention_hours / HOURS
    yield Item("video streams, kept", "kvs_gb_month", minutes * KVS_GB_MINUTE * kept_months)
    if deployment.capacity.egress is Egress.NAT:
        yield Item("through the NAT gateways", "nat_gb", minutes * (TO_DEEPGRAM_GB_MINUTE + KVS_GB_MINUTE))
    yield Item("waiting Lambdas", "lambda_gb_s", minutes * 60 * WAIT_MEMORY_GB)
    yield Item("invocations", "lambda_million", (minutes * REQUESTS_MINUTE + 2 * load.calls) / 1e6)
    yield Item("table, writes", "dynamodb_million_writes", minutes * WRITES_MINUTE / 1e6)
    yield Item("table, reads", "dynamodb_million_reads", minutes * READS_MINUTE / 1e6)
    yield Item("clips", "s3_thousand_puts", minutes * PUTS_MINUTE / 1e3)
    yield Item("logs of calls", "logs_gb", load.calls * LOGS_GB_CALL)
    yield from _more_tasks(deployment, load)


def _more_tasks(deployment: Deployment, load: Load) -> Iterator[Item]:
    """Tasks beyond the least number, if all calls came in 200 busy hours of the month."""
    capacity = deployment.capacity
    at_once = load.total_minutes / 60 / BUSY_HOURS
    needed = min(capacity.tasks_max, math.ceil(at_once / (0.6 * capacity.calls_per_task)))
    more = max(0, needed - capacity.tasks_min) * BUSY_HOURS
    yield Item("more tasks in busy hours, vCPU", "fargate_vcpu_hour", more * capacity.cpu / 1024)
    yield Item("more tasks in busy hours, memory", "fargate_gb_hour", more * capacity.memory_mib / 1024)


BUSY_HOURS = 200.0
