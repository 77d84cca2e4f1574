from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from contract.audio import ulaw_ms
from contract.call import MediaStream
from contract.clock import LoopClock
from simulator.connect.check import load_flow
from simulator.connect.errors import ContactMisused, EndlessFlow
from simulator.connect.events import (
    CallerHungUp,
    DialThirdParty,
    Digits,
    DisconnectReason,
    HumanAnswered,
    HumanHungUp,
    PromptEnded,
    StartPrompt,
    StopPrompt,
    ThirdPartyOutcome,
)
from simulator.connect.instance import Instance
from simulator.connect.lambdas import InProcess
from simulator.connect.presets import BEST, Preset, preset
from simulator.connect.seams import ObjectMissing, Seams, StreamUnavailable
from simulator.connect.shell import ContactShell, FlowEvent, incoming, run_contact
from tests.simulator.connect import small
from tests.simulator.connect.small import MEDIA, NOW, QUEUE, Block, block, document, say, ulaw_wav


class Bucket:
    """Objects by key; `slow` ones never come."""

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self.objects = objects

    async def read(self, bucket: str, key: str) -> bytes:
        assert bucket == "clips"
        if key not in self.objects:
            raise ObjectMissing(bucket, key)
        if key == "slow":
            await asyncio.sleep(60)
        return self.objects[key]


class Ear:
    """What the caller hears: when each prompt starts, and how much of it."""

    def __init__(self) -> None:
        self.heard: dict[str, tuple[int, int]] = {}

    def start_prompt(self, prompt: StartPrompt) -> None:
        assert prompt.prompt_id not in self.heard
        self.heard[prompt.prompt_id] = (prompt.starts_at_ms - NOW, ulaw_ms(prompt.ulaw))

    def stop_prompt(self, prompt: StopPrompt) -> None:
        start, ms = self.heard[prompt.prompt_id]
        assert prompt.at_ms - NOW <= start + ms
        self.heard[prompt.prompt_id] = (start, prompt.at_ms - NOW - start)


class OneStream:
    def __init__(self, works: bool = True) -> None:
        self.works = works
        self.stopped: list[tuple[str, ...]] = []

    async def start(self, contact_id: str, directions: tuple[str, ...]) -> MediaStream:
        await asyncio.sleep(0.1)
        if not self.works:
            raise StreamUnavailable(contact_id)
        return MEDIA

    def stop(self, contact_id: str, directions: tuple[str, ...]) -> None:
        self.stopped.append(directions)


class Gateway:
    """A third party that answers after a second and hangs up after ten more."""

    def __init__(self) -> None:
        self.hung_up_on = False

    async def dial(self, call: DialThirdParty, connected: Callable[[], None]) -> ThirdPartyOutcome:
        try:
            await asyncio.sleep(1)
            connected()
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            self.hung_up_on = True
            raise
        return ThirdPartyOutcome.COMPLETED


async def answer(event: Mapping[str, Any]) -> object:
    await asyncio.sleep(2)
    return {"action": "end"}


async def at_once(event: Mapping[str, Any]) -> object:
    return {"action": "end"}


async def never(event: Mapping[str, Any]) -> object:
    await asyncio.sleep(3600)
    return None


def voice(text: str) -> bytes:
    return b"\x7f" * 8 * 10 * len(text)


class World:
    """Everything that a contact needs, in one place."""

    def __init__(self, *blocks: Block, instance: Instance | None = None, **seams: Any) -> None:
        self.instance = instance or small.an_instance()
        load_flow(small.FLOW, "main", document(*blocks), self.instance)
        self.ear = Ear()
        self.streams = OneStream()
        self.events: list[FlowEvent] = []
        objects = {"c/1.wav": ulaw_wav(500), "bad": b"not a wav", "slow": b""}
        self.seams = Seams(
            InProcess({small.LAMBDA: answer, "never": never}),
            Bucket(objects),
            self.ear,
            self.streams,
            voice,
            LoopClock(NOW),
        )
        self.seams = dataclasses.replace(self.seams, **seams)

    def call(self, chosen: Preset = BEST, **facts: Any) -> ContactShell:
        given = {"contact_id": "contact-1", "preset": chosen, "report": self.events.append, **facts}
        return incoming(self.instance, "main", self.seams, **given)

    def kinds(self, *wanted: str) -> list[tuple[str, str]]:
        return [(e.kind, e.identifier) for e in self.events if e.kind in wanted]

    @property
    def path(self) -> list[str]:
        return [identifier for _, identifier in self.kinds("enter")]


