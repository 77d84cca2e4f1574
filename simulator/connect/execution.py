"""What a block may see and do while it runs."""

from __future__ import annotations

import random
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from simulator.connect import flow_log, paths
from simulator.connect.activities import Activity, Prompt
from simulator.connect.envelope import lambda_event
from simulator.connect.events import (
    Command,
    Disconnect,
    DisconnectReason,
    InvokeLambda,
    Log,
    PromptKind,
    StopStreaming,
)
from simulator.connect.flow_file import Action, Flow
from simulator.connect.instance import Instance
from simulator.connect.invocations import Invocation, Invocations
from simulator.connect.presets import Preset
from simulator.connect.prompts import check_text, parse_s3_url
from simulator.connect.state import ContactState
from simulator.connect.waiting import Waiting


class Phase(StrEnum):
    NEW = "new"
    FLOW = "flow"
    QUEUED = "queued"  # perhaps with a customer queue flow
    WITH_HUMAN = "with_human"
    ENDED = "ended"


class Execution:
    """The contact's facts, the flow it is in, and the commands given since the last event."""

    def __init__(self, state: ContactState, flow: Flow, preset: Preset) -> None:
        self.state = state
        self.flow = flow
        self.preset = preset
        self.phase = Phase.NEW
        self.now_ms = 0
        self.commands: list[Command] = []
        self.invocations = Invocations()
        self.activity: Activity | None = None
        self.waiting: Waiting | None = None
        self._random = random.Random(f"{preset.seed}:{state.contact_id}")
        self._prompts = 0
        self._invoked = 0

    @property
    def instance(self) -> Instance:
        return self.state.instance

    def emit(self, command: Command) -> None:
        self.commands.append(command)

    def fill(self, text: str) -> str:
        """Raises Unresolved: a reference has no value."""
        return paths.fill(text, self.state.readable())

    def filled(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Raises Unresolved: a reference has no value."""
        return {name: self.fill(text) for name, text in texts.items()}

    def value_at(self, reference: str) -> str | None:
        return paths.lookup(reference, self.state.readable())

    # Prompts

    def new_prompt_id(self) -> str:
        self._prompts += 1
        return f"prompt-{self._prompts}"

    def start_delay_ms(self) -> int:
        return self._random.randint(*self.preset.prompt_start_ms)

    def prompt(self, parameters: Mapping[str, Any]) -> Prompt:
        """Ask for the prompt that a block names.

        Raises:
            Unresolved: a reference has no value.
            NotPlayable: a text that is too long, or an address that is not one of S3.
        """
        kind, uri_or_text = self._source(parameters)
        return Prompt(self, kind, uri_or_text)

    def _source(self, parameters: Mapping[str, Any]) -> tuple[PromptKind, str]:
        if "PromptId" in parameters:
            return "library", self.fill(parameters["PromptId"])
        if "Media" in parameters:
            url = self.fill(parameters["Media"]["Uri"])
            parse_s3_url(url)
            return "s3", url
        kind: PromptKind = "text" if "Text" in parameters else "ssml"
        text = self.fill(parameters["Text" if kind == "text" else "SSML"])
        check_text(text)
        return kind, text

    # Lambdas

    def invoke(self, action: Action, arn: str, attributes: Mapping[str, str], asynchronous: bool) -> Invocation:
        self._invoked += 1
        invocation_id = f"{self.state.contact_id}-{self._invoked}"
        limit_ms = int(action.parameters["InvocationTimeLimitSeconds"]) * 1000
        event = lambda_event(self.state, attributes)
        command = InvokeLambda(invocation_id, arn, event, limit_ms, asynchronous)
        validation = action.parameters.get("ResponseValidation", {"ResponseType": "STRING_MAP"})
        self.emit(command)
        return self.invocations.begin(command, validation["ResponseType"], self.now_ms)

    # The flow log

    def log(
        self,
        action: Action,
        parameters: Mapping[str, Any],
        results: str | None = None,
        external: Mapping[str, Any] | None = None,
    ) -> None:
        """One line, while logging is on."""
        if self.state.logging:
            at_ms = self.now_ms
            self.emit(Log(flow_log.line(self.state, self.flow, action, at_ms, parameters, results, external)))

    # Leaving

    def enter_flow(self, flow: Flow) -> str:
        """Go on in another flow: flow attributes, loop counters and the last answer stay behind."""
        self.flow = flow
        self.state.flow_attributes = {}
        self.state.loops = {}
        self.state.external = {}  # unconfirmed
        return flow.start

    def stop_activity(self) -> None:
        if self.activity is not None:
            self.activity.stop(self)
            self.activity = None

    def stop_streaming(self, directions: tuple[str, ...]) -> None:
        if self.state.streaming:
            self.emit(StopStreaming(directions))
            self.state.streaming = tuple(d for d in self.state.streaming if d not in directions)
            self.state.stopped_at_ms = self.now_ms

    def end(self, reason: DisconnectReason) -> None:
        """The contact is over: nothing plays, nothing streams."""
        self.leave_queue()
        self.stop_activity()
        self.waiting = None
        self.stop_streaming(self.state.streaming)
        self.phase = Phase.ENDED
        self.state.disconnected_at_ms = self.now_ms
        self.state.disconnect_reason = reason
        self.emit(Disconnect(reason))

    def leave_queue(self) -> None:
        if self.phase is Phase.QUEUED and self.state.queue is not None:
            self.state.queue.depth -= 1

    def third_party_left(self) -> None:
        self.activity = None
        self.end(DisconnectReason.THIRD_PARTY)
