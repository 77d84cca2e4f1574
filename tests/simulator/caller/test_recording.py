"""Which recordings a caller can speak, and what is said about the others."""

from __future__ import annotations

import shlex
import struct
import wave
from pathlib import Path

import pytest

from simulator.caller.recording import BadRecording, read

SAMPLES = struct.pack("<8h", 0, 1, -1, 1000, -1000, 32767, -32768, 7)
PCM_GUID = bytes.fromhex("0100000000001000800000AA00389B71")


def form(encoding: int = 1, channels: int = 1, rate: int = 8000, bits: int = 16, more: bytes = b"") -> bytes:
    width = channels * bits // 8
    return struct.pack("<HHIIHH", encoding, channels, rate, rate * width, width, bits) + more


def chunk(name: bytes, payload: bytes, length: int | None = None) -> bytes:
    size = len(payload) if length is None else length
    return name + struct.pack("<I", size) + payload + b"\x00" * (len(payload) % 2)


def wav(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def extensible(inner: bytes = PCM_GUID, bits: int = 16) -> bytes:
    return form(0xFFFE, bits=bits, more=struct.pack("<HHI", 22, bits, 0) + inner)


def saved(folder: Path, data: bytes, name: str = "caller.wav") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def refused(folder: Path, data: bytes, name: str = "caller.wav") -> BadRecording:
    with pytest.raises(BadRecording) as caught:
        read(saved(folder, data, name))
    return caught.value


def test_the_samples_are_given_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "caller.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(SAMPLES)
    assert read(path) == SAMPLES


def test_chunks_around_the_samples_are_passed_over(tmp_path: Path) -> None:
    data = wav(chunk(b"LIST", b"odd"), chunk(b"fmt ", form()), chunk(b"fact", b"1234"), chunk(b"data", SAMPLES))
    assert read(saved(tmp_path, data + chunk(b"LIST", b"after"))) == SAMPLES


def test_an_extensible_format_that_is_pcm_inside_is_pcm(tmp_path: Path) -> None:
    assert read(saved(tmp_path, wav(chunk(b"fmt ", extensible()), chunk(b"data", SAMPLES)))) == SAMPLES


@pytest.mark.parametrize("length", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_a_length_that_a_pipe_left_behind_means_until_the_end(tmp_path: Path, length: int) -> None:
    assert read(saved(tmp_path, wav(chunk(b"fmt ", form()), chunk(b"data", SAMPLES, length)))) == SAMPLES


def test_half_a_sample_at_the_end_is_left_out(tmp_path: Path) -> None:
    assert read(saved(tmp_path, wav(chunk(b"fmt ", form()), chunk(b"data", SAMPLES + b"\x01")))) == SAMPLES


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (form(rate=16000), "16000 Hz, 16-bit PCM, 1 channel;"),
        (form(channels=2), "8000 Hz, 16-bit PCM, 2 channels;"),
        (form(bits=8), "8000 Hz, 8-bit PCM, 1 channel;"),
        (form(bits=24), "8000 Hz, 24-bit PCM, 1 channel;"),
        (form(3, bits=32), "8000 Hz, 32-bit floating point, 1 channel;"),
        (form(6, bits=8), "8000 Hz, 8-bit A-law, 1 channel;"),
        (form(7, bits=8), "8000 Hz, 8-bit µ-law, 1 channel;"),
        (form(85, bits=0), "8000 Hz, 0-bit MP3, 1 channel;"),
        (form(17, bits=4), "8000 Hz, 4-bit encoding 17, 1 channel;"),
        (extensible(b"\x03" + PCM_GUID[1:], 32), "8000 Hz, 32-bit floating point, 1 channel;"),
        (extensible(bytes(16)), "8000 Hz, 16-bit extensible, 1 channel;"),
        (form(0xFFFE), "8000 Hz, 16-bit extensible, 1 channel;"),
    ],
)
def test_another_format_is_named_with_the_command_that_mends_it(tmp_path: Path, header: bytes, found: str) -> None:
    said = str(refused(tmp_path, wav(chunk(b"fmt ", header), chunk(b"data", SAMPLES))))
    assert f"8000 Hz, 16-bit PCM, 1 channel is needed, this is {found}" in said
    path, mended = tmp_path / "caller.wav", tmp_path / "caller-8k.wav"
    assert said.endswith(f"convert it with: sox {path} -r 8000 -b 16 -c 1 -e signed-integer {mended}")


def test_the_command_can_be_pasted_whatever_the_file_is_called(tmp_path: Path) -> None:
    error = refused(tmp_path, wav(chunk(b"fmt ", form(channels=2)), chunk(b"data", SAMPLES)), "it's a call.wav")
    words = shlex.split(error.command)
    assert words[1] == str(tmp_path / "it's a call.wav")
    assert words[-1] == str(tmp_path / "it's a call-8k.wav")


def test_a_file_that_is_no_wav_is_refused(tmp_path: Path) -> None:
    for data in (b"", b"ID3\x04 an mp3", b"RIFF\x00\x00\x00\x00AVI "):
        error = refused(tmp_path, data)
        assert "this is not a WAV file; convert it with: sox " in str(error)


@pytest.mark.parametrize(
    "chunks",
    [
        (),
        (chunk(b"fmt ", form()),),
        (chunk(b"data", SAMPLES),),
        (chunk(b"fmt ", form()[:12]), chunk(b"data", SAMPLES)),
        (chunk(b"data", SAMPLES), chunk(b"fmt ", form())),
    ],
    ids=["nothing", "no data", "no format", "short format", "data first"],
)
def test_a_damaged_file_is_refused(tmp_path: Path, chunks: tuple[bytes, ...]) -> None:
    assert "a damaged WAV file without format or data" in str(refused(tmp_path, wav(*chunks)))


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    data = wav(chunk(b"fmt ", form()), chunk(b"data", SAMPLES))
    assert "cut off: 10 of 16 bytes of audio are there" in str(refused(tmp_path, data[:-6]))


def test_a_file_without_a_sample_is_refused(tmp_path: Path) -> None:
    for samples in (b"", b"\x01"):
        data = wav(chunk(b"fmt ", form()), chunk(b"data", samples))
        assert "one without a sample" in str(refused(tmp_path, data))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match=r"nobody\.wav: .*not readable \(No such file or directory\)$"):
        read(tmp_path / "nobody.wav")
    with pytest.raises(BadRecording, match="Is a directory"):
        read(tmp_path)


def test_real_recordings_can_be_read(shared_data: Path) -> None:
    for path in sorted((shared_data / "speech").glob("*.wav")):
        assert len(read(path)) > 16_000