async def test_a_call_runs_to_its_end_on_a_clock_that_jumps() -> None:
    world = World(say("a", "hello", then="b"), small.clip("b", then="c"), small.silence("c"))
    end = await world.call(caller_number="+491").run()
    assert world.ear.heard == {"prompt-1": (150, 50), "prompt-2": (350, 500), "prompt-3": (1000, 60_000)}
    assert (end.reason, end.ended_at_ms) == (DisconnectReason.FLOW, NOW + 61_000)
    assert end.contact_event["detail"]["disconnectReason"] == "CONTACT_FLOW_DISCONNECT"
    assert world.events[-1].kind == "disconnected"


@pytest.mark.parametrize("key", ["gone", "bad", "slow"])
async def test_a_clip_that_cannot_be_played_takes_the_error_branch(key: str) -> None:
    world = World(small.clip("a", f"https://clips.s3.amazonaws.com/{key}"))
    await world.call().run()
    assert world.path == ["a", "failed"]
    assert world.kinds("prompt_failed") == [("prompt_failed", "a")]
    assert world.ear.heard == {}


async def test_a_library_prompt_that_is_not_there_takes_the_error_branch() -> None:
    prompt = block("a", "MessageParticipant", {"PromptId": "$.Attributes.p"}, errors={"NoMatchingError": "failed"})
    world = World(prompt)
    await world.call(attributes={"p": "gone"}).run()
    assert world.path == ["a", "failed"]


def event_loop() -> list[Block]:
    then = {"Continue": "clip", "LambdaReturned": "load", "WaitCompleted": "failed"}
    return [
        small.invoke("ask", "wait", asynchronous=True, limit_s=35),
        small.waiting("wait", then),
        small.clip("clip", then="quiet"),
        small.silence("quiet"),
        small.load("load", "what"),
        small.compare("what", "$.External.action", {"end": "bye"}),
    ]


@pytest.mark.parametrize(
    ("name", "heard_ms", "end_ms"),
    [
        ("best", 1_200, 2_000),
        ("late_cut", 1_700, 2_500),
        ("later_cut", 2_100, 2_900),
        ("cut_at_end", 39_200, 40_000),
        ("never_cut", 39_200, 40_000),
    ],
)
async def test_a_lambda_that_returns_leaves_the_silence_as_the_preset_says(
    name: str, heard_ms: int, end_ms: int
) -> None:
    world = World(*event_loop())
    end = await world.call(preset(name)).run()
    assert world.ear.heard == {"prompt-1": (150, 500), "prompt-2": (800, heard_ms)}
    assert end.ended_at_ms == NOW + end_ms
    assert world.path[-1] == ("failed" if name == "never_cut" else "bye")


async def test_a_lambda_that_fails_is_told_by_its_kind() -> None:
    async def raises(event: Mapping[str, Any]) -> object:
        raise ValueError("bad")

    world = World(small.invoke("i"), lambdas=InProcess({small.LAMBDA: raises}))
    await world.call().run()
    assert world.path == ["i", "failed"]
    assert [e.detail["error"] for e in world.events if e.kind == "lambda_returned"] == ["function"]


async def test_streaming_starts_and_stops_with_the_contact() -> None:
    world = World(small.stream("s", then="a"), say("a"))
    await world.call().run()
    assert world.kinds("streaming_started", "streaming_stopped") == [
        ("streaming_started", "s"),
        ("streaming_stopped", "bye"),
    ]
    assert world.streams.stopped == [("From", "To")]


async def test_a_stream_that_cannot_be_had_takes_the_error_branch() -> None:
    world = World(small.stream("s"), streams=OneStream(works=False))
    await world.call().run()
    assert world.path == ["s", "failed"]
    assert world.kinds("streaming_failed")


