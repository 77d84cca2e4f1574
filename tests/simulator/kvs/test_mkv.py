"""The bytes of a fragment, against the layout of captures and readers that others wrote."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import ebmlite
import pytest

from simulator.kvs import mkv
from tests.simulator.kvs.reading import documents, elements

UID = bytes(range(16))
NUMBER = "91343852333181432392682062607743920146159169392"
AT = 1_726_677_688_724
PCM = bytes(range(256)) * 4
TRACKS = (mkv.TO_CUSTOMER, mkv.FROM_CUSTOMER)


def fragment(tracks: tuple[str, ...] = TRACKS, blocks: int = 16) -> bytes:
    body = b"".join(mkv.block(track, index * 64, PCM) for index in range(blocks) for track in range(1, len(tracks) + 1))
    start = mkv.head(UID, tracks, NUMBER, AT, AT - 966)
    return start + body + mkv.contact_tags("contact-1", "instance-1", tracks) + mkv.tail(12, NUMBER)


def packed(*parts: str | bytes) -> bytes:
    return b"".join(bytes.fromhex(part) if isinstance(part, str) else part for part in parts)


def service_tag(name: bytes, value: bytes) -> bytes:
    inside = packed("45A3 10 0000", bytes([len(name)]), name, "4487 10 0000", bytes([len(value)]), value)
    return packed("67C8 10 0000", bytes([len(inside)]), inside)


def test_a_fragment_begins_byte_by_byte_as_in_captures() -> None:
    header = packed("4286 81 01 42F7 81 01 42F2 81 04 42F3 81 08 4282 89", b"matroska\0", "4287 81 02 4285 81 02")
    assert len(header) == 36
    app = packed(b"Kinesis Video SDK 1.1.0 JNI 2.0", "00")
    info = packed("73A4 90", UID, "2AD7B1 88 00000000000F4240", "7BA9 92", b"Kinesis Video SDK\0")
    info += packed("4D80 A0", app, "5741 A0", app)
    codec = packed("86 A0", b"A_AAC".ljust(32, b"\0"), "63A2 82 1190")
    first = packed("D7 81 01 73C5 88 0000000000000002 83 81 02 536E A0", b"AUDIO_TO_CUSTOMER".ljust(32, b"\0"), codec)
    second = packed(
        "D7 81 02 73C5 88 0000000000000001 83 81 02 536E A0", b"AUDIO_FROM_CUSTOMER".ljust(32, b"\0"), codec
    )
    entries = b"".join(packed("AE 10 0000", bytes([len(entry)]), entry) for entry in (first, second))
    tags = service_tag(b"AWS_KINESISVIDEO_FRAGMENT_NUMBER", NUMBER.encode())
    tags += service_tag(b"AWS_KINESISVIDEO_SERVER_TIMESTAMP", b"1726677687.758")
    tags += service_tag(b"AWS_KINESISVIDEO_PRODUCER_TIMESTAMP", b"1726677688.724")
    assert mkv.head(UID, TRACKS, NUMBER, AT, AT - 966) == packed(
        "1A45DFA3 A4",
        header,
        "18538067 01FFFFFFFFFFFFFF",
        "1549A966",
        bytes([0x80 | len(info)]),
        info,
        "1654AE6B 10 0000",
        bytes([len(entries)]),
        entries,
        "1254C367 10 0000",
        bytes([len(tags) + 6]),
        "7373 10 0000",
        bytes([len(tags)]),
        tags,
        "1F43B675 FF",
        "E7 88",
        struct.pack(">Q", AT),
        "A7 81 00",
    )


def test_a_block_is_a_simple_block_with_a_size_of_eight_bytes() -> None:
    assert mkv.block(2, 960, PCM) == packed("A3 01 00000000000404 82 03C0 80", PCM)
    assert mkv.block(1, -64, b"\x01\x02") == packed("A3 01 00000000000006 81 FFC0 80 0102")


def test_the_contacts_tags_are_one_tags_element_each() -> None:
    tag = packed("45A3 01 00000000000009", b"ContactId", "4487 01 00000000000009", b"contact-1")
    first = packed("67C8 01 000000000000", bytes([len(tag)]), tag)
    first = packed("7373 01 000000000000", bytes([len(first)]), first)
    first = packed("1254C367 01 000000000000", bytes([len(first)]), first)
    written = mkv.contact_tags("contact-1", "instance-1")
    assert written.startswith(first)
    assert [name for name, _, _ in elements(written)].count("1254C367") == 6
    (document,) = documents(mkv.head(UID, mkv.BOTH, NUMBER, AT, AT) + written)
    assert {name: value for name, value in document.tags.items() if not name.startswith("AWS")} == {
        "ContactId": "contact-1",
        "InstanceId": "instance-1",
        "MimeType": "audio/L16;rate=8000;channels=1;",
        "AUDIO_FROM_CUSTOMER": "1",
        "AUDIO_TO_CUSTOMER": "2",
        "Events": "[]",
    }


def test_tags_of_a_contact_may_lack_its_name_and_a_direction() -> None:
    names = [payload for name, payload, _ in elements(mkv.contact_tags("", "i", [mkv.FROM_CUSTOMER])) if name == "45A3"]
    assert names == [b"InstanceId", b"MimeType", b"AUDIO_FROM_CUSTOMER", b"Events"]


def test_the_last_tags_are_the_services() -> None:
    tags = service_tag(b"AWS_KINESISVIDEO_MILLIS_BEHIND_NOW", b"910")
    tags += service_tag(b"AWS_KINESISVIDEO_CONTINUATION_TOKEN", NUMBER.encode())
    assert mkv.tail(910, NUMBER) == packed(
        "1254C367 10 0000", bytes([len(tags) + 6]), "7373 10 0000", bytes([len(tags)]), tags
    )


def test_the_layout_is_the_one_of_a_recorded_body(shared_data: Path) -> None:
    captured = (shared_data / "kvs" / "test_mixed_tags.mkv").read_bytes()
    ours = fragment()
    segment = 5 + 36 + 12
    assert ours[:segment] == captured[:segment]

    def forms(data: bytes) -> dict[str, set[int]]:
        """How many bytes the sizes of an element take, by element; strings and tags are not told apart."""
        found: dict[str, set[int]] = {}
        for identifier, _, size_bytes in elements(data):
            found.setdefault(identifier, set()).add(size_bytes)
        return found

    theirs = forms(captured)
    for identifier, sizes in forms(ours).items():
        if identifier != "83":  # TrackType: they have video
            assert sizes <= theirs[identifier], identifier


def test_an_error_in_band_is_a_document_without_a_cluster() -> None:
    with_number, without = documents(mkv.error(UID, 4500, "KMS", NUMBER) + mkv.error(UID, 3002, "WRITE"))
    assert with_number.error == 4500
    assert with_number.tags["AWS_KINESISVIDEO_ERROR_CODE"] == "KMS"
    assert with_number.number == int(NUMBER)
    assert without.error == 3002
    assert "AWS_KINESISVIDEO_FRAGMENT_NUMBER" not in without.tags
    assert without.timecode == with_number.timecode == -1
    assert "AWS_KINESISVIDEO_SERVER_TIMESTAMP" not in with_number.tags


def test_magic_bytes_in_the_identity_do_not_move_the_error() -> None:
    uid = bytes.fromhex("1254C3671F43B6751A45DFA318538067")
    (document,) = documents(mkv.error(uid, 5000, "INTERNAL"))
    assert (document.uid, document.error) == (uid, 5000)


def test_tags_can_come_before_the_cluster() -> None:
    start = mkv.head(UID, mkv.BOTH, NUMBER, AT, AT, mkv.contact_tags("contact-1", "instance-1"))
    (document,) = documents(start)
    assert "ContactId" in document.tags_before_cluster
    assert document.timecode == AT


def test_times_have_three_decimals() -> None:
    assert mkv.seconds(1_726_677_687_008) == "1726677687.008"
    assert mkv.seconds(0) == "0.000"


def test_ebmlite_reads_what_we_write() -> None:
    def children(of: Any, name: str) -> list[Any]:
        return [child for child in of if child.name == name]

    document = ebmlite.loadSchema("matroska.xml").loads(fragment())
    flat = list(document) + list(children(document, "Segment")[0])
    tracks = next(element for element in flat if element.name == "Tracks")
    entries = [{part.name: part.value for part in entry} for entry in children(tracks, "TrackEntry")]
    assert [(entry["TrackNumber"], entry["Name"].rstrip("\0")) for entry in entries] == [
        (1, "AUDIO_TO_CUSTOMER"),
        (2, "AUDIO_FROM_CUSTOMER"),
    ]
    cluster = next(element for element in flat if element.name == "Cluster")
    inside = [*cluster, *flat]
    assert next(element for element in inside if element.name == "Timecode").value == AT
    blocks = [bytes(element.value) for element in inside if element.name == "SimpleBlock"]
    assert len(blocks) == 32
    assert {block[4:] for block in blocks} == {PCM}


def test_mkvinfo_reads_what_we_write(tmp_path: Path) -> None:
    mkvinfo = shutil.which("mkvinfo")
    if mkvinfo is None:
        pytest.skip("needs mkvinfo (Debian package mkvtoolnix)")
    path = tmp_path / "fragment.mkv"
    path.write_bytes(fragment())
    told = subprocess.run([mkvinfo, "-v", "-v", path], check=True, capture_output=True, text=True).stdout
    assert told.lower().count("simple block") == 32
    assert "AUDIO_FROM_CUSTOMER" in told
    assert "Name: ContactId" in told
    assert "AWS_KINESISVIDEO_CONTINUATION_TOKEN" in told
    assert "(unknown" not in told.replace("size unknown", "").lower()
