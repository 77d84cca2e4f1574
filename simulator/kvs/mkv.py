"""Matroska as GetMedia returns it for a Connect stream: one small document for each fragment.

The layout follows printed captures of real Connect fragments, its bytes AWS's recorded GetMedia responses:
Segment and Cluster of unknown size; sizes of 8 bytes where the producer SDK writes, of 4 where the service does,
of 1 in what the SDK keeps as a template; strings that carry NULs; a codec id that lies (A_AAC over 16-bit PCM);
the service's tags before and after the Cluster, the contact's mostly after it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

FROM_CUSTOMER = "AUDIO_FROM_CUSTOMER"
TO_CUSTOMER = "AUDIO_TO_CUSTOMER"
BOTH = (FROM_CUSTOMER, TO_CUSTOMER)

_UIDS = {FROM_CUSTOMER: 1, TO_CUSTOMER: 2}  # seen in captures: the UID follows the name, the number does not
_UNKNOWN_8 = bytes.fromhex("01FFFFFFFFFFFFFF")
_UNKNOWN_1 = b"\xff"
_PRODUCER, _SERVICE, _TEMPLATE = 8, 4, 1  # bytes of a size


def element(identifier: str, payload: bytes, size_bytes: int = _PRODUCER) -> bytes:
    """An element: `identifier` in hexadecimal; its size takes 8 bytes as AWS's producer SDK writes it, or fewer."""
    size = (len(payload) | 1 << 7 * size_bytes).to_bytes(size_bytes, "big")
    return bytes.fromhex(identifier) + size + payload


def padded(text: str, length: int = 32) -> bytes:
    return text.encode().ljust(length, b"\x00")


def unsigned(value: int, length: int = 8) -> bytes:
    return value.to_bytes(length, "big")


def tags(pairs: Sequence[tuple[str, str]], size_bytes: int = _PRODUCER) -> bytes:
    """One Tags element with all pairs in one Tag."""

    def named(identifier: str, payload: bytes) -> bytes:
        return element(identifier, payload, size_bytes)

    simple = b"".join(
        named("67C8", named("45A3", name.encode()) + named("4487", value.encode())) for name, value in pairs
    )
    return named("1254C367", named("7373", simple))


def seconds(epoch_ms: int) -> str:
    """A timestamp as the service's tags have it: decimal seconds with three decimals."""
    return f"{epoch_ms // 1000}.{epoch_ms % 1000:03d}"


def head(
    segment_uid: bytes, tracks: Sequence[str], number: str, producer_ms: int, server_ms: int, before: bytes = b""
) -> bytes:
    """Everything of a fragment before its first block. Track numbers count from 1 in the order of `tracks`.

    `before`: the contact's tags, where they come first.
    """
    service = [
        ("AWS_KINESISVIDEO_FRAGMENT_NUMBER", number),
        ("AWS_KINESISVIDEO_SERVER_TIMESTAMP", seconds(server_ms)),
        ("AWS_KINESISVIDEO_PRODUCER_TIMESTAMP", seconds(producer_ms)),
    ]
    cluster = bytes.fromhex("1F43B675") + _UNKNOWN_1
    cluster += element("E7", unsigned(producer_ms), _TEMPLATE) + element("A7", b"\x00", _TEMPLATE)
    return _document(segment_uid, tracks) + before + tags(service, _SERVICE) + cluster


def _document(segment_uid: bytes, tracks: Sequence[str]) -> bytes:
    """EBML header, and the Segment up to its tracks."""
    header = b"".join(
        element(identifier, payload, _TEMPLATE)
        for identifier, payload in (
            ("4286", b"\x01"),  # EBMLVersion
            ("42F7", b"\x01"),  # EBMLReadVersion
            ("42F2", b"\x04"),  # EBMLMaxIDLength
            ("42F3", b"\x08"),  # EBMLMaxSizeLength
            ("4282", b"matroska\x00"),  # DocType
            ("4287", b"\x02"),  # DocTypeVersion
            ("4285", b"\x02"),  # DocTypeReadVersion
        )
    )
    info = b"".join(
        element(identifier, payload, _TEMPLATE)
        for identifier, payload in (
            ("73A4", segment_uid),
            ("2AD7B1", unsigned(1_000_000)),  # TimecodeScale: 1 ms
            ("7BA9", b"Kinesis Video SDK\x00"),  # Title
            ("4D80", b"Kinesis Video SDK 1.1.0 JNI 2.0\x00"),  # MuxingApp
            ("5741", b"Kinesis Video SDK 1.1.0 JNI 2.0\x00"),  # WritingApp
        )
    )
    entries = b"".join(_track(index + 1, name) for index, name in enumerate(tracks))
    segment = bytes.fromhex("18538067") + _UNKNOWN_8
    return (
        element("1A45DFA3", header, _TEMPLATE)
        + segment
        + element("1549A966", info, _TEMPLATE)
        + element("1654AE6B", entries, _SERVICE)
    )


def _track(number: int, name: str) -> bytes:
    entry = element("D7", bytes([number]), _TEMPLATE) + element("73C5", unsigned(_UIDS[name]), _TEMPLATE)
    entry += element("83", b"\x02", _TEMPLATE)  # audio
    entry += element("536E", padded(name), _TEMPLATE) + element("86", padded("A_AAC"), _TEMPLATE)
    entry += element("63A2", b"\x11\x90", _TEMPLATE)
    return element("AE", entry, _SERVICE)


def block(track: int, relative_ms: int, pcm: bytes) -> bytes:
    """A SimpleBlock; its timecode counts from the Cluster's and is a signed 16-bit number."""
    return element("A3", bytes([0x80 | track]) + struct.pack(">hB", relative_ms, 0x80) + pcm)


def contact_tags(contact_id: str, instance_id: str, tracks: Sequence[str] = BOTH) -> bytes:
    """The producer's tags, one Tags element each; without a ContactId where there is none.

    The numbers of the AUDIO_* tags are always these, whatever the Tracks element says.
    """
    pairs = [
        ("ContactId", contact_id),
        ("InstanceId", instance_id),
        ("MimeType", "audio/L16;rate=8000;channels=1;"),
        *((name, str(_UIDS[name])) for name in BOTH if name in tracks),
        ("Events", "[]"),
    ]
    return b"".join(tags([pair]) for pair in pairs if pair[1])


def tail(behind_ms: int, token: str) -> bytes:
    """The service's last word on a fragment."""
    pairs = [("AWS_KINESISVIDEO_MILLIS_BEHIND_NOW", str(behind_ms)), ("AWS_KINESISVIDEO_CONTINUATION_TOKEN", token)]
    return tags(pairs, _SERVICE)


def error(segment_uid: bytes, error_id: int, code: str, number: str = "") -> bytes:
    """A failure inside a body that began with HTTP 200: a document of tags, after which the body ends."""
    pairs = [("AWS_KINESISVIDEO_FRAGMENT_NUMBER", number)] if number else []
    pairs += [("AWS_KINESISVIDEO_ERROR_CODE", code), ("AWS_KINESISVIDEO_ERROR_ID", str(error_id))]
    return _document(segment_uid, [FROM_CUSTOMER]) + tags(pairs, _SERVICE)