async def test_the_caller_presses_keys_and_hangs_up() -> None:
    parameters = {"Text": "press", "StoreInput": "False", "InputTimeLimitSeconds": "5"}
    errors = {"InputTimeLimitExceeded": "failed", "NoMatchingCondition": "failed"}
    world = World(
        block("m", "GetParticipantInput", parameters, "failed", {"1": "quiet"}, errors), small.silence("quiet")
    )
    shell = world.call()
    running = asyncio.create_task(shell.run())
    await asyncio.sleep(0.16)
    shell.tell(Digits("1"))
    await asyncio.sleep(10)
    shell.tell(CallerHungUp())
    end = await running
    assert end.reason is DisconnectReason.CUSTOMER
    assert world.ear.heard == {"prompt-1": (150, 10), "prompt-2": (310, 9_850)}
    assert world.kinds("prompt_stopped", "prompt_ended") == [("prompt_stopped", "m"), ("prompt_stopped", "quiet")]


async def test_a_caller_in_a_queue_is_answered_by_a_human() -> None:
    queue = block("q", "UpdateContactTargetQueue", {"QueueId": QUEUE}, "t")
    world = World(queue, block("t", "TransferContactToQueue", {}, errors={"QueueAtCapacity": "failed"}))
    shell = world.call(attributes={"va_reason": "asked"})
    running = asyncio.create_task(shell.run())
    await asyncio.sleep(30)
    shell.tell(HumanAnswered())
    await asyncio.sleep(30)
    shell.tell(HumanHungUp())
    end = await running
    assert end.reason is DisconnectReason.HUMAN
    assert [e.detail for e in world.events if e.kind == "queued"] == [
        {"queue_arn": QUEUE, "attributes": {"va_reason": "asked"}}
    ]


async def test_a_callback_is_reported() -> None:
    world = World(
        block("n", "UpdateContactCallbackNumber", {"CallbackNumber": "$.CustomerEndpoint.Address"}, "c"),
        block("c", "CreateCallbackContact", {"QueueId": QUEUE}),
    )
    await world.call(caller_number="+4930123456").run()
    assert [e.detail["number"] for e in world.events if e.kind == "callback"] == ["+4930123456"]


def third_party(limit_s: str = "30") -> Block:
    parameters = {
        "ThirdPartyPhoneNumber": "$.Attributes.number",
        "ThirdPartyConnectionTimeLimitSeconds": limit_s,
        "ContinueFlowExecution": "True",
    }
    errors = {"CallFailed": "busy", "ConnectionTimeLimitExceeded": "late"}
    return block("d", "TransferParticipantToThirdParty", parameters, "back", errors=errors)


async def test_a_third_party_hangs_up_and_the_caller_is_back_in_the_flow() -> None:
    world = World(third_party(), say("back"), say("busy"), say("late"), third_parties=Gateway())
    end = await world.call(attributes={"number": "+492"}).run()
    assert world.path == ["d", "back", "bye"]
    assert end.ended_at_ms == NOW + 11_000 + 150 + 50


async def test_a_third_party_that_does_not_answer_in_time_is_hung_up_on() -> None:
    gateway = Gateway()
    world = World(third_party("0"), say("back"), say("busy"), say("late"), third_parties=gateway)
    await world.call(attributes={"number": "+492"}).run()
    assert world.path == ["d", "late", "bye"]
    world = World(third_party("1"), say("back"), say("busy"), say("late"), third_parties=gateway)
    shell = world.call(attributes={"number": "+492"})
    running = asyncio.create_task(shell.run())
    await asyncio.sleep(0.5)
    shell.tell(CallerHungUp())
    await running
    assert gateway.hung_up_on


async def test_without_third_parties_every_call_fails() -> None:
    world = World(third_party(), say("back"), say("busy"), say("late"))
    await world.call(attributes={"number": "+492"}).run()
    assert world.path == ["d", "busy", "bye"]


async def test_an_invocation_that_runs_when_the_caller_hangs_up_is_given_up() -> None:
    world = World(small.invoke("i"), lambdas=InProcess({small.LAMBDA: never}))
    shell = world.call()
    running = asyncio.create_task(shell.run())
    await asyncio.sleep(1)
    shell.tell(CallerHungUp())
    assert (await running).ended_at_ms == NOW + 1_000


async def test_a_flow_without_end_is_an_error_of_the_call() -> None:
    world = World(small.compare("c", "$.ContactId", {"x": "c"}, otherwise="c"))
    with pytest.raises(EndlessFlow):
        await world.call().run()


