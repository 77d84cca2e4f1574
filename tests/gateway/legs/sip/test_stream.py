"""The media of one call: whose packets count, what goes out, and when nobody is there any more."""

from __future__ import annotations

import struct
from dataclasses import replace

from contract.audio import ULAW_SILENCE
from gateway.legs.sip import rtcp, rtp
from gateway.legs.sip.playout import Playout
from gateway.legs.sip.rtp import ALAW_TO_ULAW, ULAW_TO_ALAW, Incoming, Outgoing
from gateway.legs.sip.sdes import Crypto
from gateway.legs.sip.sdp import Agreed, Direction
from gateway.legs.sip.srtp import Receiver, Sender, Suite
from gateway.legs.sip.stream import Stream

PEER = ("192.0.2.10", 6000)
OTHER = ("192.0.2.66", 6000)
AGREED = Agreed("192.0.2.10", 5998, 0, False, 101, Direction.BOTH, 0)
WORD = b"\x10" * 160


def stream(agreed: Agreed = AGREED, now_ms: int = 0) -> Stream:
    return Stream(agreed, Playout(), Outgoing(9, agreed.payload_type, 0, 0), now_ms)


def data(number: int, payload: bytes = WORD, kind: int = 0, ssrc: int = 5) -> bytes:
    return struct.pack("!BBHII", 0x80, kind, number & 0xFFFF, number * 160 & 0xFFFFFFFF, ssrc) + payload


def heard(found: Stream, count: int = 20, source: tuple[str, int] = PEER, first: int = 0) -> list[bytes]:
    frames = []
    for number in range(first, first + count):
        found.receive(data(number), source, number * 20)
        frames.append(found.caller().ulaw)
    return frames


def test_what_the_caller_says_comes_out_frame_by_frame() -> None:
    found = stream()
    assert heard(found)[5:] == [WORD] * 15
    assert found.figures()["rtp_received"] == 20
    assert found.figures()["kvs_delay_ms_p50"] == 60


def test_keys_can_come_where_the_peer_has_telephone_event() -> None:
    assert stream().takes_keys
    assert not stream(replace(AGREED, events=None)).takes_keys


def test_packets_go_to_where_the_first_one_came_from() -> None:
    found = stream()
    assert found.destination == ("192.0.2.10", 5998)
    found.receive(data(0), PEER, 0)
    assert found.destination == PEER


def test_nobody_talks_into_a_call_by_knowing_its_port() -> None:
    found = stream()
    found.receive(data(0), PEER, 0)
    found.receive(data(1), OTHER, 499)
    assert (found.refused, found.destination) == (1, PEER)
    found.receive(data(1), OTHER, 500)
    assert found.destination == OTHER


def test_a_peer_that_moves_is_followed() -> None:
    found = stream()
    found.receive(data(0), PEER, 0)
    found.change(replace(AGREED, address="192.0.2.66"), 20)
    found.receive(data(1), OTHER, 40)
    assert (found.refused, found.destination) == (0, OTHER)
    found.change(replace(AGREED, address="192.0.2.66", payload_type=8, alaw=True), 60)
    assert found.destination == OTHER


def test_a_law_goes_both_ways() -> None:
    found = stream(replace(AGREED, payload_type=8, alaw=True))
    alaw, last = bytes(range(160)), b""
    for number in range(5):
        found.receive(data(number, alaw, 8), PEER, number * 20)
        last = found.caller().ulaw
    assert last == alaw.translate(ALAW_TO_ULAW)
    found.playout.speak(WORD)
    packet = found.packet(0, 0)
    assert packet is not None
    assert rtp.parse(packet).payload == WORD.translate(ULAW_TO_ALAW)
    assert rtp.parse(packet).payload_type == 8


def test_keys_are_told_once_asked() -> None:
    found = stream()
    for number, event in enumerate((1, 2, 10)):
        found.receive(data(number * 10, bytes((event, 10, 0, 160)), 101), PEER, 0)
    assert found.pressed() == "12*"
    assert found.pressed() == ""


def test_other_kinds_of_packets_are_counted() -> None:
    found = stream()
    found.receive(b"garbage", PEER, 0)
    found.receive(data(0, b"xx", 101), PEER, 0)
    found.receive(data(0, b"noise", 13), PEER, 0)
    assert (found.malformed, found.unknown) == (2, 1)


def test_a_source_that_starts_anew_is_heard() -> None:
    found = stream()
    found.receive(data(0), PEER, 0)
    found.receive(data(40_000, ssrc=6), PEER, 20)
    found.receive(data(20_000, ssrc=6), PEER, 40)
    assert found.restarts == 2


def test_the_first_packet_of_speech_is_marked_and_silence_is_sent_too() -> None:
    found = stream()
    silent = found.packet(0, 0)
    found.playout.speak(WORD * 2)
    first, second = found.packet(20, 0), found.packet(40, 2)
    packets = [rtp.parse(packet) for packet in (silent, first, second) if packet is not None]
    assert [packet.marker for packet in packets] == [False, True, False]
    assert packets[0].payload == ULAW_SILENCE * 160
    assert [packet.timestamp for packet in packets] == [0, 160, 640]
    assert [packet.sequence for packet in packets] == [0, 1, 2]


