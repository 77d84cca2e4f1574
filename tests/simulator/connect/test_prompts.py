from __future__ import annotations

import pytest

from simulator.connect import prompts
from simulator.connect.errors import NotPlayable
from tests.simulator.connect.small import ulaw_wav


@pytest.mark.parametrize(
    "url",
    [
        "https://clips.s3.eu-central-1.amazonaws.com/a/b.wav",
        "https://clips.s3.amazonaws.com/a/b.wav",
        "https://clips.s3-eu-west-1.amazonaws.com/a/b.wav",
    ],
)
def test_a_virtual_hosted_url_names_bucket_and_key(url: str) -> None:
    assert prompts.parse_s3_url(url) == ("clips", "a/b.wav")


@pytest.mark.parametrize(
    "url",
    [
        "http://clips.s3.amazonaws.com/a.wav",
        "https://s3.amazonaws.com/clips/a.wav",
        "https://clips.s3.amazonaws.com/",
        "https://clips.s3.amazonaws.com/a.wav?X-Amz-Signature=1",
        "https://clips.example.com/a.wav",
        "none",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(NotPlayable, match="another address"):
        prompts.parse_s3_url(url)


def test_the_samples_of_a_ulaw_wav_are_its_data_chunk() -> None:
    assert prompts.samples("a", ulaw_wav(250)) == b"\xff" * 2000


def test_an_odd_chunk_is_followed_by_a_padding_byte() -> None:
    wav = ulaw_wav(1)
    padded = wav[:12] + b"LIST\x03\x00\x00\x00abc\x00" + wav[12:]
    assert prompts.samples("a", padded) == b"\xff" * 8


@pytest.mark.parametrize(
    ("wav", "why"),
    [
        (b"ID3\x00 not a wav at all", "begins with"),
        (b"RIFF\x04\x00\x00\x00WAVE", "without fmt"),
        (ulaw_wav(10)[:-1], "79 bytes"),
        (ulaw_wav(10, tag=1, bits=16), "tag 1"),
        (ulaw_wav(10, channels=2), "2 channels"),
        (ulaw_wav(10, rate=16000), "16000 Hz"),
        (ulaw_wav(300_000), "300000 ms"),
    ],
)
def test_what_connect_does_not_play_is_refused(wav: bytes, why: str) -> None:
    with pytest.raises(NotPlayable, match=why):
        prompts.samples("a", wav)


def test_a_file_of_50_mb_is_refused() -> None:
    with pytest.raises(NotPlayable, match="52428800 bytes"):
        prompts.samples("a", bytes(prompts.MAX_BYTES))


def test_tags_of_ssml_are_not_billed_but_counted() -> None:
    prompts.check_text("x" * 3000)
    prompts.check_text("<break time='1s'/>" * 100 + "x" * 100)
    for text in ("x" * 3001, "<break time='1s'/>" * 400):
        with pytest.raises(NotPlayable, match="3,000 billed"):
            prompts.check_text(text)
