"""Every failure that brings a caller to a human: its reason, found in the code, and how it is planted in a call."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gateway.conversation.turns as turns
from contract.call import EXPECTED_MS, CallState, Result
from contract.errors import MalformedRecord, StoreUnavailable
from gateway.legs.kvs.errors import Cause, ReadingStopped
from gateway.legs.kvs.reconnect import StartSelector
from simulator.connect.events import DialThirdParty, ThirdPartyOutcome
from simulator.connect.seams import ObjectMissing
from simulator.deepgram.brain import Brain
from simulator.deepgram.manners import PESSIMISTIC, Incident
from simulator.deepgram.scripted import ScriptedEars, ScriptedVoice
from tests.contract.samples import a_call
from tests.scenarios import shop
from tests.scenarios.world import CONTACT, START_MS, Objects, World, spoken

ROOT = Path(__file__).resolve().parents[2]
FORMS = ("interruptible", "polling")
GROUPS = ("media_", "voice_agent_")  # a code follows
# Where a reason stands in the code: the calls that take it, the functions that return it, the names it is given.
_CALLS = {"FailOver", "hand_over", "give_up", "GiveUp", "failed", "LegFailed", "_fail", "to_default_queue", "_to_queue"}
_RETURNS = {"_obstacle", "_nobody", "_refusal", "run"}
_NAMES = {"reason", "STOPPING"}
_FILES = (
    "lambdas/start_call",
    "lambdas/next_action",
    "gateway/service.py",
    "gateway/sessions.py",
    "gateway/conversation",
    "gateway/legs/kvs/leg.py",
    "gateway/legs/sip/leg.py",
    "flows",
)


def in_code() -> set[str]:
    """The reasons that the code can give, groups by their beginning."""
    found: set[str] = set()
    for part in _FILES:
        path = ROOT / part
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                found.update(_reasons(node))
    return {reason for reason in found if reason.replace("_", "").isalpha() and reason == reason.lower()}


def _reasons(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=given) if name in _CALLS:
            for each in given:
                yield from _words(each)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name in _RETURNS:
            for part in ast.walk(node):
                if isinstance(part, ast.Return) and part.value is not None:
                    yield from _words(part.value)
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in _NAMES:
            yield from _words(value)
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "va_reason":
                    yield from _words(value)


def _words(node: ast.expr) -> Iterator[str]:
    """The words that an expression can be; of one with a code behind it, the beginning."""
    match node:
        case ast.Constant(value=str(word)) if word:
            yield word
        case ast.JoinedStr(values=[ast.Constant(value=str(beginning)), *_]):
            yield beginning
        case ast.IfExp(body=one, orelse=other):
            yield from _words(one)
            yield from _words(other)
        case ast.BoolOp(values=values):
            for value in values:
                yield from _words(value)


Event = Mapping[str, Any]


@dataclass
class Failing(World):
    """A call in which one thing goes wrong."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tamper: Callable[[str, Event], Event] = lambda name, event: event
        self.source_fails: Exception | None = None
        self.clips_fail = self.mute = False
        answer = self.lambdas.invoke

        async def invoke(arn: str, event: Event, timeout_ms: int) -> Any:
            return await answer(arn, self.tamper(arn.rpartition(":")[2], event), timeout_ms)

        self.lambdas.invoke = invoke  # type: ignore[method-assign]

    def _objects(self) -> Objects:
        return NoClips(self.prompts) if self.clips_fail else super()._objects()

    def _brain(self) -> Brain:
        return Brain(ScriptedEars(), self.mind, Mute()) if self.mute else super()._brain()

    def _source(self, stream_arn: str) -> Any:
        return Refusing(self.source_fails) if self.source_fails else super()._source(stream_arn)


@dataclass(frozen=True)
class Refusing:
    error: Exception

    async def open(self, selector: StartSelector) -> Any:
        raise self.error


class NoClips(Objects):
    """Openings can be read; no clip of a call."""

    async def read(self, bucket: str, key: str) -> bytes:
        if "clips/" in key:
            raise ObjectMissing(bucket, key)
        return await super().read(bucket, key)


class Mute(ScriptedVoice):
    """A voice that never says anything."""

    def speak(self, text: str) -> bytes:
        return b""


def _start_call_gets(change: Callable[[dict[str, Any]], None]) -> Callable[[str, Event], Event]:
    def tamper(name: str, event: Event) -> Event:
        if name != "start_call":
            return event
        details = event["Details"]
        changed = {key: dict(details[key]) for key in ("ContactData", "Parameters")}
        change(changed)
        return {**event, "Details": {**details, **changed}}

    return tamper


def speaking(world: World) -> bool:
    return bool(world.clips_asked())


def talking(world: World) -> bool:
    """Over SIP."""
    return any(line.earpiece.received > 200 for line in world.switchboard.lines)


During = Callable[[World], Awaitable[None]]


@dataclass(frozen=True)
class Plant:
    """`sets` changes a call before it begins, `breaks` happens while it runs."""

    sets: Callable[[Failing], object] = lambda call: None
    breaks: During | None = None
    forms: tuple[str, ...] = FORMS


async def _kill(world: World) -> None:
    world.kill_gateway()


