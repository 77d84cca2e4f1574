"""What a person reads: one line for each finding and, where there is something to do, one below it.

The same text on a terminal and in a pipe; only colours and the width differ.
"""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from operations.doctor.findings import Finding, Section, State

MARKS = {
    State.GOOD: ("✓", "green"),
    State.MISSING: ("✗", "bold red"),
    State.UNKNOWN: ("?", "yellow"),
    State.LATER: ("·", "dim"),
}
TOPIC_WIDTH = 14
PLAIN_WIDTH = 10_000  # a pipe wraps nothing: one finding is one line, for grep


def console(plain: bool | None = None) -> Console:
    """`plain`: for a pipe or a file; None finds out."""
    found = Console(highlight=False, emoji=False)
    return found if found.is_terminal and not plain else Console(highlight=False, emoji=False, width=PLAIN_WIDTH)


def show(section: Section, to: Console) -> None:
    """The topic stands in front of the first of its findings."""
    for number, finding in enumerate(section.findings):
        to.print(_row("" if number else section.topic, finding))
        if finding.mend:
            to.print(Padding(Text(f"→ {finding.mend}"), (0, 0, 0, TOPIC_WIDTH + 3), expand=False))


def _row(topic: str, finding: Finding) -> Table:
    mark, style = MARKS[finding.state]
    row = Table.grid(padding=(0, 1))
    row.add_column(width=TOPIC_WIDTH, no_wrap=True)
    row.add_column(width=1)
    row.add_column(overflow="fold")
    row.add_row(
        Text(topic, "bold"), Text(mark, style), Text(finding.what, style if finding.state is State.LATER else "")
    )
    return row


def summary(sections: list[Section]) -> Text:
    """How many of each, and what that means."""
    counted = dict.fromkeys(State, 0)
    for section in sections:
        for finding in section.findings:
            counted[finding.state] += 1
    parts = ", ".join(f"{count} {state.value}" for state, count in counted.items() if count)
    verdict = "something has to be mended" if counted[State.MISSING] else "nothing has to be mended"
    return Text(f"\n{parts}: {verdict}", "bold red" if counted[State.MISSING] else "bold green")
