"""The kvs leg: the caller's audio out of Kinesis Video Streams, the agent's speech as prompts of the flow."""

from __future__ import annotations

import asyncio
import contextlib
import random as chance
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from contract.actions import Play
from contract.audio import lin2ulaw
from contract.call import Call, CallState, Head, Lease, MediaStream
from contract.clock import Clock
from contract.store import GatewayStore
from contract.turns import Role, Turn
from gateway.legs.kvs.blocks import CallerBlock, ContactEnded, Direction
from gateway.legs.kvs.echo import EchoGate
from gateway.legs.kvs.errors import ReadingGivenUp
from gateway.legs.kvs.fragments import FragmentReader
from gateway.legs.kvs.pacer import Pacer
from gateway.legs.kvs.prompts import Prompts, key_of
from gateway.legs.kvs.source import MediaSource, caller_blocks
from gateway.legs.kvs.speaker import Speaker
from gateway.legs.leg import CallerAudio, Handover, LegEvent, LegFailed, PlaybackFinished, Question
from gateway.legs.tape import Tape
from gateway.patience import at_last
from gateway.telemetry.bounds import Bound, reached

log = structlog.get_logger()

TAKEOVER_STALE_MS = 20_000  # a lease lasts 8 s, the next owner looks every 2 s, and a turn takes its time
CLOSING_S = 10.0
NO_MEDIA_MS = 10_000  # no fragment for so long: is the caller still there?
NO_REQUEST_MS = 45_000  # no request of the flow for so long: the longest Wait of the flow is 25 s
CHECK_MS = 1000
MOST_EVENTS = 4096


class Presence(Protocol):
    """Whether Connect still knows the contact as going on."""

    async def connected(self, contact_id: str) -> bool:
        """False only when Connect says that the contact has ended; True while that cannot be told."""
        ...


@dataclass(frozen=True, slots=True)
class KvsServices:
    """What every kvs leg of a gateway shares."""

    store: GatewayStore
    prompts: Prompts
    presence: Presence
    clock: Clock
    source: MediaSourceOf
    random: Callable[[], float] = chance.random  # numbers in [0, 1)


class MediaSourceOf(Protocol):
    def __call__(self, stream_arn: str) -> MediaSource: ...


