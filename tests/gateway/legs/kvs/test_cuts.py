"""A body that is cut at every byte of a fragment, from the reader to what leaves the pacer."""

from __future__ import annotations

import pytest

from contract.audio import ULAW_SILENCE, lin2ulaw
from gateway.legs.kvs.blocks import CallerBlock
from gateway.legs.kvs.fragments import FragmentReader
from gateway.legs.kvs.pacer import Pacer
from tests.gateway.legs.kvs import mkv
from tests.gateway.legs.kvs.mkv import OURS, Audio, Fragment

BLOCKS = 3
BLOCK_MS = 8  # 128 bytes of samples: few, and still so many that their length takes two bytes, as in a real one
SPAN_MS = BLOCKS * BLOCK_MS
FETCH_MS = 300  # how long another body takes to be there


def fragment(index: int) -> Fragment:
    """Short blocks, each of them different, so that there are as many kinds of bytes as in a long one, and fewer."""
    blocks = [
        Audio(
            track, place * BLOCK_MS, mkv.pcm(500 + 40 * (BLOCKS * index + place) + 10_000 * (track - 1), BLOCK_MS * 16)
        )
        for place in range(BLOCKS)
        for track in (1, 2)
    ]
    start = Fragment(blocks=blocks)
    return start.at(index, start_ms=start.start_ms + SPAN_MS * index)


FRAGMENTS = [fragment(index) for index in range(3)]
ENCODED = [one.encoded() for one in FRAGMENTS]
SPOKEN = b"".join(lin2ulaw(audio.payload) for one in FRAGMENTS for audio in one.blocks if audio.track == 1)
FIRST, CUT, _ = (len(one) for one in ENCODED)


def sent(cut: int, resume: int) -> bytes:
    """What the voice agent gets when the body ends `cut` bytes into the second fragment and goes on with the one after
    the last whole one, or `resume` fragments before that."""
    reader, pacer = FragmentReader(OURS), Pacer()
    now = FRAGMENTS[0].start_ms + 2 * SPAN_MS
    frames = []
    take(pacer, reader, b"".join(ENCODED)[: FIRST + cut], now)
    frames += pacer.due(now)
    read = [index for index, one in enumerate(FRAGMENTS) if str(one.number) == reader.position.fragment_number]
    reader.restart()
    now += FETCH_MS
    take(pacer, reader, b"".join(ENCODED[max(0, (read[0] + 1 if read else 0) - resume) :]), now)
    for later in range(now, now + 500, 20):
        frames += pacer.due(later)
    counters = pacer.counters()
    assert (counters.in_hand_ms, counters.dropped_ms) == (0, 0)
    return b"".join(frame.ulaw for frame in frames if not frame.inserted)


def take(pacer: Pacer, reader: FragmentReader, data: bytes, now_ms: int) -> None:
    for block in reader.feed(data):
        if isinstance(block, CallerBlock):
            pacer.push(block, now_ms)


@pytest.mark.parametrize("resume", [0, 1])
def test_whatever_byte_a_body_is_cut_at_no_sample_is_lost_and_none_sent_twice(resume: int) -> None:
    for cut in range(CUT + 1):
        assert sent(cut, resume).rstrip(ULAW_SILENCE) == SPOKEN, f"cut after byte {cut} of {CUT}"
