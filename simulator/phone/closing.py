"""What stands below a call when it is over: what came of it, how long everything took, where to look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from simulator.phone.facts import Facts
from simulator.phone.screen import Screen
from simulator.phone.timing import Answered, BargeIn, answered, barge_ins

LONGEST = 52
SEEN = ("va_version", "va_transcript", "va_last_caller", "va_last_agent")  # the screen has shown them


def closing(screen: Screen, report: Mapping[str, Any], facts: Facts, folder: Path) -> None:
    """The last thing on the screen."""
    _result(screen, report)
    screen.say("")
    if answers := list(answered(facts)):
        screen.console.print(_latencies(answers))
    if found := list(barge_ins(facts)):
        screen.console.print(_barge_ins(found, facts.started_ms))
    handed = {name: value for name, value in report["handover"].items() if name not in SEEN and value != "none"}
    if handed:
        screen.say("\nWhat the human sees", "bold")
        for name, value in handed.items():
            screen.pair(name.removeprefix("va_"), value)
    screen.say("")
    screen.say(f"Report     {folder / 'report.json'}")
    screen.say(f"Recording  {folder / 'call.wav'}  (left: the caller, right: what the caller heard)")


def _result(screen: Screen, report: Mapping[str, Any]) -> None:
    well = report["result"] in ("transferred", "ended", "caller_hung_up") and not report["errors"]
    queue = f" to {report['queue']}" if report["queue"] else ""
    words = report["result"].replace("_", " ")
    screen.say(f"\n{words[0].upper()}{words[1:]}{queue}: {report['reason']}", "bold green" if well else "bold red")
    for error in report["errors"]:
        screen.say(f"  {error}", "red")


def _latencies(answers: Sequence[Answered]) -> Table:
    table = _table("Seconds after the caller's last word", "audio came", "heard", "until heard")
    for one in answers:
        came = one.received_ms - one.stopped_ms if one.received_ms else None
        ours = one.heard_ms - one.received_ms if one.received_ms else None
        table.add_row(_short(one.caller.text), *_figures(came, one.heard_ms - one.stopped_ms, ours))
    return table


def _barge_ins(found: Sequence[BargeIn], started_ms: int) -> Table:
    table = _table("Barge-ins: seconds after the caller's first sound", "noticed", "flow told", "silent")
    for one in found:
        told = one.told_ms - one.onset_ms if one.told_ms else None
        name = f"{(one.onset_ms - started_ms) / 1000:.2f} s  {_short(one.turn.text)}"
        table.add_row(name, *_figures(one.noticed_ms - one.onset_ms, told, one.silent_ms - one.onset_ms))
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2), header_style="bold")
    table.add_column(title, no_wrap=True, min_width=LONGEST)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _figures(*values: int | None) -> list[str]:
    return ["–" if ms is None else f"{ms / 1000:.2f}" for ms in values]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST - 10 else text[: LONGEST - 11] + "…"
