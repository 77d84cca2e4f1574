"""SRTP and SRTCP (RFC 3711) with AES in counter mode and HMAC-SHA1: packets in, packets out. No I/O.

A packet's index is its sequence number and a roll-over counter that is never sent: both sides count it, the receiver by
the sequence numbers that it has seen. Keys are derived once (a derivation rate of 0). What does not fit its tag, or was
seen before, is refused before it changes anything.
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import InitVar, dataclass, field
from enum import Enum

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.hmac import HMAC

from gateway.legs.sip.errors import MalformedPacket, PacketRefused
from gateway.legs.sip.rtp import header_bytes

KEY_BYTES, SALT_BYTES, AUTH_BYTES = 16, 14, 20
MASTER_BYTES = KEY_BYTES + SALT_BYTES
RTCP_TAG = 10  # whatever the suite (RFC 4568 section 6.2)
RTCP_HEAD = 8  # of the first packet of a compound one: it stays readable
ENCRYPTED = 0x80000000  # the flag in front of the index of an SRTCP packet
MOST_INDEX = 0x7FFFFFFF
_HEAD = struct.Struct("!2xH4xI")  # sequence number and source of an RTP packet
WINDOW = 128  # packets behind the newest that may still come; at least 64 (RFC 3711 section 3.3.2)
MOST_SOURCES = 64  # under one key: a source that is forgotten could be replayed


class Suite(Enum):
    """What the session description calls it, and the length of the tag of an RTP packet."""

    SHA1_80 = ("AES_CM_128_HMAC_SHA1_80", 10)
    SHA1_32 = ("AES_CM_128_HMAC_SHA1_32", 4)

    @property
    def label(self) -> str:
        return self.value[0]

    @property
    def tag(self) -> int:
        return self.value[1]


class Keystream:
    """AES-128 in counter mode, for one key after the other counter."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(AES(key), CTR(bytes(16))).encryptor()

    def apply(self, counter: int, data: bytes) -> bytes:
        """Encrypt, or decrypt, with the blocks from `counter` (128 bits) on."""
        self._cipher.reset_nonce(counter.to_bytes(16, "big"))
        return self._cipher.update(data)


@dataclass(slots=True)
class SessionKeys:
    """The session keys of one direction of RTP or RTCP."""

    keystream: Keystream
    salt: int = field(repr=False)  # where it stands in the counter: 16 bits to the left
    auth: HMAC

    @classmethod
    def derived(cls, master: bytes, first_label: int) -> SessionKeys:
        """RFC 3711 section 4.3; `master` is key and salt, labels count from 0 for RTP and from 3 for RTCP."""
        keystream = Keystream(master[:KEY_BYTES])
        salt = int.from_bytes(master[KEY_BYTES:], "big")
        lengths = (KEY_BYTES, AUTH_BYTES, SALT_BYTES)
        key, auth, own_salt = (
            keystream.apply((salt ^ (first_label + number) << 48) << 16, bytes(length))
            for number, length in enumerate(lengths)
        )
        return cls(Keystream(key), int.from_bytes(own_salt, "big") << 16, HMAC(auth, SHA1()))  # noqa: S303 - RFC 3711

    def apply(self, ssrc: int, index: int, data: bytes) -> bytes:
        """Encrypt, or decrypt (section 4.1.1)."""
        return self.keystream.apply(self.salt ^ ssrc << 64 ^ index << 16, data)

    def tag(self, data: bytes, more: bytes = b"") -> bytes:
        """All 20 bytes. A copy costs a third of a new one, which would have to hash the key again."""
        auth = self.auth.copy()
        auth.update(data)
        if more:
            auth.update(more)
        return auth.finalize()


@dataclass(slots=True)
class Window:
    """Which indices have come: the newest, and one bit for each before it."""

    newest: int = -1
    _seen: int = 0

    def check(self, index: int) -> None:
        """Raises PacketRefused."""
        behind = self.newest - index
        if behind >= WINDOW:
            raise PacketRefused("too old", index)
        if behind >= 0 and self._seen >> behind & 1:
            raise PacketRefused("a copy", index)

    def add(self, index: int) -> None:
        """The packet was genuine."""
        ahead = index - self.newest
        if ahead > 0:
            self._seen = (self._seen << min(ahead, WINDOW) | 1) & ((1 << WINDOW) - 1)
            self.newest = index
        else:
            self._seen |= 1 << -ahead

    def guess(self, sequence: int) -> int:
        """The index of an RTP packet: the one nearest to the newest (RFC 3711 appendix A). Raises PacketRefused."""
        if self.newest < 0:
            return sequence
        cycle, newest = self.newest & ~0xFFFF, self.newest & 0xFFFF
        if newest < 0x8000 < sequence - newest:
            cycle -= 0x10000
        elif newest - 0x8000 > sequence:
            cycle += 0x10000
        if cycle < 0:
            raise PacketRefused("before the first", sequence)
        return cycle | sequence


