"""RTCP (RFC 3550 section 6): our sender reports, and what the peer reports of what it received. No I/O."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from gateway.legs.sip.errors import MalformedPacket
from gateway.legs.sip.rtp import Incoming, Outgoing

SENDER, RECEIVER, DESCRIPTION, BYE = 200, 201, 202, 203
NTP_EPOCH_S = 2_208_988_800  # from 1900 to 1970
EVERY_MS = 5000
MAX_BYTES = 1500


@dataclass(frozen=True, slots=True)
class Report:
    """One report block about a stream of ours. `jitter` in timestamp units, `fraction` in 256ths."""

    ssrc: int
    fraction: int
    lost: int
    jitter: int


def parse(data: bytes) -> list[Report]:
    """The report blocks of a compound packet. Raises MalformedPacket."""
    if len(data) > MAX_BYTES:
        raise MalformedPacket("size", f"at most {MAX_BYTES} bytes", len(data))
    reports, at = [], 0
    while at < len(data):
        if len(data) - at < 4 or data[at] >> 6 != 2:
            raise MalformedPacket("RTCP header", "version 2", data[at : at + 4])
        count, kind = data[at] & 0x1F, data[at + 1]
        length = 4 + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
        block = data[at : at + length]
        if len(block) < length:
            raise MalformedPacket("RTCP length", f"{length} bytes", len(block))
        if kind in (SENDER, RECEIVER):
            reports += _blocks(block, 28 if kind == SENDER else 8, count)
        at += length
    return reports


def _blocks(data: bytes, start: int, count: int) -> list[Report]:
    if len(data) < start + 24 * count:
        raise MalformedPacket("report blocks", f"{count} of them", len(data))
    found = []
    for number in range(count):
        ssrc, loss, _, jitter = struct.unpack_from("!IIII", data, start + 24 * number)
        lost = loss & 0xFFFFFF
        found.append(Report(ssrc, loss >> 24, lost - 0x1000000 if lost & 0x800000 else lost, jitter))
    return found


def report(out: Outgoing, heard: Incoming | None, now_ms: int, name: str) -> bytes:
    """A sender report with our canonical name, and what we heard of the peer."""
    seconds, rest = divmod(now_ms, 1000)
    blocks = b"" if heard is None else _block(heard)
    ntp = (NTP_EPOCH_S + seconds) & 0xFFFFFFFF
    head = struct.pack(
        "!BBHIIIIII",
        0x80 | (1 if blocks else 0),
        SENDER,
        (28 + len(blocks)) // 4 - 1,
        out.ssrc,
        ntp,
        (rest << 32) // 1000,
        out.timestamp,
        out.packets & 0xFFFFFFFF,
        out.octets & 0xFFFFFFFF,
    )
    return head + blocks + _description(out.ssrc, name)


def bye(out: Outgoing) -> bytes:
    """We stop sending."""
    return struct.pack("!BBHI", 0x81, BYE, 1, out.ssrc)


def _block(heard: Incoming) -> bytes:
    lost = max(-0x800000, min(heard.lost, 0x7FFFFF)) & 0xFFFFFF
    fraction = heard.fraction_lost()
    return struct.pack(
        "!IIIIII", heard.ssrc, fraction << 24 | lost, heard.highest & 0xFFFFFFFF, int(heard.jitter), 0, 0
    )


def _description(ssrc: int, name: str) -> bytes:
    text = name.encode()[:255]
    item = bytes((1, len(text))) + text
    chunk = struct.pack("!I", ssrc) + item + bytes(4 - len(item) % 4)
    return struct.pack("!BBH", 0x81, DESCRIPTION, len(chunk) // 4) + chunk
