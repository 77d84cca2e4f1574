"""Our own flows in the stand-in: accepted by its check, and run through with Lambdas that follow a script."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from contract import handover
from contract.clock import LoopClock
from flows.actions import MessageParticipant
from flows.interruptible import interruptible
from flows.language import Flow
from flows.parameters import FlowParameters
from flows.polling import polling
from flows.prompts import Text
from flows.routing import DisconnectParticipant, TransferToFlow
from simulator.connect.check import load_flow
from simulator.connect.events import CallerHungUp, DisconnectReason, HumanAnswered, HumanHungUp
from simulator.connect.instance import INSTANCE_ARN, Instance
from simulator.connect.lambdas import InProcess
from simulator.connect.presets import PRESETS, preset
from simulator.connect.seams import Seams
from simulator.connect.shell import FlowEvent, incoming
from tests.flows.deployment import ENGLISH
from tests.simulator.connect import small
from tests.simulator.connect.small import NOW, QUEUE
from tests.simulator.connect.test_shell import Bucket, Ear, OneStream

BUILD = {"interruptible": interruptible, "polling": polling}
SHORT = f"{INSTANCE_ARN}/prompt/short"
OURS = f"{INSTANCE_ARN}/contact-flow/ours"
SURVEY = f"{INSTANCE_ARN}/contact-flow/survey"
FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function:{}"
KEPT = dict.fromkeys(handover.KEYS, "none")


def parameters() -> FlowParameters:
    return FlowParameters(
        start_call_arn=FUNCTION.format("start"),
        next_action_wait_arn=FUNCTION.format("wait"),
        next_action_poll_arn=FUNCTION.format("poll"),
        default_agent="front_desk",
        default_queue_arn=QUEUE,
        default_queue_name="sales",
        switch_hours_arn=small.HOURS,
        silence_prompt_arn=small.SILENCE,
        short_silence_prompt_arn=SHORT,
        languages=(ENGLISH,),
    )


def an_instance(form: str) -> Instance:
    instance = small.an_instance()
    instance.prompts[SHORT] = b"\xff" * 8 * 400
    load_flow(small.FLOW, form, BUILD[form](parameters()).to_json(), instance)
    return instance


def with_an_ivr(form: str) -> Instance:
    """An IVR that leads to our flow, and what it has to do when it gets its caller back."""
    instance = small.an_instance()
    instance.prompts[SHORT] = b"\xff" * 8 * 400
    survey = Flow("survey", "A survey.")
    survey.add("Ask", MessageParticipant(Text("How was $.Attributes.va_result?"), then="Bye", failed="Bye"))
    survey.add("Bye", DisconnectParticipant())
    load_flow(SURVEY, "survey", survey.to_json(), instance)
    ours = BUILD[form](replace(parameters(), return_flow_arn=SURVEY))
    load_flow(OURS, form, ours.to_json(), instance)
    ivr = Flow("ivr", "An IVR.")
    ivr.add("Welcome", MessageParticipant(Text("Welcome."), then="Agent", failed="Agent"))
    ivr.add("Agent", TransferToFlow(OURS, failed="Bye"))
    ivr.add("Bye", DisconnectParticipant())
    load_flow(small.FLOW, "ivr", ivr.to_json(), instance)
    return instance


class Lambdas:
    """Plays a clip, listens a while, then hands over. Keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, str]] = []

    def said(self, event: Mapping[str, Any]) -> Mapping[str, str]:
        found: Mapping[str, str] = event["Details"]["Parameters"]
        self.asked.append(found)
        return found

    async def start(self, event: Mapping[str, Any]) -> object:
        assert event["Details"]["ContactData"]["MediaStreams"]["Customer"]["Audio"]["StreamARN"].startswith("arn:aws")
        self.said(event)
        opening = {"openingUrl": small.URL, "openingMs": "500", "queueArn": QUEUE, "reason": "none"}
        return {**KEPT, "action": "agent", "attempt": "1", **opening}

    async def next(self, event: Mapping[str, Any]) -> object:
        said = self.said(event)
        await asyncio.sleep(2)
        previous = "cut" if said["loaded"] == "1" else "none"
        answer = {**KEPT, "seq": "0", "promptUrl": "none", "durationMs": "0", "text": "none", "previous": previous}
        answer |= {"maxDigits": "0", "terminator": "none", "timeoutS": "0", "secret": "false", "action": "listen"}
        answer |= {"queueArn": QUEUE, "queue": "sales", "reason": "none"}
        if said["loaded"] == "0":
            return {**answer, "action": "play", "seq": "1", "promptUrl": small.URL, "durationMs": "500"}
        if said["ended"] == "none" or len(self.asked) < 4:
            return answer
        return {**answer, "action": "transfer", "seq": "2", "va_summary": "wants a human", "reason": "asked"}


