"""Metrics in CloudWatch's embedded metric format: a line of the log that CloudWatch turns into numbers.

No metric has a dimension that grows with calls or callers; the deployment's name is the only one.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.telemetry.bounds import Bound

NAMESPACE = "VoiceAgent"
DIMENSION = "Deployment"
EVERY_S = 20.0  # the autoscaling looks at minutes
SIP_COUNTS = ("SipCalls", "SipDropped", "SipMalformed", "SipUnmatched", "RtpDrained")
UNITS = {
    "Calls": "Count",
    "LoopLag": "Milliseconds",
    "Tasks": "Count",
    **dict.fromkeys(SIP_COUNTS, "Count"),
    **{bound.value: "Count" for bound in Bound},
}


def line(deployment: str, values: Mapping[str, float], now_ms: int) -> str:
    """One line in embedded metric format (CloudWatch user guide, specification)."""
    metrics = [{"Name": name, "Unit": UNITS[name]} for name in values]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics}
    record = {"_aws": {"Timestamp": now_ms, "CloudWatchMetrics": [directive]}, DIMENSION: deployment, **values}
    return json.dumps(record)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class Metrics:
    """Writes what `read` returns, as long as `run` runs. Without a deployment's name it writes nothing."""

    deployment: str
    read: Callable[[], Mapping[str, float]]
    now_ms: Callable[[], int]
    write: Callable[[str], None] = _print

    async def run(self) -> None:
        while self.deployment:
            self.write(line(self.deployment, self.read(), self.now_ms()))
            await asyncio.sleep(EVERY_S)
