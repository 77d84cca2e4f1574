"""RTP and RTCP packets: read, written, counted; and that no bytes raise anything but our own error."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.audio import ulaw2lin
from gateway.legs.sip import rtcp, rtp
from gateway.legs.sip.errors import MalformedPacket
from gateway.legs.sip.rtp import ALAW_TO_ULAW, ULAW_TO_ALAW, Incoming, Outgoing, Packet


def packet(sequence: int, timestamp: int = 0, payload: bytes = b"\x11" * 160) -> Packet:
    return Packet(0, sequence, timestamp, 77, False, payload)


def test_what_is_written_is_read_again() -> None:
    out = Outgoing(0xFFFFFFFF, 8, 0xFFFF, 0xFFFFFFFF)
    first, second = rtp.parse(out.packet(b"a" * 160, marker=True)), rtp.parse(out.packet(b"b" * 160))
    assert (first.payload_type, first.sequence, first.timestamp, first.ssrc) == (8, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    assert (first.marker, first.payload, second.marker) == (True, b"a" * 160, False)
    assert (second.sequence, second.timestamp) == (0, 159)
    out.skip(2)
    assert rtp.parse(out.packet(b"c")).timestamp == 159 + 160 + 320
    assert (out.packets, out.octets) == (3, 321)


def test_sources_extensions_and_padding_are_no_audio() -> None:
    head = struct.pack("!BBHII", 0x80 | 0x30 | 1, 0, 1, 2, 3)
    data = head + b"csrc" + struct.pack("!HH", 0xBEDE, 1) + b"extn" + b"audio" + b"\x00\x00\x03"
    assert rtp.parse(data).payload == b"audio"


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"\x80" * 11, "size"),
        (b"\x80" * 1501, "size"),
        (b"\x00" * 12, "version"),
        (b"\x8f" + bytes(11), "payload"),
        (b"\x90" + bytes(11), "extension"),
        (b"\x90" + bytes(13) + b"\xff\xff", "payload"),
        (b"\xa0" + bytes(10) + b"\x00", "payload"),
        (b"\xa0" + bytes(11) + b"\xff", "payload"),
    ],
)
def test_what_is_no_packet(data: bytes, where: str) -> None:
    with pytest.raises(MalformedPacket) as refused:
        rtp.parse(data)
    assert refused.value.where == where


@given(st.binary(max_size=64))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    for read in (rtp.parse, rtcp.parse):
        try:
            read(data)
            read(b"\x80" + data)
        except MalformedPacket:
            pass


def test_both_laws_agree_within_their_steps() -> None:
    for code in range(256):
        ulaw = bytes([code])
        there = ulaw.translate(ULAW_TO_ALAW).translate(ALAW_TO_ULAW)
        (before,), (after,) = struct.unpack("<h", ulaw2lin(ulaw)), struct.unpack("<h", ulaw2lin(there))
        assert abs(before - after) <= max(16, abs(before) // 16)


def test_losses_and_copies_are_counted() -> None:
    heard = Incoming.of(packet(65_534))
    for sequence in (65_534, 65_535, 1, 2, 2):
        assert heard.count(packet(sequence), 0)
    assert (heard.expected, heard.received, heard.lost) == (5, 5, 0)
    assert heard.count(packet(65_533), 0)  # a misordered one
    assert heard.expected == 5
    assert heard.fraction_lost() == 0
    heard.count(packet(6), 0)
    assert heard.fraction_lost() == (3 << 8) // 4
    assert heard.fraction_lost() == 0


def test_a_source_that_starts_anew_is_noticed() -> None:
    heard = Incoming.of(packet(10))
    assert heard.count(packet(10), 0)
    assert not heard.count(packet(20_000), 0)


def test_jitter_is_that_of_rfc_3550() -> None:
    heard = Incoming.of(packet(0))
    for number in range(200):
        heard.count(packet(number, number * 160), number * 20)
    assert heard.jitter == 0
    for number in range(200, 600):
        heard.count(packet(number, number * 160), number * 20 + 10 * (number % 2))
    assert 70 < heard.jitter < 81  # 10 ms are 80 units


def test_a_report_tells_what_was_heard() -> None:
    out = Outgoing(5, 0, 0, 0)
    out.packet(b"x" * 160)
    heard = Incoming.of(packet(10))
    for sequence in (10, 11, 13):
        heard.count(packet(sequence), 0)
    (block,) = rtcp.parse(rtcp.report(out, heard, 1_790_000_000_500, "voice-agent@gateway"))
    assert (block.ssrc, block.fraction, block.lost, block.jitter) == (77, 64, 1, int(heard.jitter))
    assert rtcp.parse(rtcp.report(out, None, 0, "x")) == []
    assert rtcp.parse(rtcp.bye(out)) == []


def test_a_receiver_report_with_more_copies_than_losses() -> None:
    block = struct.pack("!IIIIII", 5, 0xFFFFFF, 1, 2, 0, 0)
    (report,) = rtcp.parse(struct.pack("!BBHI", 0x81, rtcp.RECEIVER, 7, 9) + block)
    assert report.lost == -1


@pytest.mark.parametrize(
    "data",
    [b"\x80", b"\x00\xc8\x00\x00", b"\x80\xc8\x00\x05", b"\x81\xc9\x00\x01" + bytes(4), bytes(1600)],
)
def test_what_is_no_rtcp(data: bytes) -> None:
    with pytest.raises(MalformedPacket):
        rtcp.parse(data)
