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

    `figures` are those of the last call. `failed` hears of each kind of error once, since what cannot be done is
    tried again; set it when there is a call that they can be held against.
    """

    terminal: Terminal
    clock: Clock
    opening: str | None = None
    sip: str = ""  # host:port where calls are taken
    figures: dict[str, Any] = field(default_factory=dict)
    failed: Callable[[str], None] | None = None
    _told: set[str] = field(default_factory=set)

    def line(self, text: str) -> None:
        """One line of its output."""
        line = json_line(text)
        event = str(line.get("event", ""))
        match event:
            case "opening_rendered" | "opening_left_to_the_agent":
                self.opening = ""
            case "opening_not_rendered":
                self.opening = str(line.get("why"))
            case "sip_listening":
                self.sip = f"{line.get('address')}:{line.get('port')}"
            case "call_taken":
                self.figures.setdefault("taken_at_ms", self.clock.now_ms())
            case "call_over":
                self.figures |= line
        if line.get("level") in BROKEN and self.failed is not None and event not in self._told:
            self._told.add(event)
            self.failed(f"the gateway reports {event}")
        self.terminal.gateway(line, self.clock.now_ms())