class KvsLeg:
    """See `gateway.legs.leg.Leg`."""

    def __init__(self, services: KvsServices, lease: Lease, head: Head, call: Call) -> None:
        self._services = services
        self._clock = services.clock
        self._call = call
        self._events: asyncio.Queue[LegEvent] = asyncio.Queue(2 * MOST_EVENTS)
        self._resumed = head.moves > 0
        self._pacer = Pacer(TAKEOVER_STALE_MS) if self._resumed else Pacer()
        self._fragments = FragmentReader(call.contact_id)
        self._echo = EchoGate()
        self._pushed = asyncio.Event()
        self._tape: Tape | None = None
        self._since_ms = 0  # media time from which the caller is heard
        self._media_ms = services.clock.now_ms()
        self._speaker = Speaker(
            services.store, services.prompts, services.clock, lease, call, self._events.put_nowait, head
        )

    @property
    def start_delay_ms(self) -> int:
        return self._speaker.start_delay_ms

    async def run(self) -> None:
        if self._resumed:
            await self._adopt()
        async with asyncio.TaskGroup() as tasks:
            work = [tasks.create_task(part) for part in (self._read(), self._pace(), self._watch())]
            await self._speaker.run()
            for task in work:
                task.cancel()

    async def next_event(self) -> LegEvent:
        return await self._events.get()

    def speak(self, ulaw: bytes) -> int:
        return self._speaker.speak(ulaw)

    def end_of_speech(self) -> None:
        self._speaker.end_of_speech()

    def clear(self) -> None:
        self._speaker.clear()

    def say(self, text: str) -> None:
        self._speaker.say(text)

    def ask(self, question: Question) -> None:
        self._speaker.ask(question)

    def unask(self) -> None:
        self._speaker.unask()

    def asked_before(self, since_ms: int) -> None:
        self._speaker.asking.asked_before(since_ms)

    def transfer(self, handover: Handover) -> None:
        self._speaker.transfer(handover)

    def withdraw(self) -> None:
        self._speaker.withdraw()

    def hang_up(self, reason: str, goodbye: str = "") -> None:
        self._speaker.hang_up(reason, goodbye)

    def record(self, tape: Tape) -> None:
        self._tape = tape

    def saw(self, head: Head) -> None:
        if head.disconnected_at_ms:
            self._fragments.contact_may_have_ended()
        self._speaker.saw(head)

    def figures(self) -> Mapping[str, int]:
        counters = self._pacer.counters()
        return {
            "kvs_delay_ms_p50": counters.delay_p50_ms,
            "backlog_ms_max": counters.max_backlog_ms,
            "inserted_ms": counters.inserted_ms,
            "dropped_ms": counters.dropped_ms,
            "echo_ms": self._echo.echo_ms,
        }

    async def close(self) -> None:
        """The clips are of no use any more, those of an earlier owner of the call among them. A table that is away is
        waited for, `CLOSING_S` at most; then the bucket lets those of others expire."""
        logged: set[str] = set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_S):
                logged = await at_last(self._logged, "log_not_read", self._call.contact_id)
        await self._delete(logged | set(self._speaker.keys))

    def handed_on(self) -> PlaybackFinished | None:
        return self._speaker.handed_on()

    async def forsake(self) -> None:
        """Clips that are not in the log: that of an action that the table did not take, and those that a barge-in left.
        All of them where the call is over: the flow has helped itself. A table that is away is waited for."""
        if self._speaker.keys:
            await self._delete(await at_last(self._useless, "log_not_read", self._call.contact_id))

    async def _useless(self) -> set[str]:
        """Raises StoreUnavailable."""
        own, logged = set(self._speaker.keys), await self._logged()
        head = await self._services.store.head(self._call.contact_id)
        return own | logged if head.state is CallState.ENDED else own - logged

    async def _logged(self) -> set[str]:
        """Names of the clips in the log, whoever made them. Raises StoreUnavailable."""
        log_of_call = await self._services.store.actions_after(self._call.contact_id, 0)
        return {key_of(line.action.prompt_url) for line in log_of_call if isinstance(line.action, Play)}

    async def _delete(self, keys: set[str]) -> None:
        if keys:
            await self._services.prompts.delete(sorted(keys))

    async def _read(self) -> None:
        """From the stream to the pacer. While a secret is typed nothing is streamed, however long that takes."""
        media = await self._where_to_begin()
        while await self._read_on(media):
            while self._speaker.asking.deaf:  # noqa: ASYNC110 - the flow says so in the head
                await asyncio.sleep(CHECK_MS / 1000)
            media = replace(self._call.media, start_timestamp_ms=self._clock.now_ms())
            self._fragments = FragmentReader(self._call.contact_id)

    async def _read_on(self, media: MediaStream) -> bool:
        """Until our contact's part of the stream ends; True when it is only interrupted."""
        source = self._services.source(self._call.media.stream_arn)
        blocks = caller_blocks(
            source,
            media,
            self._call.contact_id,
            self._clock,
            fragments=self._fragments,
            random=self._services.random,
        )
        try:
            async with contextlib.aclosing(blocks):
                async for block in blocks:
                    if isinstance(block, ContactEnded):
                        log.info("contact_ended_in_stream", contact=self._call.contact_id)
                        continue
                    now = self._clock.now_ms()
                    self._media_ms = now
                    self._keep(block)
                    if block.direction is Direction.FROM_CUSTOMER and block.media_ms < self._since_ms:
                        continue
                    if block.direction is Direction.FROM_CUSTOMER:
                        self._pacer.push(self._without_echo(block), now)
                        self._pushed.set()
                    else:
                        self._echo.played(block.media_ms, block.pcm)
                        self._speaker.heard(block.media_ms, block.pcm)
        except ReadingGivenUp as error:
            if self._speaker.asking.deaf:
                return True
            # Once the caller is on the way to a human, streaming stops by itself.
            if not self._speaker.leaving:
                self._events.put_nowait(LegFailed(f"media_{error.reason}"))
        return False

    def _keep(self, block: CallerBlock) -> None:
        """For the recording, where there is to be one."""
        if self._tape is not None:
            write = self._tape.said if block.direction is Direction.FROM_CUSTOMER else self._tape.played
            write(block.media_ms, lin2ulaw(block.pcm))

    def _without_echo(self, block: CallerBlock) -> CallerBlock:
        """The block, or silence in its place where it is only the agent's own voice."""
        return replace(block, pcm=bytes(len(block.pcm))) if self._echo.is_echo(block.media_ms, block.pcm) else block

    async def _where_to_begin(self) -> MediaStream:
        """The start of the stream, or, for a call that was taken over, half a second before the open turn."""
        media = self._call.media
        if not self._resumed:
            return media
        turns = await self._turns()
        confirmed_ms = max((turn.ended_at_ms for turn in turns if turn.role is Role.CALLER), default=0)
        # Reading starts with a whole fragment, and the first request goes back one second from the time it is given:
        # what was answered already must not be heard again as a part of the next turn.
        self._since_ms = confirmed_ms
        return replace(media, start_timestamp_ms=max(media.start_timestamp_ms, confirmed_ms + 500))

    async def _adopt(self) -> None:
        """What the owner before this one has left in the log."""
        head, store, contact_id = self._speaker.newest, self._services.store, self._call.contact_id
        after = max(head.loaded, head.cancelled_up_to)
        known = min(after, head.keys_seq - 1) if head.keys_seq else after
        log_of_call = await at_last(lambda: store.actions_after(contact_id, known), "log_not_read", contact_id)
        for pending in log_of_call:
            if pending.seq > after:
                self._speaker.adopt(pending)
        if (never := self._speaker.asking.adopt(log_of_call)) is not None:
            self._events.put_nowait(never)
        self._speaker.saw(head)

    async def _turns(self) -> Sequence[Turn]:
        """The transcript; a store that is away is waited for, as long as the call keeps its lease."""
        store, contact_id = self._services.store, self._call.contact_id
        return await at_last(lambda: store.turns(contact_id), "turns_not_read", contact_id)

    async def _pace(self) -> None:
        """From the pacer to the call, on the time of the audio."""
        while True:
            now = self._clock.now_ms()
            for frame in self._pacer.due(now):
                if self._events.qsize() >= MOST_EVENTS:  # the call has not listened for minutes: nobody hears this
                    reached(Bound.LEG_EVENTS)
                    continue
                audio = CallerAudio(frame.media_ms, frame.ulaw, frame.delay_ms, frame.inserted, frame.speech)
                self._events.put_nowait(audio)
            due = self._pacer.next_due_ms()
            try:
                async with asyncio.timeout(None if due is None else max(1, due - now) / 1000):
                    await self._pushed.wait()
                self._pushed.clear()
            except TimeoutError:
                continue

    async def _watch(self) -> None:
        """Ask Connect when neither stream nor flow shows a sign of the caller."""
        while True:
            await asyncio.sleep(CHECK_MS / 1000)
            now = self._clock.now_ms()
            asked_ms = max(self._speaker.newest.asked_at_ms, self._call.started_at_ms)
            silent_flow = now - asked_ms > NO_REQUEST_MS and not self._speaker.leaving
            if self._speaker.asking.deaf:
                self._media_ms = now
            if now - self._media_ms <= NO_MEDIA_MS and not silent_flow:
                continue
            self._fragments.contact_may_have_ended()
            if not await self._services.presence.connected(self._call.contact_id):
                self._speaker.leave("flow_silent" if silent_flow else "no_media", long_ago=True)
            self._media_ms = max(self._media_ms, now - NO_MEDIA_MS // 2)  # ask again in five seconds
            await asyncio.sleep(NO_MEDIA_MS / 2000)
