"""SRTP: the vectors of RFC 3711, both ways through loss, disorder and the roll-over, and what is refused."""

from __future__ import annotations

import hmac
import random
import struct

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.legs.sip import rtcp, rtp
from gateway.legs.sip.errors import MalformedPacket, PacketRefused, SipError
from gateway.legs.sip.rtp import Outgoing
from gateway.legs.sip.srtp import MOST_SOURCES, WINDOW, Keystream, Receiver, Sender, SessionKeys, Suite, Window

MASTER = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6")  # appendix B.3
BOTH = pytest.mark.parametrize("suite", Suite)


def packets(count: int, *, sequence: int = 0, ssrc: int = 7) -> list[bytes]:
    out = Outgoing(ssrc, 0, sequence, 100)
    return [out.packet(bytes([number & 0xFF]) * 160) for number in range(count)]


def pair(suite: Suite = Suite.SHA1_80) -> tuple[Sender, Receiver]:
    return Sender(MASTER, suite), Receiver(MASTER, suite)


def test_the_keystream_of_appendix_b_2() -> None:
    salt = int.from_bytes(bytes.fromhex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000"), "big")
    keys = SessionKeys(Keystream(bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C")), salt, HMAC(b"", SHA1()))
    stream = keys.apply(0, 0, bytes(0xFF02 * 16)).hex().upper()
    assert (
        stream[:96]
        == "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0"
    )
    assert (
        stream[-96:]
        == "EC8CDF7398607CB0F2D21675EA9EA1E4362B7C3C6773516318A077D7FC5073AE6A2CC3787889374FBEB4C81B17BA6C44"
    )


def test_the_session_keys_of_appendix_b_3() -> None:
    master = Keystream(MASTER[:16])
    salt = int.from_bytes(MASTER[16:], "big") << 16
    assert master.apply(salt, bytes(16)).hex().upper() == "C61E7A93744F39EE10734AFE3FF7A087"
    keys = SessionKeys.derived(MASTER, 0)
    assert (keys.salt >> 16).to_bytes(14, "big").hex().upper() == "30CBBC08863D8C85D49DB34A9AE1"
    auth = bytes.fromhex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")
    assert keys.tag(b"data", b"more") == hmac.digest(auth, b"datamore", "sha1")
    clear = bytes(range(16))
    own = Keystream(bytes.fromhex("C61E7A93744F39EE10734AFE3FF7A087"))
    assert keys.apply(5, 6, clear) == own.apply(keys.salt ^ 5 << 64 ^ 6 << 16, clear)


@BOTH
def test_what_is_protected_is_longer_by_its_tag_and_comes_out_as_it_was(suite: Suite) -> None:
    sender, receiver = pair(suite)
    for packet in packets(300, sequence=0x7FF0):
        protected = sender.protect(packet)
        assert len(protected) == len(packet) + suite.tag
        assert protected[:12] == packet[:12]
        assert packet[12:] not in protected
        assert receiver.unprotect(protected) == packet


def test_contributing_sources_and_an_extension_stay_readable() -> None:
    sender, receiver = pair()
    head = struct.pack("!BBHII", 0x92, 0, 5, 6, 7) + b"1234" * 2 + b"\xbe\xde\x00\x01abcd"
    protected = sender.protect(head + b"payload")
    assert protected.startswith(head)
    assert rtp.parse(receiver.unprotect(protected)).payload == b"payload"


@BOTH
def test_the_rollover_is_followed_through_loss_and_disorder(suite: Suite) -> None:
    sender, receiver = pair(suite)
    rng = random.Random(3)
    indices = [*range(65_000, 65_900), *range(66_000, 200_000, 9000), *range(200_000, 200_900)]
    sent = [
        (packet, sender.protect(packet)) for packet in (packets(1, sequence=index & 0xFFFF)[0] for index in indices)
    ]
    way = disordered(sent[:900], rng) + sent[900:-900] + disordered(sent[-900:], rng)  # most of two cycles is lost
    assert [receiver.unprotect(protected) for _, protected in way] == [packet for packet, _ in way]


def disordered(sent: list[tuple[bytes, bytes]], rng: random.Random) -> list[tuple[bytes, bytes]]:
    """A tenth is lost, and what remains comes up to eight packets late."""
    kept = [each for each in enumerate(sent) if rng.random() < 0.9]
    return [each for _, each in sorted(kept, key=lambda each: each[0] + rng.random() * 8)]


@settings(max_examples=40)
@given(st.randoms(use_true_random=False), st.integers(0, 0xFFFF), st.integers(1, 200))
def test_whatever_is_lost_or_comes_late_or_twice_each_packet_counts_once(
    rng: random.Random, first: int, count: int
) -> None:
    sender, receiver = pair()
    sent = [(packet, sender.protect(packet)) for packet in packets(count, sequence=first)]
    way = [each for each in sent[1:] for _ in range(rng.choice([0, 1, 1, 2]))]
    way = [each for _, each in sorted(enumerate(way), key=lambda each: each[0] + rng.random() * 30)]
    came: list[bytes] = []
    for packet, protected in [sent[0], *way]:
        if packet in came:
            with pytest.raises(PacketRefused):
                receiver.unprotect(protected)
        else:
            came.append(receiver.unprotect(protected))
            assert came[-1] == packet


def test_a_copy_is_refused_and_what_is_older_than_the_window() -> None:
    sender, receiver = pair()
    first, *rest = (sender.protect(packet) for packet in packets(WINDOW + 2))
    receiver.unprotect(first)
    with pytest.raises(PacketRefused, match="a copy"):
        receiver.unprotect(first)
    for packet in rest[1:]:
        receiver.unprotect(packet)
    with pytest.raises(PacketRefused, match="too old"):
        receiver.unprotect(first)


def test_what_would_lie_before_the_first_packet_is_refused() -> None:
    window = Window()
    window.add(5)
    with pytest.raises(PacketRefused, match=r"protected packet: before the first \(65530\)"):
        window.guess(65_530)


@pytest.mark.parametrize(
    ("newest", "sequence", "index"),
    [
        (0xFFFF, 0, 0x10000),
        (0x10000, 0xFFFF, 0xFFFF),
        (0x17FFF, 0xFFFF, 0x1FFFF),
        (0x17FFE, 0xFFFF, 0xFFFF),
        (0x18000, 0, 0x10000),
        (0x18001, 0, 0x20000),
    ],
)
def test_the_guess_of_appendix_a(newest: int, sequence: int, index: int) -> None:
    window = Window()
    window.add(newest)
    assert window.guess(sequence) == index


@BOTH
def test_one_changed_bit_is_enough_and_changes_nothing(suite: Suite) -> None:
    sender, receiver = pair(suite)
    packet = packets(1)[0]
    protected = sender.protect(packet)
    for at in range(2, len(protected)):
        wrong = bytearray(protected)
        wrong[at] ^= 1
        with pytest.raises(PacketRefused, match="protected packet: not genuine"):
            receiver.unprotect(bytes(wrong))
    assert receiver.unprotect(protected) == packet


def test_another_key_or_another_suite_is_refused() -> None:
    protected = Sender(MASTER, Suite.SHA1_80).protect(packets(1)[0])
    for receiver in (Receiver(bytes(30), Suite.SHA1_80), Receiver(MASTER, Suite.SHA1_32)):
        with pytest.raises(PacketRefused):
            receiver.unprotect(protected)


def test_each_source_has_a_window_of_its_own_and_there_are_not_too_many() -> None:
    receiver = Receiver(MASTER, Suite.SHA1_80)
    for ssrc in range(MOST_SOURCES):
        receiver.unprotect(Sender(MASTER, Suite.SHA1_80).protect(packets(1, ssrc=ssrc)[0]))
    with pytest.raises(PacketRefused, match="one source too many"):
        receiver.unprotect(Sender(MASTER, Suite.SHA1_80).protect(packets(1, ssrc=MOST_SOURCES)[0]))


def test_a_suite_that_changes_does_not_use_a_keystream_twice() -> None:
    sender, old = pair(Suite.SHA1_80)
    first, second = packets(2)
    assert old.unprotect(sender.protect(first)) == first
    sender.use(Suite.SHA1_32)
    assert Receiver(MASTER, Suite.SHA1_32).unprotect(sender.protect(second)) == second


@BOTH
def test_reports_have_ten_bytes_of_tag_and_an_index_of_their_own(suite: Suite) -> None:
    sender, receiver = pair(suite)
    out = Outgoing(7, 0, 0, 0)
    for number in range(1, 4):
        report = rtcp.report(out, None, 1_700_000_000_000 + number, "x@y")
        protected = sender.protect_report(report)
        assert len(protected) == len(report) + 14
        assert protected[:8] == report[:8]
        assert protected[len(report) : len(report) + 4] == (0x80000000 + number).to_bytes(4, "big")
        assert receiver.unprotect_report(protected) == report
        with pytest.raises(PacketRefused, match="a copy"):
            receiver.unprotect_report(protected)
        with pytest.raises(PacketRefused, match="not genuine"):
            Receiver(MASTER, suite).unprotect_report(protected[:-1] + bytes([protected[-1] ^ 1]))


def test_a_report_that_is_only_authenticated_is_read_as_it_is() -> None:
    keys = SessionKeys.derived(MASTER, 3)
    report = rtcp.bye(Outgoing(7, 0, 0, 0)) + (5).to_bytes(4, "big")
    receiver = Receiver(MASTER, Suite.SHA1_80)
    assert receiver.unprotect_report(report + keys.tag(report)[:10]) == report[:-4]


@pytest.mark.parametrize("data", [b"", b"\x80" * 11, b"\x80" * 12, b"\x80" + bytes(20), bytes(30), b"\x80" * 1501])
def test_what_is_too_short_or_no_packet_is_malformed(data: bytes) -> None:
    receiver = Receiver(MASTER, Suite.SHA1_80)
    with pytest.raises(MalformedPacket):
        receiver.unprotect(data)
    with pytest.raises(SipError):
        receiver.unprotect_report(data[:21])


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_our_own_errors(data: bytes) -> None:
    receiver = Receiver(MASTER, Suite.SHA1_32)
    for read in (receiver.unprotect, receiver.unprotect_report):
        with pytest.raises(SipError):
            read(b"\x80" + data)


def test_no_key_stands_in_what_is_printed() -> None:
    sender, receiver = pair()
    printed = repr(sender) + repr(receiver) + repr(SessionKeys.derived(MASTER, 0))
    assert repr(MASTER)[2:8] not in printed
    assert f"{SessionKeys.derived(MASTER, 0).salt}" not in printed
