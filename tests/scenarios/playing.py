"""Plays a written conversation on the jumping clock, against the local agent's rules, and says what was otherwise."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import definition
from contract.errors import CallNotFound, StoreUnavailable
from contract.turns import Role
from definition import AgentDefinition
from definition.collect import COLLECT_DIGITS
from flows import places
from gateway.functions.invoker import FunctionFailed
from simulator.connect.events import Digits
from simulator.connect.instance import Hours, Queue
from simulator.connect.presets import preset
from simulator.deepgram.brain import Brain
from simulator.deepgram.local.rulebook import Rulebook
from simulator.deepgram.local.rulebook import load as load_rules
from simulator.deepgram.local.rules import RulesMind
from simulator.deepgram.manners import PESSIMISTIC, Incident, Manners
from simulator.deepgram.scripted import ScriptedEars, ScriptedMind, ScriptedVoice
from simulator.estate import estate
from tests.scenarios.world import CONTACT, Functions, World, pressed, spoken
from tests.scenarios.written import Break, Written

AGENTS = Path(__file__).resolve().parents[2] / "agents"
PRESS_AFTER_S = 1.5
_WORDS = re.compile(r"[\w']+")


@dataclass
class RealFunctions(Functions):
    """The handlers of lambdas/functions, in this process; a scenario may slow one down, break it or answer for it."""

    agent: AgentDefinition | None = None
    said_of: Mapping[str, Mapping[str, Any]] | None = None
    contact: str = field(default_factory=lambda: str(uuid4()))  # what a handler remembers is of another contact

    async def invoke(self, name: str, payload: Mapping[str, object]) -> str:
        self.invoked.append((name, payload))
        asked = (self.said_of or {}).get(name, {})
        await asyncio.sleep(asked.get("takes_s", 0.05))
        if "fails" in asked:
            raise FunctionFailed(name, asked["fails"])
        if "answers" in asked:
            return json.dumps(asked["answers"])
        assert self.agent is not None
        folder = next(each.folder for each in self.agent.lambdas if each.name == name)
        event = json.loads(json.dumps(payload).replace(CONTACT, self.contact))
        return json.dumps(_handler(folder)(event, None))


@dataclass
class WrittenWorld(World):
    """A world whose voice agent has the rules of its definition for a mind."""

    book: Rulebook | None = None
    broke_at_ms: int = 0
    steps: int = 0  # of the file's breaks and key presses, those whose moment came

    def __post_init__(self) -> None:
        super().__post_init__()
        names = [name for name in self.agent.queues if name != self.agent.default_queue]
        self.estate = estate(self.agent.name, (*names, self.agent.default_queue), agents=(self.agent,))

    def _brain(self) -> Brain:
        assert self.book is not None
        return Brain(ScriptedEars(), RulesMind(self.book), ScriptedVoice())


@cache
def prepared(agent: str) -> tuple[AgentDefinition, Rulebook]:
    """A definition and its rules, and its handlers imported; blocks, so call it before there is a loop."""
    loaded = definition.load(AGENTS / f"{agent}.yaml")
    for function in loaded.lambdas:
        _handler(function.folder)
    return loaded, load_rules(AGENTS / "rules" / f"{agent}.yaml")


@cache
def _handler(folder: str) -> Callable[[object, object], object]:
    handler: Callable[[object, object], object] = importlib.import_module(f"lambdas.functions.{folder}.handler").handler
    return handler


def world(written: Written, form: str, name: str) -> WrittenWorld:
    """Everything set up as the file says; nothing has happened yet."""
    agent, book = prepared(written.agent)
    call = WrittenWorld(
        form,
        [
            pressed(each.press, each.after_s) if each.press else spoken(each.text, each.after_s)
            for each in written.caller
        ],
        ScriptedMind(),
        preset(name),
        manners=_manners(written),
        functions=RealFunctions({}, agent=agent, said_of=written.functions),
        patience_ms=max(round(written.patience_s * 1000), 8000),
        agent=agent,
        caller_number=written.number,
        attributes=dict(written.attributes),
        book=book,
    )
    if form == "interruptible" and not _prompts_are_left(name):
        call.patience_ms = max(call.patience_ms, 60_000)  # it finds out after 25 s that it has to poll
    _queues(call, written)
    return call


def _manners(written: Written) -> Manners:
    given = dict(written.deepgram)
    incidents = tuple(Incident(**each) for each in given.pop("incidents", ()))
    plain: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in given.items()}
    return replace(PESSIMISTIC, incidents=incidents, **plain)


def _prompts_are_left(name: str) -> bool:
    return preset(name).prompt_cut.value != "never"


def _queues(call: World, written: Written) -> None:
    for arn in call.estate.queue_arns.values():
        queue = call.estate.instance.queue(arn)
        assert queue is not None
        hours = call.estate.instance.hours_of(queue.hours_arn)
        assert hours is not None
        _state(queue, hours, written.queue)


def _state(queue: Queue, hours: Hours, given: Mapping[str, Any]) -> None:
    match given.get("is"):
        case "unstaffed":
            queue.staffed = queue.available = queue.online = 0
        case "full":
            queue.capacity = queue.depth = 1
        case "closed":
            hours.open = False
        case "unknown":
            queue.metrics = False
    if "waiting" in given:
        queue.available, queue.depth, queue.oldest_age_s = 0, given["waiting"], given.get("oldest_s", 0)
    if "opens" in given:
        hour, minute = map(int, given["opens"].split(":"))
        hours.periods = ((hour * 60 + minute, 1440),)


async def play(written: Written, form: str, name: str) -> list[str]:
    """Play it once; returns what is not as it should be."""
    call = world(written, form, name)
    await call.call((lambda each: _beside(call, written)) if written.breaks or written.presses else None)
    try:
        await call.check()
    except AssertionError as error:
        return [f"what holds for every call does not: {error}"]
    return await judge(call, written)


async def _beside(call: WrittenWorld, written: Written) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_presses(call, written))
        await _breaks(call, written)  # in this very step: what is broken at the start is broken before the first block


async def _presses(call: WrittenWorld, written: Written) -> None:
    for each in written.presses:
        await call.until(lambda world, at=each.at: world.entered(at), limit_s=280)  # type: ignore[misc]
        await asyncio.sleep(PRESS_AFTER_S)
        call.shell.tell(Digits(each.keys))
        call.steps += 1
    await asyncio.Event().wait()


async def _breaks(call: WrittenWorld, written: Written) -> None:
    for each in written.breaks:
        await call.until(lambda _, at=each.at: _reached(call, at))  # type: ignore[misc]
        call.broke_at_ms = call.clock.now_ms()
        _break(call, each)
        call.steps += 1
    await asyncio.Event().wait()


def _reached(call: World, at: str) -> bool:
    match at:
        case "start":
            return True
        case "ringing":
            return call.entered("Start the call")
        case "speaking":
            return call.speaking
        case "in_a_function":
            return bool(call.functions.invoked)
        case "asking":
            return call.entered(places.COLLECT)
        case "leaving":
            return any("connecting you" in turn.text for turn in call.turns_now())
    return call.queued is not None


def _break(call: World, what: Break) -> None:
    match what.what:
        case "gateway_killed":
            if call.form == "sip" and what.at != "ringing":  # the caller waits until another one says BYE
                call.start_another_gateway()
            call.kill_gateway()
        case "gateway_replaced":
            call.start_another_gateway()
            call.kill_gateway()
        case "gateway_stopped":
            call.service.stop()
        case "store_away":
            call.break_store(StoreUnavailable("scenario", "Planted"), what.for_s)
        case "lambda_down":
            call.lambdas.down.add(what.name)
        case "deepgram_away":
            call.deepgram.access.refuse = 503  # sessions that live are ended by an incident of `deepgram`


async def judge(call: WrittenWorld, written: Written) -> list[str]:
    """What the file expects and the call does not show."""
    expect, wrong = written.expect, list[str]()
    result, reason = await _outcome(call)
    if call.steps != (steps := len(written.breaks) + len(written.presses)):
        wrong.append(f"{steps} breaks and key presses were to come, {call.steps} came")

    def compare(what: str, found: object, wanted: object) -> None:
        if wanted and found != wanted:
            wrong.append(f"{what} is {found}, expected {wanted}")

    compare("result", result, expect.result)
    compare("reason", reason, expect.reason)
    compare("queue", call.queued or "none", expect.queue)
    compare("callback", _callback(call), expect.callback)
    compare("priority", call.shell.contact.state.priority, expect.priority)
    _functions(call, written, wrong)
    turns = [turn.heard_text or turn.text for turn in await call.turns() if turn.role is Role.VOICE_AGENT]
    for words in expect.said:
        if not any(set(map(str.lower, map(str, words))) <= set(words_of(turn)) for turn in turns):
            wrong.append(f"no turn of the agent holds {', '.join(map(str, words))}: {turns}")
    heard = " ".join(words_of(call.heard_words))
    wrong += [f"not heard: {text}" for text in expect.heard if " ".join(words_of(text)) not in heard]
    wrong += [f"heard: {text}" for text in expect.never if " ".join(words_of(text)) in heard]
    handed = call.handover or call.shell.contact.state.attributes  # a callback carries them too
    for key, text in expect.handover.items():
        if text not in handed.get(key, ""):
            wrong.append(f"{key} is {handed.get(key)!r}, expected {text!r} in it")
    await _keys(call, written, wrong)
    _times(call, written, wrong)
    return wrong


async def _keys(call: WrittenWorld, written: Written, wrong: list[str]) -> None:
    entries = [entry for entry in await call.store.functions(CONTACT) if entry.name == COLLECT_DIGITS]
    told = {**entries[-1].arguments, **json.loads(entries[-1].result or "{}")} if entries else {}
    for key, value in written.expect.keys.items():
        if told.get(key) != value:
            wrong.append(f"keys: {key} is {told.get(key)!r}, expected {value!r}")
    asked = _asked(call)
    if written.expect.asked not in (None, asked):
        wrong.append(f"asked for keys {asked} times, expected {written.expect.asked}")


def _asked(call: WrittenWorld) -> int:
    """How often the caller was asked for keys: by the flow, or over SIP by the gateway, whose first words tell."""
    if call.form != "sip":
        return sum(event.kind == "enter" and event.identifier == places.COLLECT for event in call.events)
    heard = " ".join(words_of(call.heard_words))
    return sum(heard.count(" ".join(words_of(each.prompt)[:3])) for each in call.agent.collect.values())


def _callback(call: World) -> str:
    return next((str(event.detail["number"]) for event in call.events if event.kind == "callback"), "none")


async def _outcome(call: World) -> tuple[str, str]:
    try:
        head = await call.store.head(CONTACT)
    except CallNotFound:  # the flow went to a human before anything was recorded
        return "", ""
    return head.result.value, head.reason


def _functions(call: World, written: Written, wrong: list[str]) -> None:
    if written.expect.functions is None:
        return
    invoked = [(name, payload["arguments"]) for name, payload in call.functions.invoked]
    wanted = [each if isinstance(each, str) else next(iter(each)) for each in written.expect.functions]
    if [name for name, _ in invoked] != wanted:
        wrong.append(f"functions are {[name for name, _ in invoked]}, expected {wanted}")
        return
    for each, (name, arguments) in zip(written.expect.functions, invoked, strict=True):
        if not isinstance(each, str) and dict(each[name]) != dict(arguments):
            wrong.append(f"{name} was called with {dict(arguments)}, expected {dict(each[name])}")


def _times(call: WrittenWorld, written: Written, wrong: list[str]) -> None:
    started, heard = call.exchange.line.started_ms, call.heard
    first = heard[0].start_ms if heard else None
    found: dict[str, float | None] = {
        "first_word": first / 1000 if first is not None else None,
        "human": (call.queued_at_ms - (call.broke_at_ms or started)) / 1000 if call.queued_at_ms else None,
    }
    for name, limit in written.expect.within_s.items():
        took = found[name]
        if took is None or took > limit:
            wrong.append(f"{name} came after {took} s, expected {limit} s at most")


def words_of(text: str) -> list[str]:
    """Its words in small letters, without what stands between them."""
    return [word.lower() for word in _WORDS.findall(text)]
