"""What all parts of a session share: the way out, the timers, the settings in force, and how a session fails."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator.deepgram.manners import Incident, Manners, Moment
from simulator.deepgram.settings_check import is_flux_listen
from simulator.deepgram.wire import Close, write

Action = Callable[[], None]
Out = str | bytes | Close


@dataclass(slots=True)
class Counters:
    """What a test asserts on: each is something that a good client never causes."""

    too_fast: int = 0
    """Audio frames that came in more than a second ahead of twice real time."""
    empty_frames: int = 0
    early_audio: int = 0
    """Audio frames before SettingsApplied: nothing says whether the service keeps them."""
    unknown_answers: int = 0
    """Function responses with an id that was never asked, or was answered already."""
    late_answers: int = 0
    """Function responses to calls that were cancelled before."""
    refused_injections: int = 0
    frames: int = 0
    """Audio frames received, the harmless ones included."""
    audio_bytes: int = 0
    caller_turns: int = 0


@dataclass(order=True, slots=True)
class _Timer:
    due_ms: int
    number: int
    action: Action = field(compare=False)
    group: str = field(compare=False)


class Line:
    """`now_ms` is the time of whatever is being handled: of a received message, or of a timer that fell due."""

    def __init__(self, manners: Manners, request_id: str, now_ms: int) -> None:
        self.manners = manners
        self.request_id = request_id
        self.now_ms = now_ms
        self.settings: dict[str, Any] = {}
        self.counters = Counters()
        self.over = False
        self._out: list[Out] = []
        self._timers: list[_Timer] = []
        self._numbers = itertools.count()
        self._reached: dict[str, int] = {}
        for incident in manners.incidents:
            if incident.moment == "clock":
                self.later(incident.at_ms, lambda incident=incident: self._strike(incident), "limits")  # type: ignore[misc]

    # --- the way out

    def take(self) -> list[Out]:
        out, self._out = self._out, []
        return out

    def send(self, kind: str, **fields: Any) -> None:
        if self.over:
            return
        if self.manners.strange_messages:
            fields["x_unheard_of"] = {"sent_ms": self.now_ms}
        self._out.append(write(kind, **fields))

    def audio(self, frame: bytes) -> None:
        self._out.append(frame)

    def conversation(self, role: str, content: str) -> None:
        """ConversationText and, unless switched off, its twin History."""
        extra: dict[str, Any] = {}
        provider = self.agent.get("listen", {}).get("provider", {})
        if role == "user" and provider.get("model") == "flux-general-multi":
            extra = {"languages_hinted": provider.get("language_hints", []), "languages": ["en"]}
        self.send("ConversationText", role=role, content=content, **extra)
        if self.history:
            self.send("History", role=role, content=content)

    # --- the settings in force

    @property
    def agent(self) -> dict[str, Any]:
        agent: dict[str, Any] = self.settings.get("agent", {})
        return agent

    @property
    def history(self) -> bool:
        return bool(self.settings.get("flags", {}).get("history", True))

    @property
    def flux(self) -> bool:
        return is_flux_listen(self.agent)

    # --- time

    def later(self, delay_ms: int, action: Action, group: str) -> None:
        if not self.over:
            self._push(delay_ms, action, group)

    def _push(self, delay_ms: int, action: Action, group: str) -> None:
        heapq.heappush(self._timers, _Timer(self.now_ms + delay_ms, next(self._numbers), action, group))

    def cancel(self, *groups: str) -> None:
        """Forget the timers of these groups."""
        self._timers = [timer for timer in self._timers if timer.group not in groups]
        heapq.heapify(self._timers)

    def waits_for(self, group: str) -> bool:
        return any(timer.group == group for timer in self._timers)

    @property
    def next_due_ms(self) -> int | None:
        return self._timers[0].due_ms if self._timers else None

    def run(self, now_ms: int) -> None:
        """Run what fell due, each at its own time, then set the clock."""
        while self._timers and self._timers[0].due_ms <= now_ms:
            timer = heapq.heappop(self._timers)
            self.now_ms = max(self.now_ms, timer.due_ms)
            timer.action()
        self.now_ms = max(self.now_ms, now_ms)

    # --- failures

    def fail(self, code: str, description: str) -> None:
        """Send the Error, say nothing more, and close a moment later."""
        self.send("Error", code=code, description=description)
        self.shut(self.manners.close_code, self.manners.close_after_ms)

    def shut(self, code: int | None, after_ms: int = 0) -> None:
        if self.over:
            return
        self.over = True
        self._timers.clear()
        self._push(after_ms, lambda: self._out.append(Close(code)), "close")

    def hang_up(self) -> None:
        """The client has closed: not one more frame."""
        self.over = True
        self._timers.clear()
        self._out.clear()

    def warn(self, code: str, description: str) -> None:
        self.send("Warning", code=code, description=description)

    def reached(self, moment: Moment) -> None:
        """A moment has come; strike where an incident is planned for it."""
        self._reached[moment] = self._reached.get(moment, 0) + 1
        for incident in self.manners.incidents:
            if incident.moment == moment and incident.nth == self._reached[moment]:
                self._strike(incident)

    def _strike(self, incident: Incident) -> None:
        match incident.blow:
            case "error":
                self.fail(incident.code, "A failure of the service, as planned.")
            case "warning":
                self.warn(incident.code, "A warning of the service, as planned.")
            case "unknown":
                self.send(incident.code, anything=[1, None])
            case _:
                self.shut(None)
