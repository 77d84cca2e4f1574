"""Key presses: each once, whatever is lost or comes twice."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.legs.sip.dtmf import KEYS, KeyEvents
from gateway.legs.sip.errors import MalformedPacket
from gateway.legs.sip.rtp import Packet


def press(event: int, timestamp: int) -> list[Packet]:
    """As senders do it: one packet every 20 ms, the end three times."""
    lengths = [(160 * (1 + number), 0) for number in range(4)] + [(800, 0x80)] * 3
    return [
        Packet(101, 0, timestamp & 0xFFFFFFFF, 1, not number, bytes([event, end | 10]) + length.to_bytes(2, "big"))
        for number, (length, end) in enumerate(lengths)
    ]


def test_each_press_counts_once() -> None:
    keys = KeyEvents()
    packets = [
        packet for number, event in enumerate((5, 5, 10, 11, 0)) for packet in press(event, 0xFFFFFF00 + number * 2000)
    ]
    assert "".join(keys.packet(packet) for packet in packets) == "55*#0"


def test_older_presses_and_other_events_do_not_count() -> None:
    keys = KeyEvents()
    first, second = press(1, 0), press(2, 2000)
    assert [keys.packet(second[0]), keys.packet(first[-1]), keys.packet(second[-1])] == ["2", "", ""]
    assert keys.packet(press(16, 4000)[0]) == ""


def test_a_press_of_ten_seconds_is_one_press() -> None:
    keys = KeyEvents()
    long = [Packet(101, 0, 100, 1, True, b"\x05\x0a\xff\xff")]
    long += [Packet(101, 0, 100 + 0xFFFF, 1, False, b"\x05\x8a\x10\x00")] * 3
    again = press(5, 100 + 0xFFFF + 0x1000 + 320)
    assert "".join(keys.packet(packet) for packet in [*long, *again]) == "55"


def test_another_press_may_begin_where_a_segment_would() -> None:
    keys = KeyEvents()
    packets = [press(5, 0)[0], press(5, 0xFFFF)[0], press(6, 0x1FFFE)[1]]
    assert "".join(keys.packet(packet) for packet in packets) == "556"


def test_a_packet_that_is_too_short() -> None:
    with pytest.raises(MalformedPacket, match="telephone-event"):
        KeyEvents().packet(Packet(101, 0, 0, 1, False, b"\x01"))


@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 15), max_size=12))
def test_loss_does_not_matter_while_one_packet_of_each_press_arrives(rng: random.Random, events: list[int]) -> None:
    keys, heard = KeyEvents(), ""
    for number, event in enumerate(events):
        packets = press(event, number * 2000)
        kept = [packet for packet in packets if rng.random() < 0.4] or [rng.choice(packets)]
        heard += "".join(keys.packet(packet) for packet in kept for _ in range(rng.choice([1, 2])))
    assert heard == "".join(KEYS[event] for event in events)
