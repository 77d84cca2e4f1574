"""Taps on everything outside of a call: each passes on what it is asked, and lets the tape hear both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from contract.call import Call, FlowForm, Head, Lease
from contract.errors import VoiceAgentError
from contract.store import GatewayStore
from definition.languages import chosen
from gateway.facilities import Facilities
from gateway.functions.invoker import Invoker
from gateway.legs.kvs.leg import KvsLeg, KvsServices, Presence
from gateway.legs.kvs.prompts import Prompts
from gateway.legs.kvs.reconnect import StartSelector
from gateway.legs.kvs.source import MediaBody, MediaSource
from gateway.legs.leg import Leg
from gateway.legs.sip.leg import SipLeg
from gateway.legs.sip.services import SipServices
from gateway.recording.sip_taps import tapped_sip
from gateway.recording.tape import Audio, Tape, TapeClock
from gateway.voice_agent.connection import Connection, Connector
from gateway.voice_agent.errors import VoiceAgentConnectionError

STORE, FUNCTIONS, PROMPTS, CONNECT, DEEPGRAM, KVS, CHANCE, SERVICE = (
    "store", "functions", "prompts", "connect", "deepgram", "kvs", "chance", "service",
)  # fmt: skip


def tapped(
    facilities: Facilities, services: KvsServices, tape: Tape, clock: TapeClock, sip: SipServices | None = None
) -> Facilities:
    """The same facilities for one call, heard by a tape. `sip`: for calls over SIP."""
    store = cast(GatewayStore, _Asked(facilities.store, STORE, tape))
    random = _chance(facilities.random, tape)
    heard = replace(
        services,
        store=store,
        prompts=_Prompts(services.prompts, tape),
        presence=cast(Presence, _Asked(services.presence, CONNECT, tape)),
        clock=clock,
        source=lambda arn: _Source(services.source(arn), tape),
        random=random,
    )

    def open_leg(lease: Lease, head: Head, call: Call) -> Leg:
        if sip is None or call.form is not FlowForm.SIP:
            return KvsLeg(heard, lease, head, call)
        line = tapped_sip(replace(sip, store=store, clock=clock), tape, lambda: leg)
        leg = SipLeg(line, lease, head, call)
        return leg

    return replace(
        facilities,
        store=store,
        clock=clock,
        connector=_Connector(facilities.connector, tape),
        invoker=cast(Invoker, _Asked(facilities.invoker, FUNCTIONS, tape)),
        open_leg=open_leg,
        random=random,
        told=lambda what, value: _told_by_service(tape, what, value),
    )


def _told_by_service(tape: Tape, what: str, value: object) -> None:
    tape.asked(SERVICE, what, value)


def _chance(random: Callable[[], float], tape: Tape) -> Callable[[], float]:
    def drawn() -> float:
        value = random()
        tape.answered(CHANCE, tape.asked(CHANCE, "random"), value)
        return value

    return drawn


async def _told(tape: Tape, at: str, number: int, waiting: Any) -> Any:
    """What comes of something that was asked: a result, or one of our own errors."""
    try:
        result = await waiting
    except VoiceAgentError as error:
        tape.raised(at, number, error)
        raise
    tape.answered(at, number, result)
    return result


class _Asked:
    """Any object whose coroutines take and return values of the contract; operations that are yet to come, too."""

    def __init__(self, inner: object, at: str, tape: Tape) -> None:
        self._inner = inner
        self._at = at
        self._tape = tape

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._inner, name)

        async def ask(*args: object, **named: object) -> Any:
            number = self._tape.asked(self._at, name, *args, *named.values())
            return await _told(self._tape, self._at, number, operation(*args, **named))

        return ask


class _Prompts:
    """Clips are audio that came from the voice agent: the tape keeps how long they are, and a digest."""

    def __init__(self, inner: Prompts, tape: Tape) -> None:
        self._inner = inner
        self._tape = tape

    async def put(self, key: str, wav: bytes) -> str:
        number = self._tape.asked(PROMPTS, "put", len(wav), hashlib.sha256(wav).hexdigest()[:16])
        url: str = await _told(self._tape, PROMPTS, number, self._inner.put(key, wav))
        return url

    async def delete(self, keys: Sequence[str]) -> None:
        number = self._tape.asked(PROMPTS, "delete")  # the names are drawn by lot
        await _told(self._tape, PROMPTS, number, self._inner.delete(keys))


class _Connector:
    def __init__(self, inner: Connector, tape: Tape) -> None:
        self._inner = inner
        self._tape = tape
        self._opened = 0

    async def connect(self) -> Connection:
        self._opened += 1
        at = f"{DEEPGRAM}.{self._opened}"
        number = self._tape.asked(at, "connect")
        try:
            connection = await self._inner.connect()
        except VoiceAgentConnectionError as error:
            self._tape.raised(at, number, error)
            raise
        self._tape.answered(at, number, None)
        return _Connection(connection, at, self._tape)


class _Connection:
    def __init__(self, inner: Connection, at: str, tape: Tape) -> None:
        self._inner = inner
        self._at = at
        self._tape = tape

    async def send(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            self._tape.sent(self._at, frame)
        else:
            self._tape.audio(f"{self._at}.sent", Audio.CALLER, frame)
        await self._inner.send(frame)

    async def recv(self) -> str | bytes:
        try:
            frame = await self._inner.recv()
        except VoiceAgentConnectionError as error:
            self._tape.came(self._at, error=error)
            raise
        if isinstance(frame, str):
            self._tape.came(self._at, text=frame)
        else:
            self._tape.audio(self._at, Audio.AGENT, frame)
        return frame

    async def close(self) -> None:
        self._tape.asked(self._at, "close")
        await self._inner.close()


class _Source:
    def __init__(self, inner: MediaSource, tape: Tape) -> None:
        self._inner = inner
        self._tape = tape
        self._opened = 0

    async def open(self, selector: StartSelector) -> MediaBody:
        self._opened += 1
        at = f"{KVS}.{self._opened}"
        number = self._tape.asked(at, "open", selector)
        try:
            body = await self._inner.open(selector)
        except VoiceAgentError as error:
            self._tape.raised(at, number, error)
            raise
        self._tape.answered(at, number, None)
        return _Body(body, at, self._tape)


class _Body:
    def __init__(self, inner: MediaBody, at: str, tape: Tape) -> None:
        self._inner = inner
        self._at = at
        self._tape = tape

    async def read(self) -> bytes:
        try:
            content = await self._inner.read()
        except VoiceAgentError as error:
            self._tape.came(self._at, error=error)
            raise
        self._tape.audio(self._at, Audio.KVS, content)
        return content

    async def close(self) -> None:
        self._tape.asked(self._at, "close")
        await self._inner.close()


def header(facilities: Facilities, lease: Lease, head: Head, call: Call, release: str) -> Mapping[str, object]:
    """What a call begins with: the first line of its tape."""
    return {
        "release": release,
        "lease": lease,
        "head": head,
        "call": call,
        "definition": chosen(facilities.definitions, call.agent),
        "queue_arns": dict(facilities.queue_arns),
        "record": facilities.announcer.where(call),
    }
