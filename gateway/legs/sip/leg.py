"""The SIP leg: both directions of the caller's audio in RTP. See `gateway.legs.leg.Leg`.

Nothing lies between the agent's words and the caller: a barge-in is silence in the next packet, and what was heard is
what was sent. The flow waits until the leg hangs up, and then asks what to do; so a transfer or an end is written
into the log first, the BYE follows, and the call is over for us when the flow has taken it.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping

import structlog

from contract.actions import Action, End, Returned, Say
from contract.call import Call, Head, Lease
from contract.errors import CallEnded, StoreUnavailable
from gateway.legs.leg import (
    CallerAudio,
    CallerGone,
    FlowTook,
    Handover,
    LegEvent,
    LegFailed,
    Question,
    TransferReturned,
)
from gateway.legs.sip.asking import Asking
from gateway.legs.sip.line import BROKE
from gateway.legs.sip.playout import SILENT_FRAME
from gateway.legs.sip.rtp import FRAME_MS
from gateway.legs.sip.services import SipServices
from gateway.legs.sip.tones import WAIT_TONE
from gateway.legs.tape import Tape

log = structlog.get_logger()

MOST_EVENTS = 4096
RETRY_S = 0.3
LOOK_S = 0.2
FLOW_TAKES_S = 30.0  # after our BYE the flow asks within a second; a caller who is gone by then never asks
BYE_S = 2.0  # a peer that does not answer our BYE by then has the call back all the same


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
        self._asking = Asking(services, self._line, call, self._emit)
        self._events: asyncio.Queue[LegEvent] = asyncio.Queue(MOST_EVENTS)
        self._tape: Tape | None = None
        self._began_ms = self._beats = 0
        self._final: Action | None = None
        self._goodbye = ""  # what the flow is to say when it has the caller back
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
        if not playout.playing and not self._asking.open:
            playout.tone(WAIT_TONE)

    def ask(self, question: Question) -> None:
        self._asking.ask(question)

    def unask(self) -> None:
        self._asking.unask()

    @property
    def deaf(self) -> bool:
        """A secret is typed: nobody is to hear what the caller's line brings."""
        return self._asking.deaf

    @property
    def asks_openly(self) -> bool:
        """What is pressed answers a question that is no secret."""
        return self._asking.openly

    def asked_before(self, since_ms: int) -> None:
        """A call over SIP has no owner but this one."""

    def transfer(self, handover: Handover) -> None:
        self._finally(handover.action())

    def hang_up(self, reason: str, goodbye: str = "") -> None:
        if self._final is None:
            self._goodbye = goodbye
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

    def handed_on(self) -> None:
        """It never is: the dialog stays here."""

    async def forsake(self) -> None:
        """Nor has another gateway anything of it."""

    # -- the work --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until the caller is gone. However it ends, the caller goes back to the flow."""
        try:
            await self._begin()
            work = [asyncio.create_task(each) for each in (self._watch(), self._go(), self._asking.run())]
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
        deaf = self._asking.deaf
        self._keep(SILENT_FRAME if deaf else frame.ulaw, stream.playout.sent, left_out)
        if deaf:
            self._emit(CallerAudio(now - FRAME_MS, SILENT_FRAME, frame.delay_ms, inserted=True, speech=False))
        else:
            self._emit(CallerAudio(now - FRAME_MS, frame.ulaw, frame.delay_ms, frame.made_up))
        self._asking.pressed(stream.pressed(), now)
        self._tell()

    def _keep(self, caller: bytes, heard: bytes, left_out: int) -> None:
        """For the recording, where there is to be one; by beats, since they have no jitter."""
        at_ms = self._began_ms + self._beats * FRAME_MS
        self._beats += 1 + left_out
        if self._tape is not None:
            self._tape.said(at_ms, caller)
            self._tape.played(at_ms, heard)

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
            action, goodbye = self._final, self._goodbye
            if goodbye and isinstance(action, End):
                await self._append(Say(goodbye))
            seq = await self._append(action)
            if self._final is action:
                return action, seq
            await self._persist(functools.partial(self._store.cancel, self._lease, seq))

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
