"""What stands below a call when it is over: what came of it, how long everything took, where to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from simulator.phone.facts import Facts
from simulator.phone.screen import Screen
from simulator.phone.timing import Answered, BargeIn, answered, barge_ins

LONGEST = 44
COLUMN = 11
Rows = Iterator[tuple[str, tuple[str, ...]]]
SEEN = ("va_version", "va_transcript", "va_last_caller", "va_last_agent")  # the screen has shown them


def closing(screen: Screen, report: Mapping[str, Any], facts: Facts, folder: Path) -> None:
    """The last thing on the screen."""
    _result(screen, report)
    screen.say("")
    if answers := list(answered(facts)):
        _table(screen, _latencies(answers, facts.started_ms))
    if found := list(barge_ins(facts)):
        _table(screen, _barge_ins(found, facts.started_ms))
    if report["rtp"]:
        _line(screen, report)
    handed = {name: value for name, value in report["handover"].items() if name not in SEEN and value != "none"}
    if handed:
        screen.say("What the human sees", "bold")
        for name, value in handed.items():
            screen.pair(name.removeprefix("va_"), value)
        screen.say("")
    screen.say(f"Report     {folder / 'report.json'}")
    screen.say(f"Recording  {folder / 'call.wav'}  (left: the caller, right: what the caller heard)")


def _line(screen: Screen, report: Mapping[str, Any]) -> None:
    """What the way of the packets was like, of a call over SIP."""
    rtp, audio = report["rtp"], report["caller_audio"]
    lost = f"{rtp['rtp_lost']} lost on the way in, {rtp['rtp_sent_lost']} out; {rtp['rtp_late']} too late"
    screen.say("The line", "bold")
    screen.pair("packets", f"{rtp['rtp_received']:,} in, {rtp['rtp_sent']:,} out; {lost}")
    screen.pair(
        "to the agent", f"{audio['kvs_delay_ms_p50']} ms in the jitter buffer; jitter {rtp['rtp_jitter_ms']} ms"
    )
    screen.pair("to the caller", f"silent {rtp['silent_after_ms']} ms after a barge-in was noticed, at most")
    screen.say("")


def _result(screen: Screen, report: Mapping[str, Any]) -> None:
    well = report["result"] in ("transferred", "ended", "caller_hung_up") and not report["errors"]
    queue = f" to {report['queue']}" if report["queue"] else ""
    words = report["result"].replace("_", " ")
    screen.say(f"\n{words[0].upper()}{words[1:]}{queue}: {report['reason']}", "bold green" if well else "bold red")
    for error in report["errors"]:
        screen.say(f"  {error}", "red")


def _latencies(answers: Sequence[Answered], started_ms: int) -> Rows:
    yield "Latencies", ("caller stopped", "agent's audio came", "heard by the caller")
    for one in answers:
        came = one.received_ms - one.stopped_ms if one.received_ms else None
        times = (_at(one.stopped_ms, started_ms), _after(came), _after(one.heard_ms - one.stopped_ms))
        yield one.caller.text, times


def _barge_ins(found: Sequence[BargeIn], started_ms: int) -> Rows:
    yield "Barge-ins", ("caller began", "noticed", "flow told", "agent silent")
    for one in found:
        told = one.told_ms - one.onset_ms if one.told_ms else None
        times = (_after(one.noticed_ms - one.onset_ms), _after(told), _after(one.silent_ms - one.onset_ms))
        yield one.turn.text, (_at(one.onset_ms, started_ms), *times)


def _table(screen: Screen, rows: Rows) -> None:
    """The first row is the head; figures stand right."""
    (title, columns), *body = rows
    widths = [max(COLUMN, len(column) + 3) for column in columns]
    for number, (name, cells) in enumerate([(title, columns), *body]):
        cut = name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
        figures = "".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        screen.say(f"{cut:<{LONGEST}}{figures}", "" if number else "bold")
    screen.say("")


def _at(at_ms: int, started_ms: int) -> str:
    return f"{(at_ms - started_ms) / 1000:.2f} s"


def _after(ms: int | None) -> str:
    return "–" if ms is None else f"+{ms / 1000:.2f} s"