async def _kill_later(world: World) -> None:
    await world.until(speaking)
    world.kill_gateway()


async def _stop_later(world: World) -> None:
    await world.until(speaking)
    world.service.stop()


async def _another(world: World) -> None:
    await world.store.create_call(a_call("somebody else", started_at_ms=START_MS))


async def _store_away(world: World) -> None:
    world.break_store(StoreUnavailable("TransactWriteItems", "Planted"), 6)


async def _forgotten(world: World) -> None:
    await world.until(speaking)
    world.kill_gateway()
    del world.store._records[CONTACT]


async def _unreadable(world: World) -> None:
    await world.until(speaking)

    async def asked(*given: object) -> Any:
        raise MalformedRecord("head", "a map", None)

    world.store.asked = asked  # type: ignore[assignment, method-assign]


async def _ended_without_a_word(world: World) -> None:
    await world.until(speaking)
    world.kill_gateway()
    record = world.store._records[CONTACT]
    record.head = replace(record.head, state=CallState.ENDED, result=Result.FAILED, reason="")


async def _moved(world: World) -> None:
    create = world.store.create_call

    async def created(call: Any) -> Any:
        await create(call)
        record = world.store._records[CONTACT]
        record.head = replace(record.head, moves=9)
        return record.head

    world.store.create_call = created  # type: ignore[method-assign]


async def _deepgram_away(world: World) -> None:
    await world.until(speaking)
    world.deepgram.access.refuse = 503


def _incident(call: Failing) -> None:
    call.manners = replace(
        PESSIMISTIC, incidents=(Incident(moment="turn", blow="error", code="INTERNAL_SERVER_ERROR"),)
    )


def _at_once(world: Failing) -> None:
    world.lambdas.down.add("start_call")


async def _deaf(world: World) -> None:
    await world.until(talking)
    world.switchboard.lines[0].said = lambda pcm: None  # type: ignore[method-assign]


async def _broken(world: World) -> None:
    await world.until(talking)
    world.switchboard.lines[0].broke()


def _never_comes(call: Failing) -> None:
    """Somebody else answers, and hangs up when a gateway has closed the call that nobody brought to it."""

    async def dial(_: DialThirdParty, connected: Callable[[], None]) -> ThirdPartyOutcome:
        connected()
        await asyncio.sleep(EXPECTED_MS / 1000 + 30)
        return ThirdPartyOutcome.COMPLETED

    call.switchboard.dial = dial  # type: ignore[assignment, method-assign]
    call.patience_ms = 2 * EXPECTED_MS


SIP = ("sip",)
PLANTS: Mapping[str, Plant] = {
    "switched_off": Plant(lambda call: setattr(call.estate.switch, "open", False)),
    "flow_failure": Plant(_at_once),
    "malformed_event": Plant(
        lambda call: setattr(call, "tamper", _start_call_gets(lambda d: d["Parameters"].update(form="carrier pigeon")))
    ),
    "no_media_stream": Plant(
        lambda call: setattr(call, "tamper", _start_call_gets(lambda d: d["ContactData"].update(MediaStreams=None)))
    ),
    "too_many_calls": Plant(lambda call: setattr(call, "max_calls", 1), _another),
    "gateways_full": Plant(lambda call: setattr(call, "limit", 0)),
    "no_gateway": Plant(breaks=_kill),
    "gateway_lost": Plant(breaks=_kill_later),
    "store_unavailable": Plant(breaks=_store_away),
    "no_call": Plant(breaks=_forgotten),
    "malformed_record": Plant(breaks=_unreadable),
    "call_ended": Plant(breaks=_ended_without_a_word),
    "gateway_error": Plant(lambda call: setattr(call, "source_fails", RuntimeError("planted"))),
    "unknown_agent": Plant(lambda call: setattr(call, "attributes", {"voice_agent": "nobody"})),
    "moved_too_often": Plant(breaks=_moved),
    "gateway_stopping": Plant(breaks=_stop_later),
    "media_": Plant(lambda call: setattr(call, "source_fails", ReadingStopped(Cause.NOT_AUTHORIZED))),
    # A block in a Continue branch tells nobody that it failed.
    "prompts_failed": Plant(lambda call: setattr(call, "clips_fail", True)),
    "too_many_turns": Plant(lambda call: setattr(turns, "MOST_TURNS", 4)),
    "voice_agent_mute": Plant(lambda call: setattr(call, "mute", True)),
    "voice_agent_": Plant(_incident, _deepgram_away),
    "sip_not_deployed": Plant(lambda call: setattr(call.lambdas, "sip", False), forms=SIP),
    "no_media": Plant(breaks=_deaf, forms=SIP),
    "line_broke": Plant(breaks=_broken, forms=SIP),
    "never_came": Plant(_never_comes, forms=SIP),
}


def call_with(plant: Plant, form: str) -> Failing:
    """A call of somebody who would have talked to the agent for a while."""
    said = [spoken(text) for text in ("it is 471108", "when are you open", "it is 471108", "when are you open")]
    call = Failing(form, said, shop.mind(), functions=shop.functions(), patience_ms=90_000)
    plant.sets(call)
    return call
