from __future__ import annotations

import numpy as np
import pytest

from contract.audio import ulaw2lin
from simulator.deepgram.local.sound import (
    Samples,
    for_telephone,
    from_ulaw,
    levelled,
    resample,
    to_pcm,
    to_ulaw,
    trimmed,
)


def sine(hz: float, rate: int, seconds: float = 1.0) -> Samples:
    return np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate).astype(np.float32)


def level_db(samples: Samples) -> float:
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    return float(20 * np.log10(np.sqrt(2 * np.mean(middle**2)) + 1e-9))


@pytest.mark.parametrize("hz", [100, 300, 1000, 3000, 3400])
def test_the_telephone_band_passes_unchanged(hz: int) -> None:
    assert level_db(resample(sine(hz, 24_000), 24_000, 8000)) == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("hz", [4100, 4600, 5000, 7000, 9000, 11_500])
def test_nothing_above_the_band_comes_back_as_an_alias(hz: int) -> None:
    assert level_db(resample(sine(hz, 24_000), 24_000, 8000)) < -60


def test_a_tone_keeps_its_pitch_at_every_rate() -> None:
    for from_hz, to_hz in ((24_000, 8000), (8000, 16_000), (19_200, 8000), (8000, 8000)):
        tone = resample(sine(1000, from_hz), from_hz, to_hz)
        assert len(tone) == to_hz
        assert np.argmax(np.abs(np.fft.rfft(tone))) == 1000


def test_doubling_the_rate_adds_no_image() -> None:
    spectrum = np.abs(np.fft.rfft(resample(sine(1000, 8000), 8000, 16_000) * np.hanning(16_000)))
    assert spectrum[4500:].max() < spectrum.max() / 1000


def test_a_few_samples_more_or_less_make_no_error() -> None:
    for count in range(7):
        assert len(resample(np.ones(count, np.float32), 24_000, 8000)) == -(-count // 3)
        assert len(resample(np.ones(count, np.float32), 8000, 16_000)) == 2 * count


def test_speech_is_brought_to_one_level() -> None:
    quiet = sine(300, 8000) * np.float32(0.01)
    silence = np.zeros(8000, np.float32)
    loud = levelled(np.concatenate([quiet, silence]))
    assert 20 * np.log10(np.sqrt(np.mean(loud[:8000] ** 2))) == pytest.approx(-20, abs=0.1)


def test_a_peak_is_not_cut() -> None:
    peaky = sine(300, 8000) * np.float32(0.05)
    peaky[4000] = 1.0
    assert np.abs(levelled(peaky)).max() == pytest.approx(0.9)


def test_silence_stays_silence() -> None:
    silence = np.zeros(800, np.float32)
    assert not levelled(silence).any()
    assert not len(trimmed(silence))
    assert not len(for_telephone(np.zeros(0, np.float32), 24_000))


def test_silence_around_speech_is_trimmed() -> None:
    pause = np.zeros(8000, np.float32)
    short = trimmed(np.concatenate([pause, sine(300, 8000), pause]))
    assert len(short) == 8000 + 60 * 8 + 100 * 8
    assert len(trimmed(sine(300, 8000))) == 8000


def test_samples_become_bytes_and_come_back() -> None:
    tone = sine(440, 8000) * np.float32(0.5)
    assert np.abs(from_ulaw(to_ulaw(tone)) - tone).max() < 0.02
    assert np.frombuffer(to_pcm(np.array([2.0, -2.0], np.float32)), "<i2").tolist() == [32767, -32767]
    assert len(ulaw2lin(to_ulaw(tone))) == 16_000
