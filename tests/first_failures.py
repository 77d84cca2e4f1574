"""What fails in real time is tried once more; that it failed at first is kept, for the end of `make test`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each failure, after those that are there, in the file that FIRST_FAILURES names."""
    file = os.environ.get("FIRST_FAILURES")
    if not file:
        return
    reports = [*terminalreporter.stats.get("failed", []), *terminalreporter.stats.get("error", [])]
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    with Path(file).open("a", encoding="utf-8") as lines:
        lines.writelines(f"{report.nodeid} ({report.when}): {_why(report)}\n" for report in reports)


def _why(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    told = crash.message if crash is not None else str(report.longrepr)
    return told.splitlines()[0] if told else "no reason"
