"""A recording on disk, and reading it again."""

from __future__ import annotations

import stat
import tarfile
from pathlib import Path

import pytest

from gateway.recording.errors import UnknownVersion, UnreadableRecording
from gateway.recording.folder import FILES, SIDECAR, append, finish, load
from gateway.recording.tape import Audio

FIRST = '{"version":1,"epoch_ms":0}\n'


def test_what_is_written_piece_by_piece_is_read_as_one(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "call-1"
    append(folder, FIRST, {Audio.AGENT: b"ab", Audio.KVS: b"12"})
    append(folder, '{"t":1,"at":"store"}\n', {Audio.AGENT: b"cd", Audio.KVS: b"34"})
    finish(folder)
    recording = load(folder)
    assert (recording.name, recording.header["epoch_ms"]) == ("call-1", 0)
    assert recording.lines == [{"t": 1, "at": "store"}]
    assert recording.audio == dict.fromkeys(Audio, b"") | {Audio.AGENT: b"abcd", Audio.KVS: b"1234"}


def test_the_wav_files_say_how_long_they_are(tmp_path: Path) -> None:
    append(tmp_path, FIRST, {Audio.AGENT: b"ab"})
    append(tmp_path, "", {Audio.AGENT: b"cd"})
    finish(tmp_path)
    wav = (tmp_path / FILES[Audio.AGENT]).read_bytes()
    assert wav[:4] + wav[8:12] == b"RIFFWAVE"
    assert int.from_bytes(wav[54:58], "little") == 4
    assert wav[58:] == b"abcd"


def test_only_the_user_of_the_gateway_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "call-1"
    append(folder, FIRST, {})
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / SIDECAR).stat().st_mode) == 0o600


def test_a_line_that_was_being_written_when_the_gateway_died_is_left_out(tmp_path: Path) -> None:
    append(tmp_path, FIRST + '{"t":1,"at":"store"}\n{"t":2,"a', {})
    assert len(load(tmp_path).lines) == 1


def test_a_later_format_is_refused_with_both_versions(tmp_path: Path) -> None:
    append(tmp_path, '{"version":2}\n', {})
    with pytest.raises(UnknownVersion, match=r"format version 2, this release reads up to 1; use a newer release"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("", "sidecar.jsonl:1: no first line"),
        (FIRST + "[]\n", "sidecar.jsonl:2: not a JSON object"),
        (FIRST + "{\n", "sidecar.jsonl:2: not a JSON object"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(tmp_path: Path, lines: str, problem: str) -> None:
    append(tmp_path, lines, {})
    with pytest.raises(UnreadableRecording, match=problem):
        load(tmp_path)


def test_a_folder_without_a_sidecar_and_a_file_that_is_no_archive_are_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableRecording, match=r"no sidecar\.jsonl in it"):
        load(tmp_path)
    file = tmp_path / "x.tar.xz"
    file.write_bytes(b"nothing")
    with pytest.raises(UnreadableRecording, match="not an archive"):
        load(file)


def test_a_packed_folder_is_the_same_recording(tmp_path: Path) -> None:
    append(tmp_path / "call", FIRST, {Audio.AGENT: b"ab"})
    with tarfile.open(tmp_path / "call.tar.xz", "w:xz") as archive:
        archive.add(tmp_path / "call", "call")
    packed = load(tmp_path / "call.tar.xz")
    assert (packed.name, packed.audio[Audio.AGENT]) == ("call", b"ab")
