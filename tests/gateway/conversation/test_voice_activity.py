from __future__ import annotations

import wave
from pathlib import Path

import pytest

from contract.audio import lin2ulaw
from gateway.conversation.voice_activity import VoiceActivity
from tests.gateway.sounds import noise, quiet, tone

START = 1_700_000_000_000


def listen(audio: bytes, frame_ms: int = 20, voice: VoiceActivity | None = None) -> list[bool]:
    """Feed it frame by frame; whether somebody spoke after each."""
    voice = voice or VoiceActivity()
    spoke = []
    for at in range(0, len(audio), frame_ms * 8):
        voice.hear(audio[at : at + frame_ms * 8], START + at // 8)
        spoke.append(voice.speaking)
    return spoke


def test_digital_silence_is_no_speech() -> None:
    assert not any(listen(quiet(1000)))


def test_a_sound_is_noticed_with_its_first_and_last_sample() -> None:
    voice = VoiceActivity()
    listen(quiet(500) + tone(400) + quiet(600), voice=voice)
    assert voice.started_ms == START + 500
    assert voice.stopped_ms == START + 900
    assert voice.quiet_ms == 600
    assert voice.media_ms == START + 1500
    assert not voice.speaking


def test_a_click_is_no_sound() -> None:
    voice = VoiceActivity()
    assert not any(listen(quiet(500) + tone(40) + quiet(500), voice=voice))
    assert (voice.started_ms, voice.stopped_ms) == (0, 0)


def test_a_short_gap_belongs_to_the_same_sound() -> None:
    voice = VoiceActivity()
    listen(tone(400) + quiet(200) + tone(400), voice=voice)
    assert voice.started_ms == START


def test_a_long_gap_begins_another_sound() -> None:
    voice = VoiceActivity()
    listen(tone(400) + quiet(400) + tone(400), voice=voice)
    assert voice.started_ms == START + 800


def test_noise_that_stays_is_learned_in_seconds() -> None:
    spoke = listen(noise(12_000, 500))
    assert not any(spoke[-100:])


@pytest.mark.parametrize("frame_ms", [20, 64])
def test_a_long_sentence_without_a_breath_is_speech_to_its_end(frame_ms: int) -> None:
    spoke = listen(quiet(320) + tone(4480, 3000), frame_ms)
    assert all(spoke[-4:])


@pytest.mark.parametrize("frame_ms", [20, 64, 96])
def test_who_speaks_for_a_minute_without_a_breath_is_not_taken_for_noise(frame_ms: int) -> None:
    word = tone(270, 8000) + quiet(30)
    voice = VoiceActivity()
    listen(word * 200, frame_ms, voice)
    assert voice.quiet_ms <= 100
    assert voice.started_ms == START


def test_speech_over_noise_is_heard() -> None:
    spoke = listen(noise(6000, 150) + tone(500, 4000) + noise(500, 150))
    assert any(spoke[300:325])
    assert not any(spoke[-10:])


def test_recorded_sentences_are_heard_and_end(shared_data: Path) -> None:
    for path in sorted((shared_data / "speech").glob("*.wav")):
        if path.name.startswith("real-call"):
            continue
        with wave.open(str(path)) as file:
            spoke = listen(lin2ulaw(file.readframes(file.getnframes())) + quiet(1000))
        assert sum(spoke) > 20, path.name
        assert not any(spoke[-30:]), path.name
