"""Matroska as GetMedia returns it for a Connect stream: one small document for each fragment.

The layout follows printed captures of real Connect fragments and AWS's recorded GetMedia responses: Segment
and Cluster of unknown size, 8-byte sizes inside, strings padded with NULs, a codec id that lies (A_AAC over
16-bit PCM), the service's own tags before and after the Cluster, the contact's tags after it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

FROM_CUSTOMER = "AUDIO_FROM_CUSTOMER"
TO_CUSTOMER = "AUDIO_TO_CUSTOMER"

_EBML = bytes.fromhex("1A45DFA3")
_SEGMENT = bytes.fromhex("18538067")
_INFO = bytes.fromhex("1549A966")
_TRACKS = bytes.fromhex("1654AE6B")
_TAGS = bytes.fromhex("1254C367")
_CLUSTER = bytes.fromhex("1F43B675")
_UNKNOWN_8 = bytes.fromhex("01FFFFFFFFFFFFFF")
_UNKNOWN_1 = b"\xff"


def element(identifier: str | bytes, payload: bytes) -> bytes:
    """An element with an 8-byte size, as AWS's producer SDK writes it."""
    raw = bytes.fromhex(identifier) if isinstance(identifier, str) else identifier
    return raw + (len(payload) | 1 << 56).to_bytes(8, "big") + payload


def padded(text: str, length: int = 32) -> bytes:
    return text.encode().ljust(length, b"\x00")


def unsigned(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


def tags(pairs: Sequence[tuple[str, str]]) -> bytes:
    """One Tags element with all pairs in one Tag."""
    simple = b"".join(
        element("67C8", element("45A3", name.encode()) + element("4487", value.encode())) for name, value in pairs
    )
    return element(_TAGS, element("7373", simple))


def seconds(epoch_ms: int) -> str:
    """A timestamp as the service's tags have it: decimal seconds with three decimals."""
    return f"{epoch_ms // 1000}.{epoch_ms % 1000:03d}"


def head(segment_uid: bytes, tracks: Sequence[str], number: str, producer_ms: int, server_ms: int) -> bytes:
    """Everything of a fragment before its first block. Track numbers count from 1 in the order of `tracks`."""
    header = element("4286", b"\x01") + element("42F7", b"\x01") + element("42F2", b"\x04") + element("42F3", b"\x08")
    header += element("4282", b"matroska\x00") + element("4287", b"\x02") + element("4285", b"\x02")
    info = element("73A4", segment_uid) + element("2AD7B1", unsigned(1_000_000))
    info += element("7BA9", b"Kinesis Video SDK\x00")
    info += element("4D80", b"Kinesis Video SDK 1.1.0 JNI 2.0\x00") + element(
        "5741", b"Kinesis Video SDK 1.1.0 JNI 2.0\x00"
    )
    entries = b"".join(_track(index + 1, name) for index, name in enumerate(tracks))
    service = tags(
        [
            ("AWS_KINESISVIDEO_FRAGMENT_NUMBER", number),
            ("AWS_KINESISVIDEO_SERVER_TIMESTAMP", seconds(server_ms)),
            ("AWS_KINESISVIDEO_PRODUCER_TIMESTAMP", seconds(producer_ms)),
        ]
    )
    cluster = _CLUSTER + _UNKNOWN_1 + element("E7", unsigned(producer_ms)) + element("A7", b"\x00")
    return (
        element(_EBML, header)
        + _SEGMENT
        + _UNKNOWN_8
        + element(_INFO, info)
        + element(_TRACKS, entries)
        + service
        + cluster
    )


def _track(number: int, name: str) -> bytes:
    entry = element("D7", unsigned(number)) + element("73C5", unsigned(0x1000 + number)) + element("83", b"\x02")
    entry += element("536E", padded(name)) + element("86", padded("A_AAC")) + element("63A2", b"\x11\x90")
    return element("AE", entry)


def block(track: int, relative_ms: int, pcm: bytes) -> bytes:
    """A SimpleBlock; its timecode counts from the Cluster's and is a signed 16-bit number."""
    return element("A3", bytes([0x80 | track]) + struct.pack(">hB", relative_ms, 0x80) + pcm)


def contact_tags(contact_id: str, instance_id: str) -> bytes:
    """The producer's tags after the Cluster, one Tags element each."""
    pairs = [
        ("ContactId", contact_id),
        ("InstanceId", instance_id),
        ("MimeType", "audio/L16;rate=8000;channels=1;"),
        (FROM_CUSTOMER, "1"),
        (TO_CUSTOMER, "2"),
        ("Events", "[]"),
    ]
    return b"".join(tags([pair]) for pair in pairs)


def tail(behind_ms: int, token: str) -> bytes:
    """The service's last word on a fragment."""
    return tags(
        [("AWS_KINESISVIDEO_MILLIS_BEHIND_NOW", str(behind_ms)), ("AWS_KINESISVIDEO_CONTINUATION_TOKEN", token)]
    )


def error(segment_uid: bytes, error_id: int, code: str) -> bytes:
    """A failure inside a body that began with HTTP 200: a document of tags, after which the body ends."""
    start = head(segment_uid, [FROM_CUSTOMER], "0", 0, 0)
    document = start[: start.index(_TAGS)]
    return document + tags([("AWS_KINESISVIDEO_ERROR_CODE", code), ("AWS_KINESISVIDEO_ERROR_ID", str(error_id))])
