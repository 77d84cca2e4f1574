from __future__ import annotations

import json

from contract.clock import SystemClock
from simulator.phone.gateway_log import GatewayLog
from tests.simulator.phone.samples import a_terminal


def a_log() -> GatewayLog:
    return GatewayLog(a_terminal()[0], SystemClock())


def test_it_knows_when_the_opening_is_there_or_why_it_is_not() -> None:
    log = a_log()
    found = [log.opening]
    for line in ({"event": "opening_rendered"}, {"event": "opening_not_rendered", "why": "UNAUTHORIZED"}):
        log.line(json.dumps(line))
        found.append(log.opening)

    assert found == [None, "", "UNAUTHORIZED"]


def test_it_keeps_the_figures_of_the_call_and_when_it_was_taken_first() -> None:
    log = a_log()
    log.line('{"event": "call_taken", "level": "info"}')
    taken_ms = log.figures["taken_at_ms"]
    log.line('{"event": "call_taken", "level": "info"}')
    log.line(json.dumps({"event": "call_over", "level": "info", "kvs_delay_ms_p50": 1380}))

    assert log.figures["taken_at_ms"] == taken_ms > 0
    assert log.figures["kvs_delay_ms_p50"] == 1380


def test_each_kind_of_error_is_told_once() -> None:
    log = a_log()
    told: list[str] = []
    log.line('{"event": "sweep_failed", "level": "error"}')
    log.failed = told.append
    for _ in range(3):
        log.line('{"event": "sweep_failed", "level": "error"}')
        log.line('{"event": "voice_agent_lost", "level": "warning"}')

    assert told == ["the gateway reports sweep_failed"]


def test_a_line_that_is_no_json_means_nothing() -> None:
    log = a_log()
    log.line("Traceback (most recent call last):")

    assert (log.opening, log.figures) == (None, {})