class Broken(Lambdas):
    """A deployment whose start works, and nothing after it."""

    async def next(self, event: Mapping[str, Any]) -> object:
        self.said(event)
        raise ValueError("no table")


class Done(Lambdas):
    """An agent that says goodbye after its clip."""

    async def next(self, event: Mapping[str, Any]) -> object:
        answer = await super().next(event)
        assert isinstance(answer, dict)
        return {**answer, "action": "end", "reason": "goodbye"} if answer["action"] == "transfer" else answer


async def called(
    form: str, name: str, lambdas: Lambdas, instance: Instance | None = None
) -> tuple[list[FlowEvent], DisconnectReason, int]:
    """A caller who waits five minutes; whoever answers hangs up after a minute."""
    events: list[FlowEvent] = []
    functions = {"start": lambdas.start, "wait": lambdas.next, "poll": lambdas.next}
    objects = Bucket({"c/1.wav": small.ulaw_wav(500)})
    seams = Seams(InProcess(functions), objects, Ear(), OneStream(), lambda text: b"\xff" * 8 * 1_000, LoopClock(NOW))
    shell = incoming(instance or an_instance(form), small.FLOW, seams, preset=preset(name), report=events.append)
    running = asyncio.create_task(shell.run())
    await asyncio.sleep(300)
    shell.tell(HumanAnswered())
    await asyncio.sleep(60)
    shell.tell(HumanHungUp())
    await asyncio.sleep(1)
    shell.tell(CallerHungUp())
    end = await running
    return events, end.reason, end.ended_at_ms - NOW


CASES = [(form, name) for form in ("interruptible", "polling") for name in PRESETS]


@pytest.mark.parametrize("form", BUILD)
def test_the_check_of_the_stand_in_accepts_our_flow(form: str) -> None:
    assert an_instance(form).flow(small.FLOW)


@pytest.mark.parametrize(("form", "name"), CASES)
async def test_a_caller_who_wants_a_human_reaches_the_queue(form: str, name: str) -> None:
    lambdas = Lambdas()
    events, reason, _ = await called(form, name, lambdas)
    queued = [event.detail for event in events if event.kind == "queued"]
    assert [detail["queue_arn"] for detail in queued] == [QUEUE]
    assert queued[0]["attributes"]["va_summary"] == "wants a human"
    assert reason is DisconnectReason.HUMAN
    taken = [said["loaded"] for said in lambdas.asked[1:]]
    assert list(dict.fromkeys(taken)) == ["0", "1"]


@pytest.mark.parametrize(("form", "name"), CASES)
async def test_a_caller_whose_lambdas_fail_reaches_the_queue(form: str, name: str) -> None:
    events, reason, _ = await called(form, name, Broken())
    assert [event.detail["queue_arn"] for event in events if event.kind == "queued"] == [QUEUE]
    assert reason is DisconnectReason.HUMAN


@pytest.mark.parametrize("form", BUILD)
async def test_nothing_that_was_said_is_in_the_flow_log(form: str) -> None:
    events, _, _ = await called(form, "best", Lambdas())
    lines = [event.detail["line"] for event in events if event.kind == "log"]
    assert lines
    assert "wants a human" not in str(lines)


@pytest.mark.parametrize(("form", "name"), CASES)
async def test_a_caller_from_an_ivr_goes_back_to_it_when_the_agent_is_done(form: str, name: str) -> None:
    events, reason, _ = await called(form, name, Done(), with_an_ivr(form))
    spoken = [str(event.detail["uri"]) for event in events if event.kind == "prompt_asked"]
    assert (spoken[0], spoken[-1]) == ("Welcome.", "How was ended?")
    assert [event.kind for event in events].count("queued") == 0
    assert reason is DisconnectReason.FLOW
