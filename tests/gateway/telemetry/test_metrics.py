"""Metrics in CloudWatch's embedded metric format."""

from __future__ import annotations

import asyncio
import json

from gateway.telemetry.metrics import Metrics, line


def test_a_line_names_namespace_dimension_and_units() -> None:
    record = json.loads(line("shop", {"Calls": 3, "LoopLag": 1.5}, 1000))
    directive = record["_aws"]["CloudWatchMetrics"][0]
    assert (directive["Namespace"], directive["Dimensions"]) == ("VoiceAgent", [["Deployment"]])
    assert directive["Metrics"] == [
        {"Name": "Calls", "Unit": "Count"},
        {"Name": "LoopLag", "Unit": "Milliseconds"},
    ]
    assert (record["_aws"]["Timestamp"], record["Deployment"]) == (1000, "shop")
    assert (record["Calls"], record["LoopLag"]) == (3, 1.5)


async def test_it_writes_more_than_twice_a_minute_until_it_is_cancelled() -> None:
    written: list[str] = []
    task = asyncio.create_task(Metrics("shop", lambda: {"Calls": 1}, lambda: 0, written.append).run())
    await asyncio.sleep(59)
    task.cancel()
    assert len(written) == 3


async def test_without_a_deployment_it_writes_nothing() -> None:
    written: list[str] = []
    await Metrics("", lambda: {"Calls": 1}, lambda: 0, written.append).run()
    assert written == []
