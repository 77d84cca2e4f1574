"""Audio leaves in order, at its own pace, and nothing is lost that was not meant to be."""

from __future__ import annotations

import struct
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.audio import ULAW_SILENCE, lin2ulaw
from gateway.legs.kvs.blocks import CallerBlock, Direction
from gateway.legs.kvs.pacer import Frame, Pacer

T0 = 1_700_000_000_000
BLOCK = 64


@cache
def voice(seed: int = 0, ms: int = BLOCK) -> bytes:
    random = Random(seed)
    return struct.pack(f"<{ms * 8}h", *(round(random.gauss(0, 2000)) for _ in range(ms * 8)))


def hush(ms: int = BLOCK) -> bytes:
    return bytes(ms * 16)


def block(at_ms: int, pcm: bytes = b"", direction: Direction = Direction.FROM_CUSTOMER) -> CallerBlock:
    return CallerBlock(T0 + at_ms, pcm or voice(), direction, "1", 0, 0)


@dataclass
class Arrival:
    at_ms: int
    block: CallerBlock


@dataclass
class Sent:
    at_ms: int
    frame: Frame

    @property
    def ms(self) -> float:
        return len(self.frame.ulaw) / 8


def run(arrivals: Sequence[Arrival], until_ms: int, pacer: Pacer | None = None, listens_from_ms: int = 0) -> list[Sent]:
    """Play a script of arrivals (ms after T0) to a pacer that is asked whenever it wants to be."""
    pacer = pacer or Pacer()
    sent: list[Sent] = []
    waiting = sorted(arrivals, key=lambda one: one.at_ms)
    now = -(10**9)
    while True:
        due = pacer.next_due_ms()
        times = [waiting[0].at_ms] if waiting else []
        times += [] if due is None else [max(due - T0, listens_from_ms)]
        if not times or (now := max(now, min(times))) > until_ms:
            return sent
        while waiting and waiting[0].at_ms <= now:
            pacer.push(waiting.pop(0).block, T0 + now)
        if now >= listens_from_ms:
            sent += [Sent(now, frame) for frame in pacer.due(T0 + now)]


def live(count: int, latency_ms: int = 250, first: int = 0, pcm: bytes = b"") -> list[Arrival]:
    """Block by block, each `latency_ms` after its end."""
    numbers = range(first, first + count)
    return [Arrival(n * BLOCK + BLOCK + latency_ms, block(n * BLOCK, pcm or voice(n % 50))) for n in numbers]