async def test_a_call_runs_once() -> None:
    shell = World(say("a")).call()
    await shell.run()
    with pytest.raises(ContactMisused):
        await shell.run()


async def test_a_broken_seam_is_not_hidden() -> None:
    def broken(text: str) -> bytes:
        raise RuntimeError("no voice")

    with pytest.raises(ExceptionGroup) as caught:
        await World(say("a"), voice=broken).call().run()
    assert caught.group_contains(RuntimeError, match="no voice")


async def test_a_report_shows_the_flow_log_while_logging_is_on() -> None:
    world = World(block("on", "UpdateFlowLoggingBehavior", {"FlowLoggingBehavior": "Enabled"}))
    end = await run_contact(world.instance, small.FLOW, world.seams, report=world.events.append, preset=BEST)
    lines = [event.detail["line"] for event in world.events if event.kind == "log"]
    assert [line["ContactFlowModuleType"] for line in lines] == ["SetLoggingBehavior", "Disconnect"]
    assert all(line["ContactId"] == end.contact_id for line in lines)


async def test_a_call_needs_no_report() -> None:
    world = World(say("a"))
    assert (await run_contact(world.instance, "main", world.seams)).reason is DisconnectReason.FLOW


async def test_a_prompt_that_has_ended_when_it_is_stopped_is_reported_once() -> None:
    parameters = {"Text": "press", "StoreInput": "False", "InputTimeLimitSeconds": "5"}
    errors = {"InputTimeLimitExceeded": "failed", "NoMatchingCondition": "failed"}
    world = World(block("m", "GetParticipantInput", parameters, "failed", {"1": "b"}, errors), say("b"))
    shell = world.call()
    running = asyncio.create_task(shell.run())
    await asyncio.sleep(0.16)
    shell.tell(Digits("1"))
    shell.tell(PromptEnded("prompt-1"))
    await running
    assert world.kinds("prompt_ended", "prompt_stopped") == [("prompt_stopped", "m"), ("prompt_ended", "b")]


async def test_a_call_that_is_cancelled_leaves_nothing_behind() -> None:
    world = World(small.silence("a"))
    running = asyncio.create_task(world.call().run())
    await asyncio.sleep(10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await asyncio.sleep(120)
    assert world.kinds("prompt_ended", "prompt_stopped") == []


async def test_the_event_of_a_wait_and_the_end_of_a_prompt_may_fall_together() -> None:
    then = {"Continue": "a", "LambdaReturned": "load", "WaitCompleted": "failed"}
    blocks = [small.invoke("ask", "w", asynchronous=True), small.waiting("w", then, limit_s=5), say("a", "x" * 185)]
    world = World(*blocks, small.load("load"))
    await world.call().run()
    assert world.ear.heard == {"prompt-1": (150, 1_850)}
    assert len(world.kinds("prompt_ended", "prompt_stopped")) == 1


async def test_a_prompt_that_ends_in_the_moment_in_which_it_is_left_is_not_stopped() -> None:
    """Its end is there when the Wait lets its event, which it had held back, have its way."""
    then = {"Continue": "a", "LambdaReturned": "load", "WaitCompleted": "failed"}
    blocks = [small.invoke("ask", "w", asynchronous=True), small.waiting("w", then, limit_s=5), say("a", "x" * 85)]
    world = World(*blocks, small.load("load"), lambdas=InProcess({small.LAMBDA: at_once}))
    shell = world.call(dataclasses.replace(BEST, minimum_wait_holds_back=True))
    running = asyncio.create_task(shell.run())
    await asyncio.sleep(0.5003)
    shell.tell(Digits("5"))  # of no interest, but from now on the contact's time is a fraction of a ms behind
    await asyncio.sleep(0.4998)
    shell.tell(PromptEnded("prompt-1"))
    await running
    assert world.path[-3:] == ["a", "load", "bye"]
    assert world.ear.heard == {"prompt-1": (150, 850)}
    assert world.kinds("prompt_ended", "prompt_stopped") == [("prompt_ended", "a")]


async def test_errors_of_the_seams_say_what_is_missing() -> None:
    assert str(ObjectMissing("b", "k")) == "no object k can be read from bucket b"
    assert str(StreamUnavailable("c")) == "contact c: no Kinesis video stream to write to"
