"""The ten questions of docs/operations.md: the lines on the page are those that the simulator logs in such a night."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.operations import nights

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text()
_EVIDENCE = re.compile(r"<!-- night: (\w+) -->\n```json\n(.*?)```", re.DOTALL)


def evidence() -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    for name, lines in _EVIDENCE.findall(PAGE):
        yield name, [json.loads(line) for line in lines.splitlines()]


def comparable(line: Mapping[str, Any]) -> dict[str, str]:
    """Numbers are only of that run; `epoch` counts."""
    level = line.get("level") or line.get("log_level")
    values = {key: value for key, value in line.items() if key not in ("log_level", "level")}
    return {"level": str(level)} | {
        key: str(value) if isinstance(value, str) or key == "epoch" else "a number" for key, value in values.items()
    }


def test_there_are_ten_questions_each_with_its_evidence() -> None:
    questions = re.split(r"^### ", PAGE.split("## Ten questions at night")[1].split("\n## ")[0], flags=re.MULTILINE)[1:]
    assert [question.split(".")[0] for question in questions] == [str(number) for number in range(1, 11)]
    assert all("```json" in question for question in questions)


@cache
def by_night() -> Mapping[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for name, lines in evidence():
        found.setdefault(name, []).extend(lines)
    return found


@pytest.mark.parametrize("name", sorted(by_night()))
async def test_a_night_logs_what_the_page_shows(name: str) -> None:
    logged = [comparable(line) for line in await nights.logged(getattr(nights, name))]
    for line in by_night()[name]:
        shown = comparable(line).items()  # a line may grow; what the page shows of it has to be there
        assert any(shown <= each.items() for each in logged), (line, [e for e in logged if e["event"] == line["event"]])


def test_the_line_of_metrics_is_what_the_gateway_writes() -> None:
    (shown,) = re.findall(r"<!-- metrics -->\n```json\n(.*?)\n```", PAGE)
    assert json.loads(shown) == nights.measured()


def test_every_event_that_the_page_names_is_one_that_is_logged() -> None:
    root = Path(__file__).resolve().parents[2]
    code = "\n".join(path.read_text() for part in ("gateway", "lambdas") for path in (root / part).rglob("*.py"))
    told = set(re.findall(r"`([a-z]+_[a-z_]+)`", PAGE.split("## Ten questions")[1].split("## Routine")[0]))
    assert {name for name in told if f'"{name}"' not in code} <= {
        *("loop_lag_ms_p99", "kvs_delay_ms_p50", "backlog_ms_max", "retry_ms", "calls_per_task", "deepgram_key"),
        *("va_reason", "start_call", "voice_agent_", "http_401", "http_402", "http_403", "http_429"),
    }