@dataclass(slots=True)
class Sender:
    """Protects what we send of one source. The suite may change in mid-call; indices count on, since a keystream must
    never be used twice."""

    master: bytes = field(repr=False)
    suite: InitVar[Suite]
    _rtp: SessionKeys = field(init=False, repr=False)
    _rtcp: SessionKeys = field(init=False, repr=False)
    _tag: int = field(init=False)
    _cycle: int = 0
    _sequence: int = 0
    _reports: int = 0

    def __post_init__(self, suite: Suite) -> None:
        self._rtp, self._rtcp = SessionKeys.derived(self.master, 0), SessionKeys.derived(self.master, 3)
        self.use(suite)

    def use(self, suite: Suite) -> None:
        """From the next packet on."""
        self._tag = suite.tag

    def protect(self, packet: bytes) -> bytes:
        """Runs for every packet; they come in the order of their sequence numbers, whose gaps do not matter."""
        sequence, ssrc = _HEAD.unpack_from(packet)
        if sequence < self._sequence:
            self._cycle += 1
        self._sequence = sequence
        start, keys = header_bytes(packet), self._rtp
        protected = packet[:start] + keys.apply(ssrc, self._cycle << 16 | sequence, packet[start:])
        return protected + keys.tag(protected, self._cycle.to_bytes(4, "big"))[: self._tag]

    def protect_report(self, packet: bytes) -> bytes:
        """A compound RTCP packet (section 3.4)."""
        self._reports = (self._reports + 1) & MOST_INDEX
        ssrc = int.from_bytes(packet[4:8], "big")
        body = self._rtcp.apply(ssrc, self._reports, packet[RTCP_HEAD:])
        protected = packet[:RTCP_HEAD] + body + (ENCRYPTED | self._reports).to_bytes(4, "big")
        return protected + self._rtcp.tag(protected)[:RTCP_TAG]


@dataclass(slots=True)
class Receiver:
    """Reads what the peer protected, each source with a window of its own."""

    master: bytes = field(repr=False)
    suite: Suite
    _rtp: SessionKeys = field(init=False, repr=False)
    _rtcp: SessionKeys = field(init=False, repr=False)
    _tag: int = field(init=False)
    _windows: dict[int, Window] = field(default_factory=dict)
    _reports: dict[int, Window] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rtp, self._rtcp = SessionKeys.derived(self.master, 0), SessionKeys.derived(self.master, 3)
        self._tag = self.suite.tag

    def unprotect(self, packet: bytes) -> bytes:
        """The RTP packet within. Runs for every packet. Raises MalformedPacket, PacketRefused."""
        start, end = header_bytes(packet), len(packet) - self._tag
        if end < start:
            raise MalformedPacket("SRTP", f"a tag of {self._tag} bytes", len(packet) - start)
        sequence, ssrc = _HEAD.unpack_from(packet)
        window = self._windows.get(ssrc) or Window()
        index = window.guess(sequence)
        window.check(index)
        keys, authenticated = self._rtp, packet[:end]
        _same(keys.tag(authenticated, (index >> 16).to_bytes(4, "big")), packet[end:])
        _remember(self._windows, ssrc, window, index)
        return packet[:start] + keys.apply(ssrc, index, authenticated[start:])

    def unprotect_report(self, packet: bytes) -> bytes:
        """The RTCP packet within. Raises MalformedPacket, PacketRefused."""
        end = len(packet) - RTCP_TAG - 4
        if end < RTCP_HEAD:
            raise MalformedPacket("SRTCP", f"at least {RTCP_HEAD + 4 + RTCP_TAG} bytes", len(packet))
        word, ssrc = int.from_bytes(packet[end : end + 4], "big"), int.from_bytes(packet[4:8], "big")
        index = word & MOST_INDEX
        window = self._reports.get(ssrc) or Window()
        window.check(index)
        _same(self._rtcp.tag(packet[: end + 4]), packet[end + 4 :])
        _remember(self._reports, ssrc, window, index)
        body = packet[RTCP_HEAD:end]
        return packet[:RTCP_HEAD] + (self._rtcp.apply(ssrc, index, body) if word & ENCRYPTED else body)


def _same(expected: bytes, tag: bytes) -> None:
    if not hmac.compare_digest(expected[: len(tag)], tag):
        raise PacketRefused("not genuine")


def _remember(windows: dict[int, Window], ssrc: int, window: Window, index: int) -> None:
    if ssrc not in windows:
        if len(windows) >= MOST_SOURCES:
            raise PacketRefused("one source too many", ssrc)
        windows[ssrc] = window
    window.add(index)
