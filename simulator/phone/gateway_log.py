"""What the gateway's log says that the phone wants to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contract.clock import Clock
from simulator.phone.processes import json_line
from simulator.phone.terminal import Terminal

BROKEN = ("error", "critical")


@dataclass
class GatewayLog:
    """`opening`: None until the gateway has rendered it, then "" or why it could not.

    `figures` are those of the last call; `failures` what it logged as an error since the ring.
    """

    terminal: Terminal
    clock: Clock
    started: bool = False
    opening: str | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    failed: Callable[[str], None] = lambda text: None  # set when there is a call that it can be held against

    def line(self, text: str) -> None:
        """One line of its output."""
        line = json_line(text)
        match line.get("event"):
            case "started":
                self.started = True
            case "opening_rendered":
                self.opening = ""
            case "opening_not_rendered":
                self.opening = str(line.get("why"))
            case "call_taken":
                self.figures.setdefault("taken_at_ms", self.clock.now_ms())
            case "call_over":
                self.figures |= line
        if line.get("level") in BROKEN:
            self.failed(f"the gateway reports {line.get('event')}")
        self.terminal.gateway(line, self.clock.now_ms())
