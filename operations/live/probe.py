"""The test call: doctor takes the caller over from the gateway, plays tones, and listens when they are heard.

It uses the same way as a gateway that takes a call over: the lease in the table. Nothing of the deployment knows of
it. Three tones show how long Connect needs to begin; a long one is left in its middle, and another one right after
its beginning, as a barge-in would leave them. The pitch of what follows tells the two apart in what is heard.
"""

from __future__ import annotations

import asyncio
import statistics
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from contract.actions import End, Play
from contract.call import LEASE_MS, RENEW_EVERY_MS, Call, FlowForm, Head, Lease, Result
from contract.clock import Clock
from contract.errors import CallEnded, CallNotFound, CallTaken, LeaseLost
from contract.store import GatewayStore
from operations.errors import CallLeft, NoTestCall
from operations.live.listening import Listening, Media
from operations.live.measured import Cut, Delivery, FirstFragment, Measured
from operations.live.tones import Pitch, Tone, clip

T = TypeVar("T")

OWNER = "doctor"
REASON = "doctor_live"
ANY_TIME = 10**15  # later than every lease: all live calls
STARTS, SHORT_MS, LONG_MS = 3, 1500, 8000
INTO_MS = 2500  # how far into the long tone it is left
EARLY_MS = 250  # so soon after it was offered the second one is left
AT_ONCE_MS = 250
HELD_BACK_MS = 300  # a cut that comes so much later than an ordinary one was held back
LOOK_S = 0.05
WATCH_S = 0.5
TAKE_ATTEMPTS = 40
NOTICED_S = 12.0
ANSWER_S = 40.0  # longer than the Wait's limit
HEARD_S = 45.0


class Clips(Protocol):
    """Where clips are put for Connect to play."""

    async def put(self, key: str, wav: bytes) -> str:
        """Store a clip; its URL."""
        ...


async def wait_for_call(store: GatewayStore, caller: str, clock: Clock, wait_s: int) -> Call:
    """The first call of the interruptible flow from that number that begins from now on; other calls are left alone.

    Raises:
        NoTestCall: none came.
    """
    known = set(await store.expired(ANY_TIME))
    until_ms = clock.now_ms() + wait_s * 1000
    while clock.now_ms() < until_ms:
        for contact_id in set(await store.expired(ANY_TIME)) - known:
            known.add(contact_id)
            call = await store.call(contact_id)
            if call.caller_number == caller and call.form is FlowForm.INTERRUPTIBLE:
                return call
        await asyncio.sleep(WATCH_S)
    raise NoTestCall(wait_s)


