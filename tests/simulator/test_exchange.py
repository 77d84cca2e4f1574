"""One call through a small flow: what is said and heard reaches the stream, what is played reaches the caller."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from contract.audio import ulaw2lin
from contract.clock import Clock, LoopClock, SystemClock
from simulator.caller.line import Line
from simulator.caller.schedule import AGENT_DONE_MS, FRAME_MS, HANG_UP_MS, Caller, Words
from simulator.connect.check import load_flow
from simulator.connect.errors import EndlessFlow
from simulator.connect.events import CallerHungUp, DisconnectReason
from simulator.connect.lambdas import Answer
from simulator.connect.presets import BEST, DEFAULT, Preset, StartFragment
from simulator.connect.seams import Seams
from simulator.connect.shell import ContactEnd, ContactShell, FlowEvent, incoming
from simulator.exchange import EARLIER_CONTACT, EARLIER_ENDED_MS, WITH_A_HUMAN_MS, Exchange, stream_for
from simulator.kvs import mkv
from simulator.kvs.habits import Habits, LastTags
from simulator.kvs.stream import BLOCK_MS, Stream
from tests.simulator.connect.small import FLOW, QUEUE, an_instance, block, document, say, silence, stream
from tests.simulator.kvs.reading import Document, documents

START_MS = 1_790_000_000_007  # not on any grid
ARN = "arn:aws:kinesisvideo:eu-central-1:111122223333:stream/voiceai-connect-x-contact-1/1790000000000"
CONTACT = "11111111-2222-4333-8444-555555555555"
PLAIN = Habits(short_end=False, last_tags=LastTags.ALL)


class NoLambdas:
    async def invoke(self, arn: str, event: Mapping[str, Any], timeout_ms: int) -> Answer:
        raise AssertionError(arn)


class NoObjects:
    async def read(self, bucket: str, key: str) -> bytes:
        raise AssertionError(key)


def noise(ms: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(ms * 8)


SAID = ulaw2lin(noise(1_500, 2))
SPOKEN = {"hello": noise(2_000, 3), "again": noise(1_003, 4)}


@dataclass
class Rig:
    """An instance with one flow, a caller, a stream."""

    blocks: tuple[dict[str, Any], ...]
    words: tuple[Words, ...] = ()
    preset: Preset = BEST
    habits: Habits = PLAIN
    hang_up_ms: int = HANG_UP_MS
    events: list[FlowEvent] = field(default_factory=list)

    def build(self, clock: Clock) -> ContactShell:
        instance = an_instance()
        load_flow(FLOW, "main", document(*self.blocks), instance)
        self.stream: Stream = stream_for(self.preset, ARN, instance.id, clock.now_ms(), self.habits)
        self.line = Line(Caller(self.words, hang_up_ms=self.hang_up_ms), clock.now_ms())
        self.exchange = Exchange(self.line, self.stream, self.preset, clock)
        seams = Seams(NoLambdas(), NoObjects(), self.exchange, self.exchange, SPOKEN.__getitem__, clock)
        return incoming(instance, FLOW, seams, contact_id=CONTACT, preset=self.preset, report=self._note)

    def _note(self, event: FlowEvent) -> None:
        self.events.append(event)
        if event.kind == "queued":
            self.exchange.queued_at_ms = event.at_ms

    async def run(self) -> ContactEnd:
        shell = self.build(LoopClock(START_MS))
        return await self.exchange.run(shell)

    def fragments(self, contact_id: str = CONTACT) -> list[Document]:
        at = START_MS + 10_000_000
        return [
            doc
            for doc in documents(self.stream.reader({"StartSelectorType": "EARLIEST"}, at).read(at))
            if doc.contact == contact_id
        ]

    def at(self, kind: str) -> list[int]:
        return [event.at_ms - START_MS for event in self.events if event.kind == kind]


def pcm_from(line: Line, since_ms: int, length: int, side: str) -> bytes:
    """What was said or heard from a point in time on."""
    audio: bytearray = getattr(line, side)
    at = (since_ms - line.started_ms) * 16
    return bytes(audio[at : at + length])


def assert_media_matches_line(rig: Rig, docs: list[Document]) -> None:
    """Each block is what was on the line at its media time."""
    for doc in docs:
        for track, side in ((mkv.FROM_CUSTOMER, "said"), (mkv.TO_CUSTOMER, "heard")):
            for name, media_ms, pcm in doc.blocks:
                if name == track:
                    assert pcm == pcm_from(rig.line, media_ms, len(pcm), side)


# -- streaming -------------------------------------------------------------------------------------------------


async def test_what_is_said_and_heard_is_streamed_in_blocks_of_64_ms_at_their_times() -> None:
    rig = Rig((stream("on", then="hello"), say("hello", then="again"), say("again", "again")), (Words("a", SAID, 500),))
    end = await rig.run()
    docs = rig.fragments()
    assert rig.exchange.media is not None
    start_ms = rig.exchange.media.start_timestamp_ms
    times = [at for doc in docs for at in doc.times(mkv.FROM_CUSTOMER)]
    assert times == list(range(start_ms, times[-1] + 1, BLOCK_MS))
    assert times == [at for doc in docs for at in doc.times(mkv.TO_CUSTOMER)]
    assert {len(pcm) for doc in docs for _, _, pcm in doc.blocks} == {1024}
    assert_media_matches_line(rig, docs)
    assert SAID in b"".join(doc.audio(mkv.FROM_CUSTOMER) for doc in docs)
    heard = b"".join(doc.audio(mkv.TO_CUSTOMER) for doc in docs)
    assert ulaw2lin(SPOKEN["hello"]) in heard
    assert end.ended_at_ms - BLOCK_MS - FRAME_MS < times[-1] + BLOCK_MS <= end.ended_at_ms


async def test_each_block_is_written_when_it_is_full() -> None:
    rig = Rig((stream("on", then="hello"), say("hello")))
    await rig.run()
    late = [
        part.written_ms - part.ends_ms
        for fragment in rig.stream.fragments
        if fragment.contact_id == CONTACT
        for part in fragment.parts[1:]
    ]
    assert len(late) > 20
    assert all(0 <= ms <= FRAME_MS for ms in late)


async def test_a_prompt_is_heard_where_connect_says_that_it_starts() -> None:
    rig = Rig((say("hello", then="again"), say("again", "again")))
    await rig.run()
    for prompt, name in zip(rig.line.played, ("hello", "again"), strict=True):
        expected = ulaw2lin(SPOKEN[name])
        heard = pcm_from(rig.line, prompt.starts_ms, len(expected), "heard")
        # The contact ends with the last prompt, and the line with the contact: less than a frame is missing.
        assert len(heard) > len(expected) - FRAME_MS * 16
        assert expected.startswith(heard)


async def test_nothing_is_streamed_before_the_start_and_after_the_stop() -> None:
    rig = Rig(
        (
            say("hello", then="on"),
            stream("on", then="again"),
            say("again", "again", then="off"),
            stream("off", "Disabled", then="quiet"),
            silence("quiet"),
        ),
        hang_up_ms=5_000,
    )
    await rig.run()
    (started,), (stopped,) = rig.at("streaming_started"), rig.at("streaming_stopped")
    times = [at - START_MS for doc in rig.fragments() for at in doc.times(mkv.FROM_CUSTOMER)]
    assert started - FRAME_MS <= times[0] <= started
    assert stopped - BLOCK_MS - FRAME_MS <= times[-1] + BLOCK_MS <= stopped
    assert rig.exchange.streaming == set()


async def test_streaming_that_starts_again_makes_a_second_run() -> None:
    rig = Rig(
        (
            stream("on", then="hello"),
            say("hello", then="off"),
            stream("off", "Disabled", then="again"),
            say("again", "again", then="on2"),
            stream("on2", then="hello2"),
            say("hello2"),
        )
    )
    seen: list[tuple[int, str]] = []

    def keep(begin: int, said: bytes, heard: bytes) -> None:
        media = rig.exchange.media
        if media is not None and (not seen or seen[-1] != (media.start_timestamp_ms, media.start_fragment_number)):
            seen.append((media.start_timestamp_ms, media.start_fragment_number))

    shell = rig.build(LoopClock(START_MS))
    rig.exchange.heard = keep
    await rig.exchange.run(shell)
    docs = rig.fragments()
    uids = [doc.uid for doc in docs]
    first, second = [doc for doc in docs if doc.uid == uids[0]], [doc for doc in docs if doc.uid == uids[-1]]
    assert len(first) + len(second) == len(docs)
    assert_media_matches_line(rig, docs)
    # The last block is not full when streaming stops with the prompt's end.
    assert ulaw2lin(SPOKEN["hello"])[:-1024] in b"".join(doc.audio(mkv.TO_CUSTOMER) for doc in first)
    pause_ms = second[0].timecode - first[-1].times(mkv.FROM_CUSTOMER)[-1]
    assert pause_ms > 1_003
    assert len(seen) == 2
    for (start_ms, _), run in zip(seen, (first, second), strict=True):
        assert run[0].timecode == start_ms
    assert second[0].number > first[-1].number


@pytest.mark.parametrize("meaning", list(StartFragment))
async def test_the_announced_number_is_the_first_fragment_or_the_one_before(meaning: StartFragment) -> None:
    rig = Rig((stream("on", then="hello"), say("hello")), preset=replace(BEST, start_fragment=meaning))
    await rig.run()
    assert rig.exchange.media is not None
    announced = int(rig.exchange.media.start_fragment_number)
    ours = [doc.number for doc in rig.fragments()]
    before = [doc.number for doc in rig.fragments(EARLIER_CONTACT)]
    assert announced == (ours[0] if meaning is StartFragment.INCLUSIVE else before[-1])


async def test_streaming_that_is_on_already_goes_on() -> None:
    rig = Rig(
        (stream("on", then="hello"), say("hello", then="on2"), stream("on2", then="again"), say("again", "again"))
    )
    await rig.run()
    docs = rig.fragments()
    times = [at for doc in docs for at in doc.times(mkv.FROM_CUSTOMER)]
    assert len({doc.uid for doc in docs}) == 1
    assert times == list(range(times[0], times[-1] + 1, BLOCK_MS))


async def test_one_direction_can_start_later_and_end_sooner() -> None:
    clock = LoopClock(START_MS)
    rig = Rig((say("hello"),))
    rig.build(clock)
    exchange = rig.exchange
    await exchange.start(CONTACT, ("From",))
    for step in range(60):
        if step == 20:
            await exchange.start(CONTACT, ("To",))
        if step == 40:
            exchange.stop(CONTACT, ("From",))
        await asyncio.sleep(FRAME_MS / 1000)
        _, said, heard = exchange.line.tick()
        exchange._stream(said, heard)
    exchange.stop(CONTACT, ("From", "To"))
    exchange.stop(CONTACT, ("From", "To"))
    tracks = [sorted(doc.tracks.values()) for doc in rig.fragments()]
    assert tracks == [[mkv.FROM_CUSTOMER], sorted(mkv.BOTH), [mkv.TO_CUSTOMER]]


async def test_a_run_on_a_stream_that_nobody_used_starts_with_its_first_fragment() -> None:
    clock = LoopClock(START_MS)
    rig = Rig((stream("on", then="hello"), say("hello")))
    shell = rig.build(clock)
    rig.stream = rig.exchange.stream = Stream(ARN, "i", rig.stream.delivery, PLAIN)
    await rig.exchange.run(shell)
    assert rig.exchange.media is not None
    assert int(rig.exchange.media.start_fragment_number) < rig.fragments()[0].number


async def test_what_is_left_of_a_block_goes_with_the_stop() -> None:
    rig = Rig((stream("on", then="hello"), say("hello")), habits=Habits(blocks_after=2, last_tags=LastTags.ALL))
    await rig.run()
    blocks = [block for doc in rig.fragments() for block in doc.blocks if block[0] == mkv.TO_CUSTOMER]
    lengths = [len(pcm) for _, _, pcm in blocks]
    short = next(index for index, length in enumerate(lengths) if length != 1024)
    assert lengths[short + 1 :] == [1024, 1024]
    _, media_ms, pcm = blocks[short]
    assert pcm == pcm_from(rig.line, media_ms, len(pcm), "heard")
    streamed = b"".join(pcm for _, _, pcm in blocks[: short + 1])
    assert streamed == pcm_from(rig.line, blocks[0][1], 10_000_000, "heard")


# -- the stream that an earlier caller used --------------------------------------------------------------------


@pytest.mark.parametrize("preset", [BEST, DEFAULT], ids=lambda preset: str(preset.name))
def test_the_stream_holds_an_earlier_callers_end(preset: Preset) -> None:
    stream = stream_for(preset, ARN, "i", START_MS)
    now = START_MS + 1_000
    docs = documents(stream.reader({"StartSelectorType": "EARLIEST"}, now).read(now))
    assert [doc.contact for doc in docs] == [EARLIER_CONTACT, ""]
    last = docs[-1].times(mkv.FROM_CUSTOMER)[-1]
    assert last + BLOCK_MS == START_MS - EARLIER_ENDED_MS
    assert docs[0].timecode < START_MS - 1_500
    assert stream.delivery.per_fragment is (preset is DEFAULT)
    assert stream.delivery.delay_ms == (340 if preset is DEFAULT else 40)


def test_the_seed_of_the_preset_decides_the_order_of_the_tracks() -> None:
    def first_track(seed: int) -> str:
        stream = stream_for(replace(BEST, seed=seed), ARN, "i", START_MS)
        return documents(stream.reader({"StartSelectorType": "EARLIEST"}, START_MS).read(START_MS))[0].tracks[1]

    assert {first_track(seed) for seed in range(8)} == set(mkv.BOTH)
    assert first_track(3) == first_track(3)


# -- how the call ends -----------------------------------------------------------------------------------------


async def test_the_flow_ends_the_call() -> None:
    rig = Rig((say("hello"),))
    end = await rig.run()
    assert end.reason is DisconnectReason.FLOW
    assert rig.exchange.hung_up_at_ms == 0


async def test_the_caller_hangs_up_when_all_is_said() -> None:
    rig = Rig((say("hello", then="quiet"), silence("quiet")), (Words("a", SAID),), hang_up_ms=3_000)
    end = await rig.run()
    assert end.reason is DisconnectReason.CUSTOMER
    (_, _, last_word) = rig.line.caller.spoken[0]
    assert rig.exchange.hung_up_at_ms >= last_word + 3_000
    assert rig.exchange.hung_up_at_ms - last_word - 3_000 <= FRAME_MS
    assert 0 <= end.ended_at_ms - rig.exchange.hung_up_at_ms <= FRAME_MS
    assert last_word - (rig.line.started_ms + rig.line.played[0].ends_ms - START_MS) >= AGENT_DONE_MS


async def test_a_caller_in_the_queue_hangs_up_after_a_while_with_a_human() -> None:
    rig = Rig(
        (
            stream("on", then="queue"),
            block("queue", "UpdateContactTargetQueue", {"QueueId": QUEUE}, "transfer"),
            block("transfer", "TransferContactToQueue"),
        ),
        (Words("never said", SAID, 60_000),),
    )
    end = await rig.run()
    assert end.reason is DisconnectReason.CUSTOMER
    (queued,) = rig.at("queued")
    hung_up = rig.exchange.hung_up_at_ms - START_MS
    assert 0 <= hung_up - queued - WITH_A_HUMAN_MS <= FRAME_MS
    assert rig.exchange.streaming == set()
    assert rig.fragments()[-1].times(mkv.FROM_CUSTOMER)[-1] > START_MS + queued


class SlowShell:
    """A contact that takes its time to end."""

    contact_id = CONTACT

    def __init__(self) -> None:
        self.told: list[object] = []

    def tell(self, event: object) -> None:
        self.told.append(event)

    async def run(self) -> ContactEnd:
        await asyncio.sleep(2)
        return ContactEnd(CONTACT, DisconnectReason.CUSTOMER, START_MS + 2_000, {})


async def test_the_caller_hangs_up_once() -> None:
    clock = LoopClock(START_MS)
    rig = Rig((say("hello"),), hang_up_ms=500)
    rig.build(clock)
    shell = SlowShell()
    await rig.exchange.run(shell)  # type: ignore[arg-type]
    assert shell.told == [CallerHungUp()]
    assert rig.exchange.hung_up_at_ms == START_MS + 500


async def test_an_error_of_the_flow_is_not_wrapped() -> None:
    turn = {
        "Identifier": "turn",
        "Type": "UpdateFlowLoggingBehavior",
        "Parameters": {"FlowLoggingBehavior": "Disabled"},
    }
    rig = Rig(({**turn, "Transitions": {"NextAction": "turn", "Errors": [], "Conditions": []}},))
    with pytest.raises(EndlessFlow):
        await rig.run()


# -- the line's clock ------------------------------------------------------------------------------------------


async def test_the_line_begins_when_the_call_does() -> None:
    clock = LoopClock(START_MS)
    rig = Rig((say("hello"),))
    shell = rig.build(clock)
    await asyncio.sleep(5)
    await rig.exchange.run(shell)
    assert rig.line.started_ms == START_MS + 5_000
    heard = pcm_from(rig.line, rig.line.played[0].starts_ms, 1_900 * 16, "heard")
    assert heard == ulaw2lin(SPOKEN["hello"])[: 1_900 * 16]


async def test_every_frame_is_reported_in_time() -> None:
    rig = Rig((say("hello"),))
    clock = LoopClock(START_MS)
    frames: list[tuple[int, int]] = []
    shell = rig.build(clock)
    rig.exchange.heard = lambda begin, said, heard: frames.append((clock.now_ms() - begin, len(said) + len(heard)))
    await rig.exchange.run(shell)
    assert len(frames) > 100
    assert set(frames) == {(FRAME_MS, 640)}
    assert max(rig.exchange.lag_ms) < 0.001


@pytest.mark.wall_clock
async def test_lag_is_measured_and_made_good() -> None:
    clock = SystemClock()
    rig = Rig((silence("quiet"),), hang_up_ms=300)
    shell = rig.build(clock)

    def stall(begin: int, said: bytes, heard: bytes) -> None:
        until = time.monotonic() + (0.09 if begin == rig.line.started_ms + 240 else 0)
        while time.monotonic() < until:
            pass

    rig.exchange.heard = stall
    begun = time.monotonic()
    await rig.exchange.run(shell)
    assert 0.3 < time.monotonic() - begun < 2
    assert max(rig.exchange.lag_ms) >= 60
    assert rig.line.now_ms - rig.line.started_ms == 300  # what was missed was made good
