"""What the logger writes, and what it never writes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lambdas import log
from lambdas.log import LOG, contact_of


def test_a_line_has_its_event_level_time_service_and_keys_and_nothing_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793")
    LOG.error("failed_over", contact="c-1", reason="gateway_lost", ms=7)
    (written,) = capsys.readouterr().out.splitlines()
    line = json.loads(written)
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo == UTC
    assert line == {
        "level": "ERROR",
        "event": "failed_over",
        "service": "voice-agent",
        "contact": "c-1",
        "reason": "gateway_lost",
        "ms": 7,
    }


def test_keys_of_one_line_are_not_those_of_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    LOG.info("answered", contact="c-1")
    LOG.warning("not_woken")
    LOG.debug("nobody_reads_this")
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["contact"] == "c-1"
    assert (second["level"], second["event"]) == ("WARNING", "not_woken")
    assert "contact" not in second


def test_no_handler_logs_its_event() -> None:
    """A decorated one would, key presses included, where somebody sets POWERTOOLS_LOGGER_LOG_EVENT."""
    code = [path.read_text(encoding="utf-8") for path in Path(log.__file__).parent.rglob("*.py")]
    assert len(code) > 30
    assert not [text for text in code if "inject_lambda_context" in text or "log_event" in text]


@pytest.mark.parametrize(
    ("event", "contact"),
    [
        ({"Details": {"ContactData": {"ContactId": "c-1"}}}, "c-1"),
        ({"Details": {"ContactData": {"ContactId": 1}}}, ""),
        ({"Details": {"ContactData": "c-1"}}, ""),
        ({"Details": "c-1"}, ""),
        ({}, ""),
    ],
)
def test_the_contact_of_an_event_that_may_be_malformed(event: dict[str, Any], contact: str) -> None:
    assert contact_of(event) == contact
