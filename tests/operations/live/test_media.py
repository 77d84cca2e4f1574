"""Bytes of GetMedia to blocks, and tones found again in them."""

from __future__ import annotations

import asyncio
import io
import wave

import boto3
import pytest

from contract.audio import ulaw2lin
from contract.call import MediaStream
from contract.clock import SystemClock
from operations.clients import Clients
from operations.errors import MediaUnreadable
from operations.live.aws import KvsMedia
from operations.live.listening import Listening
from operations.live.media import FROM, TO, Fragment, Reader
from operations.live.tones import Line, Pitch, clip
from simulator.kvs import mkv
from simulator.kvs.habits import Delivery, Habits
from simulator.kvs.stream import BLOCK_BYTES, BLOCK_MS, Stream
from tests.simulator.kvs.serving import serving

ARN = "arn:aws:kinesisvideo:eu-central-1:111122223333:stream/voiceai-connect-x-contact-1/1790000000000"
START_MS = 1_790_000_000_000
OURS = "contact-1"


def filled(blocks: int = 64, habits: Habits | None = None, start_ms: int = START_MS) -> Stream:
    stream = Stream(ARN, "instance", Delivery(per_fragment=False, delay_ms=0), habits)
    for index in range(blocks):
        at = start_ms + index * BLOCK_MS
        stream.write(OURS, at, bytes([index]) * BLOCK_BYTES, bytes(BLOCK_BYTES), at + BLOCK_MS)
    return stream


def body(stream: Stream, now_ms: int = START_MS + 60_000) -> bytes:
    asked = {"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": START_MS / 1000}
    return stream.reader(asked, now_ms).read(now_ms)


@pytest.mark.parametrize("step", [1, 7, 1000, 1 << 20])
def test_fragments_are_the_same_however_the_bytes_come(step: int) -> None:
    data, reader = body(filled(blocks=64 if step > 1 else 33)), Reader()
    found: list[Fragment] = []
    for at in range(0, len(data), step):
        found += reader.feed(data[at : at + step], 5)
    whole = 3 if step > 1 else 2  # the last one has no successor yet
    assert [len(fragment.blocks) for fragment in found] == [32] * whole
    assert {fragment.contact for fragment in found} == {OURS}
    caller = [block for fragment in found for block in fragment.blocks if block.track == FROM]
    assert [block.at_ms for block in caller] == [START_MS + index * BLOCK_MS for index in range(16 * whole)]
    assert all(block.pcm == bytes([index]) * BLOCK_BYTES for index, block in enumerate(caller))
    assert sum(block.track == TO for fragment in found for block in fragment.blocks) == 16 * whole


def test_an_error_in_the_body_is_told() -> None:
    with pytest.raises(MediaUnreadable, match="error 4000"):
        list(Reader().feed(mkv.error(bytes(16), 4000, "FRAGMENT_NOT_FOUND"), 0))


@pytest.mark.parametrize("data", [b"\x00" * 8, b"\xa3\x01\xff\xff\xff\xff\xff\xff\xff" + bytes(4)])
def test_what_is_no_matroska_is_told(data: bytes) -> None:
    with pytest.raises(MediaUnreadable, match="element"):
        list(Reader().feed(data, 0))


@pytest.mark.parametrize("pitch", list(Pitch))
def test_a_tone_is_found_where_it_was(pitch: Pitch) -> None:
    line = Line()
    ulaw = clip(pitch, 1000)[-8000:]
    pcm = bytes(3200) + ulaw2lin(ulaw) + bytes(3200)
    for at in range(0, len(pcm), BLOCK_BYTES):
        line.add(at // 16, pcm[at : at + BLOCK_BYTES])
    tone = line.tone(pitch, 0)
    assert tone is not None
    assert (abs(tone.began_ms - 200) <= 8, abs(tone.ended_ms - 1200) <= 8) == (True, True)
    assert line.tone(pitch, 300) is None
    assert all(found.pitch is pitch for found in line.tones)


def test_where_a_tone_begins_and_ends_no_other_one_is_heard() -> None:
    for shift in range(0, 128, 2):
        line = Line()
        pcm = bytes(shift) + ulaw2lin(clip(Pitch.HIGH, 200)[-1600:]) + bytes(4096)
        line.add(0, pcm)
        assert line.tone(Pitch.LOW, 0) is None
        assert line.tone(Pitch.HIGH, 0) is not None


def test_noise_and_speech_of_another_pitch_are_no_tone() -> None:
    line = Line()
    line.add(0, bytes(range(256)) * 8)
    assert line.tones == []


def test_a_clip_is_what_connect_plays() -> None:
    data = clip(Pitch.LOW, 500)
    assert data[:4] == b"RIFF"
    assert data[20:22] == b"\x07\x00"
    with pytest.raises(wave.Error, match="unknown format: 7"):  # the standard library knows PCM only
        wave.open(io.BytesIO(data)).close()


def test_the_fragment_of_another_contact_is_compared() -> None:
    listening = Listening(OURS)
    listening._whole(Fragment("1", "somebody", b"other"))
    alone = listening.segment_of_its_own
    listening._whole(Fragment("2", OURS, b"other"))
    assert (alone, listening.segment_of_its_own) == (True, False)
    assert listening.first_fragment == "2"


@pytest.fixture
def aws() -> Clients:
    return Clients(boto3.Session("a", "b", region_name="eu-central-1"), "eu-central-1")


@pytest.mark.wall_clock
async def test_a_call_is_followed_over_http_until_its_body_ends(aws: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    began_ms = clock.now_ms() - 3000
    stream = filled(blocks=40, habits=Habits(pause_ends_ms=300), start_ms=began_ms)
    listening = Listening(OURS)
    async with serving(stream) as (_, url):
        monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS_VIDEO", url)
        media = MediaStream(ARN, began_ms, str(stream.fragments[0].number))
        with pytest.raises(MediaUnreadable, match="ended its answer"):
            async with asyncio.timeout(20):
                await listening.follow(KvsMedia(aws), media, clock)
    assert listening.first_fragment == str(stream.fragments[0].number)
    assert len(listening.delays_ms) >= 16


@pytest.mark.wall_clock
async def test_a_stream_that_is_not_there_is_told(aws: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(filled()) as (_, url):
        monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS_VIDEO", url)
        with pytest.raises(MediaUnreadable, match="ResourceNotFound"):
            await KvsMedia(aws).open(ARN.replace("voiceai", "other"), START_MS)
