"""What a person sees of a call while it happens."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console

from contract.turns import FunctionEntry, FunctionState, HeardSource, Turn
from simulator.connect.shell import FlowEvent
from simulator.phone.report import result_of
from simulator.phone.screen import Screen
from simulator.phone.timing import Answered, BargeIn

CALLER, AGENT, FUNCTION, FLOW, BARGE_IN, GOOD, BAD = "cyan", "yellow", "blue", "dim", "magenta", "green", "red"
_UNSEEN = ("event", "level", "timestamp", "contact", "exception")
KNOWN_AFTER_MS = 400  # how long after it happened a line may become known without being out of order


class Terminal:
    """One line for each thing that happens; times count from the ring.

    `clip` names a clip by its URL: "clip 3"; set once there is a record that knows.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.screen = Screen(console)
        self.clip: Callable[[str], str] = lambda url: "a clip"
        self._prompts: dict[str, tuple[str, int]] = {}  # what each says, and since when
        self._said: dict[int, str] = {}  # of each agent turn, what is on the screen
        self._told: set[int] = set()
        self._functions: dict[str, FunctionState] = {}
        self._reported: set[str] = set()
        self._answered = 0
        self._barged_in = 0

    # -- setting up ------------------------------------------------------------------------------------------

    def title(self, text: str) -> None:
        self.screen.say(text, "bold")

    def note(self, text: str) -> None:
        self.screen.say(f"  {text}", "yellow")

    def working(self, text: str) -> AbstractContextManager[object]:
        """Something is under way; moves where the output is a terminal."""
        if self.screen.console.is_terminal:
            return self.screen.console.status(text)
        self.screen.say(f"  {text}")
        return nullcontext()

    def step(self, text: str, took_s: float) -> None:
        """Something is ready."""
        self.screen.say(f"  {text:<58}{took_s:5.1f} s", "dim")

    def ring(self, started_ms: int) -> None:
        self.screen.started_ms = started_ms
        self.screen.say("\nThe telephone rings\n", "bold")

    # -- the caller and the voice agent ----------------------------------------------------------------------

    def caller(self, at_ms: int, name: str, *, over_agent: bool) -> None:
        self._line(at_ms, "caller", f"speaks ({name})" + (", into the agent's words" if over_agent else ""), CALLER)

    def understood(self, turn: Turn, at_ms: int) -> None:
        """A caller's turn; once."""
        if turn.number not in self._told:
            self._told.add(turn.number)
            self._line(at_ms, "understood", f"“{turn.text}”", CALLER)

    def agent(self, turn: Turn, began_ms: int, now_ms: int) -> None:
        """An agent's turn as the record has it now, once it can be heard: only what is new of it is shown."""
        before = self._said.get(turn.number, "")
        if began_ms and turn.text and not before.startswith(turn.text):
            more = turn.text.removeprefix(before).strip()
            self._line(now_ms if before else began_ms, "agent", f"“{more}”", AGENT)
            self._said[turn.number] = turn.text
        if turn.interrupted and turn.heard_source is not HeardSource.ESTIMATED:
            self._cut_short(turn, now_ms)

    def _cut_short(self, turn: Turn, now_ms: int) -> None:
        """How much of an interrupted turn reached the caller; once."""
        if turn.number not in self._told:
            self._told.add(turn.number)
            heard = f"the caller heard “{turn.heard_text}”" if turn.heard_text else "the caller heard nothing of it"
            self._line(now_ms, "agent", f"was interrupted; {heard}", BARGE_IN)

    def function(self, entry: FunctionEntry) -> None:
        """A call of a function when it begins, unless it is over by then; and its result."""
        before = self._functions.get(entry.key)
        if before is entry.state:
            return
        self._functions[entry.key] = entry.state
        arguments = ", ".join(f"{name}={json.dumps(value)}" for name, value in entry.arguments.items())
        if entry.state is FunctionState.ENTERED:
            self._line(entry.entered_at_ms, "function", f"{entry.name}({arguments}) …", FUNCTION)
            return
        took = entry.finished_at_ms - entry.entered_at_ms
        result = entry.error or json.dumps(result_of(entry), ensure_ascii=False)
        what = f"{entry.name}({arguments}) → {result}  ({entry.state.value} in {took} ms)"
        self._line(entry.finished_at_ms, "function", what, BAD if entry.error else FUNCTION)

    def answered(self, answer: Answered) -> None:
        """How long the caller waited; once for each turn."""
        if answer.agent.number <= self._answered:
            return
        self._answered = answer.agent.number
        what = f"{seconds(answer.heard_ms - answer.stopped_ms)} after the caller's last word"
        if answer.received_ms:
            what += f"; the audio had come {seconds(answer.heard_ms - answer.received_ms)} before"
        self._line(answer.heard_ms, "latency", what, FLOW)

    def barged_in(self, found: BargeIn, now_ms: int) -> None:
        """The times of a barge-in; once, when the caller's turn is in the record."""
        if found.turn.number <= self._barged_in:
            return
        self._barged_in = found.turn.number
        noticed = f"noticed {seconds(found.noticed_ms - found.onset_ms)} after the caller's first sound"
        silent = f"agent silent after {seconds(found.silent_ms - found.onset_ms)}"
        self._line(now_ms, "barge-in", f"{noticed}, {silent}", BARGE_IN)

    # -- flow and gateway ------------------------------------------------------------------------------------

    def flow(self, event: FlowEvent) -> None:
        """What the contact flow does, as far as it concerns the caller."""
        detail = event.detail
        match event.kind:
            case "prompt_asked":
                self._prompts[detail["prompt_id"]] = (detail["uri"], 0)
            case "prompt_started":
                self._starts(event.at_ms, detail["prompt_id"], detail["ms"])
            case "prompt_stopped":
                self._stops(event.at_ms, detail["prompt_id"])
            case "lambda" if _name(detail["arn"], ":") == "start_call":
                self._line(event.at_ms, "flow", "asks for a voice agent", FLOW)
            case "lambda_returned" if detail["error"]:
                self._line(event.at_ms, "flow", f"a Lambda failed: {detail['error']}", BAD)
            case "streaming_started":
                self._line(event.at_ms, "flow", "streams what the caller says", FLOW)
            case "prompt_failed":
                self._line(event.at_ms, "flow", f"cannot play a prompt: {detail['why']}", BAD)
            case "streaming_failed":
                self._line(event.at_ms, "flow", "cannot stream what the caller says", BAD)
            case "enter" if event.type == "GetParticipantInput":
                self._line(event.at_ms, "flow", "waits for key presses", FLOW)
            case "dialled":
                to = "the voice connector" if detail["connector_arn"] else f"the number {detail['number']}"
                self._line(event.at_ms, "flow", f"transfers the call to {to}", FLOW)
            case "third_party_answered":
                self._line(event.at_ms, "gateway", "answers over SIP", FLOW)
            case "third_party_left":
                well = detail["outcome"] == "completed"
                told = "hangs up: the call is back with the flow" if well else f"cannot be had: {detail['outcome']}"
                self._line(event.at_ms, "gateway", told, FLOW if well else BAD)
            case "queued":
                self._line(event.at_ms, "flow", f"hands the caller to the queue {_name(detail['queue_arn'])}", GOOD)
            case "callback":
                self._line(event.at_ms, "flow", f"books a callback in {_name(detail['queue_arn'])}", GOOD)
            case "disconnected":
                hung_up = "CUSTOMER" in detail["reason"]
                self._line(event.at_ms, *(("caller", "hangs up") if hung_up else ("flow", "hangs up")), GOOD)
            case _:
                pass

    def _starts(self, at_ms: int, prompt_id: str, ms: int) -> None:
        uri, _ = self._prompts[prompt_id]
        self._prompts[prompt_id] = (uri, at_ms)
        if what := self._prompt(uri):
            self._line(at_ms, "flow", f"plays {what} ({seconds(ms)})", FLOW)

    def _stops(self, at_ms: int, prompt_id: str) -> None:
        uri, since_ms = self._prompts[prompt_id]
        if what := self._prompt(uri):
            self._line(at_ms, "flow", f"cuts {what} after {seconds(max(0, at_ms - since_ms))}", BARGE_IN)

    def _prompt(self, uri: str) -> str:
        """What a person calls it; nothing for silence."""
        if uri.startswith(("arn:", "<speak")):
            return ""
        if not uri.startswith("https://"):
            return f"“{uri}”"
        return "the opening" if "/openings/" in uri else self.clip(uri)

    def gateway(self, line: Mapping[str, Any], at_ms: int) -> None:
        """A line of the gateway's log that a person wants to see, once.

        Our own events are words; what its libraries log are sentences, which stay in its log.
        """
        event = str(line.get("event", ""))
        if event == "call_taken":
            self._line(at_ms, "gateway", "has the call", FLOW)
        elif line.get("level") in ("warning", "error", "critical") and re.fullmatch(r"\w+", event):
            facts = [f"{name} {value}" for name, value in line.items() if name not in _UNSEEN]
            told = f"{event} ({', '.join(facts)})" if facts else event
            if told not in self._reported:
                self._reported.add(told)
                self._line(at_ms, "gateway", told, BAD)

    def failure(self, at_ms: int, text: str) -> None:
        self._line(at_ms, "failure", text, BAD)

    # -- lines -----------------------------------------------------------------------------------------------

    def show(self, now_ms: int) -> None:
        """Print what can no longer change its place."""
        self.screen.show(now_ms - KNOWN_AFTER_MS)

    def _line(self, at_ms: int, who: str, what: str, style: str) -> None:
        self.screen.add(at_ms, who, what, style)


def seconds(ms: int) -> str:
    return f"{ms / 1000:.2f} s"


def _name(arn: object, separator: str = "/") -> str:
    return str(arn).rpartition(separator)[2]
