"""Lines in columns: time, who, what. They come in the order of their times, as far as they are known in time."""

from __future__ import annotations

import heapq
import textwrap
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

TIME_WIDTH, WHO_WIDTH = 8, 10
INDENT = TIME_WIDTH + WHO_WIDTH + 4
PLAIN_WIDTH = 120  # where nobody says how wide the output is: a file, a pipe


@dataclass(order=True, slots=True)
class Line:
    at_ms: int
    number: int
    who: str = field(compare=False)
    what: str = field(compare=False)
    style: str = field(compare=False, default="")


class Screen:
    """Keeps lines back until `show` says that everything up to a time is known. `started_ms` is second 0."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        if not self.console.is_terminal and console is None:
            self.console.width = PLAIN_WIDTH
        self.started_ms = 0
        self._waiting: list[Line] = []
        self._number = 0

    def add(self, at_ms: int, who: str, what: str, style: str = "") -> None:
        self._number += 1
        heapq.heappush(self._waiting, Line(at_ms, self._number, who, what, style))

    def show(self, until_ms: int | None = None) -> None:
        """Print what happened up to then, or all there is."""
        while self._waiting and (until_ms is None or self._waiting[0].at_ms <= until_ms):
            self._print(heapq.heappop(self._waiting))

    def say(self, text: str, style: str = "") -> None:
        """A line of its own, never broken: paths stay whole."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def pair(self, name: str, value: str, style: str = "") -> None:
        """A name and its value in the same columns."""
        self._columns(f"  {name}".ljust(INDENT), value, "dim", style)

    def _print(self, line: Line) -> None:
        seconds = max(0, line.at_ms - self.started_ms) / 1000
        head = f"{seconds:{TIME_WIDTH}.2f}  {line.who:<{WHO_WIDTH}}  "
        self._columns(head, line.what, f"bold {line.style}" if line.style != "dim" else "dim", line.style)

    def _columns(self, head: str, what: str, head_style: str, style: str) -> None:
        room = max(20, self.console.width - INDENT)
        first, *rest = textwrap.wrap(what, room, break_on_hyphens=False) or [""]
        text = Text.assemble((head, head_style), (first, style))
        for piece in rest:
            text.append("\n" + " " * INDENT).append(piece, style=style)
        self.console.print(text, soft_wrap=True)
