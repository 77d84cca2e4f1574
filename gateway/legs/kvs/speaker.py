"""Agent speech to the caller: audio in, clips into S3, actions into the log, and one end for each stretch."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from contract.actions import NONE, Action, End, Play, Returned, Say, Transfer
from contract.audio import BYTES_PER_MS
from contract.call import Call, CallState, FlowForm, Head, Lease
from contract.clock import Clock
from contract.store import GatewayStore
from contract.turns import HeardSource
from gateway.legs.kvs.clips import INTERRUPTIBLE, POLLING, Clip, ClipCutter
from gateway.legs.kvs.heard import Found, Heard, HeardTrack, Missing, StartDelays
from gateway.legs.kvs.playout import Failed, Finished, Playout, PlayoutEvent, Started
from gateway.legs.kvs.prompts import PromptNotStored, Prompts, clip_key
from gateway.legs.kvs.wav import ulaw_wav
from gateway.legs.leg import (
    CallerGone,
    ClipFailed,
    FlowTook,
    Handover,
    HeardMeasured,
    LegEvent,
    PlaybackFinished,
    PlaybackStarted,
    TransferReturned,
)

log = structlog.get_logger()

# A clip is made this long before the one ahead of it ends: upload, append and the flow's poll take about 200 ms.
LEAD_MS = 900
BUSY_POLL_MS = 100  # how often the head is read while something is on its way to the caller
IDLE_POLL_MS = 500
ENDED_MS = 5000
# A queue that is closed, unstaffed or full is found out within a second; a sentence is spoken, then the flow asks.
QUEUED_MS = 20_000


@dataclass(slots=True)
class Final:
    """An action that takes the caller away: a transfer or the end."""

    action: Action
    seq: int = 0
    taken_ms: int = 0  # when the flow took it; 0 before

    @property
    def patience_ms(self) -> int:
        """How long after the flow took it the caller may still come back, or the contact event be on its way."""
        return ENDED_MS if isinstance(self.action, End) else QUEUED_MS


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
    keys: list[str] = field(default_factory=list)
    _cutter: ClipCutter = field(init=False)
    _playout: Playout = field(init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stretch: int = 0  # counted from 1; 0 is the opening
    _playing: int = 0  # the stretch that the playout clock follows
    _stretch_open: bool = False
    _appended: int = 0  # clips of the present stretch
    _cancel: bool = False
    _cancel_opening: bool = False
    _generation: int = 0
    _again: deque[Clip] = field(default_factory=deque)
    _retried: bool = False
    _says: deque[str] = field(default_factory=deque)
    _final: Final | None = None
    _withdraw: bool = False
    _read_at_ms: int = 0
    _returned_seq: int = 0
    _gone: bool = False
    _track: HeardTrack = field(default_factory=HeardTrack)
    _given: dict[int, tuple[int, Clip]] = field(default_factory=dict)  # by sequence: stretch and clip, until measured
    _sought: int = 0  # the last sequence that is looked for in the track
    _delays: StartDelays = field(default_factory=StartDelays)

    def __post_init__(self) -> None:
        interruptible = self.call.form is FlowForm.INTERRUPTIBLE
        self._cutter = ClipCutter(INTERRUPTIBLE if interruptible else POLLING)
        self._playout = Playout(cuts_prompts=interruptible, start_delay_ms=self.newest.start_delay_ms)
        self._returned_seq = self.newest.loaded if self.newest.returned is not Returned.NONE else 0
        self._open_with(self.call)

    def _open_with(self, call: Call) -> None:
        """The opening is a stretch that was begun by the flow itself."""
        if call.opening is None or self.newest.last_seq or call.attempt > 1:
            return
        length = call.opening.duration_ms * BYTES_PER_MS
        opening = Clip(0, length, bytes(length))
        self._playout.appended(0, opening, call.started_at_ms, offered_ms=call.started_at_ms)
        self._playout.complete()
        self._stretch_open = True

    # -- what the call asks for ------------------------------------------------------------------------------

    def speak(self, ulaw: bytes) -> int:
        if not self._stretch_open:
            self._stretch += 1
            self._stretch_open = True
        elif self._cutter.finished:  # more of the same, before the caller heard the end
            self._cutter.resume()
            self._playout.resume()
        self._cutter.push(ulaw, self.clock.now_ms())
        self._wake.set()
        return self._stretch

    def end_of_speech(self) -> None:
        if self._stretch_open:
            self._cutter.finish()
            self._wake.set()

    def clear(self) -> None:
        if not self._stretch_open:
            return
        now = self.clock.now_ms()
        opening = any(planned.seq == 0 for planned in self._playout.clips)
        self._cancel, self._cancel_opening = not opening, opening
        if self._playout.open:
            events = self._playout.clear(now)
        else:
            self._playing = self._stretch
            events = [Finished(0, interrupted=True, at_ms=now)]
        self._track.cut(now)
        self._end_stretch()
        self._report(events)
        self._wake.set()

    def heard(self, media_ms: int, pcm: bytes) -> None:
        """A block of what Connect plays to the caller (16-bit PCM, 8 kHz)."""
        for measured in self._track.block(media_ms, pcm):
            match measured:
                case Found(seq, at_ms, delay_ms):
                    self._delays.add(delay_ms)
                    self._playout.began(seq, at_ms)
                case Heard(seq, heard_bytes):
                    self._measured(seq, heard_bytes)
                case Missing(seq):
                    log.warning("clip_not_heard", contact=self.call.contact_id, seq=seq)
                    if (clip := self._given.pop(seq, None)) is not None:
                        self._failed(clip[1])

    def _measured(self, seq: int, heard_bytes: int) -> None:
        """The last clip of a stretch of which anything was heard says how far the caller came."""
        stretch, clip = self._given.pop(seq, (0, None))
        if clip is None or not heard_bytes:
            return
        end = clip.end if heard_bytes == len(clip.ulaw) else clip.start + heard_bytes
        self.emit(HeardMeasured(stretch, end // BYTES_PER_MS, HeardSource.MEASURED))

    @property
    def start_delay_ms(self) -> int:
        """How long an offered clip takes to be heard: what the slowest of twenty needed, on this call."""
        return self._delays.p95(self.newest.start_delay_ms)

    def say(self, text: str) -> None:
        self._says.append(text)
        self._wake.set()

    def transfer(self, handover: Handover) -> None:
        self._finally(Transfer(handover.queue_arn, handover.queue, handover.reason, handover.attributes))

    def hang_up(self, reason: str) -> None:
        self._finally(End(reason))

    def withdraw(self) -> None:
        if self._final is not None and not self._final.taken_ms:
            self._withdraw = True
            self._wake.set()

    def _finally(self, action: Action) -> None:
        if self._final is None:
            self._final = Final(action)
            self._wake.set()

    # -- the task --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until the caller is gone.

        Raises:
            LeaseLost: another gateway owns the call.
        """
        while not self._gone:
            if not await self._step():
                await self._sleep()

    async def _step(self) -> bool:
        """Do the most urgent thing; False when there is nothing to do now."""
        now = self.clock.now_ms()
        if self._cancel or self._cancel_opening or self._withdraw:
            await self._cancel_in_log()
        elif now >= self._read_at_ms:
            await self._read_head()
        elif self._final is not None and not self._final.seq:
            self._final.seq = await self.store.append(self.lease, self._final.action, now)
        elif self._says:
            await self.store.append(self.lease, Say(self._says.popleft()), now)
        elif (clip := self._due_clip(now)) is not None:
            await self._offer(clip)
        else:
            self._report(self._playout.due(now))
            return False
        return True

    def _due_clip(self, now_ms: int) -> Clip | None:
        if self._again:
            return self._again.popleft()
        if self._playout.cut:
            return None  # the flow is still leaving the stretch before
        if not self._appended:
            return self._cutter.first_clip(now_ms)
        if self._cutter.finished and not self._cutter.in_hand:
            self._playout.complete()
        needed = self._playout.needed_at_ms()
        if needed is None or now_ms < needed - LEAD_MS:
            return None
        return self._cutter.next_clip()

    async def _offer(self, clip: Clip) -> None:
        generation = self._generation
        key = clip_key(self.call.contact_id)
        self.keys.append(key)
        try:
            url = await self.prompts.put(key, ulaw_wav(clip.ulaw))
        except PromptNotStored as error:
            log.error("prompt_not_stored", contact=self.call.contact_id, error=error.cause)
            self._failed(clip)
            return
        if generation != self._generation:
            return
        seq = await self.store.append(self.lease, Play(url, clip.duration_ms), self.clock.now_ms())
        if generation != self._generation:
            self._cancel = True  # withdrawn while it was being appended
            return
        self._appended += 1
        self._playing = self._stretch
        self._playout.appended(seq, clip, self.clock.now_ms())
        self._given[seq] = (self._stretch, clip)
        self._read_at_ms = min(self._read_at_ms, self.clock.now_ms() + BUSY_POLL_MS)

    async def _cancel_in_log(self) -> None:
        if self._cancel_opening:
            self._cancel_opening = False
            await self.store.cancel_opening(self.lease)
        if self._cancel or self._withdraw:
            self._cancel = False
            head = await self.store.head(self.call.contact_id)
            self.newest = head
            await self.store.cancel(self.lease, head.last_seq)
        if self._withdraw:
            self._withdraw, self._final = False, None

    async def _read_head(self) -> None:
        self.saw(await self.store.head(self.call.contact_id))
        busy = self._playout.open or self._final is not None or self._stretch_open
        self._read_at_ms = self.clock.now_ms() + (BUSY_POLL_MS if busy else IDLE_POLL_MS)

    def saw(self, head: Head) -> None:
        """Look at a newer head, wherever it was read."""
        self.newest = head
        self._seek(head)
        self._report(self._playout.head(head, self.clock.now_ms()))
        final = self._final
        if final is not None and final.seq and not final.taken_ms and max(head.offered, head.loaded) >= final.seq:
            final.taken_ms = self.clock.now_ms()
            self.emit(FlowTook())
        if head.returned is not Returned.NONE and head.loaded > self._returned_seq:
            self._returned_seq = head.loaded
            self._final = None
            self.emit(TransferReturned(head.returned))
        if head.disconnected_at_ms:
            self.leave("contact_event")
        elif final is not None and final.taken_ms and self.clock.now_ms() - final.taken_ms >= final.patience_ms:
            self.leave("ended" if isinstance(final.action, End) else "queued")
        elif head.state is CallState.ENDED:
            self.leave(head.reason or NONE)

    def _seek(self, head: Head) -> None:
        """Look for a clip in the track from the moment at which its block began, as far as that is known."""
        ahead = self.call.form is FlowForm.INTERRUPTIBLE
        seq, since_ms = (head.loaded, head.loaded_at_ms) if ahead else (head.offered, head.offered_at_ms)
        if seq > self._sought and seq in self._given:
            self._sought = seq
            self._track.offered(seq, self._given[seq][1].ulaw, since_ms)

    def leave(self, signal: str) -> None:
        """The caller is gone; `signal` says how we know."""
        if not self._gone:
            self._gone = True
            self.emit(CallerGone(signal))
            self._wake.set()

    @property
    def leaving(self) -> bool:
        """A transfer or the end was asked for."""
        return self._final is not None

    async def _sleep(self) -> None:
        now = self.clock.now_ms()
        dues = [self._read_at_ms, self._playout.next_due_ms()]
        if not self._appended:
            dues.append(self._cutter.first_due_ms())
        elif self._cutter.in_hand and (needed := self._playout.needed_at_ms()) is not None:
            dues.append(max(needed - LEAD_MS, now + BUSY_POLL_MS))
        delay = max(1, min(due for due in dues if due is not None) - now) / 1000
        try:
            async with asyncio.timeout(delay):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    # -- what became of it -----------------------------------------------------------------------------------

    def _report(self, events: list[PlayoutEvent]) -> None:
        for event in events:
            match event:
                case Started(at_ms):
                    self.emit(PlaybackStarted(self._playing, at_ms))
                case Failed(_, clip):
                    self._failed(clip)
                case Finished(position_ms, interrupted, at_ms):
                    if not interrupted:
                        self._end_stretch()
                    self.emit(PlaybackFinished(self._playing, position_ms, interrupted, at_ms))

    def _failed(self, clip: Clip) -> None:
        """A clip that did not play is given once more; after that its text has to be said otherwise."""
        if self._retried:
            self.emit(ClipFailed())
        else:
            self._retried = True
            self._again.append(clip)
            self._wake.set()

    def _end_stretch(self) -> None:
        self._generation += 1
        self._cutter = ClipCutter(self._cutter.limits)
        self._again.clear()
        self._appended = 0
        self._retried = False
        self._stretch_open = False
