"""Speech is never mistaken for silence; silence is mostly found."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path
from random import Random

import pytest

from gateway.legs.kvs.loudness import SpeechMeter


def noise(level: int, seed: int = 1, samples: int = 512) -> bytes:
    random = Random(seed)
    return struct.pack(f"<{samples}h", *(round(random.gauss(0, level)) for _ in range(samples)))


def tone(level: int, samples: int = 512) -> bytes:
    return struct.pack(f"<{samples}h", *(round(level * 1.414 * math.sin(0.3 * index)) for index in range(samples)))


def test_digital_silence_is_no_speech() -> None:
    assert not SpeechMeter().is_speech(bytes(1024))


def test_a_voice_is_speech_from_its_first_block_on() -> None:
    assert SpeechMeter().is_speech(tone(800))


@pytest.mark.parametrize("level", [0, 30, 90, 200])
def test_steady_noise_is_learned_within_some_seconds_and_a_voice_above_it_heard(level: int) -> None:
    meter = SpeechMeter()
    heard = [meter.is_speech(noise(level, seed)) for seed in range(200)]
    assert not any(heard[160:])
    assert meter.is_speech(tone(max(800, level * 5)))


def test_a_long_speech_does_not_become_noise() -> None:
    meter = SpeechMeter()
    assert all(meter.is_speech(tone(1500)) for _ in range(600))


def test_the_floor_falls_at_the_first_pause() -> None:
    meter = SpeechMeter()
    for seed in range(300):
        meter.is_speech(noise(300, seed))
    for _ in range(5):
        meter.is_speech(noise(40))
    assert meter.is_speech(tone(350))


@pytest.mark.parametrize("name", ["quick-question", "account-balance", "that-is-all", "real-call-caller"])
def test_the_loud_parts_of_real_callers_are_speech(name: str, shared_data: Path) -> None:
    with wave.open(str(shared_data / "speech" / f"{name}.wav")) as file:
        pcm = file.readframes(file.getnframes())
    meter = SpeechMeter()
    blocks = [pcm[at : at + 1024] for at in range(0, len(pcm), 1024)]
    speech = [meter.is_speech(block) for block in blocks]
    peaks = [max(map(abs, struct.unpack(f"<{len(block) // 2}h", block))) for block in blocks]
    loud = sorted(peaks)[-len(peaks) // 4]
    assert all(found for found, peak in zip(speech, peaks, strict=True) if peak >= loud)
    assert any(speech)
    assert not all(speech)
