"""Real GetMedia bodies, read by us and by readers that others wrote."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ebmlite
import pytest

from gateway.legs.kvs.fragments import AWS_FRAGMENT_NUMBER
from gateway.legs.kvs.matroska import Block, ClusterStart, DocumentStart, Event, Limits, MatroskaReader, Tags, Tracks
from tests.gateway.legs.kvs import mkv

NAMES = [
    "output_get_media",
    "output_get_media_sparse_fragments",
    "test_mixed_tags",
    "empty-mkv-with-tags",
    "test_tags_empty_cluster",
]
VIDEO = Limits(max_block_bytes=1 << 20)  # a key frame is longer than any audio


@pytest.fixture(params=NAMES)
def capture(request: pytest.FixtureRequest, shared_data: Path) -> Path:
    return shared_data / "kvs" / f"{request.param}.mkv"


def read(data: bytes, chunk: int) -> list[Event]:
    reader = MatroskaReader(VIDEO)
    events = [event for at in range(0, len(data), chunk) for event in reader.feed(data[at : at + chunk])]
    reader.end()
    return events


def by_ebmlite(data: bytes) -> tuple[list[Block], list[dict[str, str]], list[dict[int, str]]]:
    """Blocks, tags and tracks of all documents; ebmlite needs each document on its own."""
    schema = ebmlite.loadSchema("matroska.xml")
    starts = [match.start() for match in re.finditer(re.escape(bytes.fromhex("1a45dfa3")), data)]
    blocks: list[Block] = []
    tags: list[dict[str, str]] = []
    tracks: list[dict[int, str]] = []
    for start, stop in zip(starts, [*starts[1:], len(data)], strict=True):
        timecode = 0
        for element in walk(schema.loads(data[start:stop])):
            if element.name == "Tags":
                tags.append(dict(simple_tags(element)))
            elif element.name == "Tracks":
                tracks.append(dict(entry_of(entry) for entry in element if entry.name == "TrackEntry"))
            elif element.name == "Timecode":
                timecode = element.value
            elif element.name == "SimpleBlock":
                raw = bytes(element.value)
                relative = int.from_bytes(raw[1:3], "big", signed=True)
                blocks.append(Block(raw[0] & 0x7F, timecode + relative, raw[4:]))
    return blocks, tags, tracks


def walk(document: Any) -> Iterator[Any]:
    """Children of Segments and Clusters, whether ebmlite nests them (known size) or not."""
    for element in document:
        if element.name in ("Segment", "Cluster"):
            yield from walk(element)
        else:
            yield element


def simple_tags(tags: Any) -> Iterator[tuple[str, str]]:
    for tag in tags:
        for simple in tag if tag.name == "Tag" else ():
            if simple.name == "SimpleTag":
                found = {part.name: part.value for part in simple}
                yield found["TagName"], found.get("TagString", "")


def entry_of(entry: Any) -> tuple[int, str]:
    found = {part.name: part.value for part in entry}
    return found["TrackNumber"], found.get("Name", "")


def test_captures_are_read_as_ebmlite_reads_them(capture: Path) -> None:
    data = capture.read_bytes()
    events = read(data, 1460)
    blocks, tags, tracks = by_ebmlite(data)
    assert [event for event in events if isinstance(event, Block)] == blocks
    assert [dict(event.values) for event in events if isinstance(event, Tags)] == tags
    assert [dict(event.names) for event in events if isinstance(event, Tracks)] == tracks


@pytest.mark.parametrize("chunk", [7, 320, 65_536])
def test_captures_are_read_alike_in_chunks_of_any_size(capture: Path, chunk: int) -> None:
    data = capture.read_bytes()[:300_000]
    reader, whole = MatroskaReader(VIDEO), MatroskaReader(VIDEO)
    cut = [event for at in range(0, len(data), chunk) for event in reader.feed(data[at : at + chunk])]
    assert cut == list(whole.feed(data))


def test_each_fragment_of_a_body_has_its_number_and_one_cluster(shared_data: Path) -> None:
    events = read((shared_data / "kvs" / "test_mixed_tags.mkv").read_bytes(), 1024)
    numbers = [
        event.values[AWS_FRAGMENT_NUMBER]
        for event in events
        if isinstance(event, Tags)
        if AWS_FRAGMENT_NUMBER in event.values
    ]
    assert len(numbers) == len(set(numbers)) == 10
    assert [event.timecode_ms for event in events if isinstance(event, ClusterStart)] == list(range(0, 50_000, 5_000))
    assert sum(isinstance(event, DocumentStart) for event in events) == 10


def by_mkvinfo(path: Path) -> list[tuple[int, int]]:
    """Track and size of every block."""
    mkvinfo = shutil.which("mkvinfo")
    if mkvinfo is None:
        pytest.skip("needs mkvinfo (Debian package mkvtoolnix)")
    command = [mkvinfo, "--all", "-v", "-v", str(path)]
    told = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}
    ).stdout
    found = re.findall(r"Simple block:.*?track number (\d+).*?\n.*?Frame with size (\d+)", told)
    return [(int(track), int(size)) for track, size in found]


@pytest.mark.parametrize("name", ["output_get_media", "output_get_media_sparse_fragments", "test_mixed_tags"])
def test_captures_are_read_as_mkvinfo_reads_them(name: str, shared_data: Path) -> None:
    path = shared_data / "kvs" / f"{name}.mkv"
    blocks = [event for event in read(path.read_bytes(), 65_536) if isinstance(event, Block)]
    assert by_mkvinfo(path) == [(block.track_number, len(block.payload)) for block in blocks]


def test_what_the_tests_write_is_matroska_to_mkvinfo(tmp_path: Path) -> None:
    path = tmp_path / "stream.mkv"
    path.write_bytes(b"".join(fragment.encoded() for fragment in mkv.stream(3)))
    assert by_mkvinfo(path) == [(1, 1024), (2, 1024)] * 48
