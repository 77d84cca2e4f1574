from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from contract.actions import Action, Collect, End, Numbered, Outcome, Play, Returned, Say, Transfer
from contract.audio import ulaw2lin
from contract.call import LEASE_MS, Call, FlowForm, Head, Lease, Opening, Result
from contract.clock import LoopClock
from contract.errors import LeaseLost, StoreUnavailable
from contract.memory import MemoryStore
from contract.turns import HeardSource
from gateway.legs.kvs.leaving import ENDED_MS, QUEUED_MS
from gateway.legs.kvs.prompts import MemoryPrompts, PromptNotStored
from gateway.legs.kvs.speaker import Speaker
from gateway.legs.kvs.stretch import LAST_WORDS_MS
from gateway.legs.leg import (
    CallerGone,
    ClipFailed,
    FlowTook,
    Handover,
    HeardMeasured,
    Keys,
    KeysTaken,
    LegEvent,
    PlaybackFinished,
    PlaybackStarted,
    Question,
    TransferReturned,
)
from tests.contract.samples import CONTACT, T0, a_call
from tests.gateway.legs.kvs.flow import BLOCK_MS, FakeFlow
from tests.gateway.sounds import quiet, speech

FORMS = (FlowForm.INTERRUPTIBLE, FlowForm.POLLING)
both = pytest.mark.parametrize("form", FORMS)
HANDOVER = Handover("orders", "arn:orders", "transfer_to_human", {"va_reason": "asked"})
TOOK = FlowTook("transfer_to_human", "orders", HANDOVER.attributes)
OPENING = Opening("https://clips.s3.eu-central-1.amazonaws.com/opening.wav", "Hello.", 3000)
STEPS_A_SECOND = 25  # reading the head ten times, and a clip now and then


class Store(MemoryStore):
    """Takes its time, and fails on demand; counts what is done."""

    def __init__(self, delay_s: float = 0.01) -> None:
        super().__init__(delay_s)
        self.failing: set[str] = set()
        self.appended: list[tuple[int, Action, int]] = []
        self.before_append: Callable[[], None] | None = None
        self.no_answer: type[Action] | None = None  # one that is appended, and the answer gets lost
        self.lost: tuple[int, Action] | None = None

    def _check(self, operation: str) -> None:
        if operation in self.failing:
            raise StoreUnavailable(operation, "Throttled")

    async def append(self, lease: Lease, action: Action, now_ms: int) -> int:
        self._check("append")
        if self.before_append is not None:
            self.before_append()
        if (
            self.lost is not None
            and self.lost[1] == action
            and self.lost[0] > (await self.head(CONTACT)).cancelled_up_to
        ):
            (seq, _), self.lost = self.lost, None
            return seq  # found again, as the store in the table does
        seq = await super().append(lease, action, now_ms)
        self.appended.append((seq, action, now_ms))
        if self.no_answer is not None and isinstance(action, self.no_answer):
            self.no_answer, self.lost = None, (seq, action)
            raise StoreUnavailable("append", "ReadTimeoutError")
        return seq

    async def cancel(self, lease: Lease, up_to: int) -> None:
        self._check("cancel")
        await super().cancel(lease, up_to)

    async def cancel_opening(self, lease: Lease) -> None:
        self._check("cancel")
        await super().cancel_opening(lease)


