"""What was said, typed or looked up is planted, and searched for in everything that was written."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from contract.privacy import CARD
from gateway.telemetry import bounds
from gateway.telemetry.metrics import UNITS, line
from simulator.deepgram.loopback import Loopback
from tests.scenarios import written
from tests.scenarios.playing import prepared, world
from tests.scenarios.world import CONTACT, World
from tests.scenarios.written import Expected, Said, Written

ROOT = Path(__file__).resolve().parents[2]
PIN = "7391"
PLANTED = ("471108", PIN, "zebediah", "quartermaine", "4111", "1980", "reviewed", "berg", "oak dining table")
CALLS = {
    "shop": ["my name is zebediah quartermaine", "my order is 471108", "4111 1111 1111 1111", "a person please"],
    "insurance": ["what about my claim", "it is 471108", "1980", "yes please", "a person please"],
}
for agent in CALLS:
    prepared(agent)


def leaks(logged: str) -> list[str]:
    """What was said or typed, where it stands. Four digits within an id, a fraction or a number are chance."""
    found = (re.search(rf"(?<![0-9a-z.]){planted}(?![0-9a-z])", logged) for planted in PLANTED)
    return [logged[max(0, each.start() - 60) : each.end() + 20] for each in found if each]


@pytest.mark.scenario
@pytest.mark.parametrize(
    ("logged", "found"),
    [
        (f'{{"digits": "{PIN}"}}', 1),
        (f"digits={PIN} said 471108.", 2),
        (f"5f{PIN}ac 0.{PIN} 1{PIN}", 0),
        ("my name is zebediah", 1),
    ],
)
def test_what_is_looked_for_is_found_where_it_stands_by_itself(logged: str, found: int) -> None:
    assert len(leaks(logged)) == found


@pytest.mark.scenario
@pytest.mark.parametrize("form", written.FORMS)
@pytest.mark.parametrize("agent", CALLS)
async def test_nothing_of_a_call_is_in_a_log(
    agent: str, form: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = [Said(text) for text in CALLS[agent]]
    if agent == "insurance":  # a PIN and a number by keys, and then a person
        said[-1:] = [Said("i have a pin"), Said("", press=PIN), Said("i would rather type"), Said("", press="471108")]
        said.append(Said("a person please"))
    call = world(Written("planted", "", said, Expected(), agent=agent, patience_s=20), form, "best")
    figures: list[str] = []

    async def measure(call: World) -> None:
        """As the gateway's process does, though more often."""
        while True:
            values = {"Calls": len(call.service.calls), "Tasks": len(asyncio.all_tasks()), **bounds.take()}
            figures.append(line("planted", values, call.clock.now_ms()))
            await asyncio.sleep(0.5)

    with capture_logs() as logged:
        await call.call(measure)
    assert call.queued is not None
    assert figures
    flow_log = [event.detail["line"] for event in call.events if event.kind == "log"]
    standard = capsys.readouterr()
    assert logged
    assert flow_log
    assert "started" in standard.out or "disconnected" in standard.out
    everything = "\n".join(
        [
            json.dumps(logged, default=str),
            json.dumps(flow_log, default=str),
            standard.out,
            standard.err,
            caplog.text,
            *figures,
        ]
    ).lower()
    assert leaks(everything) == []


@pytest.mark.scenario
async def test_a_card_number_is_in_no_record_and_in_no_handover() -> None:
    said = [Said(text) for text in CALLS["shop"]]
    call = world(Written("planted", "", said, Expected(), patience_s=20), "polling", "best")
    await call.call()
    texts = [turn.text for turn in await call.store.turns(CONTACT)]
    assert CARD in texts
    assert not [text for text in [*texts, *call.handover.values()] if "4111 1111" in text]
    assert CARD in call.handover["va_transcript"]


@pytest.mark.scenario
@pytest.mark.parametrize("form", written.FORMS)
async def test_a_secret_that_was_typed_is_with_its_function_and_nowhere_else(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    send = Loopback.send

    async def noted(self: Loopback, frame: str | bytes) -> None:
        sent.append(frame if isinstance(frame, str) else "")
        await send(self, frame)

    monkeypatch.setattr(Loopback, "send", noted)
    said = [Said("i have a pin"), Said("", press=PIN), Said("a person please")]
    call = world(Written("planted", "", said, Expected(), agent="insurance", patience_s=20), form, "best")
    await call.call()
    assert [payload["arguments"] for name, payload in call.functions.invoked if name == "verify_pin"] == [{"pin": PIN}]
    record = call.store._records[CONTACT]
    everything = [repr(record.head), record.head.keys, *map(repr, [*record.log, *record.turns.values()])]
    everything += [json.dumps([entry.name, dict(entry.arguments), entry.result]) for entry in record.functions.values()]
    everything += [*sent, json.dumps(dict(call.handover))]
    assert any("verified" in text for text in sent)
    assert [text for text in everything if PIN in text] == []


def test_a_metric_has_a_name_of_ours_and_a_number_and_nothing_else() -> None:
    """Whatever a call holds, it cannot become a metric: every name is listed, with its unit."""
    with pytest.raises(KeyError):
        line("deployment", {"471108": 1}, 0)
    record = json.loads(line("deployment", dict.fromkeys(UNITS, 1.0), 0))
    told = {name: value for name, value in record.items() if name not in ("_aws", "Deployment")}
    assert all(isinstance(value, float) for value in told.values())
    assert record["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Deployment"]]


def test_nothing_traces_calls() -> None:
    """There are no spans that could hold words; who adds a tracer plants digits for it here."""
    code = [path for name in ("gateway", "lambdas", "contract") for path in (ROOT / name).rglob("*.py")]
    assert len(code) > 100
    tracers = ("opentelemetry", "aws_xray_sdk", "ddtrace", "tracing_config")
    assert [path.name for path in code if any(tracer in path.read_text(encoding="utf-8") for tracer in tracers)] == []
