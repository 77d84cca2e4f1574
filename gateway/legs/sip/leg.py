"""The SIP leg: both directions of the caller's audio in RTP. See `gateway.legs.leg.Leg`.

Nothing lies between the agent's words and the caller: a barge-in is silence in the next packet, and what was heard is
what was sent. The flow waits until the leg hangs up, and then asks what to do; so a transfer or an end is written
into the log first, the BYE follows, and the call is over for us when the flow has taken it.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import structlog

from contract.actions import Action, End, Returned
from contract.call import Call, Head, Lease
from contract.clock import Clock
from contract.errors import CallEnded, StoreUnavailable
from contract.store import GatewayStore
from gateway.legs.leg import (
    CallerAudio,
    CallerGone,
    FlowTook,
    Handover,
    KeyPressed,
    Keys,
    KeysTaken,
    LegEvent,
    LegFailed,
    Question,
    TransferReturned,
    rendered_name,
)
from gateway.legs.sip.keypad import Keypad
from gateway.legs.sip.line import BROKE, Line
from gateway.legs.sip.playout import SILENT_FRAME
from gateway.legs.sip.rtp import FRAME_MS
from gateway.legs.sip.tones import WAIT_TONE
from gateway.legs.tape import Tape

log = structlog.get_logger()

MOST_EVENTS = 4096
MOST_QUESTIONS = 8  # the conversation has one open at a time
RETRY_S = 0.3
LOOK_S = 0.2
FLOW_TAKES_S = 30.0  # after our BYE the flow asks within a second; a caller who is gone by then never asks
BYE_S = 2.0  # a peer that does not answer our BYE by then has the call back all the same


@dataclass(frozen=True, slots=True)
class _Typed:
    """Secret digits on their way."""

    question: Question
    digits: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SipServices:
    """What a leg needs. `line` is that of a contact. `opening` reads a rendered opening by its URL, as µ-law; empty
    when it cannot be had. `pass_on` gives secret digits to whom they are for, and returns what the agent may know."""

    store: GatewayStore
    clock: Clock
    line: Callable[[str], Line]
    opening: Callable[[str], Awaitable[bytes]]
    pass_on: Callable[[Call, Question, str], Awaitable[str]]


class SipLeg:
    """A call that stands; see the module."""

    def __init__(self, services: SipServices, lease: Lease, head: Head, call: Call) -> None:
        self._services = services
        self._store = services.store
        self._clock = services.clock
        self._line = services.line(call.contact_id)
        self._lease = lease
        self._call = call
        self._newest = head
        self._keypad = Keypad()
        self._questions: asyncio.Queue[Question | _Typed] = asyncio.Queue(MOST_QUESTIONS)
        self._wanted: Question | None = None
        self._events: asyncio.Queue[LegEvent] = asyncio.Queue(MOST_EVENTS)
        self._tape: Tape | None = None
        self._began_ms = self._beats = 0
        self._final: Action | None = None
        self._final_seq = 0
        self._taken = False
        self._gone = False
        self._wake = asyncio.Event()

    # -- what the call asks for ------------------------------------------------------------------------------

    async def next_event(self) -> LegEvent:
        return await self._events.get()

    def speak(self, ulaw: bytes) -> int:
        return self._line.stream.playout.speak(ulaw)

    def end_of_speech(self) -> None:
        self._line.stream.playout.end_of_speech()

    def clear(self) -> None:
        self._line.stream.playout.clear(self._clock.now_ms())
        self._tell()

    def say(self, text: str) -> None:
        """There is no voice but the agent's here: two soft tones say that the line is alive."""
        log.info("tone_instead_of_words", contact=self._call.contact_id, characters=len(text))
        playout = self._line.stream.playout
        if not playout.playing and not self._keypad.open:
            playout.tone(WAIT_TONE)

    def ask(self, question: Question) -> None:
        self._wanted = question
        self._questions.put_nowait(question)

    def unask(self) -> None:
        """Unless a key was pressed: then what was asked for may come all the same."""
        if self._keypad.begun:
            return
        if self._keypad.open:
            self._line.stream.playout.tone(b"")
            self._keypad.close()
            self._emit(KeysTaken(Keys.NEVER))
        self._wanted = None

    @property
    def deaf(self) -> bool:
        """A secret is typed: nobody is to hear what the caller's line brings."""
        return self._keypad.deaf(self._clock.now_ms())

    @property
    def asks_openly(self) -> bool:
        """What is pressed answers a question that is no secret."""
        return self._keypad.question is not None and not self._keypad.question.secret

    def asked_before(self, since_ms: int) -> None:
        """A call over SIP has no owner but this one."""

    def transfer(self, handover: Handover) -> None:
        self._finally(handover.action())

    def hang_up(self, reason: str) -> None:
        self._finally(End(reason))

    def withdraw(self) -> None:
        """Only as long as it was not written: from then on the caller is on the way."""
        if not self._taken and not self._final_seq:
            self._final = None

    def _finally(self, action: Action) -> None:
        if self._final is None:
            self._final = action
            self._wake.set()

    def record(self, tape: Tape) -> None:
        self._tape = tape

    def saw(self, head: Head) -> None:
        self._newest = head
        if head.disconnected_at_ms:
            self._leave("contact_event")

    @property
    def start_delay_ms(self) -> int:
        return self._newest.start_delay_ms

    def figures(self) -> Mapping[str, int]:
        return self._line.stream.figures()

    async def close(self) -> None:
        """Nothing is kept outside this process."""

    # -- the work --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until the caller is gone. However it ends, the caller goes back to the flow."""
        try:
            await self._begin()
            work = [asyncio.create_task(each) for each in (self._watch(), self._go(), self._ask())]
            try:
                done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in work:
                    task.cancel()
                await asyncio.wait(work)
            for task in done:
                task.result()
        finally:
            self._line.hang_up()
            self._line.close()

    async def _begin(self) -> None:
        await self._persist(lambda: self._store.note_dialog(self._lease, self._line.record))
        if self._call.opening is not None and self._call.attempt == 1:
            self._line.stream.playout.opening(await self._services.opening(self._call.opening.url))
        self._began_ms = self._clock.now_ms()
        self._line.start(self._beat)
        if self._call.returned is not Returned.NONE:
            self._emit(TransferReturned(self._call.returned))

    def _beat(self, left_out: int) -> None:
        """Every 20 ms."""
        now = self._clock.now_ms()
        stream = self._line.stream
        packet = stream.packet(now, left_out)
        if packet is not None:
            self._line.send(packet)
        frame = stream.caller()
        deaf = self._keypad.deaf(now)
        self._keep(SILENT_FRAME if deaf else frame.ulaw, stream.playout.sent, left_out)
        if deaf:
            self._emit(CallerAudio(now - FRAME_MS, SILENT_FRAME, frame.delay_ms, inserted=True, speech=False))
        else:
            self._emit(CallerAudio(now - FRAME_MS, frame.ulaw, frame.delay_ms, frame.made_up))
        self._take_keys(stream.pressed(), now)
        self._tell()

    def _keep(self, caller: bytes, heard: bytes, left_out: int) -> None:
        """For the recording, where there is to be one; by beats, since they have no jitter."""
        at_ms = self._began_ms + self._beats * FRAME_MS
        self._beats += 1 + left_out
        if self._tape is not None:
            self._tape.said(at_ms, caller)
            self._tape.played(at_ms, heard)

    def _take_keys(self, pressed: str, now_ms: int) -> None:
        """Keys answer the question that is open; else the call is told of them."""
        keypad, playout = self._keypad, self._line.stream.playout
        for key in pressed:
            if keypad.question is None:
                self._emit(KeyPressed(key, now_ms))
            else:
                playout.tone(b"")
                self._typed(keypad.question, keypad.key(key, now_ms))
        if keypad.question is not None:
            if playout.tone_plays:
                keypad.prompting(now_ms)
            self._typed(keypad.question, keypad.due(now_ms))

    def _typed(self, question: Question, digits: str | None) -> None:
        """All that comes of a question, if it is over."""
        if digits and question.secret:
            self._questions.put_nowait(_Typed(question, digits))
        elif digits is not None:
            self._emit(KeysTaken(Keys.TAKEN, digits))

    def _tell(self) -> None:
        """What has happened to the agent's speech."""
        for event in self._line.stream.playout.events():
            self._emit(event)

    async def _watch(self) -> None:
        """The caller hangs up, or nothing comes any more."""
        ended = asyncio.ensure_future(self._line.ended())
        try:
            while not self._gone:
                done, _ = await asyncio.wait((ended,), timeout=LOOK_S)
                if done and self._final_seq:
                    await asyncio.sleep(FLOW_TAKES_S + BYE_S)  # our own BYE: `_go` says the rest
                elif done and ended.result() != BROKE:
                    self._leave(f"sip_{ended.result()}")
                elif done:
                    await self._fail("line_broke")
                elif self._line.stream.silent(self._clock.now_ms()):
                    await self._fail("no_media")
        finally:
            ended.cancel()

    async def _fail(self, reason: str) -> None:
        """The conversation sends the caller to a human."""
        self._emit(LegFailed(reason))
        await asyncio.sleep(FLOW_TAKES_S + BYE_S)
        self._leave(reason)

    async def _go(self) -> None:
        """Write where the caller goes, give the call back, and stay until the flow knows."""
        action, self._final_seq = await self._written()
        self._taken = True
        self._line.hang_up()
        self._emit(FlowTook())
        try:
            async with asyncio.timeout(FLOW_TAKES_S):
                while self._newest.offered < self._final_seq and not self._gone:
                    await asyncio.sleep(LOOK_S)
                    await self._look()
        except TimeoutError:
            log.warning("flow_did_not_ask", contact=self._call.contact_id)
        self._leave("ended" if isinstance(action, End) else "queued")

    async def _written(self) -> tuple[Action, int]:
        """What is still wanted once it is in the log, and its sequence. Writing may take seconds, in which the caller
        changes their mind."""
        while True:
            while self._final is None:
                await self._wake.wait()
                self._wake.clear()
            action = self._final
            seq = await self._append(action)
            if self._final is action:
                return action, seq
            await self._persist(functools.partial(self._store.cancel, self._lease, seq))

    async def _ask(self) -> None:
        """Put questions, and pass secrets on, one after the other."""
        while True:
            match await self._questions.get():
                case _Typed(question, digits):
                    self._emit(KeysTaken(Keys.TAKEN, await self._services.pass_on(self._call, question, digits)))
                case question:
                    await self._put(question)

    async def _put(self, question: Question) -> None:
        """There is no voice on this line to speak a prompt that was not rendered: then the agent asks by itself. So it
        does where no key can come."""
        if not self._line.stream.takes_keys:
            log.warning("no_keys_on_this_line", contact=self._call.contact_id, question=question.name)
            self._emit(KeysTaken(Keys.UNAVAILABLE))
            return
        prompt = await self._prompt(question)
        if self._wanted is not question:
            self._emit(KeysTaken(Keys.NEVER))
        elif not prompt:
            log.warning("question_not_rendered", contact=self._call.contact_id, question=question.name)
            self._emit(KeysTaken(Keys.UNAVAILABLE))
        else:
            self._line.stream.playout.tone(prompt)
            self._keypad.begin(question, self._clock.now_ms())

    async def _prompt(self, question: Question) -> bytes:
        """µ-law; empty when it cannot be had."""
        try:
            rendered = await self._store.opening(rendered_name(question.agent, question.name))
        except StoreUnavailable as error:
            log.error("prompt_not_found", contact=self._call.contact_id, cause=error.cause)
            return b""
        there = rendered is not None and rendered.url and rendered.text == question.prompt
        return await self._services.opening(rendered.url) if there and rendered is not None else b""

    async def _append(self, action: Action) -> int:
        seq = 0

        async def append() -> None:
            nonlocal seq
            seq = await self._store.append(self._lease, action, self._clock.now_ms())

        await self._persist(append)
        return seq

    async def _look(self) -> None:
        try:
            self.saw(await self._store.head(self._call.contact_id))
        except StoreUnavailable as error:
            log.error("head_not_read", contact=self._call.contact_id, cause=error.cause)

    async def _persist(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write, and again while the store is away. Raises LeaseLost."""
        while True:
            try:
                await write()
                return
            except CallEnded:
                return
            except StoreUnavailable as error:
                log.error("sip_leg_held_up", contact=self._call.contact_id, cause=error.cause)
                await asyncio.sleep(RETRY_S)

    def _leave(self, signal: str) -> None:
        if self._gone:
            return
        self._line.stream.playout.clear(self._clock.now_ms())
        self._tell()
        self._emit(CallerGone(signal))
        self._gone = True

    def _emit(self, event: LegEvent) -> None:
        if self._gone:
            return
        try:
            self._events.put_nowait(event)
        except asyncio.QueueFull:  # 80 s behind: the process is stuck, and memory is not for ever
            log.error("events_lost", contact=self._call.contact_id)