def in_fragments(arrivals: list[Arrival], size: int = 16, extra_ms: int = 50) -> list[Arrival]:
    """The blocks of a fragment all at once, after its end."""
    last = [arrivals[min(index // size * size + size - 1, len(arrivals) - 1)].at_ms for index in range(len(arrivals))]
    return [Arrival(at_ms + extra_ms, one.block) for at_ms, one in zip(last, arrivals, strict=True)]


def delayed(arrivals: list[Arrival], from_ms: int, to_ms: int) -> list[Arrival]:
    """Nothing arrives in between; then everything at once."""
    return [Arrival(to_ms if from_ms < one.at_ms < to_ms else one.at_ms, one.block) for one in arrivals]


def real(sent: list[Sent]) -> bytes:
    return b"".join(one.frame.ulaw for one in sent if not one.frame.inserted)


def gaps(sent: list[Sent]) -> list[int]:
    return [later.at_ms - earlier.at_ms for earlier, later in pairwise(sent)]


def test_a_block_leaves_at_once_as_mu_law() -> None:
    pacer = Pacer()
    assert pacer.next_due_ms() is None
    assert pacer.due(T0) == []
    pacer.push(block(0), T0 + 300)
    assert pacer.next_due_ms() == T0 + 300
    assert pacer.due(T0 + 300) == [Frame(T0, lin2ulaw(voice()), False, 300, True)]
    assert pacer.due(T0 + 300) == []


def test_what_the_caller_hears_is_ignored() -> None:
    pacer = Pacer()
    pacer.push(block(0, direction=Direction.TO_CUSTOMER), T0)
    assert pacer.next_due_ms() is None


def test_live_blocks_leave_as_they_come() -> None:
    sent = run(live(100), 100 * BLOCK + 250)
    assert gaps(sent) == [BLOCK] * 99
    assert {one.frame.delay_ms for one in sent} == {BLOCK + 250}


def test_fragments_leave_smoothly_block_by_block() -> None:
    """A whole second at once must not become a burst and a pause."""
    sent = run(in_fragments(live(160)), 10_000)
    assert set(gaps(sent)) == {BLOCK}


def test_jittery_fragments_cost_no_words() -> None:
    random = Random(3)
    arrivals: list[Arrival] = []
    for start in range(0, 160, 16):
        arrivals += in_fragments(live(16, first=start), extra_ms=random.randrange(200))
    pacer = Pacer()
    sent = run(arrivals, 13_000, pacer)
    assert real(sent) == b"".join(lin2ulaw(one.block.pcm) for one in arrivals)
    assert pacer.counters().inserted_ms <= 1500


def test_a_hole_in_the_timecodes_is_silence_of_its_length() -> None:
    """The next block after a pause of the producer: nothing is late, all is pushed at once before anything leaves."""
    pacer = Pacer()
    for at in (0, 64, 640):
        pacer.push(block(at), T0 + 1000)
    sent = run([], 5000, pacer, listens_from_ms=1000)
    assert sum(one.ms for one in sent if one.frame.inserted and one.frame.media_ms < T0 + 640) == 640 - 128
    assert [one.frame.media_ms for one in sent[:12]] == sorted(one.frame.media_ms for one in sent[:12])
    assert sent[2].frame.ulaw == ULAW_SILENCE * len(sent[2].frame.ulaw)


def test_a_short_block_and_the_hole_after_it_make_one_frame() -> None:
    """Near the end of a call one block is short, and the next is on the grid of 64 ms."""
    arrivals = [Arrival(300, block(0)), Arrival(364, block(64, voice(1, 12))), Arrival(428, block(128))]
    sent = run(arrivals, 600)
    assert [one.ms for one in sent] == [64, 64, 64]
    assert sent[1].frame.ulaw == lin2ulaw(voice(1, 12)) + ULAW_SILENCE * (52 * 8)
    assert not sent[1].frame.inserted


def test_a_short_block_that_nothing_follows_is_filled_up_after_the_hold() -> None:
    sent = run([Arrival(0, block(0)), Arrival(64, block(64, voice(1, 12)))], 1700)
    assert [one.ms for one in sent[:2]] == [64, 64]
    assert sent[1].frame.ulaw[:96] == lin2ulaw(voice(1, 12))


def test_blocks_of_any_length_become_frames_of_twenty_to_a_hundred_ms() -> None:
    lengths = [64, 12, 200, 5, 5, 96, 97, 1000, 30]
    at, arrivals = 0, []
    for ms in lengths:
        arrivals.append(Arrival(2000, block(at, voice(1, ms))))
        at += ms
    sent = run(arrivals, 4500)
    assert all(20 <= one.ms <= 100 for one in sent)
    assert real(sent) == b"".join(lin2ulaw(voice(1, ms)) for ms in lengths)


def test_half_a_sample_is_no_sample() -> None:
    pacer = Pacer()
    pacer.push(block(0, voice() + b"x"), T0)
    assert pacer.due(T0)[0].ulaw == lin2ulaw(voice())


def test_a_stall_is_held_for_a_second_and_a_half_and_then_filled_in_real_time() -> None:
    sent = run(live(10), 10 * BLOCK + 250 + 5000)
    last = 10 * BLOCK + 250
    fill = [one for one in sent if one.frame.inserted]
    assert fill[0].at_ms == last + BLOCK + 1500
    assert set(gaps(fill)) == {BLOCK}
    assert {one.frame.media_ms for one in fill} == {T0 + 10 * BLOCK}


def test_a_stall_shorter_than_the_hold_inserts_nothing() -> None:
    arrivals = delayed(live(100), 2000, 3400)
    pacer = Pacer()
    sent = run(arrivals, 9000, pacer)
    assert real(sent[:100]) == b"".join(lin2ulaw(one.block.pcm) for one in arrivals)
    assert max(gaps(sent[:100])) <= 1500


def test_filling_is_paid_back_by_leaving_out_pauses() -> None:
    """Three seconds of stall on a line where nobody speaks: as much silence is left out as was put in."""
    arrivals = delayed(live(60) + live(200, first=60, pcm=hush()), 2000, 5000)
    pacer = Pacer()
    sent = run(arrivals, 260 * BLOCK + 250, pacer)
    counters = pacer.counters()
    assert 1400 <= counters.inserted_ms <= 1600
    assert counters.dropped_ms >= counters.inserted_ms - BLOCK
    assert counters.owed_ms < BLOCK
    assert real(sent).startswith(b"".join(lin2ulaw(one.block.pcm) for one in arrivals[:60]))


def test_filling_is_paid_back_by_the_hole_that_explains_it() -> None:
    """The producer paused: what was filled in is a part of the hole, not on top of it."""
    pacer = Pacer()
    arrivals = [one for one in live(150) if not 2000 < one.at_ms < 6000]
    run(arrivals, 150 * BLOCK + 250, pacer)
    counters = pacer.counters()
    missing = 150 * BLOCK - counters.received_ms
    assert counters.inserted_ms == missing
    assert counters.owed_ms == 0


def test_a_small_hole_is_paid_for_by_what_is_owed() -> None:
    pacer = Pacer()
    talk = delayed(live(200), 2000, 5000)
    run([*talk, *live(20, first=205)], 225 * BLOCK + 250, pacer)
    before = Pacer()
    run(talk, 200 * BLOCK + 250, before)
    assert before.counters().inserted_ms == pacer.counters().inserted_ms
    assert before.counters().owed_ms - pacer.counters().owed_ms == 5 * BLOCK


def test_words_are_never_left_out_to_pay_back() -> None:
    pacer = Pacer()
    arrivals = delayed(live(200), 2000, 5000)
    sent = run(arrivals, 20_000, pacer)
    assert real(sent) == b"".join(lin2ulaw(one.block.pcm) for one in arrivals)
    assert pacer.counters().owed_ms > 1000


def test_backlog_drains_at_one_and_a_half_times_real_time() -> None:
    arrivals = [Arrival(max(one.at_ms, 5000), one.block) for one in live(300)]
    sent = run(arrivals, 300 * BLOCK + 250)
    first_seconds = [one for one in sent if one.at_ms < 7000]
    assert 2800 <= sum(one.ms for one in first_seconds) <= 3000
    assert sent[-1].frame.delay_ms == BLOCK + 250
    assert real(sent) == b"".join(lin2ulaw(one.block.pcm) for one in arrivals)


def test_who_asks_late_gets_no_burst() -> None:
    pacer = Pacer()
    for n in range(20):
        pacer.push(block(n * BLOCK, voice(n)), T0)
    assert len(pacer.due(T0 + 1000)) == 1
    assert len(pacer.due(T0 + 1500)) == 1


def test_pauses_in_backlog_are_cut_to_two_hundred_ms() -> None:
    talk = [block(n * BLOCK, hush() if 10 <= n < 30 else voice(n)) for n in range(60)]
    pacer = Pacer()
    sent = run([Arrival(5000, one) for one in talk], 9000, pacer)
    kept = [one for one in sent if one.frame.ulaw == ULAW_SILENCE * 512 and T0 + 640 <= one.frame.media_ms < T0 + 1920]
    assert 4 <= len(kept) <= 5
    assert kept[-1].frame.media_ms == T0 + 29 * BLOCK  # what stands before a word is kept: its onset is quiet
    spoken = b"".join(lin2ulaw(voice(n)) for n in range(60) if not 10 <= n < 30)
    assert real([one for one in sent if one not in kept]) == spoken


def test_what_is_more_than_eight_seconds_old_is_not_replayed() -> None:
    pacer = Pacer()
    for n in range(300):
        pacer.push(block(n * BLOCK, voice(n % 50)), T0 + 20_000)
    counters = pacer.counters()
    assert 8000 - BLOCK <= counters.in_hand_ms <= 8000
    assert counters.dropped_ms == 300 * BLOCK - counters.in_hand_ms
    assert pacer.due(T0 + 20_000)[0].media_ms >= T0 + 300 * BLOCK - 8000


def test_a_producers_clock_that_is_wrong_drops_nothing() -> None:
    arrivals = [Arrival(one.at_ms + 60_000, one.block) for one in live(50)]
    assert len(run(arrivals, 60_000 + 50 * BLOCK + 250)) == 50
    arrivals = [Arrival(one.at_ms - 60_000, one.block) for one in live(50)]
    assert len(run(arrivals, -60_000 + 50 * BLOCK + 250, listens_from_ms=-60_000)) == 50


def test_a_clock_that_jumps_ahead_brings_no_hour_of_silence() -> None:
    later = [
        Arrival(one.at_ms, block(3_600_000 + one.block.media_ms - T0, one.block.pcm)) for one in live(100, first=50)
    ]
    pacer = Pacer()
    sent = run([*live(50), *later], 150 * BLOCK + 250, pacer)
    assert pacer.counters().inserted_ms <= 8000
    assert real(sent[-20:]) == b"".join(lin2ulaw(one.block.pcm) for one in later[-20:])


def test_a_clock_that_is_set_back_begins_anew() -> None:
    earlier = [Arrival(one.at_ms, block(one.block.media_ms - T0 - 60_000)) for one in live(50, first=50)]
    pacer = Pacer()
    sent = run([*live(50), *earlier], 100 * BLOCK + 250, pacer)
    assert len(sent) == 100
    in_hand = Pacer()
    in_hand.push(block(0), T0)
    in_hand.push(block(-60_000), T0 + 1)
    assert in_hand.counters().dropped_ms == BLOCK


def test_a_block_that_comes_again_is_left_out() -> None:
    pacer = Pacer()
    sent = run([*live(10), *live(10, latency_ms=300)], 10 * BLOCK + 320, pacer)
    assert len(sent) == 10
    assert pacer.counters().dropped_ms == 10 * BLOCK


def test_slightly_crooked_timecodes_are_contiguous() -> None:
    random = Random(5)
    crooked = [Arrival(one.at_ms, block(one.block.media_ms - T0 + random.randrange(-9, 10))) for one in live(50)]
    sent = run(crooked, 50 * BLOCK + 300)
    assert len(sent) == 50
    assert all(later.frame.media_ms >= earlier.frame.media_ms for earlier, later in pairwise(sent))


def test_a_slow_handshake_is_followed_by_an_orderly_drain() -> None:
    """Nobody asks for frames for twelve seconds: no burst, no silence to make up for it, 8 s at most."""
    pacer = Pacer()
    sent = run(live(300), 300 * BLOCK + 250, pacer, listens_from_ms=12_000)
    assert sent[0].at_ms == 12_000
    assert not [one for one in sent if one.frame.inserted]
    assert pacer.counters().max_backlog_ms <= 8000


def test_silence_is_not_made_up_for_after_a_slow_handshake() -> None:
    sent = run(live(5), 12_500, listens_from_ms=12_000)
    fill = [one for one in sent if one.frame.inserted]
    assert len(fill) <= 8


def test_the_counters_tell_what_happened() -> None:
    pacer = Pacer()
    assert pacer.counters().delay_p50_ms == 0
    run(delayed(live(100), 2000, 5000), 100 * BLOCK + 250, pacer)
    counters = pacer.counters()
    assert counters.received_ms == 100 * BLOCK
    assert counters.max_backlog_ms > 1000
    assert counters.backlog_ms <= counters.in_hand_ms
    assert counters.delay_p50_ms >= BLOCK + 250


@pytest.mark.parametrize("mode", ["stall", "backlog"])
def test_a_real_caller_loses_pauses_and_no_words(mode: str, shared_data: Path) -> None:
    with wave.open(str(shared_data / "speech" / "real-call-caller.wav")) as file:
        pcm = file.readframes(file.getnframes())
    blocks = [block(at // 16, pcm[at : at + 1024]) for at in range(0, len(pcm) - 1023, 1024)]
    arrivals = [Arrival(one.media_ms - T0 + BLOCK + 250, one) for one in blocks]
    if mode == "stall":
        arrivals = delayed(arrivals, 30_000, 36_000)
    else:
        arrivals = [Arrival(max(one.at_ms, 7000), one.block) for one in arrivals]
    pacer = Pacer()
    sent = run(arrivals, arrivals[-1].at_ms, pacer)
    left = {one.frame.media_ms for one in sent}
    dropped = [one for one in blocks[:-20] if one.media_ms not in left]
    assert dropped
    for one in dropped:
        peak = max(map(abs, struct.unpack("<512h", one.pcm)))
        assert peak < 1500  # his words reach ten times that
    assert pacer.counters().backlog_ms == 0


ARRIVALS = st.lists(
    st.tuples(
        st.integers(0, 900),  # wait before it arrives
        st.sampled_from([0, 0, 0, 0, 0, 64, 500, 3000, 12_000, -64, -5000]),  # hole before it
        st.sampled_from([64, 64, 64, 64, 12, 0, 200, 1000]),  # length
        st.booleans(),  # speech
    ),
    max_size=40,
)


@given(script=ARRIVALS, burst=st.booleans(), listens_from_ms=st.sampled_from([0, 0, 3000]), lag=st.integers(0, 150))
@settings(max_examples=150, deadline=None)
def test_whatever_comes_is_conserved_ordered_paced_and_bounded(
    script: list[tuple[int, int, int, bool]], burst: bool, listens_from_ms: int, lag: int
) -> None:
    pacer, sent, now, media = Pacer(), list[Sent](), 0, 0
    set_back = False

    def conserved() -> None:
        assert pacer._sent + pacer._in_hand == pacer._received + pacer._inserted - pacer._dropped
        assert pacer._in_hand == sum(len(piece.ulaw) for piece in pacer._queue)
        assert pacer.counters().in_hand_ms <= 8000 + 20
        assert pacer.counters().backlog_ms <= 8000 + 20

    def listen(until: int) -> None:
        at = max(now, listens_from_ms)
        while (due := pacer.next_due_ms()) is not None and (at := max(at, due - T0 + lag)) <= until:
            sent.extend(Sent(at, frame) for frame in pacer.due(T0 + at))
            after = pacer.next_due_ms()
            assert after is None or after > T0 + at
            conserved()

    for wait, hole, length, speech in script:
        arrives = now + (wait // 20 if burst else wait)
        listen(arrives)
        now = arrives
        set_back |= hole < -20
        media += hole
        pacer.push(
            block(media, voice(1, length) if speech else hush(length)) if length else block(media, b"x"), T0 + now
        )
        conserved()
        media += length
    listen(now + 4000)

    assert all(20 <= one.ms <= 100 for one in sent)
    assert all(earlier.at_ms <= later.at_ms for earlier, later in pairwise(sent))
    if not set_back:
        assert all(earlier.frame.media_ms <= later.frame.media_ms for earlier, later in pairwise(sent))
    for index, first in enumerate(sent):
        second = [one.ms for one in sent[index:] if one.at_ms < first.at_ms + 1000]
        assert sum(second) <= 1500