def test_on_hold_nothing_is_sent_and_nothing_is_lost() -> None:
    found = stream()
    found.playout.speak(WORD)
    found.change(replace(AGREED, direction=Direction.RECEIVES), 0)
    assert found.packet(0, 0) is None
    found.change(AGREED, 20)
    packet = found.packet(20, 0)
    assert packet is not None
    assert rtp.parse(packet).payload == WORD
    assert rtp.parse(packet).timestamp == 160


def test_reports_go_out_every_five_seconds_and_tell_what_the_peer_lost() -> None:
    found = stream()
    assert found.report(0, "us") is not None
    assert found.report(4999, "us") is None
    found.packet(0, 0)
    theirs = Incoming.of(rtp.parse(data(0, ssrc=9)))
    for number in (0, 3):
        theirs.count(rtp.parse(data(number, ssrc=9)), 0)
    found.receive_report(rtcp.report(Outgoing(77, 0, 0, 0), theirs, 0, "them"))
    assert found.figures()["rtp_sent_lost"] == 2
    found.receive_report(rtcp.report(Outgoing(77, 0, 0, 0), replace(theirs, ssrc=1), 0, "them"))
    found.receive_report(b"\x80")
    assert (found.malformed, found.figures()["rtp_sent_lost"]) == (1, 2)


def test_a_line_on_which_nothing_comes_is_dead_after_a_while() -> None:
    found = stream(now_ms=1000)
    assert not found.silent(30_999)
    assert found.silent(31_000)
    found.receive(data(0), PEER, 31_000)
    assert not found.silent(45_999)
    assert found.silent(46_000)
    found.change(replace(AGREED, direction=Direction.NONE), 46_000)
    assert not found.silent(10**6)
    found.change(AGREED, 10**6)
    assert not found.silent(10**6 + 14_999)


def test_a_call_without_a_packet_has_figures_too() -> None:
    assert stream().figures()["rtp_received"] == 0


MASTER, OTHERS = bytes(range(30)), bytes(range(30, 60))
SECURE = replace(AGREED, crypto=Crypto(1, Suite.SHA1_80, OTHERS))


def secure(agreed: Agreed = SECURE) -> Stream:
    return Stream(agreed, Playout(), Outgoing(9, 0, 0, 0), 0, MASTER)


def test_protected_media_go_both_ways() -> None:
    found, peer = secure(), Sender(OTHERS, Suite.SHA1_80)
    reader = Receiver(MASTER, Suite.SHA1_80)
    frames = []
    for number in range(20):
        found.receive(peer.protect(data(number)), PEER, number * 20)
        frames.append(found.caller().ulaw)
        packet = found.packet(number * 20, 0)
        assert packet is not None
        assert rtp.parse(reader.unprotect(packet)).sequence == number
    assert frames[5:] == [WORD] * 15
    report = found.report(400, "x")
    assert report is not None
    assert rtcp.parse(reader.unprotect_report(report))[0].ssrc == 5


def test_what_is_not_genuine_counts_for_nothing_not_even_for_the_way_back() -> None:
    found, peer = secure(), Sender(OTHERS, Suite.SHA1_80)
    for wrong in (data(0), Sender(bytes(30), Suite.SHA1_80).protect(data(0))):
        found.receive(wrong, OTHER, 0)
    found.receive_report(bytes([0x80, 201]) + bytes(30))
    assert found.destination == ("192.0.2.10", 5998)
    genuine = peer.protect(data(0))
    found.receive(genuine, PEER, 0)
    found.receive(genuine, OTHER, 5000)
    assert found.destination == PEER
    assert (found.figures()["rtp_forged"], found.figures()["rtp_received"]) == (4, 1)
    assert found.malformed == 0


def test_reports_of_the_peer_are_read_when_they_are_protected() -> None:
    found, peer = secure(), Sender(OTHERS, Suite.SHA1_80)
    heard_of_us = Incoming(9, 0, 10, 8)
    found.receive_report(peer.protect_report(rtcp.report(Outgoing(5, 0, 0, 0), heard_of_us, 0, "peer")))
    assert found.figures()["rtp_sent_lost"] == 3


def test_the_same_key_in_a_change_goes_on_and_another_one_begins_anew() -> None:
    found, peer = secure(), Sender(OTHERS, Suite.SHA1_80)
    reader = Receiver(MASTER, Suite.SHA1_80)
    first = peer.protect(data(0))
    found.receive(first, PEER, 0)
    found.change(replace(SECURE, direction=Direction.RECEIVES), 20)
    found.change(SECURE, 40)
    found.receive(first, PEER, 60)
    assert found.forged == 1
    before = found.packet(60, 0)
    found.change(replace(SECURE, crypto=Crypto(1, Suite.SHA1_32, MASTER)), 80)
    found.receive(Sender(MASTER, Suite.SHA1_32).protect(data(1)), PEER, 100)
    assert found.forged == 1
    after = found.packet(100, 0)
    assert before is not None
    assert after is not None
    assert len(before) - len(after) == 6
    assert (
        rtp.parse(reader.unprotect(before)).sequence + 1
        == rtp.parse(Receiver(MASTER, Suite.SHA1_32).unprotect(after)).sequence
    )


def test_plain_media_may_become_protected() -> None:
    found = stream()
    found.master = MASTER
    found.change(SECURE, 0)
    found.receive(Sender(OTHERS, Suite.SHA1_80).protect(data(0)), PEER, 0)
    assert found.figures()["rtp_received"] == 1
