"""Agent speech to the caller: audio in, clips into S3, actions into the log, and one end for each stretch."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import assert_never

import structlog

from contract.actions import NONE, End, Numbered, Outcome, Play, Returned, Say, Transfer
from contract.audio import BYTES_PER_MS
from contract.call import Call, CallState, FlowForm, Head, Lease
from contract.clock import Clock
from contract.errors import CallEnded, StoreUnavailable
from contract.store import GatewayStore
from gateway.legs.kvs.action_log import ActionLog
from gateway.legs.kvs.asking import Asking
from gateway.legs.kvs.clips import INTERRUPTIBLE, POLLING, Clip, ClipCutter
from gateway.legs.kvs.heard import Found
from gateway.legs.kvs.hearing import Hearing, NotHeard
from gateway.legs.kvs.leaving import Final, Leaving
from gateway.legs.kvs.playout import Failed, Finished, Playout, PlayoutEvent, Started
from gateway.legs.kvs.prompts import Prompts
from gateway.legs.kvs.stretch import BUSY_POLL_MS, Stretch
from gateway.legs.kvs.uploads import Upload, Uploads
from gateway.legs.leg import (
    CallerGone,
    ClipFailed,
    Handover,
    HeardMeasured,
    LegEvent,
    PlaybackFinished,
    PlaybackStarted,
    Question,
    rendered_name,
)
from gateway.telemetry.bounds import Bound, reached

log = structlog.get_logger()

IDLE_POLL_MS = 500
RETRY_S = 0.3  # the store was not available, after retries of its own
MOST_SAYINGS = 4  # texts for the flow's own voice that wait for the log: the caller waits for all of them
SECRET_MS = 600_000  # the longest that a question, its prompt and 20 keys can take, and the flow before them
OPENING = 0  # the number of its stretch, and of its sequence on the playout clock


@dataclass(slots=True)
class Speaker:
    """Runs as one task of the call. Its methods return at once and wake that task up."""

    store: GatewayStore
    prompts: Prompts
    clock: Clock
    lease: Lease
    call: Call
    emit: Callable[[LegEvent], None]
    newest: Head
    _log: ActionLog = field(init=False)
    _uploads: Uploads = field(init=False)
    _playout: Playout = field(init=False)
    _hearing: Hearing = field(default_factory=Hearing)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stretch: Stretch | None = None  # what the agent says now
    _stretches: int = 0  # counted from 1; 0 is the opening
    _playing: int = OPENING  # the stretch that the playout clock follows
    _trying: tuple[int, int, Clip] | None = None  # the sequence that a clip gets, or has got without an answer; stretch
    _begun: tuple[int, int] | None = None  # sequence and start of a clip that was just found in the track
    _says: deque[str] = field(default_factory=deque)
    _leaving: Leaving = field(init=False)
    asking: Asking = field(default_factory=Asking)
    _read_at_ms: int = 0
    _gone: bool = False

    def __post_init__(self) -> None:
        self._playout = Playout(cuts_prompts=self._interruptible, start_delay_ms=self.newest.start_delay_ms)
        before = self.newest.last_seq
        self._log = ActionLog(self.store, self.clock, self.lease, last=before, cancelled=before)
        self._uploads = Uploads(self.prompts, self.call.contact_id, self._wake.set)
        returned_seq = self.newest.loaded if self.newest.returned is not Returned.NONE else 0
        self._leaving = Leaving(returned_seq)
        self._open_with(self.call)

    @property
    def keys(self) -> list[str]:
        """Names of the clips that were made."""
        return self._uploads.keys

    @property
    def _interruptible(self) -> bool:
        return self.call.form is FlowForm.INTERRUPTIBLE

    def _open_with(self, call: Call) -> None:
        """The opening is a stretch that was begun by the flow itself."""
        if call.opening is None or self.newest.last_seq or call.attempt > 1:
            return
        length = call.opening.duration_ms * BYTES_PER_MS
        opening = Clip(0, length, bytes(length))
        self._playout.appended(OPENING, opening, offered_ms=call.started_at_ms)
        self._playout.complete()
        self._stretch = Stretch(OPENING, self._cutter(length), appended=1)

    def _cutter(self, start: int = 0) -> ClipCutter:
        return ClipCutter(INTERRUPTIBLE if self._interruptible else POLLING, start)

    # -- what the call asks for ------------------------------------------------------------------------------

    def speak(self, ulaw: bytes) -> int:
        """Runs for every frame of agent audio."""
        stretch = self._stretch
        if stretch is None:
            self._stretches += 1
            stretch = self._stretch = Stretch(self._stretches, self._cutter())
            self._leaving.spoken()
        stretch.cutter.resume()  # more of the same, before the caller heard the end
        self._playout.resume()
        if not stretch.appended or not stretch.cutter.in_hand:
            self._wake.set()  # else the task knows when to look
        stretch.cutter.push(ulaw, self.clock.now_ms())
        return stretch.number

    def end_of_speech(self) -> None:
        if self._stretch is not None:
            self._stretch.cutter.finish()
            self._wake.set()

    def clear(self) -> None:
        stretch, self._stretch = self._stretch, None
        if stretch is None:
            return
        self._uploads.drop()
        now = self.clock.now_ms()
        if stretch.number == OPENING:
            self._log.cancel_opening()
        final = self._leaving.final
        final_seq = final.seq or final.unclear if final is not None else 0
        self._log.cancel(final_seq - 1 if final_seq else self._log.reach)
        if self._interruptible:
            self._hearing.cut(stretch.number, now)
        if self._playout.open and self._playing == stretch.number:
            self._report(self._playout.clear(now))
        else:  # nothing of it was appended; the clock may still follow the stretch before
            self._finished(stretch.number, Finished(0, interrupted=True, at_ms=now))
        self._wake.set()

    def heard(self, media_ms: int, pcm: bytes) -> None:
        """A block of what Connect plays to the caller (16-bit PCM, 8 kHz)."""
        for event in self._hearing.block(media_ms, pcm):
            match event:
                case Found(seq, at_ms):
                    self._playout.began(seq, at_ms)
                    self._begun = (seq, at_ms)
                    self._wake.set()
                case HeardMeasured():
                    self._emit(event)
                case NotHeard(number, seq, clip, silent):
                    log.warning("clip_not_heard", contact=self.call.contact_id, seq=seq)
                    if silent and self._stretch is None and number == self._stretches:
                        self._emit(ClipFailed())  # all of a short reply, whose end had come by the clock
                    self._failed(number, clip)
                case _:
                    assert_never(event)

    @property
    def start_delay_ms(self) -> int:
        """How long an offered clip takes to be heard: what the slowest of twenty needed, on this call."""
        return self._hearing.delays.p95(self.newest.start_delay_ms)

    def say(self, text: str) -> None:
        if len(self._says) >= MOST_SAYINGS:
            reached(Bound.SAYINGS)
            return
        self._says.append(text)
        self._wake.set()

    def transfer(self, handover: Handover) -> None:
        self._leave_by(handover.action())

    def hang_up(self, reason: str, goodbye: str = "") -> None:
        self._leave_by(End(reason), goodbye)

    def withdraw(self) -> None:
        if self._leaving.withdraw():
            self._wake.set()

    def ask(self, question: Question) -> None:
        self.asking.ask(question)
        self._wake.set()

    def unask(self) -> None:
        up_to, never = self.asking.unask()
        self._log.cancel(up_to)
        if never is not None:
            self._emit(never)
        self._wake.set()

    def adopt(self, pending: Numbered) -> None:
        """What the owner before this one has left in the log, and the flow has not taken."""
        self._leaving.adopt(pending)

    def _leave_by(self, action: Transfer | End, goodbye: str = "") -> None:
        self._leaving.ask(action, goodbye)
        self._wake.set()

    # -- the task --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until the caller is gone.

        Raises:
            LeaseLost: another gateway owns the call.
        """
        try:
            while not self._gone:
                await self._try_step()
        finally:
            self._uploads.drop()

    async def _try_step(self) -> None:
        try:
            if not await self._step():
                await self._sleep()
        except CallEnded:
            self._read_at_ms = 0  # the head says how
        except StoreUnavailable as error:
            log.error("speaker_held_up", contact=self.call.contact_id, cause=error.cause)
            await asyncio.sleep(RETRY_S)

    async def _step(self) -> bool:
        """Do the most urgent thing; False when there is nothing to do now. What fails is done again."""
        now = self.clock.now_ms()
        final = self._leaving.final
        if self._log.owes:
            await self._cancel()
        elif final is not None and final.withdrawn:
            await self._take_back(final)
        elif now >= self._read_at_ms:
            await self._read_head()
        elif self._begun is not None:
            begun = self._begun
            await self.store.heard(self.lease, *begun)
            self._begun = None if self._begun == begun else self._begun
        elif final is not None and final.unclear:
            await self._leave(final)
        elif final is not None and self._is_too_early(final):
            await self._postpone(final)
        elif self._says and not self.asking.unclear:
            await self._log.append(Say(self._says[0]))
            self._says.popleft()
        elif (question := self.asking.waiting) is not None and (self._stretch is None or self.asking.unclear):
            await self._ask(question)
        elif (upload := self._uploads.stored) is not None:
            await self._offer(upload)
        elif (stretch := self._stretch) is not None and (clip := self._due_clip(stretch, now)) is not None:
            self._uploads.begin(stretch, clip)
        elif final is not None and not final.seq and not self._last_words and self._uploads.now is None:
            await self._leave(final)
        else:
            self._report(self._playout.due(now))
            return False
        return True

    async def _leave(self, final: Final) -> None:
        if final.goodbye:
            self._leaving.goodbye_seq = await self._log.append(Say(final.goodbye))
            final.goodbye = ""
        final.unclear = self._log.next
        final.seq = await self._log.append(final.action)
        final.unclear = 0

    def _due_clip(self, stretch: Stretch, now_ms: int) -> Clip | None:
        if self._playout.cut or self._uploads.now is not None:
            return None  # the flow is still leaving the stretch before; one clip at a time
        if stretch.again:
            return stretch.again.popleft()
        if stretch.exhausted:
            if stretch.appended:
                self._playout.complete()
            else:  # not one clip of it could be stored
                self._finished(stretch.number, Finished(0, interrupted=True, at_ms=now_ms))
            return None
        if self.leaving and stretch.last_words:
            return stretch.cutter.next_clip()
        return stretch.next_clip(now_ms, self._playout.needed_at_ms())

    @property
    def _last_words(self) -> bool:
        stretch = self._stretch
        uploading = self._uploads.now is not None and stretch is not None and stretch.cutter.finished
        return uploading or (stretch is not None and stretch.last_words)

    def _is_too_early(self, final: Final) -> bool:
        """It is in the log ahead of words that came later, and nothing else is that the caller has yet to hear."""
        words = bool(self._says) or (self._last_words and not self._playout.cut)
        in_time = 0 < final.seq <= max(self._log.cancelled, self.newest.loaded) + 1
        return words and in_time and not final.taken_ms

    async def _offer(self, upload: Upload) -> None:
        """Append a clip that is stored. Where the table cannot be reached the same action is appended again."""
        stretch, clip, url = upload.stretch, upload.clip, upload.task.result()
        if not url:
            self._uploads.over(upload)
            self._failed(stretch.number, clip)
            return
        self._trying = (self._log.next, stretch.number, clip)
        self._hearing.expects(stretch.number)
        seq = await self._log.append(Play(url, clip.duration_ms))
        self._trying = None
        if self._uploads.over(upload):
            self._appended(seq, stretch, clip)
        else:  # withdrawn while it was being appended: the flow may have been quicker
            self._hearing.given(seq, stretch.number, clip)
            self._log.cancel(seq)

    def _appended(self, seq: int, stretch: Stretch, clip: Clip) -> None:
        stretch.appended += 1
        self._playing = stretch.number
        self._playout.appended(seq, clip)
        self._hearing.given(seq, stretch.number, clip)
        self._read_at_ms = min(self._read_at_ms, self.clock.now_ms() + BUSY_POLL_MS)

    async def _ask(self, question: Question) -> None:
        """Append the question; a prompt without a clip is spoken by the flow's own voice first."""
        rendered = await self.store.opening(rendered_name(question.agent, question.name))
        once = token_urlsafe(24) if question.function else ""
        if once:
            await self.store.put_code(once, self.call.contact_id, self.clock.now_ms() + SECRET_MS)
        if self.asking.waiting is not question:
            return  # taken back meanwhile
        action = self.asking.next_action(question, rendered, once)
        self.asking.trying(self._log.next, action)
        seq = await self._log.append(action)
        if not self.asking.appended(seq, question, action):
            self._log.cancel(seq)

    async def _cancel(self) -> None:
        head = await self._log.cancel_now()
        if head is not None:
            if (never := self.asking.settled(head.last_seq)) is not None:
                self._emit(never)
            if self._trying is not None and self._trying[0] <= head.last_seq:
                self._hearing.given(*self._trying)
            self._trying = None
            self.saw(head)

    async def _take_back(self, final: Final) -> None:
        """Withdraw a transfer or the end, if the flow has not been offered it: the two exclude each other."""
        if seq := final.seq or final.unclear:
            head = await self._log.take_back(seq)
            late = head.leaving >= seq
            if late:
                final.seq, final.unclear = seq, 0
                self._leaving.too_late(final)
            self.saw(head)
            if late:
                return
        self._leaving.withdrawn()

    async def _postpone(self, final: Final) -> None:
        """The same transfer or end once more, behind what is to be heard before it; unless the flow has it already."""
        head = await self._log.take_back(final.seq)
        if head.leaving < final.seq:
            self._log.cancelled, final.seq = final.seq, 0
        self.saw(head)

    async def _read_head(self) -> None:
        self.saw(await self.store.head(self.call.contact_id))
        busy = self._playout.open or self.leaving or self.asking.open or self._stretch is not None
        self._read_at_ms = self.clock.now_ms() + (BUSY_POLL_MS if busy else IDLE_POLL_MS)

    def _clip_due_ms(self, now_ms: int) -> int | None:
        """When `_due_clip` may have something although nothing happens."""
        stretch = self._stretch
        if stretch is None or self._playout.cut or self._uploads.now is not None:
            return None
        return stretch.due_ms(now_ms, self._playout.needed_at_ms())

    async def _sleep(self) -> None:
        now = self.clock.now_ms()
        dues = [self._read_at_ms, self._playout.next_due_ms(), self._clip_due_ms(now)]
        delay = max(1, min(due for due in dues if due is not None) - now) / 1000
        try:
            async with asyncio.timeout(delay):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    # -- what the flow says ----------------------------------------------------------------------------------

    def saw(self, head: Head) -> None:
        """Look at a newer head, wherever it was read; an older one that comes late is passed over."""
        if self._gone or _is_older(head, self.newest):
            return
        now = self.clock.now_ms()
        self.newest = head
        # An interruptible flow takes a clip in the moment before it plays it, a polling one says so afterwards; as does
        # an interruptible one that could not leave a silence, and asks in turn from then on.
        if self._interruptible:
            if head.ended is not Outcome.COMPLETED:
                self._hearing.taken(head.loaded, head.loaded_at_ms)
            for measured in self._hearing.completed(head.loaded) if head.ended is Outcome.COMPLETED else ():
                self._emit(measured)
        else:
            self._hearing.taken(head.offered, head.offered_at_ms)
        self._report(self._playout.head(head, now))
        if (taken := self.asking.saw(head)) is not None:
            self._emit(taken)
        for event in self._leaving.saw(head, now):
            self._emit(event)
        if head.disconnected_at_ms:
            self.leave("contact_event")
        elif self._leaving.taken:
            self._hearing.left(head.offered_at_ms)
            if signal := self._leaving.over(now):
                self.leave(signal)
        elif head.state is CallState.ENDED:
            self.leave(head.reason or NONE)

    def leave(self, signal: str, *, long_ago: bool = False) -> None:
        """The caller is gone; `signal` says how we know. What was not heard to its end ends here; where they are gone
        for so long that the track has come to its end, nothing was heard after that."""
        if self._gone:
            return
        now = self.clock.now_ms()
        stretch = self._stretch
        self._report(self._playout.abandon(now))
        if stretch is not None and self._stretch is stretch:
            self._finished(stretch.number, Finished(0, interrupted=True, at_ms=now))
        # A flow that took its leave was there when it did.
        there_ms = self.newest.offered_at_ms if self._leaving.taken else self.newest.asked_at_ms
        for measured in self._hearing.ended(there_ms) if long_ago else ():
            self._emit(measured)
        self._emit(CallerGone(signal))
        self._gone = True
        self._wake.set()

    def handed_on(self) -> PlaybackFinished | None:
        """How the present stretch ends if it is left to the flow as it is in the log; None where there is none."""
        end = self._playout.forecast(self.clock.now_ms())
        return None if end is None else PlaybackFinished(self._playing, end.position_ms, end.interrupted, end.at_ms)

    @property
    def leaving(self) -> bool:
        """A transfer or the end was asked for."""
        return self._leaving.final is not None

    # -- what became of it -----------------------------------------------------------------------------------

    def _report(self, events: list[PlayoutEvent]) -> None:
        """Events of the playout clock, which follows stretch `_playing`."""
        for event in events:
            match event:
                case Started(at_ms):
                    self._emit(PlaybackStarted(self._playing, at_ms))
                case Failed(_, clip):
                    self._failed(self._playing, clip)
                case Finished():
                    self._finished(self._playing, event)
                case _:
                    assert_never(event)

    def _finished(self, number: int, event: Finished) -> None:
        """The one end of a stretch."""
        if self._stretch is not None and self._stretch.number == number:
            self._stretch = None
            self._uploads.drop()
        self._emit(PlaybackFinished(number, event.position_ms, event.interrupted, event.at_ms))
        for measured in self._hearing.finished(number):
            self._emit(measured)

    def _failed(self, number: int, clip: Clip) -> None:
        """A clip that did not play is given once more; after that its text has to be said otherwise."""
        stretch = self._stretch
        if stretch is None or stretch.number != number:
            return  # the conversation has gone on
        stretch.failures += 1
        if number == OPENING and not clip.start:  # the opening itself, whose audio is not here
            self._emit(ClipFailed())
        elif stretch.failures == 1:
            stretch.again.append(clip)
            self._wake.set()
        elif stretch.failures == 2:
            self._emit(ClipFailed())

    def _emit(self, event: LegEvent) -> None:
        if not self._gone:  # nothing follows CallerGone
            self.emit(event)


def _is_older(head: Head, than: Head) -> bool:
    """These never go back: a head in which one of them is smaller was read before."""
    pairs = (
        (head.epoch, than.epoch),
        (head.last_seq, than.last_seq),
        (head.offered, than.offered),
        (head.loaded, than.loaded),
        (head.asked_at_ms, than.asked_at_ms),
    )
    return any(mine < known for mine, known in pairs)
