"""What a person sees of a call while it happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from contract.turns import FunctionEntry, FunctionState, Role, Turn
from simulator.connect.shell import FlowEvent

_SHOWN_BLOCKS = {
    "InvokeLambdaFunction": "asks",
    "MessageParticipant": "plays",
    "TransferContactToQueue": "transfers",
    "DisconnectParticipant": "disconnects",
    "UpdateContactMediaStreamingBehavior": "streams",
}


class Terminal:
    """Prints one line for each thing that happens; times count from the ring."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._started_ms = 0
        self._turns: dict[int, Turn] = {}
        self._functions: dict[str, FunctionState] = {}

    def step(self, text: str) -> None:
        """Progress while everything is being set up."""
        self._console.print(Text(f"  … {text}", style="dim"))

    def title(self, text: str) -> None:
        self._console.print(Text(text, style="bold"))

    def ring(self, started_ms: int) -> None:
        self._started_ms = started_ms

    def _line(self, at_ms: int, who: str, what: str, style: str = "") -> None:
        seconds = max(0, at_ms - self._started_ms) / 1000
        line = Text(f"{seconds:7.2f} s  ", style="dim")
        line.append(f"{who:<8}", style=f"bold {style}".strip())
        line.append(what, style=style)
        self._console.print(line, soft_wrap=True)

    def flow(self, event: FlowEvent) -> None:
        """An action of the contact flow, as far as a person wants to see it."""
        if event.kind == "enter" and event.identifier.startswith(("Short silence", "Silence")):
            return
        if event.kind == "enter" and event.type in _SHOWN_BLOCKS:
            self._line(event.at_ms, "flow", f"{_SHOWN_BLOCKS[event.type]}: {event.identifier}", "dim")
        elif event.kind == "queued":
            self._line(event.at_ms, "flow", f"the caller is in queue {_name(event.detail['queue_arn'])}", "green")
        elif event.kind == "disconnected":
            self._line(event.at_ms, "flow", f"disconnected ({event.detail['reason']})", "green")
        elif event.kind in ("prompt_failed", "streaming_failed"):
            self._line(event.at_ms, "flow", f"{event.kind.replace('_', ' ')} {event.detail.get('why', '')}", "red")

    def caller(self, at_ms: int, name: str, *, over_agent: bool) -> None:
        self._line(at_ms, "caller", f"speaks ({name})" + (", into the agent's words" if over_agent else ""), "cyan")

    def hangs_up(self, at_ms: int) -> None:
        self._line(at_ms, "caller", "hangs up", "cyan")

    def turn(self, turn: Turn) -> None:
        """A turn of the record, when it is new or when it is known how much of it was heard."""
        before = self._turns.get(turn.number)
        self._turns[turn.number] = turn
        if turn.role is Role.CALLER:
            if before is None:
                self._line(turn.ended_at_ms, "caller", f"“{turn.text}”", "cyan")
            return
        if before is None or before.text != turn.text:
            self._line(turn.started_at_ms or self._latest(), "agent", f"“{turn.text}”", "yellow")
        if turn.interrupted and (before is None or not before.interrupted):
            self._line(turn.ended_at_ms, "agent", f"interrupted; heard: “{turn.heard_text}”", "magenta")

    def function(self, entry: FunctionEntry) -> None:
        if self._functions.get(entry.key) is entry.state:
            return
        self._functions[entry.key] = entry.state
        if entry.state is FunctionState.ENTERED:
            arguments = ", ".join(f"{name}={value!r}" for name, value in entry.arguments.items())
            self._line(entry.entered_at_ms, "function", f"{entry.name}({arguments})", "blue")
        else:
            took = entry.finished_at_ms - entry.entered_at_ms
            self._line(
                entry.finished_at_ms, "function", f"{entry.name} → {entry.result or entry.error}  ({took} ms)", "blue"
            )

    def gateway(self, line: Mapping[str, Any], at_ms: int) -> None:
        """A line of the gateway's log that a person wants to see."""
        if line.get("level") in ("warning", "error", "critical"):
            self._line(at_ms, "gateway", str(line.get("event")), "red")

    def latency(self, at_ms: int, ms: int) -> None:
        self._line(at_ms, "latency", f"{ms} ms from the caller's last word to the agent's first", "dim")

    def result(self, report: Mapping[str, Any], folder: str) -> None:
        """The end: what came of it, and where to look."""
        queue = f" to {report['queue']}" if report["queue"] else ""
        style = "bold green" if report["result"] in ("transferred", "ended") else "bold red"
        self._console.print(Text(f"\n{report['result']}{queue} ({report['reason']})", style=style))
        for error in report["errors"]:
            self._console.print(Text(f"  {error}", style="red"))
        for name, value in report["handover"].items():
            if value != "none":
                self._console.print(Text(f"  {name}: {value}", style="dim"))
        self._console.print(f"\n{folder}/call.wav     left: what the caller said, right: what the caller heard")
        self._console.print(f"{folder}/report.json  transcript, functions, clips, latencies")

    def _latest(self) -> int:
        return max((turn.ended_at_ms for turn in self._turns.values()), default=self._started_ms)


def _name(arn: object) -> str:
    return str(arn).rpartition("/")[2]