class SlowPrompts(MemoryPrompts):
    """A PutObject takes `put_s`, or fails so many times."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0
        self.puts = 0
        self.put_s = 0.05
        self.during: Callable[[], None] | None = None

    async def put(self, key: str, wav: bytes) -> str:
        self.puts += 1
        await asyncio.sleep(self.put_s)
        if self.during is not None:
            self.during()
            self.during = None
        if self.failures:
            self.failures -= 1
            raise PromptNotStored(key, "SlowDown")
        return await super().put(key, wav)


class CountedSpeaker(Speaker):
    steps = 0
    frames = 0

    def speak(self, ulaw: bytes) -> int:
        CountedSpeaker.frames += 1
        return super().speak(ulaw)

    async def _step(self) -> bool:
        CountedSpeaker.steps += 1
        return await super()._step()


class Scene:
    """A speaker, its store and the flow that plays what it appends."""

    def __init__(self, form: FlowForm) -> None:
        self.form = form
        self.store = Store()
        self.prompts = SlowPrompts()
        self.events: list[LegEvent] = []
        self.ears = False  # whether the AUDIO_TO_CUSTOMER track is there
        self.call: Call
        self.lease: Lease
        self.clock: LoopClock
        self.speaker: Speaker
        self.flow: FakeFlow
        self.running: asyncio.Task[None]

    # -- what the agent does

    async def says(self, ulaw: bytes, *, pace: float = 8.0, end: bool = True) -> int:
        """Agent audio comes in frames of 100 ms, faster than real time, and its end 300 ms later."""
        stretch = -1
        for at in range(0, len(ulaw), 800):
            stretch = self.speaker.speak(ulaw[at : at + 800])
            await asyncio.sleep(0.1 / pace)
        if end:
            await asyncio.sleep(0.3)
            self.speaker.end_of_speech()
        return stretch

    # -- what came of it

    def got(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def finished(self) -> list[tuple[int, int, bool]]:
        return [(event.stretch, event.position_ms, event.interrupted) for event in self.got(PlaybackFinished)]

    def actions(self, kind: type) -> list[Any]:
        return [action for _, action, _ in self.store.appended if isinstance(action, kind)]

    def since_start(self) -> int:
        return self.clock.now_ms() - T0

    async def until(self, seen: Callable[[], object], limit_s: float = 60) -> None:
        async with asyncio.timeout(limit_s):
            while not seen():
                await asyncio.sleep(0.02)

    async def hears(self) -> None:
        """The track arrives a second late, block by block."""
        at = self.clock.now_ms()
        while True:
            await asyncio.sleep(BLOCK_MS / 1000)
            if self.clock.now_ms() - at > 1000 + BLOCK_MS:
                if self.ears:
                    self.speaker.heard(at, ulaw2lin(self.flow.track(at, at + BLOCK_MS)))
                at += BLOCK_MS


@asynccontextmanager
async def scene(
    form: FlowForm, *, opening: Opening | None = None, flow: bool = True, ears: bool = False, **head: Any
) -> AsyncIterator[Scene]:
    """Everything runs; afterwards the number of steps is that of a loop that waits, and each stretch has one end."""
    it = Scene(form)
    it.ears = ears
    it.clock = LoopClock(T0)
    it.call = a_call(form=form, opening=opening)
    await it.store.create_call(it.call)
    it.lease, newest = await it.store.take(CONTACT, "g1", it.clock.now_ms(), LEASE_MS * 1000)
    CountedSpeaker.steps = CountedSpeaker.frames = 0
    it.speaker = CountedSpeaker(
        it.store, it.prompts, it.clock, it.lease, it.call, it.events.append, replace(newest, **head)
    )
    it.flow = FakeFlow(it.store, it.prompts, it.clock, form, CONTACT, opening.duration_ms if opening else 0)
    it.running = asyncio.create_task(it.speaker.run())
    tasks = [it.running, asyncio.create_task(it.hears())]
    if flow:
        tasks.append(asyncio.create_task(it.flow.run()))
    try:
        yield it
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    seconds = it.since_start() / 1000
    assert CountedSpeaker.steps <= 30 + CountedSpeaker.frames + STEPS_A_SECOND * seconds, "the task spins"
    ends = [event.stretch for event in it.got(PlaybackFinished)]
    assert len(ends) == len(set(ends)), "a stretch has one end"


# --- speech


@both
async def test_a_reply_is_heard_whole_and_has_one_end(form: FlowForm) -> None:
    reply = speech(6000, seed=3, pause_every_ms=1800)
    async with scene(form) as it:
        assert await it.says(reply) == 1
        await it.until(lambda: it.got(PlaybackFinished))
        assert it.finished() == [(1, 6000, False)]
        [started] = it.got(PlaybackStarted)
        assert abs(started.at_ms - it.flow.line[0].at_ms) <= 160
        # Pauses at the end of a clip are shortened, nothing else is missing.
        assert len(it.flow.heard) >= len(reply) - len(it.flow.line) * 260 * 8
        assert it.speaker.keys
        assert len(it.prompts.objects) == len(it.speaker.keys)


@both
async def test_clips_are_appended_just_in_time_and_leave_no_gap_that_the_flow_does_not_make(form: FlowForm) -> None:
    async with scene(form) as it:
        await it.says(speech(12_000, seed=4, pause_every_ms=1500))
        await it.until(lambda: it.got(PlaybackFinished))
        assert len(it.flow.line) > 1
        for (_, _, appended_ms), played in zip(it.store.appended[1:], it.flow.line, strict=False):
            assert appended_ms > played.end_ms - 1500
        # The flow's own: the start of a prompt, and the margin for one that starts late.
        assert max(it.flow.gaps()) <= 250 + (400 - 250 + 150) + 150


@both
async def test_audio_that_comes_in_real_time_is_played_all_the_same(form: FlowForm) -> None:
    async with scene(form) as it:
        await it.says(speech(5000, seed=5), pace=1.0)
        await it.until(lambda: it.got(PlaybackFinished))
        assert it.finished() == [(1, 5000, False)]


@both
async def test_a_stretch_that_is_shorter_than_a_clip_is_heard(form: FlowForm) -> None:
    async with scene(form) as it:
        await it.says(speech(300, seed=6))
        await it.until(lambda: it.got(PlaybackFinished))
        assert it.finished() == [(1, 300, False)]
        assert len(it.actions(Play)) == 1


@both
async def test_little_that_is_left_is_played_before_a_gap_is_heard(form: FlowForm) -> None:
    async with scene(form) as it:
        await it.says(speech(1200, seed=2) + quiet(200) + speech(700, seed=7), end=False)
        await it.until(lambda: len(it.actions(Play)) == 2, limit_s=5)
        assert it.got(PlaybackFinished) == []
        it.speaker.end_of_speech()
        await it.until(lambda: it.got(PlaybackFinished))


@both
async def test_two_replies_are_two_stretches(form: FlowForm) -> None:
    async with scene(form) as it:
        assert await it.says(speech(1000, seed=1)) == 1
        await it.until(lambda: it.got(PlaybackFinished))
        assert await it.says(speech(1500, seed=2)) == 2
        await it.until(lambda: len(it.got(PlaybackFinished)) == 2)
        assert it.finished() == [(1, 1000, False), (2, 1500, False)]


@both
async def test_audio_after_the_end_of_speech_continues_what_the_caller_still_hears(form: FlowForm) -> None:
    async with scene(form) as it:
        assert await it.says(speech(2000, seed=1)) == 1
        await it.until(lambda: it.got(PlaybackStarted))
        await asyncio.sleep(0.5)
        assert await it.says(speech(1500, seed=2)) == 1
        await it.until(lambda: it.got(PlaybackFinished))
        assert it.finished() == [(1, 3500, False)]


@both
async def test_more_audio_right_after_the_end_was_announced_continues_the_stretch(form: FlowForm) -> None:
    async with scene(form) as it:
        await it.says(speech(900, seed=1))
        assert await it.says(speech(900, seed=2)) == 1
        await it.until(lambda: it.got(PlaybackFinished))
        assert it.finished() == [(1, 1800, False)]


async def test_an_end_without_speech_means_nothing() -> None:
    async with scene(FlowForm.POLLING) as it:
        it.speaker.end_of_speech()
        it.speaker.clear()
        await asyncio.sleep(1)
        assert it.events == []


# --- barge-in


@both
async def test_a_barge_in_leaves_the_clip_as_soon_as_the_flow_can(form: FlowForm) -> None:
    async with scene(form) as it:
        await it.says(speech(3500, seed=1), pace=20)
        await it.until(lambda: it.got(PlaybackStarted))
        await asyncio.sleep(0.8)
        at = it.clock.now_ms()
        it.speaker.clear()
        await it.until(lambda: it.got(PlaybackFinished))
        [(stretch, position_ms, interrupted)] = it.finished()
        assert (stretch, interrupted) == (1, True)
        heard_ms = len(it.flow.heard) // 8
        if form is FlowForm.INTERRUPTIBLE:
            assert it.clock.now_ms() - at < 300
            assert 700 <= position_ms <= 1100
            assert abs(heard_ms - position_ms) < 300
        else:
            assert abs(heard_ms - position_ms) < 50
        head = await it.store.head(CONTACT)
        assert head.cancelled_up_to == head.last_seq


@both
async def test_a_barge_in_before_the_first_clip_ends_the_stretch_at_its_beginning(form: FlowForm) -> None:
    async with scene(form) as it:
        it.speaker.speak(speech(500))
        it.speaker.clear()
        assert it.finished() == [(1, 0, True)]
        assert it.speaker.speak(speech(500)) == 2
        it.speaker.end_of_speech()
        await it.until(lambda: len(it.got(PlaybackFinished)) == 2)
        assert it.finished()[1] == (2, 500, False)


@both
async def test_a_barge_in_during_the_upload_keeps_the_clip_out_of_the_log(form: FlowForm) -> None:
    async with scene(form) as it:
        it.prompts.during = it.speaker.clear
        await it.says(speech(2000))
        await asyncio.sleep(2)
        assert it.finished() == [(1, 0, True)]
        assert it.store.appended == []
        assert it.flow.line == []


@both
async def test_a_barge_in_does_not_wait_for_an_upload_that_takes_long(form: FlowForm) -> None:
    async with scene(form) as it:
        await it.says(speech(30_000, seed=1), pace=20)
        await it.until(lambda: it.got(PlaybackStarted))
        it.prompts.put_s = 6
        puts = it.prompts.puts
        await it.until(lambda: it.prompts.puts > puts)
        it.speaker.clear()
        await asyncio.sleep(0.2)
        head = await it.store.head(CONTACT)
        assert head.cancelled_up_to == head.last_seq >= 1
        it.prompts.put_s = 0.05
        await it.says(speech(500, seed=2))
        await it.until(lambda: len(it.got(PlaybackFinished)) == 2)
        assert it.finished()[1] == (2, 500, False)
        assert len(it.store.appended) == head.last_seq + 1


@both
async def test_who_is_gone_leaves_no_upload_behind(form: FlowForm) -> None:
    async with scene(form) as it:
        it.prompts.put_s = 6
        await it.says(speech(2000))
        assert it.prompts.puts == 1
        it.speaker.leave("contact_event")
        await it.running
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "clip" and not task.cancelling()]


@both
async def test_a_barge_in_during_the_append_withdraws_the_clip(form: FlowForm) -> None:
    async with scene(form) as it:
        it.store.before_append = it.speaker.clear
        await it.says(speech(2000))
        await asyncio.sleep(2)
        assert it.finished() == [(1, 0, True)]
        head = await it.store.head(CONTACT)
        assert head.cancelled_up_to == head.last_seq == 1
        assert it.flow.line == []


@both
async def test_a_barge_in_while_the_clip_is_being_offered_ends_the_stretch_once(form: FlowForm) -> None:
    for wait_ms in range(0, 600, 50):
        async with scene(form) as it:
            await it.says(speech(1500), pace=100)
            await it.until(lambda it=it: it.store.appended)  # type: ignore[misc]
            await asyncio.sleep(wait_ms / 1000)
            it.speaker.clear()
            it.speaker.clear()
            await asyncio.sleep(3)
            assert [end[::2] for end in it.finished()] == [(1, True)]


@both
async def test_audio_right_after_a_barge_in_is_another_stretch_and_waits_until_the_clip_is_left(
    form: FlowForm,
) -> None:
    async with scene(form) as it:
        await it.says(speech(3000, seed=1), pace=50)
        await it.until(lambda: it.got(PlaybackStarted))
        it.speaker.clear()
        assert await it.says(speech(1000, seed=2), pace=50) == 2
        await it.until(lambda: len(it.got(PlaybackFinished)) == 2)
        first, second = it.finished()
        assert first[::2] == (1, True)
        assert second == (2, 1000, False)
        assert it.flow.line[-1].ulaw == speech(1000, seed=2)[: len(it.flow.line[-1].ulaw)]


@both
async def test_a_second_barge_in_while_the_first_clip_is_still_left_ends_both_stretches(form: FlowForm) -> None:
    async with scene(form) as it:
        await it.says(speech(3000, seed=1), pace=50)
        await it.until(lambda: it.got(PlaybackStarted))
        it.speaker.clear()
        it.speaker.speak(speech(1000, seed=2))
        it.speaker.clear()
        it.speaker.speak(speech(1000, seed=3))
        it.speaker.end_of_speech()
        await it.until(lambda: len(it.got(PlaybackFinished)) == 3)
        ends = {stretch: (position_ms, interrupted) for stretch, position_ms, interrupted in it.finished()}
        assert ends[1][1]
        assert ends[2] == (0, True)
        assert ends[3] == (1000, False)


# --- the opening


@both
async def test_the_opening_is_stretch_zero(form: FlowForm) -> None:
    async with scene(form, opening=OPENING) as it:
        await it.until(lambda: it.got(PlaybackFinished))
        assert it.finished() == [(0, 3000, False)]
        assert await it.says(speech(500)) == 1


async def test_an_opening_that_does_not_play_is_not_given_again_but_said_otherwise() -> None:
    async with scene(FlowForm.POLLING, opening=OPENING) as it:
        it.flow.fails = {0}
        await it.until(lambda: it.got(ClipFailed))
        it.speaker.clear()
        await asyncio.sleep(1)
        assert it.store.appended == []


@both
async def test_a_barge_in_during_the_opening_leaves_it(form: FlowForm) -> None:
    async with scene(form, opening=OPENING) as it:
        await asyncio.sleep(1.5)
        it.speaker.clear()
        await it.until(lambda: it.got(PlaybackFinished))
        [(stretch, position_ms, interrupted)] = it.finished()
        assert (stretch, interrupted) == (0, True)
        assert (await it.store.head(CONTACT)).opening_cancelled
        if form is FlowForm.INTERRUPTIBLE:
            assert 900 <= position_ms <= 1400
        else:
            assert position_ms == 3000


@both
async def test_audio_during_the_opening_continues_it(form: FlowForm) -> None:
    async with scene(form, opening=OPENING) as it:
        await asyncio.sleep(1)
        assert await it.says(speech(1500)) == 0
        await it.until(lambda: it.got(PlaybackFinished))
        assert it.finished() == [(0, 4500, False)]
        assert len(it.flow.line) == 2


@both
async def test_a_barge_in_after_the_opening_was_continued_cancels_both(form: FlowForm) -> None:
    async with scene(form, opening=OPENING) as it:
        await it.says(speech(1500))
        await it.until(lambda: it.store.appended)
        it.speaker.clear()
        await it.until(lambda: it.got(PlaybackFinished))
        await asyncio.sleep(0.2)
        head = await it.store.head(CONTACT)
        assert (head.opening_cancelled, head.cancelled_up_to) == (True, 1)


async def test_a_call_that_was_taken_over_later_has_no_opening_any_more() -> None:
    async with scene(FlowForm.POLLING, opening=OPENING, flow=False, last_seq=4) as it:
        await asyncio.sleep(5)
        assert it.events == []


# --- clips that cannot be played


@both
async def test_a_clip_that_is_not_stored_is_tried_once_more(form: FlowForm) -> None:
    async with scene(form) as it:
        it.prompts.failures = 1
        await it.says(speech(1500))
        await it.until(lambda: it.got(PlaybackFinished))
        assert it.finished() == [(1, 1500, False)]
        assert it.got(ClipFailed) == []


@both
async def test_a_prompt_store_that_is_down_is_reported_once_and_the_stretch_ends(form: FlowForm) -> None:
    async with scene(form) as it:
        it.prompts.failures = 99
        with capture_logs() as logs:
            await it.says(speech(20_000, pause_every_ms=1500), pace=100)
            await it.until(lambda: it.got(PlaybackFinished))
        assert len(it.got(ClipFailed)) == 1
        assert it.finished() == [(1, 0, True)]
        assert all(line["event"] == "prompt_not_stored" for line in logs)


async def test_a_clip_that_is_not_stored_after_a_barge_in_is_of_no_interest() -> None:
    async with scene(FlowForm.POLLING) as it:
        it.prompts.failures = 1
        it.prompts.during = it.speaker.clear
        await it.says(speech(1500))
        assert await it.says(speech(700)) == 2
        await it.until(lambda: len(it.got(PlaybackFinished)) == 2)
        assert it.finished() == [(1, 0, True), (2, 700, False)]


async def test_a_clip_that_the_flow_could_not_play_is_given_once_more() -> None:
    async with scene(FlowForm.POLLING) as it:
        it.flow.fails = {1}
        await it.says(speech(1500))
        await it.until(lambda: it.got(PlaybackFinished))
        assert it.finished() == [(1, 1500, False)]
        assert len(it.actions(Play)) == 2
        assert it.got(ClipFailed) == []


async def test_a_clip_that_the_flow_cannot_play_at_all_is_reported() -> None:
    async with scene(FlowForm.POLLING) as it:
        it.flow.fails = {1, 2}
        await it.says(speech(1500))
        await it.until(lambda: it.got(PlaybackFinished))
        assert len(it.got(ClipFailed)) == 1
        assert it.finished() == [(1, 0, False)]


# --- what was really heard


@both
async def test_what_was_heard_is_measured_after_the_stretch(form: FlowForm) -> None:
    async with scene(form, ears=True) as it:
        await it.says(speech(4000, seed=4, pause_every_ms=1500))
        await it.until(lambda: it.got(HeardMeasured))
        [measured] = it.got(HeardMeasured)
        assert (measured.stretch, measured.position_ms) == (1, 4000)
        kinds = [type(event) for event in it.events]
        assert kinds.index(PlaybackFinished) < kinds.index(HeardMeasured)
        assert 200 <= it.speaker.start_delay_ms <= 400


async def test_what_was_heard_of_an_interrupted_clip_is_measured() -> None:
    async with scene(FlowForm.INTERRUPTIBLE, ears=True) as it:
        await it.says(speech(6000, seed=4), pace=50)
        await it.until(lambda: it.got(PlaybackStarted))
        await asyncio.sleep(1.5)
        it.speaker.clear()
        await it.until(lambda: it.got(HeardMeasured))
        [measured] = it.got(HeardMeasured)
        assert abs(measured.position_ms - len(it.flow.heard) // 8) <= 250


async def test_a_withdrawn_clip_that_a_flow_asking_in_turn_says_it_played_was_heard() -> None:
    async with scene(FlowForm.INTERRUPTIBLE, flow=False) as it:
        await it.says(speech(1500, seed=4))
        await it.until(lambda: it.actions(Play))
        it.speaker.clear()
        await it.until(lambda: it.got(PlaybackFinished))
        assert it.finished() == [(1, 0, True)]
        head = await it.store.head(CONTACT)
        it.speaker.saw(replace(head, loaded=1, ended=Outcome.COMPLETED))
        assert it.got(HeardMeasured) == [HeardMeasured(1, 1500, HeardSource.ESTIMATED)]


async def test_a_track_that_is_ahead_of_the_estimate_is_told_after_the_end() -> None:
    async with scene(FlowForm.INTERRUPTIBLE) as it:
        await it.says(speech(2000, seed=4), pace=50, end=False)
        await it.until(lambda: it.flow.line)
        played = it.flow.line[0]
        await it.until(lambda: len(played.ulaw) == 16_000)
        line = it.flow.track(played.at_ms - 200, played.end_ms + 200)
        for at in range(0, len(line), 512):
            it.speaker.heard(played.at_ms - 200 + at // 8, ulaw2lin(line[at : at + 512]))
        assert it.got(HeardMeasured) == []
        it.speaker.end_of_speech()
        await it.until(lambda: it.got(HeardMeasured))
        assert it.events[-2:] == [it.got(PlaybackFinished)[0], it.got(HeardMeasured)[0]]


async def test_a_clip_that_was_not_heard_is_logged_and_given_once_more_while_its_stretch_lasts() -> None:
    async with scene(FlowForm.POLLING, ears=True) as it:
        await it.says(speech(1000, seed=1))
        await it.until(lambda: it.got(HeardMeasured))
        it.ears = False
        await it.says(speech(9000, seed=2, pause_every_ms=1500), end=False)
        with capture_logs() as logs:
            for _ in range(130):
                await asyncio.sleep(BLOCK_MS / 1000)
                it.speaker.heard(it.clock.now_ms(), bytes(BLOCK_MS * 16))
            it.speaker.end_of_speech()
            await it.until(lambda: len(it.got(PlaybackFinished)) == 2)
        assert {line["event"] for line in logs} == {"clip_not_heard"}
        starts = [play.prompt_url for play in it.actions(Play)]
        assert len(it.prompts.objects) == len(starts)


async def test_a_short_reply_of_which_nothing_was_heard_is_reported_after_its_end() -> None:
    async with scene(FlowForm.POLLING, ears=True) as it:
        await it.says(speech(1000, seed=1))
        await it.until(lambda: it.got(HeardMeasured))
        it.ears = False
        await it.says(speech(1000, seed=2))
        with capture_logs():
            for _ in range(130):
                await asyncio.sleep(BLOCK_MS / 1000)
                it.speaker.heard(it.clock.now_ms(), bytes(BLOCK_MS * 16))
        assert len(it.got(PlaybackFinished)) == 2
        assert len(it.got(ClipFailed)) == 1


@pytest.mark.parametrize("long_ago", [True, False])
async def test_what_was_on_its_way_when_the_caller_hung_up_was_not_heard(long_ago: bool) -> None:
    """The clock takes it for heard, until it shows that the track had ended before."""
    async with scene(FlowForm.POLLING, ears=True) as it:
        await it.says(speech(1000, seed=1))
        await it.until(lambda: it.got(HeardMeasured))
        it.ears = False
        await it.says(speech(1000, seed=2))
        await it.until(lambda: len(it.flow.line) == 2)
        it.flow.over = "hung up"
        await it.until(lambda: len(it.got(PlaybackFinished)) == 2)
        it.speaker.leave("no_media", long_ago=long_ago)
        measured = [(event.stretch, event.position_ms) for event in it.got(HeardMeasured)]
        assert measured == [(1, 1000), (2, 0)][: 1 + long_ago]
        assert isinstance(it.events[-1], CallerGone)


async def test_what_was_said_before_a_flow_took_its_leave_was_heard_though_nobody_could_read_the_track() -> None:
    async with scene(FlowForm.INTERRUPTIBLE, ears=True) as it:
        await it.says(speech(1000, seed=1))
        await it.until(lambda: it.got(HeardMeasured))
        it.ears = False
        await it.says(speech(3000, seed=2))
        it.speaker.transfer(HANDOVER)
        await it.until(lambda: it.got(FlowTook))
        it.speaker.leave("no_media", long_ago=True)
        assert it.finished() == [(1, 1000, False), (2, 3000, False)]
        assert [event.stretch for event in it.got(HeardMeasured)] == [1]


# --- leaving


@both
async def test_the_end_is_appended_and_taken(form: FlowForm) -> None:
    async with scene(form) as it:
        it.speaker.hang_up("goodbye")
        assert it.speaker.leaving
        await it.until(lambda: it.flow.over)
        assert it.flow.over == "ended"
        await it.until(lambda: it.got(CallerGone))
        assert it.events == [FlowTook("goodbye"), CallerGone("ended")]
        assert ENDED_MS <= it.since_start() <= ENDED_MS + 1500


@both
async def test_the_last_words_are_in_the_log_before_the_end(form: FlowForm) -> None:
    """Whatever the flow has taken by then: it may not have asked for a minute."""
    async with scene(form, flow=False) as it:
        await it.says(speech(9000), pace=50)
        it.speaker.hang_up("goodbye")
        await it.until(lambda: it.actions(End))
        assert sum(play.duration_ms for play in it.actions(Play)) > 8000
        assert it.store.appended[-1][1] == End("goodbye")


@both
async def test_a_goodbye_of_the_flow_is_heard_before_the_end_and_after_the_agents_last_words(form: FlowForm) -> None:
    async with scene(form) as it:
        await it.says(speech(1500), pace=50)
        it.speaker.hang_up("goodbye", "Goodbye.")
        await it.until(lambda: it.flow.over)
        assert [type(action) for _, action, _ in it.store.appended] == [Play, Say, End]
        assert it.flow.said == ["Goodbye."]


async def test_a_goodbye_that_is_taken_back_before_it_is_heard_is_said_with_the_next_end() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        it.speaker.hang_up("goodbye", "Goodbye.")
        await it.until(lambda: it.actions(End))
        it.speaker.withdraw()
        it.speaker.hang_up("goodbye", "Goodbye.")
        await it.until(lambda: len(it.actions(End)) == 2)
        assert [type(action) for _, action, _ in it.store.appended] == [Say, End, Say, End]
        assert (await it.store.head(CONTACT)).cancelled_up_to == 2


@pytest.mark.parametrize("later", [True, False])
async def test_a_goodbye_that_the_flow_has_is_not_said_again_until_the_agent_has_spoken(later: bool) -> None:
    """A cough into it takes the end back, and nothing else."""
    async with scene(FlowForm.POLLING, flow=False) as it:
        it.speaker.hang_up("goodbye", "Goodbye.")
        await it.until(lambda: it.actions(End))
        assert (await it.flow._ask())["action"] == "say"
        it.speaker.withdraw()
        if later:
            await it.until(lambda: not it.speaker.leaving)
        it.speaker.hang_up("goodbye", "Goodbye.")
        await it.until(lambda: len(it.actions(End)) == 2)
        assert [type(action) for _, action, _ in it.store.appended] == [Say, End, End]
        it.speaker.withdraw()
        await it.until(lambda: not it.speaker.leaving)
        await it.says(speech(1500), pace=50)
        it.speaker.hang_up("goodbye", "Goodbye.")
        await it.until(lambda: len(it.actions(End)) == 3)
        assert len(it.actions(Say)) == 2


@both
async def test_an_agent_that_talks_for_ever_is_not_heard_to_its_end(form: FlowForm) -> None:
    async with scene(form, flow=False) as it:
        await it.says(speech(LAST_WORDS_MS + 6000), pace=200)
        it.speaker.hang_up("goodbye")
        await it.until(lambda: it.actions(End))
        assert sum(play.duration_ms for play in it.actions(Play)) < 6000


@both
@pytest.mark.parametrize("own", [True, False])
async def test_words_that_come_after_the_end_was_appended_are_heard_before_it(form: FlowForm, own: bool) -> None:
    """In the agent's own voice or in the flow's."""
    async with scene(form, flow=False) as it:
        it.speaker.hang_up("goodbye")
        await it.until(lambda: it.actions(End))
        if own:
            await it.says(speech(1500), pace=50)
        else:
            it.speaker.say("Goodbye.")
        await it.until(lambda: len(it.actions(End)) == 2)
        assert [type(action) for _, action, _ in it.store.appended] == [End, Play if own else Say, End]
        running = asyncio.create_task(it.flow.run())
        await it.until(lambda: it.got(FlowTook))
        running.cancel()
        assert it.flow.over == "ended"
        assert it.flow.line or it.flow.said == ["Goodbye."]


@both
async def test_what_the_flow_has_taken_is_not_put_off(form: FlowForm) -> None:
    async with scene(form, flow=False) as it:
        it.speaker.hang_up("goodbye")
        await it.until(lambda: it.actions(End))
        answer = await it.flow._ask()
        assert answer["action"] == "end"
        it.speaker.say("Goodbye.")
        await asyncio.sleep(1)
        assert len(it.actions(End)) == 1
        assert it.got(FlowTook) == [FlowTook("goodbye")]


@both
async def test_a_transfer_is_taken_and_the_caller_gone_unless_they_come_back(form: FlowForm) -> None:
    async with scene(form) as it:
        it.speaker.transfer(HANDOVER)
        it.speaker.hang_up("too late")
        await it.until(lambda: it.got(CallerGone))
        assert it.events == [TOOK, CallerGone("queued")]
        assert it.since_start() >= QUEUED_MS
        assert len(it.store.appended) == 1


@both
async def test_the_contact_event_ends_the_call_at_once(form: FlowForm) -> None:
    async with scene(form) as it:
        await it.says(speech(5000), pace=50)
        await it.until(lambda: it.got(PlaybackStarted))
        await asyncio.sleep(1)
        await it.store.disconnected(CONTACT, it.clock.now_ms())
        await it.until(lambda: it.got(CallerGone))
        [finished] = it.got(PlaybackFinished)
        assert finished.interrupted
        assert finished.position_ms >= 800
        assert it.events[-1] == CallerGone("contact_event")
        await it.running
        it.speaker.speak(b"late")
        it.speaker.clear()
        it.speaker.saw(await it.store.head(CONTACT))
        it.speaker.leave("again")
        assert it.events[-1] == CallerGone("contact_event")


@both
async def test_a_caller_who_leaves_before_anything_was_played_ends_the_stretch(form: FlowForm) -> None:
    async with scene(form) as it:
        it.speaker.speak(speech(300))
        it.speaker.leave("no_media")
        assert it.events[-2:] == [PlaybackFinished(1, 0, True, it.clock.now_ms()), CallerGone("no_media")]


@both
@pytest.mark.parametrize("after_ms", [0, 5, 30, 200])
async def test_a_transfer_is_withdrawn_or_taken_and_never_half(form: FlowForm, after_ms: int) -> None:
    async with scene(form) as it:
        await asyncio.sleep(1)
        it.speaker.transfer(HANDOVER)
        await asyncio.sleep(after_ms / 1000)
        it.speaker.withdraw()
        await asyncio.sleep(3)
        took = bool(it.got(FlowTook))
        assert it.speaker.leaving is took
        assert (it.flow.over == "queued") is took


async def test_a_transfer_that_is_withdrawn_at_once_never_reaches_the_log() -> None:
    async with scene(FlowForm.POLLING) as it:
        it.speaker.transfer(HANDOVER)
        it.speaker.withdraw()
        await asyncio.sleep(1)
        assert it.store.appended == []
        assert not it.speaker.leaving


async def test_what_is_asked_for_after_a_withdrawal_is_done() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        it.speaker.transfer(HANDOVER)
        await asyncio.sleep(1)
        it.speaker.withdraw()
        it.speaker.hang_up("goodbye")
        await asyncio.sleep(1)
        assert [type(action).__name__ for _, action, _ in it.store.appended] == ["Transfer", "End"]
        assert (await it.store.head(CONTACT)).cancelled_up_to == 1
        it.speaker.withdraw()
        await asyncio.sleep(1)
        assert not it.speaker.leaving
        it.speaker.withdraw()


@both
async def test_what_the_owner_before_has_appended_is_not_appended_again(form: FlowForm) -> None:
    async with scene(form, flow=False) as it:
        before: list[Action] = [
            Play("https://clips/1.wav", 500),
            Transfer("arn:orders", "orders", "transfer_to_human", {}),
        ]
        for action in before:
            seq = await it.store.append(it.lease, action, it.clock.now_ms())
            it.speaker.adopt(Numbered(seq, action, T0))
        it.speaker.transfer(HANDOVER)
        await asyncio.sleep(0.5)
        log = await it.store.actions_after(CONTACT, 0)
        assert [numbered.action for numbered in log] == before
        assert it.speaker.leaving


async def test_a_withdrawal_that_comes_too_late_leaves_the_transfer() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        it.speaker.transfer(HANDOVER)
        await asyncio.sleep(0.3)
        request = it.flow._ask()
        answer = await request
        it.speaker.withdraw()
        it.speaker.hang_up("goodbye")
        assert answer["action"] == "transfer"
        await asyncio.sleep(1)
        assert it.got(FlowTook) == [TOOK]
        assert len(it.store.appended) == 1
        it.speaker.withdraw()
        assert it.speaker.leaving


@pytest.mark.parametrize("why", [Returned.CLOSED, Returned.NO_STAFF, Returned.FULL, Returned.FAILED])
@both
async def test_a_caller_who_comes_back_is_heard_of_once(form: FlowForm, why: Returned) -> None:
    async with scene(form) as it:

        async def closed(_: object) -> Returned:
            await asyncio.sleep(1)
            return why

        it.flow.transferred = closed
        for number in (1, 2):
            it.speaker.transfer(HANDOVER)
            await it.until(lambda number=number: len(it.got(TransferReturned)) == number)  # type: ignore[misc]
        assert it.events == [TOOK, TransferReturned(why)] * 2
        assert not it.speaker.leaving
        assert await it.says(speech(700)) == 1
        await it.until(lambda: it.got(PlaybackFinished))
        assert len(it.got(TransferReturned)) == 2


async def test_a_return_that_the_owner_before_knew_of_is_no_news() -> None:
    async with scene(FlowForm.POLLING, flow=False, last_seq=3, loaded=3, returned=Returned.CLOSED) as it:
        it.speaker.saw(it.speaker.newest)
        assert it.events == []


async def test_a_barge_in_does_not_take_a_transfer_back() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        await it.says(speech(1500), pace=50)
        await it.until(lambda: it.store.appended)
        it.speaker.transfer(HANDOVER)
        await it.until(lambda: len(it.store.appended) == 2)
        it.speaker.clear()
        await asyncio.sleep(0.5)
        assert (await it.store.head(CONTACT)).cancelled_up_to == 1


@both
async def test_a_text_is_said_before_the_caller_leaves(form: FlowForm) -> None:
    async with scene(form) as it:
        it.speaker.hang_up("no_human")
        it.speaker.say("Sorry.")
        await it.until(lambda: it.flow.over)
        assert it.flow.said == ["Sorry."]
        assert it.actions(Say) == [Say("Sorry.")]


# --- the store


@both
async def test_a_store_that_fails_for_a_while_loses_nothing(form: FlowForm) -> None:
    async with scene(form) as it:
        it.store.failing = {"append"}
        with capture_logs() as logs:
            await it.says(speech(1500))
            it.speaker.say("Hello.")
            await asyncio.sleep(2)
            it.store.failing = set()
            await it.until(lambda: it.got(PlaybackFinished))
        assert it.finished() == [(1, 1500, False)]
        assert it.flow.said == ["Hello."]
        assert logs[0]["event"] == "speaker_held_up"


async def test_a_clip_that_cannot_be_appended_is_forgotten_after_a_barge_in() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        it.store.failing = {"append"}
        await it.says(speech(1500))
        await asyncio.sleep(1)
        it.speaker.clear()
        it.store.failing = set()
        await asyncio.sleep(1)
        assert it.store.appended == []


async def test_a_clip_that_could_not_be_appended_is_the_same_action_when_it_is_appended_again() -> None:
    """So that the store finds it, should it be in the log already."""
    async with scene(FlowForm.POLLING, flow=False) as it:
        tried: list[Action] = []
        append = it.store.append

        async def lossy(lease: Lease, action: Action, now_ms: int) -> int:
            tried.append(action)
            if len(tried) < 3:
                raise StoreUnavailable("append", "ReadTimeoutError")
            return await append(lease, action, now_ms)

        it.store.append = lossy  # type: ignore[method-assign]
        await it.says(speech(1500))
        await it.until(lambda: it.store.appended)
        assert tried[0] == tried[1] == tried[2]
        assert len(it.prompts.objects) == 1


# An append whose answer got lost, and what was appended is taken back before it is tried again.


@both
@pytest.mark.parametrize("lost", [True, False])
async def test_a_clip_that_the_caller_heard_and_spoke_into_while_its_append_was_not_answered(
    form: FlowForm, lost: bool
) -> None:
    async with scene(form, ears=True) as it:
        append = it.store.append

        async def slow(lease: Lease, action: Action, now_ms: int) -> int:
            seq = await append(lease, action, now_ms)
            await asyncio.sleep(6)
            if lost:
                raise StoreUnavailable("append", "ReadTimeoutError")
            return seq

        it.store.append = slow  # type: ignore[method-assign]
        await it.says(speech(1500, seed=4))
        await it.until(lambda: it.flow.line)
        await asyncio.sleep(2.5)
        it.speaker.clear()
        assert it.finished() == [(1, 0, True)]
        await it.until(lambda: it.got(HeardMeasured))
        assert it.got(HeardMeasured) == [HeardMeasured(1, 1500, HeardSource.MEASURED)]


async def test_a_clip_that_was_spoken_into_before_it_could_be_appended_was_not_heard() -> None:
    async with scene(FlowForm.INTERRUPTIBLE, ears=True) as it:
        it.store.failing = {"append"}
        await it.says(speech(1500, seed=4))
        await asyncio.sleep(1)
        it.speaker.clear()
        it.store.failing = set()
        it.speaker.say("Hello.")  # in its place
        await it.until(lambda: it.flow.said)
        await asyncio.sleep(10)
        assert it.got(HeardMeasured) == []
        assert it.got(ClipFailed) == []


@both
async def test_a_transfer_of_which_nobody_knows_whether_it_is_in_the_log_can_be_taken_back(form: FlowForm) -> None:
    async with scene(form, flow=False) as it:
        it.store.no_answer = Transfer
        it.speaker.transfer(HANDOVER)
        await it.until(lambda: it.store.lost)
        it.speaker.withdraw()
        it.speaker.hang_up("goodbye")
        await asyncio.sleep(2)
        log = await it.store.actions_after(CONTACT, (await it.store.head(CONTACT)).cancelled_up_to)
        assert [(line.seq, line.action) for line in log] == [(2, End("goodbye"))]
        it.speaker.withdraw()
        await asyncio.sleep(1)
        assert (await it.store.head(CONTACT)).cancelled_up_to == 2, "and so can what comes after it"


@both
async def test_a_transfer_that_was_not_in_the_log_after_all_leaves_its_number_to_the_next(form: FlowForm) -> None:
    async with scene(form, flow=False) as it:
        it.store.failing = {"append"}
        it.speaker.transfer(HANDOVER)
        await asyncio.sleep(0.1)
        it.speaker.withdraw()
        it.store.failing = set()
        await asyncio.sleep(1)
        await it.says(speech(1500))
        await it.until(lambda: it.store.appended)
        it.speaker.clear()
        await asyncio.sleep(1)
        assert [(seq, type(action)) for seq, action, _ in it.store.appended] == [(1, Play)]
        assert (await it.store.head(CONTACT)).cancelled_up_to == 1


@both
async def test_a_transfer_that_the_flow_took_before_it_was_taken_back_is_told_of(form: FlowForm) -> None:
    async with scene(form) as it:
        await asyncio.sleep(1)
        it.store.no_answer = Transfer
        it.speaker.transfer(HANDOVER)
        await it.until(lambda: it.flow.over)
        assert it.store.lost is not None
        it.speaker.withdraw()
        await it.until(lambda: it.got(FlowTook))
        assert it.got(FlowTook) == [TOOK]
        await it.until(lambda: it.got(CallerGone))
        assert it.got(CallerGone) == [CallerGone("queued")]


async def test_a_transfer_that_may_be_in_the_log_is_made_sure_of_before_anything_else_is_said() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        it.store.no_answer = Transfer
        it.speaker.transfer(HANDOVER)
        await it.until(lambda: it.store.lost)
        it.speaker.say("One moment.")
        await asyncio.sleep(2)
        kinds = [type(action) for _, action, _ in it.store.appended]
        assert kinds == [Transfer, Say, Transfer], "put off behind the words, as they are to be heard"
        assert (await it.store.head(CONTACT)).cancelled_up_to == 1


async def test_a_barge_in_leaves_a_transfer_that_may_be_in_the_log() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        await it.says(speech(1500))
        it.store.no_answer = Transfer
        it.speaker.transfer(HANDOVER)
        await it.until(lambda: it.store.lost)
        it.speaker.clear()
        await asyncio.sleep(1)
        assert (await it.store.head(CONTACT)).cancelled_up_to == 1
        assert [seq for seq, action, _ in it.store.appended if isinstance(action, Transfer)] == [2]


@both
@pytest.mark.parametrize("landed", [True, False])
@pytest.mark.parametrize("meanwhile", [True, False])
async def test_a_clip_of_which_nobody_knows_whether_it_is_in_the_log_is_left_at_a_barge_in(
    form: FlowForm, landed: bool, meanwhile: bool
) -> None:
    async with scene(form, flow=False) as it:
        append, refused = it.store.append, 0

        async def lossy(lease: Lease, action: Action, now_ms: int) -> int:
            nonlocal refused
            refused += 1
            if refused > 1:
                return await append(lease, action, now_ms)
            if landed:
                await append(lease, action, now_ms)
            if meanwhile:
                it.speaker.clear()
            raise StoreUnavailable("append", "ReadTimeoutError")

        it.store.append = lossy  # type: ignore[method-assign]
        await it.says(speech(1000))
        await it.until(lambda: refused)
        it.speaker.clear()
        await asyncio.sleep(1)
        assert (await it.store.head(CONTACT)).cancelled_up_to == int(landed)
        await it.says(speech(1000))
        await it.until(lambda: len(it.store.appended) == landed + 1)
        it.speaker.clear()
        await asyncio.sleep(1)
        head = await it.store.head(CONTACT)
        assert head.cancelled_up_to == head.last_seq == landed + 1


@pytest.mark.parametrize("meanwhile", [True, False])
@pytest.mark.parametrize("landed", [True, False])
async def test_a_question_of_which_nobody_knows_whether_it_is_in_the_log_can_be_taken_back(
    meanwhile: bool, landed: bool
) -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        await it.store.put_opening("shop/order", Opening("https://clips/order.wav", "Type it.", 900))
        if meanwhile:
            it.store.before_append = it.speaker.unask
        if landed:
            it.store.no_answer = Collect
        else:
            tried = 0

            async def refused(lease: Lease, action: Action, now_ms: int) -> int:
                nonlocal tried
                tried += 1
                if it.store.before_append is not None:
                    it.store.before_append()
                raise StoreUnavailable("append", "Throttled")

            it.store.append = refused  # type: ignore[method-assign]
        it.speaker.ask(QUESTION)
        await it.until(lambda: it.store.lost if landed else tried)
        it.speaker.unask()
        await it.until(lambda: it.got(KeysTaken))
        await asyncio.sleep(1)
        assert it.got(KeysTaken) == [KeysTaken(Keys.NEVER)]
        assert (await it.store.head(CONTACT)).cancelled_up_to == int(landed)
        assert len(it.store.appended) == landed


async def test_keys_of_a_question_that_nobody_knew_to_be_asked_are_told_all_the_same() -> None:
    async with scene(FlowForm.POLLING) as it:
        await it.store.put_opening("shop/order", Opening("https://clips/order.wav", "Type it.", 900))
        await asyncio.sleep(1)
        it.flow.keys = "4711"
        it.store.no_answer = Collect
        it.speaker.ask(QUESTION)
        await it.until(lambda: it.flow.asked_for)
        it.speaker.unask()
        await it.until(lambda: it.got(KeysTaken))
        assert it.got(KeysTaken) == [KeysTaken(Keys.TAKEN, "4711")]


async def test_a_question_that_may_be_in_the_log_is_made_sure_of_before_anything_else_is_said() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        await it.store.put_opening("shop/order", Opening("https://clips/order.wav", "Type it.", 900))
        it.store.no_answer = Collect
        it.speaker.ask(QUESTION)
        await it.until(lambda: it.store.lost)
        it.speaker.say("One moment.")
        await asyncio.sleep(1)
        assert it.store.lost is None
        assert [type(action) for _, action, _ in it.store.appended] == [Collect, Say]


async def test_a_barge_in_that_cannot_be_written_is_written_later() -> None:
    async with scene(FlowForm.POLLING, opening=OPENING, flow=False) as it:
        await it.says(speech(1500), pace=50)
        await it.until(lambda: it.store.appended)
        it.store.failing = {"cancel"}
        it.speaker.clear()
        await asyncio.sleep(1)
        it.store.failing = set()
        await asyncio.sleep(1)
        head = await it.store.head(CONTACT)
        assert (head.opening_cancelled, head.cancelled_up_to) == (True, 1)


async def test_who_has_lost_the_call_stops() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        await it.store.give_away(it.lease)
        await it.store.take(CONTACT, "g2", it.clock.now_ms(), LEASE_MS)
        it.speaker.say("Hello?")
        with pytest.raises(LeaseLost):
            await it.running


async def test_a_call_that_has_ended_elsewhere_is_left_with_its_reason() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        await asyncio.sleep(0.6)
        await it.store.fail_over(CONTACT, "gateway_lost", it.clock.now_ms())
        it.speaker.say("Hello?")
        await it.running
        assert it.events == [CallerGone("gateway_lost")]


async def test_a_call_that_ended_without_a_reason_is_left_too() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        await it.store.end(it.lease, Result.ENDED, "", it.clock.now_ms())
        await it.running
        assert it.events == [CallerGone("none")]


async def test_a_head_that_was_read_earlier_and_comes_late_changes_nothing() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        older = await it.store.head(CONTACT)
        it.speaker.say("Hello?")
        await asyncio.sleep(1)
        newest = it.speaker.newest
        it.speaker.saw(older)
        assert it.speaker.newest is newest


@both
async def test_heads_that_the_lease_renewal_brings_are_news_as_well(form: FlowForm) -> None:
    async with scene(form) as it:

        async def renew() -> None:
            while True:
                head: Head = await it.store.renew(it.lease, it.clock.now_ms(), LEASE_MS, 400)
                await asyncio.sleep(0.03)
                it.speaker.saw(head)

        renewal = asyncio.create_task(renew())
        await it.says(speech(4000, seed=3, pause_every_ms=1500))
        await it.until(lambda: it.got(PlaybackFinished))
        assert it.finished() == [(1, 4000, False)]
        it.speaker.hang_up("goodbye")
        await it.until(lambda: it.flow.over)
        renewal.cancel()


async def test_nothing_to_do_costs_two_looks_a_second() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        await asyncio.sleep(60)
        assert CountedSpeaker.steps < 60 * 5
        assert it.events == []


# --- keys

QUESTION = Question("order", "Type it.", 6, agent="shop")


@both
async def test_keys_are_asked_for_after_the_words_before_and_told(form: FlowForm) -> None:
    async with scene(form) as it:
        it.flow.keys = "471108"
        await it.says(speech(2000, seed=3))
        it.speaker.ask(QUESTION)
        await it.until(lambda: it.got(KeysTaken))
        assert it.got(KeysTaken) == [KeysTaken(Keys.TAKEN, "471108")]
        assert it.flow.asked_for == [6]
        assert it.flow.said == ["Type it."], "there is no clip of it"
        assert it.events.index(it.got(PlaybackFinished)[0]) < it.events.index(it.got(KeysTaken)[0])


@both
async def test_a_rendered_question_needs_no_voice_of_the_flow(form: FlowForm) -> None:
    async with scene(form) as it:
        await it.store.put_opening("shop/order", Opening("https://clips/order.wav", "Type it.", 900))
        it.speaker.ask(QUESTION)
        await it.until(lambda: it.got(KeysTaken))
        assert it.got(KeysTaken) == [KeysTaken(Keys.TAKEN)]
        assert it.flow.said == []


async def test_a_question_that_is_taken_back_in_time_is_not_put() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        it.speaker.ask(QUESTION)
        await it.until(lambda: it.actions(Collect))
        it.speaker.unask()
        await it.until(lambda: it.got(KeysTaken))
        assert it.got(KeysTaken) == [KeysTaken(Keys.NEVER)]


async def test_a_question_that_is_taken_back_while_it_is_appended_is_cancelled() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        await it.store.put_opening("shop/order", Opening("https://clips/order.wav", "Type it.", 900))
        it.store.before_append = it.speaker.unask
        it.speaker.ask(QUESTION)
        await it.until(lambda: it.got(KeysTaken))
        assert it.got(KeysTaken) == [KeysTaken(Keys.NEVER)]


@pytest.mark.parametrize("operation", ["opening", "put_code"])
@pytest.mark.parametrize("again", [False, True])
async def test_a_question_that_is_taken_back_before_it_is_appended_is_never_put(operation: str, again: bool) -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        look = getattr(it.store, operation)

        async def meanwhile(*given: Any) -> Any:
            found = await look(*given)
            if not it.got(KeysTaken):
                it.speaker.unask()
                if again:
                    it.speaker.ask(QUESTION)
            return found

        setattr(it.store, operation, meanwhile)
        it.speaker.ask(replace(QUESTION, secret=True, function="check_pin", parameter="pin"))
        await asyncio.sleep(1)
        assert it.got(KeysTaken) == [KeysTaken(Keys.NEVER)]
        assert [asked.secret for asked in it.actions(Collect)] == [False] * again
        assert not it.running.done()


async def test_a_question_that_is_taken_back_while_the_agent_still_speaks_is_told_of() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        await it.says(speech(3000), end=False)
        it.speaker.ask(QUESTION)
        it.speaker.unask()
        it.speaker.unask()
        assert it.got(KeysTaken) == [KeysTaken(Keys.NEVER)]
        await asyncio.sleep(1)
        assert it.actions(Collect) == []


async def test_a_question_that_is_taken_back_between_its_words_and_the_keys_is_not_put() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        it.store.before_append = it.speaker.unask
        it.speaker.ask(QUESTION)
        await asyncio.sleep(1)
        assert it.got(KeysTaken) == [KeysTaken(Keys.NEVER)]
        assert it.actions(Say) == [Say("Type it.")]
        assert it.actions(Collect) == []
        assert (await it.store.head(CONTACT)).cancelled_up_to == 1, "nobody is told to type"


async def test_a_question_that_is_taken_back_after_its_words_leaves_nothing_of_them() -> None:
    async with scene(FlowForm.POLLING, flow=False) as it:
        it.speaker.ask(QUESTION)
        await it.until(lambda: it.actions(Say))
        it.speaker.unask()
        await asyncio.sleep(1)
        assert it.got(KeysTaken) == [KeysTaken(Keys.NEVER)]
        assert (await it.store.head(CONTACT)).cancelled_up_to == 1


async def test_a_secret_that_somebody_is_to_get_has_a_code_that_is_good_once() -> None:
    async with scene(FlowForm.POLLING) as it:
        it.speaker.ask(replace(QUESTION, secret=True, function="check_pin", parameter="pin"))
        await it.until(lambda: it.got(KeysTaken))
        [asked] = it.actions(Collect)
        assert (asked.function, asked.parameter) == ("check_pin", "pin")
        assert await it.store.claim_code(asked.once, it.clock.now_ms()) == CONTACT
        assert await it.store.claim_code(asked.once, it.clock.now_ms()) is None


@both
async def test_what_is_in_the_log_of_a_call_that_is_given_away_will_be_heard(form: FlowForm) -> None:
    async with scene(form) as it:
        assert it.speaker.handed_on() is None
        await it.says(speech(9000, seed=3, pause_every_ms=1800), pace=50)
        await it.until(lambda: it.got(PlaybackStarted))
        it.running.cancel()
        end = it.speaker.handed_on()
        assert end is not None
        in_the_log = sum(action.duration_ms for action in it.actions(Play))
        assert (end.stretch, end.interrupted) == (1, False)
        assert 0 <= end.position_ms - in_the_log < 260
        await it.until(lambda: it.since_start() + T0 >= end.at_ms + 500)
        assert len(it.flow.line) == len(it.actions(Play))
        assert abs(it.flow.line[-1].end_ms - end.at_ms) <= 300
