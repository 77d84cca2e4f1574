"""Small flows, an instance to run them in, and a hand that drives a contact without a shell."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, TypeVar

from contract.call import MediaStream
from simulator.connect.check import load_flow
from simulator.connect.core import Contact
from simulator.connect.events import (
    Command,
    Enter,
    Event,
    InvokeLambda,
    LambdaFailure,
    LambdaReturned,
    Log,
    PlayPrompt,
    PromptEnded,
    PromptLoaded,
    StartPrompt,
    Tick,
)
from simulator.connect.instance import INSTANCE_ARN, Hours, Instance, Queue
from simulator.connect.presets import BEST, Preset
from simulator.connect.schema import SHAPES
from simulator.connect.state import ContactState

NOW = 1_790_000_000_000
QUEUE = f"{INSTANCE_ARN}/queue/q-1"
HOURS = f"{INSTANCE_ARN}/operating-hours/h-1"
SILENCE = f"{INSTANCE_ARN}/prompt/silence"
FLOW = f"{INSTANCE_ARN}/contact-flow/main"
LAMBDA = "arn:aws:lambda:eu-central-1:111122223333:function:next"
MEDIA = MediaStream("arn:aws:kinesisvideo:eu-central-1:111122223333:stream/x/1", NOW, "9134385233318143239268206260774")
INVOCATION = "$.LambdaInvocation.InvocationId"
URL = "https://clips.s3.eu-central-1.amazonaws.com/c/1.wav"

C = TypeVar("C")
Block = dict[str, Any]


def block(
    identifier: str,
    kind: str,
    parameters: Mapping[str, Any] | None = None,
    then: str = "bye",
    when: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    operator: str = "Equals",
) -> Block:
    """One block; error branches that the service wants and nobody names lead to `failed`."""
    wanted = dict.fromkeys(SHAPES[kind].errors, "failed") | dict(errors or {})
    transitions: dict[str, Any] = {}
    if not SHAPES[kind].terminal:
        transitions = {
            "NextAction": then,
            "Conditions": [
                {"NextAction": target, "Condition": {"Operator": operator, "Operands": [operand]}}
                for operand, target in (when or {}).items()
            ],
            "Errors": [{"ErrorType": error, "NextAction": target} for error, target in wanted.items()],
        }
    return {"Identifier": identifier, "Type": kind, "Parameters": dict(parameters or {}), "Transitions": transitions}


def say(identifier: str, text: str = "hello", then: str = "bye", **more: Any) -> Block:
    return block(identifier, "MessageParticipant", {"Text": text}, then, **more)


def clip(identifier: str, uri: str = URL, then: str = "bye", failed: str = "failed") -> Block:
    media = {"Uri": uri, "SourceType": "S3", "MediaType": "Audio"}
    return block(identifier, "MessageParticipant", {"Media": media}, then, errors={"NoMatchingError": failed})


def silence(identifier: str, then: str = "bye") -> Block:
    return block(identifier, "MessageParticipant", {"PromptId": SILENCE}, then)


def invoke(
    identifier: str, then: str = "bye", asynchronous: bool = False, limit_s: int = 8, **attributes: str
) -> Block:
    parameters: dict[str, Any] = {
        "LambdaFunctionARN": LAMBDA,
        "InvocationTimeLimitSeconds": str(limit_s),
        "ResponseValidation": {"ResponseType": "JSON"},
    }
    if asynchronous:
        parameters["InvocationType"] = "ASYNCHRONOUS"
    if attributes:
        parameters["LambdaInvocationAttributes"] = attributes
    return block(identifier, "InvokeLambdaFunction", parameters, then)


def waiting(identifier: str, then: Mapping[str, str], limit_s: int = 40, minimum_s: int = 1) -> Block:
    """A Wait for the last invocation; with a Continue branch where `then` has one."""
    parameters: dict[str, Any] = {"TimeLimitSeconds": str(limit_s)}
    if "Continue" in then:
        parameters |= {"ContinueExecution": "TRUE", "MinimumWaitTimeSeconds": str(minimum_s)}
    if "LambdaReturned" in then:
        hook = {"AsyncLambdaCompletionEvent": {"Identifier": INVOCATION}}
        parameters["InterruptibleEvents"] = {"LambdaReturned": hook}
    return block(identifier, "Wait", parameters, then["WaitCompleted"], then)


def load(identifier: str, then: str = "bye", in_progress: str = "failed") -> Block:
    parameters = {"LambdaInvocationId": INVOCATION}
    return block(identifier, "LoadLambdaFunctionResult", parameters, then, errors={"InProgress": in_progress})


def compare(identifier: str, value: str, when: Mapping[str, str], otherwise: str = "failed", **more: Any) -> Block:
    errors = {"NoMatchingCondition": otherwise}
    return block(identifier, "Compare", {"ComparisonValue": value}, otherwise, when, errors, **more)


def stream(identifier: str, state: str = "Enabled", then: str = "bye") -> Block:
    participants = [{"ParticipantType": "Customer", "MediaDirections": ["From", "To"]}]
    parameters = {"MediaStreamingState": state, "MediaStreamType": "Audio", "Participants": participants}
    return block(identifier, "UpdateContactMediaStreamingBehavior", parameters, then)


def end(identifier: str) -> Block:
    return block(identifier, "DisconnectParticipant")


def document(*blocks: Block) -> dict[str, Any]:
    """A flow that starts with the first block; `bye` and `failed` disconnect."""
    there = {b["Identifier"] for b in blocks}
    ends = [end(name) for name in ("bye", "failed") if name not in there]
    actions = [*blocks, *ends]
    return {"Version": "2019-10-30", "StartAction": blocks[0]["Identifier"], "Metadata": {}, "Actions": actions}


def an_instance() -> Instance:
    found = Instance(prompts={SILENCE: b"\xff" * 8 * 60_000})
    found.add(Queue(QUEUE, "sales", HOURS), Hours(HOURS, "always"))
    return found


def ulaw_wav(ms: int, tag: int = 7, channels: int = 1, rate: int = 8000, bits: int = 8) -> bytes:
    """As Connect wants it, or not quite."""
    header = struct.pack("<HHIIHHH", tag, channels, rate, rate, channels, bits, 0)
    fact = struct.pack("<I", ms * 8)
    body = b"WAVE"
    for kind, data in ((b"fmt ", header), (b"fact", fact), (b"data", b"\xff" * ms * 8)):
        body += kind + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


class Hand:
    """Drives a contact: collects the commands, answers what it is told to answer."""

    def __init__(
        self,
        *blocks: Block,
        preset: Preset = BEST,
        instance: Instance | None = None,
        logging: bool = False,
        **facts: Any,
    ) -> None:
        self.instance = instance or an_instance()
        flow = load_flow(FLOW, "main", document(*blocks), self.instance)
        self.state = ContactState("contact-1", self.instance, "+4930111111", "+4930222222", logging=logging, **facts)
        self.contact = Contact(self.state, flow, preset)
        self.commands: list[Command] = []
        self.now_ms = NOW

    def start(self) -> Hand:
        self.commands += self.contact.start(self.now_ms)
        return self

    def tell(self, event: Event, after_ms: int = 0) -> list[Command]:
        """Tell an event some time later; ticks at every due time before that, as a shell does."""
        self.wait(after_ms)
        return self._kept(self.contact.handle(event, self.now_ms))

    def wait(self, ms: int) -> list[Command]:
        until, found = self.now_ms + ms, list[Command]()
        while (due := self.contact.next_due_ms()) is not None and due <= until:
            assert due > self.now_ms, "a due time that has passed would make a shell spin"
            self.now_ms = due
            found += self._kept(self.contact.handle(Tick(), due))
        self.now_ms = until
        return found

    def _kept(self, commands: list[Command]) -> list[Command]:
        self.commands += commands
        return commands

    def of(self, kind: type[C]) -> list[C]:
        return [command for command in self.commands if isinstance(command, kind)]

    def last(self, kind: type[C]) -> C:
        return self.of(kind)[-1]

    @property
    def path(self) -> list[str]:
        return [entered.identifier for entered in self.of(Enter)]

    @property
    def logged(self) -> list[Mapping[str, Any]]:
        return [log.line for log in self.of(Log)]

    def returns(self, payload: object = None, error: LambdaFailure | None = None, after_ms: int = 0) -> list[Command]:
        self.wait(after_ms)
        return self.tell(LambdaReturned(self.last(InvokeLambda).invocation_id, payload, error))

    def loads(self, ms: int = 1_000) -> list[Command]:
        """The samples of the prompt asked for last are there, and it starts."""
        found = self.tell(PromptLoaded(self.last(PlayPrompt).prompt_id, b"\xff" * ms * 8))
        return found + self.wait(400)

    def plays(self) -> str:
        """Load and start the last prompt; returns its id."""
        self.loads()
        assert self.last(StartPrompt).prompt_id == self.last(PlayPrompt).prompt_id
        return self.last(StartPrompt).prompt_id

    def ends(self, failed: bool = False, after_ms: int = 0) -> list[Command]:
        """The prompt asked for last has run out."""
        return self.tell(PromptEnded(self.last(PlayPrompt).prompt_id, failed), after_ms)
