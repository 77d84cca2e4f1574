"""Each failure of docs/handover.md, a whole call in both KVS flows or over SIP; the table against the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import gateway.conversation.turns as turns
from operations.explain.reasons import sentence
from tests.scenarios.failures import FORMS, GROUPS, PLANTS, SIP, call_with, in_code

PAGE = Path(__file__).resolve().parents[2] / "docs" / "handover.md"


@pytest.fixture(autouse=True)
def the_log_is_not_written() -> Iterator[None]:
    """Writing out a traceback looks for files, which nothing in the event loop may do."""
    with capture_logs():
        yield


@pytest.fixture(autouse=True)
def as_many_turns_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_TURNS", turns.MOST_TURNS)  # one of the failures changes it


@pytest.mark.scenario
@pytest.mark.parametrize(
    ("reason", "form"), [(reason, form) for reason, plant in PLANTS.items() for form in plant.forms]
)
async def test_it_arrives_at_a_human_with_its_reason(reason: str, form: str) -> None:
    call = call_with(PLANTS[reason], form)
    await call.call(PLANTS[reason].breaks)  # type: ignore[arg-type]
    assert call.queued == "support"
    found = call.handover["va_reason"]
    assert found.startswith(reason) if reason in GROUPS else found == reason, found


def listed() -> dict[str, str]:
    """Reason and flows of the table's rows; of a group the beginning."""
    page = PAGE.read_text(encoding="utf-8").split("## When something fails")[1].split("## ")[0]
    rows = re.findall(r"^\| `(\w+)`(?: and a code)? \| .+ \| (.+) \|$", page, re.MULTILINE)
    return {reason: flows for reason, flows in rows if reason != "va_reason"}


def test_the_table_lists_every_reason_in_the_code_and_no_other() -> None:
    assert set(listed()) == in_code()


def test_every_reason_is_played() -> None:
    assert set(PLANTS) == in_code()
    over_sip = {reason for reason, plant in PLANTS.items() if plant.forms == SIP}
    assert {reason for reason, flows in listed().items() if flows == "SIP"} == over_sip
    one_form = {reason for reason, plant in PLANTS.items() if plant.forms not in (FORMS, SIP)}
    assert one_form == {reason for reason, flows in listed().items() if flows == "polling"}


def test_every_reason_is_explained_to_who_was_not_there() -> None:
    assert [reason for reason in in_code() if not sentence(reason)] == []
