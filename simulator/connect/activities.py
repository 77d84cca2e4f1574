"""What a contact is in the middle of: a prompt, key presses, a Lambda, a leg to somebody else.

An activity hears events, and is asked after each one (and when its time has come) whether it is over, and
where the flow goes on then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from simulator.connect import flow_log
from simulator.connect.errors import Refusal
from simulator.connect.events import (
    Event,
    HangUpThirdParty,
    PlayPrompt,
    PromptEnded,
    PromptKind,
    PromptLoaded,
    StartPrompt,
    StopPrompt,
    StopStreaming,
    StreamingFailed,
    StreamingStarted,
    ThirdPartyConnected,
    ThirdPartyEnded,
    ThirdPartyOutcome,
)
from simulator.connect.flow_file import Action
from simulator.connect.invocations import Invocation

if TYPE_CHECKING:
    from simulator.connect.execution import Execution

STREAMING_LIMIT_MS = 10_000  # ours: Connect starts streaming within a second or two, or takes the error branch


class Activity(Protocol):
    def hear(self, event: Event, ex: Execution) -> None: ...

    def over(self, ex: Execution) -> str | None:
        """Where the flow goes on, once this is over."""
        ...

    def next_due_ms(self) -> int | None: ...

    def stop(self, ex: Execution) -> None:
        """The flow goes elsewhere, or the contact is over."""
        ...


class Prompt:
    """One prompt, from its block to its end: asked for, started after the start delay, ended or stopped."""

    def __init__(self, ex: Execution, kind: PromptKind, uri_or_text: str) -> None:
        self.prompt_id = ex.new_prompt_id()
        self._starts_at_ms = ex.now_ms + ex.start_delay_ms()
        self._ulaw: bytes | None = None
        self._started = False
        self.ended = False
        self.failed = False
        ex.emit(PlayPrompt(self.prompt_id, kind, uri_or_text))

    def hear(self, event: Event, ex: Execution) -> None:
        if isinstance(event, PromptLoaded) and event.prompt_id == self.prompt_id:
            self._ulaw = event.ulaw
            self._starts_at_ms = max(self._starts_at_ms, ex.now_ms)
        elif isinstance(event, PromptEnded) and event.prompt_id == self.prompt_id:
            self.ended, self.failed = True, event.failed

    def advance(self, ex: Execution) -> None:
        if self._ulaw is not None and not self._started and self._starts_at_ms <= ex.now_ms:
            self._started = True
            ex.emit(StartPrompt(self.prompt_id, self._ulaw, self._starts_at_ms))

    def next_due_ms(self) -> int | None:
        return None if self._ulaw is None or self._started else self._starts_at_ms

    def stop(self, ex: Execution) -> None:
        if self._started and not self.ended:
            ex.emit(StopPrompt(self.prompt_id, ex.now_ms))
        self.ended = True


class Playing:
    """MessageParticipant."""

    def __init__(self, action: Action, prompt: Prompt) -> None:
        self._action = action
        self._prompt = prompt

    def hear(self, event: Event, ex: Execution) -> None:
        self._prompt.hear(event, ex)

    def over(self, ex: Execution) -> str | None:
        self._prompt.advance(ex)
        if not self._prompt.ended:
            return None
        return self._action.error() if self._prompt.failed else self._action.next

    def next_due_ms(self) -> int | None:
        return self._prompt.next_due_ms()

    def stop(self, ex: Execution) -> None:
        self._prompt.stop(ex)


class Looping:
    """MessageParticipantIteratively: one message after the other, round and round."""

    def __init__(self, ex: Execution, action: Action) -> None:
        self._action = action
        self._messages: Sequence[Mapping[str, Any]] = action.parameters["Messages"]
        self._index = 0
        every_s = action.parameters.get("InterruptFrequencySeconds")
        self._interrupts_at_ms = None if every_s is None else ex.now_ms + int(every_s) * 1000
        self._prompt = ex.prompt(self._messages[0])

    def hear(self, event: Event, ex: Execution) -> None:
        self._prompt.hear(event, ex)

    def over(self, ex: Execution) -> str | None:
        if self._interrupts_at_ms is not None and self._interrupts_at_ms <= ex.now_ms:
            self._prompt.stop(ex)
            return self._action.outcome("MessagesInterrupted")
        self._prompt.advance(ex)
        if self._prompt.failed:
            return self._action.error()
        return self._next_message(ex) if self._prompt.ended else None

    def _next_message(self, ex: Execution) -> str | None:
        self._index = (self._index + 1) % len(self._messages)
        try:
            self._prompt = ex.prompt(self._messages[self._index])
        except Refusal:
            return self._action.error()
        return None

    def next_due_ms(self) -> int | None:
        times = [self._interrupts_at_ms, self._prompt.next_due_ms()]
        return min((at for at in times if at is not None), default=None)

    def stop(self, ex: Execution) -> None:
        self._prompt.stop(ex)


class Invoking:
    """InvokeLambdaFunction, synchronous: the caller hears nothing meanwhile."""

    def __init__(self, action: Action, invocation: Invocation) -> None:
        self._action = action
        self._invocation = invocation

    def hear(self, event: Event, ex: Execution) -> None:
        """Its answer goes to the invocation itself."""

    def over(self, ex: Execution) -> str | None:
        if self._invocation.ended_at_ms is None:
            return None
        parameters = flow_log.lambda_parameters(self._action, self._invocation.command.arn)
        try:
            ex.state.external = self._invocation.answer()
        except Refusal as refused:
            ex.state.external = {}  # unconfirmed: an older answer may stay readable
            ex.log(self._action, parameters, str(refused))
            return self._action.error()
        ex.log(self._action, parameters, external=ex.state.external)
        return self._action.next

    def next_due_ms(self) -> int | None:
        return None  # the invocation's own limit and retries are timed by `Invocations`

    def stop(self, ex: Execution) -> None:
        """The function runs on; nobody will see its answer."""


class StartingStream:
    """UpdateContactMediaStreamingBehavior, until the stream is there."""

    def __init__(self, ex: Execution, action: Action, directions: tuple[str, ...]) -> None:
        self._action = action
        self._directions = directions
        self._limit_at_ms = ex.now_ms + STREAMING_LIMIT_MS
        self._target: str | None = None

    def hear(self, event: Event, ex: Execution) -> None:
        if isinstance(event, StreamingStarted):
            ex.state.media, ex.state.stopped_at_ms = event.media, 0
            ex.state.streaming = self._directions
            self._target = self._action.next
        elif isinstance(event, StreamingFailed):
            self._target = self._action.error()

    def over(self, ex: Execution) -> str | None:
        if self._target is None and self._limit_at_ms <= ex.now_ms:
            self.stop(ex)
            self._target = self._action.error()
        return self._target

    def next_due_ms(self) -> int | None:
        return self._limit_at_ms

    def stop(self, ex: Execution) -> None:
        ex.emit(StopStreaming(self._directions))  # it may start late


class Dialling:
    """TransferParticipantToThirdParty: until the third party hangs up, or could not be had in time."""

    def __init__(self, ex: Execution, action: Action, limit_ms: int) -> None:
        self._action = action
        self._limit_at_ms: int | None = ex.now_ms + limit_ms
        self._outcome: ThirdPartyOutcome | None = None

    def hear(self, event: Event, ex: Execution) -> None:
        if isinstance(event, ThirdPartyConnected):
            self._limit_at_ms = None
        elif isinstance(event, ThirdPartyEnded):
            self._outcome = event.outcome

    def over(self, ex: Execution) -> str | None:
        if self._outcome is ThirdPartyOutcome.COMPLETED:
            return self._completed(ex)
        if self._outcome is not None:
            return self._error(self._outcome.value)
        if self._limit_at_ms is not None and self._limit_at_ms <= ex.now_ms:
            ex.emit(HangUpThirdParty())
            return self._error("ConnectionTimeLimitExceeded")
        return None

    def _completed(self, ex: Execution) -> str | None:
        if self._action.parameters["ContinueFlowExecution"] == "True":
            return self._action.next
        ex.third_party_left()
        return None

    def _error(self, name: str) -> str:
        return self._action.errors.get(name, self._action.error())

    def next_due_ms(self) -> int | None:
        return self._limit_at_ms

    def stop(self, ex: Execution) -> None:
        ex.emit(HangUpThirdParty())