@dataclass(slots=True)
class Probe:
    """One test call, from taking it to hanging up. `say` tells the person at the terminal what happens."""

    store: GatewayStore
    clips: Clips
    media: Media
    clock: Clock
    call: Call
    say: Callable[[str], None]
    listening: Listening = field(init=False)
    _lease: Lease = field(init=False)

    def __post_init__(self) -> None:
        self.listening = Listening(self.call.contact_id)

    async def measure(self) -> Measured:
        """Take the call, measure, end it.

        Raises:
            CallLeft: it ended too early, or a tone was not heard.
            MediaUnreadable: its audio cannot be read.
        """
        await self._take()
        keeping, listening = asyncio.create_task(self._keep()), asyncio.create_task(self._listen())
        working = asyncio.create_task(self._experiments())
        try:
            await asyncio.wait([keeping, listening, working], return_when=asyncio.FIRST_COMPLETED)
            for beside in (keeping, listening):
                if beside.done():
                    await beside
            return await working
        except (LeaseLost, CallEnded, CallNotFound):
            raise CallLeft("the call ended, or somebody else took it") from None
        finally:
            await _over(working, listening)
            await self._hang_up()
            await _over(keeping)

    # -- owning the call -------------------------------------------------------------------------------------

    async def _take(self) -> None:
        """From whoever has it. A gateway notices within one renewal, and leaves the caller alone."""
        contact_id = self.call.contact_id
        for _ in range(TAKE_ATTEMPTS):
            try:
                self._lease, head = await self.store.take(contact_id, OWNER, self.clock.now_ms(), LEASE_MS)
            except CallTaken:
                owned = await self.store.head(contact_id)
                await self._free(Lease(contact_id, owned.owner, owned.epoch))
                continue
            except (CallEnded, CallNotFound):
                raise CallLeft("the call was over before it could be taken") from None
            await self.store.cancel_opening(self._lease)
            await self.store.cancel(self._lease, head.last_seq)
            self.say("the call is taken; you hear tones for about a minute, then it ends")
            return
        raise CallLeft("gateways were faster again and again")

    async def _free(self, lease: Lease) -> None:
        try:
            await self.store.give_away(lease)
        except LeaseLost:
            return

    async def _keep(self) -> None:
        while True:
            head = await self.store.renew(self._lease, self.clock.now_ms(), LEASE_MS, 400)
            if head.disconnected_at_ms:
                raise CallLeft("the caller hung up")
            await asyncio.sleep(RENEW_EVERY_MS / 1000)

    async def _listen(self) -> None:
        await self.listening.follow(self.media, self.call.media, self.clock)

    async def _hang_up(self) -> None:
        """The flow takes the end and disconnects; what else may happen, the lease is not renewed any more."""
        try:
            await self._offered(await self.store.append(self._lease, End(REASON), self.clock.now_ms()))
            await self.store.end(self._lease, Result.ENDED, REASON, self.clock.now_ms())
        except (CallLeft, LeaseLost, CallEnded, CallNotFound):
            return

    # -- the experiments -------------------------------------------------------------------------------------

    async def _experiments(self) -> Measured:
        """Everything, in the order in which one needs the other."""
        cut, cut_ms, held = Cut.NEVER, None, None
        starts = []
        if await self._noticed():
            starts = [await self._start(number) for number in range(1, STARTS + 1)]
            self.say("a long tone, which is left after some seconds")
            cut, cut_ms = await self._left(round(statistics.median(starts)) + INTO_MS)
        if cut_ms is not None and cut in (Cut.AT_ONCE, Cut.LATE):
            self.say("a long tone, which is left within its first second")
            held = await self._held_back(cut_ms)
        return self._measured(tuple(starts), cut, cut_ms, held)

    def _measured(self, starts: tuple[int, ...], cut: Cut, cut_ms: int | None, held: bool | None) -> Measured:
        heard, named = self.listening, self.call.media.start_fragment_number
        return Measured(
            kvs_delay_ms=heard.delay_ms,
            delivery=Delivery.PER_FRAGMENT if heard.by_fragment else Delivery.PER_BLOCK,
            first_fragment=FirstFragment.INCLUSIVE if heard.first_fragment == named else FirstFragment.EXCLUSIVE,
            start_delays_ms=starts,
            cut=cut,
            cut_ms=cut_ms,
            held_back=held,
            segment_of_its_own=heard.segment_of_its_own,
            token_last=heard.token_last,
            stream=self.call.media.stream_arn.partition("/")[2].rpartition("/")[0],
        )

    async def _noticed(self) -> bool:
        """Whether the flow goes on at all when the Lambda returns. What was playing when the call was taken has been
        left by now; where it has not, only the Wait's limit ends it, and the flow asks in turn from then on."""
        self.say("a tone to begin with")
        seq = await self._play(Pitch.LOW, SHORT_MS)
        try:
            await self._heard(Pitch.LOW, await self._offered(seq, NOTICED_S), NOTICED_S)
        except CallLeft:
            return False
        return True

    async def _start(self, number: int) -> int:
        """From the Lambda's answer to the first sample."""
        self.say(f"tone {number} of {STARTS}")
        seq = await self._play(Pitch.LOW, SHORT_MS)
        offered_ms = await self._offered(seq)
        return (await self._heard(Pitch.LOW, offered_ms)).began_ms - offered_ms

    async def _left(self, after_ms: int) -> tuple[Cut, int | None]:
        """Leave a tone in its middle, and see when it ends and when the flow goes on."""
        long = await self._play(Pitch.LOW, LONG_MS)
        offered_ms = await self._offered(long)
        answered_ms, following = await self._leave(long, offered_ms + after_ms)
        low = self._before(following, offered_ms)
        if low is None:
            raise CallLeft("the long tone was not heard")
        cut_ms = low.ended_ms - answered_ms
        if low.ended_ms - low.began_ms < LONG_MS - AT_ONCE_MS:
            return (Cut.AT_ONCE if cut_ms <= AT_ONCE_MS else Cut.LATE), cut_ms
        if following.began_ms - low.ended_ms < SHORT_MS:
            return Cut.AT_ITS_END, cut_ms
        return Cut.NEVER, None

    async def _held_back(self, ordinary_ms: int) -> bool:
        """Leave a tone within the Wait's minimum: does it go on for longer than in its middle?"""
        long = await self._play(Pitch.LOW, LONG_MS)
        offered_ms = await self._offered(long)
        answered_ms, following = await self._leave(long, offered_ms + EARLY_MS)
        low = self._before(following, offered_ms)
        return low is not None and low.ended_ms - answered_ms > ordinary_ms + HELD_BACK_MS

    async def _leave(self, seq: int, at_ms: int) -> tuple[int, Tone]:
        """Withdraw a clip at a moment, with another one to follow: when the Lambda answered, and what followed."""
        following = await self._play(Pitch.HIGH, SHORT_MS)
        await asyncio.sleep(max(0, at_ms - self.clock.now_ms()) / 1000)
        await self.store.cancel(self._lease, seq)
        answered_ms = await self._offered(following)
        return answered_ms, await self._heard(Pitch.HIGH, answered_ms)

    def _before(self, following: Tone, since_ms: int) -> Tone | None:
        low = self.listening.line.tone(Pitch.LOW, since_ms)
        return low if low is not None and low.began_ms < following.began_ms else None

    async def _play(self, pitch: Pitch, duration_ms: int) -> int:
        name = f"clips/{OWNER}-{pitch.name.lower()}-{duration_ms}-{uuid.uuid4().hex}.wav"
        url = await self.clips.put(name, clip(pitch, duration_ms))
        return await self.store.append(self._lease, Play(url, duration_ms), self.clock.now_ms())

    async def _offered(self, seq: int, limit_s: float = ANSWER_S) -> int:
        """When the Lambda answered with it."""

        async def offered() -> Head | None:
            head = await self.store.head(self.call.contact_id)
            return head if head.offered >= seq else None

        return (await self._until(offered, limit_s, "the flow did not ask for what to do next")).offered_at_ms

    async def _heard(self, pitch: Pitch, since_ms: int, limit_s: float = HEARD_S) -> Tone:
        async def heard() -> Tone | None:
            return self.listening.line.tone(pitch, since_ms)

        return await self._until(heard, limit_s, f"a tone of {pitch.value} Hz was not heard")

    async def _until(self, look: Callable[[], Awaitable[T | None]], limit_s: float, otherwise: str) -> T:
        until_ms = self.clock.now_ms() + limit_s * 1000
        while self.clock.now_ms() < until_ms:
            found = await look()
            if found is not None:
                return found
            await asyncio.sleep(LOOK_S)
        raise CallLeft(otherwise)


async def _over(*tasks: asyncio.Task[Any]) -> None:
    """Cancel them and wait until they have ended; their errors were seen, or do not matter any more."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
