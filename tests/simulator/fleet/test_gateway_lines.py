"""What the fleet reads in a gateway's output."""

from __future__ import annotations

import json

from simulator.fleet.stage import Gateway


def test_metrics_are_kept_and_counted() -> None:
    gateway = Gateway("gateway-1")
    gateway.line(json.dumps({"_aws": {}, "Deployment": "fleet", "Calls": 2, "Tasks": 31}))

    assert gateway.figures == {"Calls": 2, "Tasks": 31}
    assert gateway.measured == 1


def test_an_error_is_trouble_unless_it_is_expected() -> None:
    gateway = Gateway("gateway-1", expected=frozenset({"sweep_failed"}))
    for event, level in (("call_broke", "error"), ("sweep_failed", "error"), ("call_over", "info")):
        gateway.line(json.dumps({"event": event, "level": level}))

    assert [json.loads(text)["event"] for text in gateway.troubles] == ["call_broke"]
    assert gateway.happened == ["call_broke", "sweep_failed", "call_over"]


def test_what_python_says_by_itself_is_trouble() -> None:
    gateway = Gateway("gateway-1")
    gateway.line("Task exception was never retrieved")

    assert gateway.troubles == ["Task exception was never retrieved"]
