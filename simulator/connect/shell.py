"""Drives one contact on asyncio, in real time or on a clock that jumps."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, assert_never

from contract.audio import BYTES_PER_MS
from simulator.connect.core import Contact
from simulator.connect.errors import ConnectError, NotPlayable
from simulator.connect.events import (
    Command,
    CreateCallback,
    DialThirdParty,
    Disconnect,
    DisconnectReason,
    Enter,
    Event,
    HangUpThirdParty,
    InvokeLambda,
    LambdaReturned,
    Log,
    PlayPrompt,
    PromptEnded,
    PromptLoaded,
    QueueContact,
    StartPrompt,
    StartStreaming,
    StopPrompt,
    StopStreaming,
    StreamingFailed,
    StreamingStarted,
    ThirdPartyConnected,
    ThirdPartyEnded,
    Tick,
)
from simulator.connect.instance import Instance, flow_in
from simulator.connect.lambdas import LambdaError
from simulator.connect.presets import DEFAULT, Preset
from simulator.connect.prompts import parse_s3_url, samples
from simulator.connect.seams import ObjectMissing, Seams, StreamUnavailable
from simulator.connect.state import ContactState

READ_LIMIT_S = 10.0  # ours: how long Connect tries to read a prompt from S3 is not documented


@dataclass(frozen=True, slots=True)
class FlowEvent:
    """Something that happened to a contact, for reports and the terminal.

    `kind` is enter, log, lambda, lambda_returned, prompt_asked, prompt_started, prompt_stopped, prompt_ended,
    prompt_failed, streaming_started, streaming_failed, streaming_stopped, queued, callback, dialled,
    third_party_answered, third_party_left or disconnected. `identifier` and `type` name the block that ran last.
    """

    at_ms: int
    kind: str
    identifier: str
    type: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContactEnd:
    """`contact_event` is what EventBridge delivers, for the function that listens to it."""

    contact_id: str
    reason: DisconnectReason
    ended_at_ms: int
    contact_event: Mapping[str, Any]


Report = Callable[[FlowEvent], None]


def _unreported(event: FlowEvent) -> None:
    pass


class ContactShell:
    """One contact with its seams. `tell` it what the caller and others do, while `run` runs."""

    def __init__(self, contact: Contact, seams: Seams, report: Report = _unreported) -> None:
        self.contact = contact
        self._seams = seams
        self._report_to = report
        self._inbox: asyncio.Queue[Event] = asyncio.Queue()
        self._block = Enter("", "")
        self._ends: dict[str, asyncio.TimerHandle] = {}
        self._leg: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def contact_id(self) -> str:
        return self.contact.state.contact_id

    def tell(self, event: Event) -> None:
        """Digits, CallerHungUp, ContactStopped, HumanAnswered, HumanHungUp."""
        self._inbox.put_nowait(event)

    async def run(self) -> ContactEnd:
        """From the incoming call to the end of the contact; invocations that still run are given up then.

        Raises:
            ConnectError: the flow never ends (EndlessFlow), or the contact ran before.
        """
        failed: ConnectError | None = None
        async with asyncio.TaskGroup() as group:
            try:
                await self._drive(group)
            except ConnectError as error:
                failed = error
            finally:
                self._give_up()
        if failed is not None:
            raise failed
        state = self.contact.state
        assert state.disconnect_reason is not None
        event = self.contact.disconnected_event()
        return ContactEnd(state.contact_id, state.disconnect_reason, state.disconnected_at_ms, event)

    async def _drive(self, group: asyncio.TaskGroup) -> None:
        self._carry_out(self.contact.start(self._seams.clock.now_ms()), group)
        while not self.contact.ended:
            event = await self._next_event()
            self._notice(event)
            self._carry_out(self.contact.handle(event, self._seams.clock.now_ms()), group)

    async def _next_event(self) -> Event:
        due_ms = self.contact.next_due_ms()
        wait_s = None if due_ms is None else max(0, due_ms - self._seams.clock.now_ms()) / 1000
        try:
            async with asyncio.timeout(wait_s):
                return await self._inbox.get()
        except TimeoutError:
            return Tick()

    def _give_up(self) -> None:
        for handle in self._ends.values():
            handle.cancel()
        for task in self._tasks:
            task.cancel()

    # Commands

    def _carry_out(self, commands: list[Command], group: asyncio.TaskGroup) -> None:
        for command in commands:
            task = self._obey(command)
            if task is not None:
                self._begin(task, group, is_leg=isinstance(command, DialThirdParty))

    def _begin(self, work: Coroutine[Any, Any, None], group: asyncio.TaskGroup, is_leg: bool) -> None:
        task = group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if is_leg:
            self._leg = task

    def _obey(self, command: Command) -> Coroutine[Any, Any, None] | None:
        """Do what can be done at once; the rest is returned."""
        match command:
            case Enter():
                self._block = command
                self._report("enter")
            case Log(line):
                self._report("log", line=line)
            case InvokeLambda():
                self._report("lambda", invocation_id=command.invocation_id, arn=command.arn)
                return self._invoke(command)
            case PlayPrompt():
                self._report("prompt_asked", prompt_id=command.prompt_id, uri=command.uri_or_text)
                return self._load(command)
            case StartPrompt():
                self._start_prompt(command)
            case StopPrompt():
                self._stop_prompt(command)
            case StartStreaming(directions):
                return self._stream(directions)
            case StopStreaming(directions):
                self._seams.streams.stop(self.contact_id, directions)
                self._report("streaming_stopped", directions=directions)
            case DialThirdParty():
                self._report("dialled", number=command.number, connector_arn=command.connector_arn)
                return self._dial(command)
            case _:
                self._obey_last(command)
        return None

    def _obey_last(self, command: QueueContact | CreateCallback | HangUpThirdParty | Disconnect) -> None:
        match command:
            case QueueContact():
                self._report("queued", queue_arn=command.queue_arn, attributes=command.attributes)
            case CreateCallback():
                self._report("callback", number=command.number, queue_arn=command.queue_arn)
            case HangUpThirdParty():
                assert self._leg is not None, "a leg is dialled before it is hung up"
                self._leg.cancel()
            case Disconnect(reason):
                self._report("disconnected", reason=reason.value)
            case _:
                assert_never(command)

    def _start_prompt(self, prompt: StartPrompt) -> None:
        self._seams.line.start_prompt(prompt)
        self._report("prompt_started", prompt_id=prompt.prompt_id, ms=len(prompt.ulaw) // BYTES_PER_MS)
        left_ms = prompt.starts_at_ms + len(prompt.ulaw) / BYTES_PER_MS - self._seams.clock.now_ms()
        loop = asyncio.get_running_loop()
        self._ends[prompt.prompt_id] = loop.call_later(left_ms / 1000, self.tell, PromptEnded(prompt.prompt_id))

    def _stop_prompt(self, prompt: StopPrompt) -> None:
        end = self._ends.pop(prompt.prompt_id, None)
        if end is None:  # it ran out in the moment in which the flow leaves it, and is reported as ended
            return
        end.cancel()
        self._seams.line.stop_prompt(prompt)
        self._report("prompt_stopped", prompt_id=prompt.prompt_id)

    async def _invoke(self, command: InvokeLambda) -> None:
        answer = await self._seams.lambdas.invoke(command.arn, command.event, command.limit_ms)
        if isinstance(answer, LambdaError):
            self.tell(LambdaReturned(command.invocation_id, error=answer.kind))
        else:
            self.tell(LambdaReturned(command.invocation_id, answer))

    async def _load(self, command: PlayPrompt) -> None:
        try:
            async with asyncio.timeout(READ_LIMIT_S):
                ulaw = await self._samples(command)
        except (ObjectMissing, NotPlayable, TimeoutError) as error:
            self._report("prompt_failed", prompt_id=command.prompt_id, why=str(error) or "took too long")
            self.tell(PromptEnded(command.prompt_id, failed=True))
        else:
            self.tell(PromptLoaded(command.prompt_id, ulaw))

    async def _samples(self, command: PlayPrompt) -> bytes:
        if command.kind == "s3":
            return samples(command.uri_or_text, await self._seams.objects.read(*parse_s3_url(command.uri_or_text)))
        if command.kind == "library":
            found = self.contact.state.instance.prompt(command.uri_or_text)
            if found is None:
                raise NotPlayable(command.uri_or_text, "no such prompt", "a prompt of the instance")
            return found
        return self._seams.voice(command.uri_or_text)

    async def _stream(self, directions: tuple[str, ...]) -> None:
        try:
            media = await self._seams.streams.start(self.contact_id, directions)
        except StreamUnavailable:
            self.tell(StreamingFailed())
        else:
            self.tell(StreamingStarted(media))

    async def _dial(self, command: DialThirdParty) -> None:
        outcome = await self._seams.third_parties.dial(command, lambda: self.tell(ThirdPartyConnected()))
        self.tell(ThirdPartyEnded(outcome))

    # Reports

    def _notice(self, event: Event) -> None:
        match event:
            case LambdaReturned():
                failed = event.error.value if event.error else ""
                self._report("lambda_returned", invocation_id=event.invocation_id, error=failed)
            case PromptEnded(prompt_id, failed=False):
                if self._ends.pop(prompt_id, None) is not None:
                    self._report("prompt_ended", prompt_id=prompt_id)
            case StreamingStarted(media):
                self._report("streaming_started", stream_arn=media.stream_arn)
            case StreamingFailed():
                self._report("streaming_failed")
            case ThirdPartyConnected():
                self._report("third_party_answered")
            case ThirdPartyEnded(outcome):
                self._report("third_party_left", outcome=outcome.value)
            case _:
                pass

    def _report(self, kind: str, **detail: Any) -> None:
        at_ms = self._seams.clock.now_ms()
        self._report_to(FlowEvent(at_ms, kind, self._block.identifier, self._block.type, detail))


def incoming(
    instance: Instance,
    flow: str,
    seams: Seams,
    *,
    contact_id: str = "",
    caller_number: str = "",
    system_number: str = "",
    attributes: Mapping[str, str] | None = None,
    preset: Preset = DEFAULT,
    report: Report = _unreported,
) -> ContactShell:
    """A call that comes in on a number to which a flow (ARN or id) is assigned; `run` it to let it ring.

    Raises:
        UnknownFlow: the instance has no such flow.
    """
    state = ContactState(
        contact_id or str(uuid.uuid4()), instance, caller_number, system_number, attributes=dict(attributes or {})
    )
    return ContactShell(Contact(state, flow_in(instance, flow), preset), seams, report)


async def run_contact(instance: Instance, flow: str, seams: Seams, **facts: Any) -> ContactEnd:
    """`incoming` and `run` in one, for a call that nobody has to tell anything; `facts` as in `incoming`."""
    return await incoming(instance, flow, seams, **facts).run()
