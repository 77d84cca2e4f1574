"""The jitter buffer: loss, disorder, jitter, pauses, stalls; and that it gives a frame at every beat."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from contract.audio import lin2ulaw, rms, ulaw2lin
from gateway.legs.sip.jitter import CALM_FRAMES, FIRST_MS, MOST_MS, SILENT_FRAME, Frame, JitterBuffer
from gateway.legs.sip.rtp import Packet

LOUD = lin2ulaw(b"\x00\x20" * 160)
START = 0xFFFFFF00  # wraps around within the first packets


def frame(number: int) -> bytes:
    return bytes([number % 100]) * 160


def packet(number: int, payload: bytes | None = None, timestamp: int | None = None) -> Packet:
    at = START + number * 160 if timestamp is None else timestamp
    return Packet(0, number & 0xFFFF, at & 0xFFFFFFFF, 1, False, frame(number) if payload is None else payload)


def real(frames: list[Frame]) -> list[bytes]:
    return [each.ulaw for each in frames if not each.made_up]


def steady(buffer: JitterBuffer, numbers: range) -> list[Frame]:
    found = []
    for number in numbers:
        buffer.push(packet(number))
        found.append(buffer.pull())
    return found


def test_before_the_first_packet_there_is_silence() -> None:
    buffer = JitterBuffer()
    assert buffer.pull() == Frame(SILENT_FRAME, True, 0)
    buffer.push(packet(0, b""))
    assert buffer.pull().made_up


def test_a_steady_stream_comes_out_as_it_went_in() -> None:
    found = steady(JitterBuffer(), range(200))
    lead = FIRST_MS // 20
    assert all(each.made_up for each in found[:lead])
    assert [each.ulaw for each in found[lead:]] == [frame(number) for number in range(200 - lead)]
    assert found[-1].delay_ms == FIRST_MS + 20


def test_disorder_within_the_delay_is_not_heard() -> None:
    buffer, found = JitterBuffer(), []
    for number in range(0, 100, 2):
        buffer.push(packet(number + 1)) if number else buffer.push(packet(0))
        found.append(buffer.pull())
        buffer.push(packet(number)) if number else buffer.push(packet(1))
        found.append(buffer.pull())
    assert real(found) == [frame(number) for number in range(len(real(found)))]
    assert buffer.late == 0


def test_a_loss_is_concealed_by_what_came_before_ever_quieter() -> None:
    buffer, found = JitterBuffer(), []
    for number in range(30):
        if not 10 <= number < 16:
            buffer.push(packet(number, LOUD))
        found.append(buffer.pull())
    levels = [rms(ulaw2lin(each.ulaw)) for each in found[2:]]
    gap = levels[10:16]
    assert levels[9] > gap[0] > gap[1] > gap[2] > 0
    assert gap[3:] == [0, 0, 0]
    assert levels[16] == levels[9]
    assert buffer.concealed == 3


def test_a_pause_of_a_sender_that_sends_no_silence_is_as_long_as_it_was() -> None:
    buffer = JitterBuffer()
    before = steady(buffer, range(20))
    pause = [buffer.pull() for _ in range(50)]
    after = steady(buffer, range(70, 90))
    found = [each.ulaw for each in before + pause + after]
    assert found.index(frame(70)) - found.index(frame(19)) == 51
    assert buffer.late == 0


def test_a_packet_that_is_late_with_nothing_in_hand_is_played_and_delays_the_rest() -> None:
    buffer = JitterBuffer()
    steady(buffer, range(10))
    for _ in range(4):  # 80 ms without a packet: the 40 in hand, and 40 of nothing
        buffer.pull()
    found = []
    for number in range(10, 40):
        buffer.push(packet(number))
        found.append(buffer.pull())
    assert real(found) == [frame(number) for number in range(10, 10 + len(real(found)))]
    assert buffer.late == 1
    assert buffer.resets == 0


def test_a_packet_that_is_late_while_there_is_more_is_lost_and_buys_delay_in_the_next_pause() -> None:
    buffer = JitterBuffer()
    steady(buffer, range(10))
    found = []
    for number in range(11, 30):  # 10 is missing
        buffer.push(packet(number, SILENT_FRAME if number == 20 else None))
        found.append(buffer.pull())
        if number == 14:
            buffer.push(packet(10))
    assert frame(10) not in real(found)
    assert buffer.late == 1
    assert buffer.inserted == 2


def test_after_a_stall_what_is_too_old_is_left_out() -> None:
    buffer = JitterBuffer()
    steady(buffer, range(10))
    for _ in range(50):
        buffer.pull()
    for number in range(10, 60):
        buffer.push(packet(number))
    found = []
    for number in range(60, 160):
        buffer.push(packet(number))
        found.append(buffer.pull())
    assert max(each.delay_ms for each in found) <= MOST_MS + 40
    assert real(found)[-1] in [frame(number) for number in range(150, 160)]


def test_a_way_that_became_longer_for_good_is_learned() -> None:
    buffer = JitterBuffer()
    steady(buffer, range(10))
    for _ in range(30):
        buffer.pull()
    found = steady(buffer, range(10, 60))
    assert buffer.resets >= 1
    assert len(real(found)) > 30


def test_a_timestamp_from_another_world_begins_anew() -> None:
    buffer = JitterBuffer()
    steady(buffer, range(10))
    found = []
    for number in range(20):
        buffer.push(packet(number, None, timestamp=500_000_000 + number * 160))
        found.append(buffer.pull())
    assert real(found)[:3] == [frame(0), frame(1), frame(2)]
    assert buffer.resets == 1


def test_delay_that_is_not_needed_goes_where_it_is_quiet() -> None:
    buffer = JitterBuffer()
    steady(buffer, range(5))
    for number in range(5, 9):
        buffer.push(packet(number))
    deep = buffer.pull().delay_ms
    for number in range(9, 9 + CALM_FRAMES + 5):
        buffer.push(packet(number, LOUD))
        buffer.pull()
    assert buffer.left_out == 0
    last = buffer.pull()
    for number in range(200):
        buffer.push(packet(9 + CALM_FRAMES + 5 + number, SILENT_FRAME))
        last = buffer.pull()
    assert buffer.left_out >= 1
    assert last.delay_ms < deep


def test_packets_of_other_lengths_are_put_together() -> None:
    for size in (80, 240, 320):
        buffer, found, sent, beats = JitterBuffer(), bytearray(), 0, 0
        data = bytes(value % 100 for value in range(160 * 60))
        while sent < len(data):
            buffer.push(Packet(0, 0, (START + sent) & 0xFFFFFFFF, 1, False, data[sent : sent + size]))
            sent += size
            while beats * 160 < sent:
                each = buffer.pull()
                found += b"" if each.made_up else each.ulaw
                beats += 1
        assert data.startswith(bytes(found))
        assert len(found) > 160 * 50


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_whatever_comes_there_is_a_frame_at_every_beat_and_delay_has_a_limit(rng: random.Random) -> None:
    buffer = JitterBuffer()
    for number in range(200):
        for _ in range(rng.choice([0, 1, 1, 1, 1, 2, 5])):
            at = number + rng.randint(-12, 3)
            size = rng.choice([160, 160, 160, 80, 240, 1])
            jump = rng.choice([0] * 50 + [2**31, 10**6])
            buffer.push(packet(at, bytes([at % 256]) * size, timestamp=START + at * 160 + jump))
        each = buffer.pull()
        assert len(each.ulaw) == 160
        assert 0 <= each.delay_ms <= 3000
    assert len(buffer._held) < 400
